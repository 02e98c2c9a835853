"""Features a second of our Inception beside torch-fidelity's in one process: `python bench/inception.py [n] [side]`.

Both hold the same random weights in the official layout and take the same bytes, resize included; only the time means
something. Ours has its batch norm inside the convolutions and its images in channels_last.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from wae.metrics.features import inception

ROUNDS = 5


class Unloaded(FeatureExtractorInceptionV3):
    """The network as initialised, neither loaded nor downloaded."""

    def load_state_dict(self, state: object) -> None:
        assert state == {}


def official() -> nn.Module:
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    network = Unloaded("random", ["2048"], feature_extractor_weights_path=empty)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network.eval()


def seconds(run: Callable[[Tensor], Tensor], images: Tensor) -> float:
    begin = time.process_time()
    run(images)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=16, help="images a batch")
    parser.add_argument("side", type=int, nargs="?", default=64, help="pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = official()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pth"
        torch.save(network.state_dict(), path)
        ours = inception.load(path, sha256_begins="").features
    theirs = lambda images: network(images)[0]
    images = torch.randint(0, 256, (options.n, 3, options.side, options.side), dtype=torch.uint8)
    with torch.no_grad():
        off = ((ours(images) - theirs(images)).norm() / theirs(images).norm()).item()
        pairs = [(seconds(ours, images), seconds(theirs, images)) for _ in range(ROUNDS)]
    ratios = [theirs / ours for ours, theirs in pairs]
    mine, other = (options.n / statistics.median(times) for times in zip(*pairs))
    print(f"{options.n} images of {options.side} px, one thread, torch {torch.__version__}, features {off:.0e} off")
    print(f"images a processor second: ours {mine:.2f}, torch-fidelity {other:.2f}")
    print(f"ratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
