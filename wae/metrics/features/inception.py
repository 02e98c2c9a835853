"""Inception-v3 of 2015-12-05, the network behind every published FID: torch-fidelity's port, our own loading.

torch-fidelity resizes as TensorFlow 1 did, bit for bit. It does not check its weights, and it unpickles them without
protection: here a file is read only if its SHA-256 is the known one, and only as tensors.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3

from wae.errors import UserError

SHA256_BEGINS = "6726825d"
NAME = "inception-v3-2015-12-05"
DIM = 2048


@dataclass(frozen=True)
class Inception:
    """The network, folded and in evaluation mode, and the full SHA-256 of the file it came from."""

    network: nn.Module
    sha256: str

    def features(self, images: Tensor) -> Tensor:
        """Images uint8 (n, 1 or 3, h, w) -> the last pooling layer (n, 2048); grey is repeated to three channels."""
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"images are {images.dtype} {tuple(images.shape)}; Inception takes uint8 (n, 1 or 3, h, w)"
            )
        features: Tensor = self.network(images.expand(-1, 3, -1, -1))[0]
        return features


def load(path: Path, device: torch.device | str = "cpu", *, sha256_begins: str = SHA256_BEGINS) -> Inception:
    """The network with the weights in `path`, on `device`.

    Args:
        sha256_begins: first digits of the right weights' SHA-256. Only tests change them, for random weights.

    Raises:
        FileNotFoundError: there is no such file.
        UserError: it holds something else than the published weights, so no number would mean anything.
    """
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if not sha256.startswith(sha256_begins):
        raise UserError(
            f"{path}: sha256 is {sha256}, but the Inception weights of 2015-12-05 begin {sha256_begins}; "
            "no FID is computed with others: delete the file and fetch it again"
        )
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    network = fold(_hand_over(state)).to(memory_format=torch.channels_last).to(device)
    return Inception(network, sha256)


def fold(network: nn.Module) -> nn.Module:
    """`network` with each batch norm inside the convolution before it, folded in float64: the same function, faster."""
    for module in network.modules():
        if isinstance(module, BasicConv2d):
            module.conv = fuse_conv_bn_eval(module.conv.double(), module.bn.double()).float()
            module.bn = nn.Identity()
    return network.requires_grad_(False)


def _hand_over(state: dict[str, Tensor]) -> nn.Module:
    """The network holding `state`; an unknown or missing tensor is an error."""
    # The class unpickles its file, and downloads one if it gets none, so it gets our bytes of plain tensors.
    checked = io.BytesIO()
    torch.save(state, checked)
    checked.seek(0)
    network: nn.Module = FeatureExtractorInceptionV3(NAME, [str(DIM)], feature_extractor_weights_path=checked)
    return network.eval()
