"""The Inception path with random weights in the official layout: what it computes, never a number to report."""

import hashlib
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3

from wae.errors import UserError
from wae.metrics import frechet_distance, kid
from wae.metrics.features import inception
from wae.metrics.features.extractors import EXTRACTORS


class Unloaded(FeatureExtractorInceptionV3):
    """The network as initialised, neither loaded nor downloaded."""

    def load_state_dict(self, state: object) -> None:
        assert state == {}


@pytest.fixture(scope="module")
def official() -> FeatureExtractorInceptionV3:
    """torch-fidelity's own network with random weights, and batch statistics that folding could get wrong."""
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    network = Unloaded("random", ["2048"], feature_extractor_weights_path=empty)
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)
            for tensor in (module.bias, module.running_mean):
                tensor.normal_(0.0, 0.3, generator=generator)
    return network


@pytest.fixture(scope="module")
def path(official: FeatureExtractorInceptionV3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(official.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randint(0, 256, (3, 3, 32, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_folded_features_are_the_official_ones(
    official: FeatureExtractorInceptionV3, path: Path, images: Tensor
) -> None:
    loaded = inception.load(path, sha256_begins="")
    with torch.no_grad():
        expected, found = official(images)[0], loaded.features(images)
    assert found.shape == (3, 2048)
    assert (found - expected).norm() < 2e-6 * expected.norm()
    assert not any(isinstance(module, nn.BatchNorm2d) for module in loaded.network.modules())


def test_a_batch_norm_is_folded_in_float64_and_rounded_once() -> None:
    generator = torch.Generator().manual_seed(0)
    block = BasicConv2d(5, 16, kernel_size=3).eval()
    tensors = block.bn.weight, block.bn.running_var, block.bn.bias, block.bn.running_mean
    scale, variance, shift, mean = (tensor.data.uniform_(0.5, 1.5, generator=generator) for tensor in tensors)
    scale, variance, shift, mean = (tensor.numpy().astype(np.float64) for tensor in (scale, variance, shift, mean))
    stretch = scale / np.sqrt(variance + block.bn.eps)
    weight = block.conv.weight.detach().numpy().astype(np.float64) * stretch[:, None, None, None]
    folded = inception.fold(nn.Sequential(block))[0].conv
    assert np.array_equal(folded.weight.numpy(), weight.astype(np.float32))
    assert np.array_equal(folded.bias.numpy(), (shift - mean * stretch).astype(np.float32))


def test_grey_is_repeated_to_three_channels(path: Path, images: Tensor) -> None:
    loaded = inception.load(path, sha256_begins="")
    grey = images[:1, :1]
    assert torch.equal(loaded.features(grey), loaded.features(grey.repeat(1, 3, 1, 1)))


def test_the_file_is_named_by_its_whole_hash(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert inception.load(path, sha256_begins=digest[:8]).sha256 == digest


def test_other_weights_give_no_number(path: Path) -> None:
    with pytest.raises(UserError, match=r"weights\.pth: sha256 is [0-9a-f]{64}, but .* begin 6726825d"):
        EXTRACTORS["inception"](path, "cpu")


def test_nothing_but_tensors_is_unpickled(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)  # type: ignore[return-value]

    torch.save({"weight": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(pickle.UnpicklingError):
        inception.load(tmp_path / "bomb.pth", sha256_begins="")
    assert not (tmp_path / "exploded").exists()


def test_a_tensor_missing_from_the_file_is_an_error(official: FeatureExtractorInceptionV3, tmp_path: Path) -> None:
    state = official.state_dict()
    del state["Mixed_7c.branch1x1.conv.weight"]
    torch.save(state, tmp_path / "short.pth")
    with pytest.raises(RuntimeError, match=r"Mixed_7c\.branch1x1\.conv\.weight"):
        inception.load(tmp_path / "short.pth", sha256_begins="")


@pytest.mark.parametrize("shape", [(1, 2, 32, 32), (3, 32, 32)])
def test_only_grey_and_colour_bytes_are_images(shape: tuple[int, ...]) -> None:
    loaded = inception.Inception(nn.Identity(), "")
    with pytest.raises(ValueError, match="Inception takes uint8"):
        loaded.features(torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(ValueError, match="float32"):
        loaded.features(torch.zeros(1, 3, 32, 32))


def pictures(folder: Path, n: int, seed: int) -> np.ndarray:
    """n smooth colour pictures, saved as PNG in the order of their names; their arrays (n, 3, 24, 30)."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, 4, 5, 3)).astype(np.uint8)
    images = [Image.fromarray(small).resize((30, 24), Image.Resampling.BICUBIC) for small in coarse]
    for index, image in enumerate(images):
        (image if seed == 0 else image.convert("L").convert("RGB")).save(folder / f"{index:03}.png")
    saved = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    return np.stack(saved).transpose(0, 3, 1, 2)


@pytest.mark.slow
def test_fid_and_kid_of_two_folders_are_torch_fidelity_s(path: Path, tmp_path: Path) -> None:
    n = 24
    arrays = [pictures(tmp_path / str(seed), n, seed) for seed in (0, 1)]
    theirs = calculate_metrics(
        input1=str(tmp_path / "0"), input2=str(tmp_path / "1"), fid=True, kid=True, kid_subsets=1, kid_subset_size=n,
        feature_extractor_weights_path=str(path), cuda=False, cache=False, batch_size=8, verbose=False,
    )  # fmt: skip
    network = inception.load(path, sha256_begins="")
    with torch.no_grad():
        x, y = (network.features(torch.from_numpy(np.ascontiguousarray(images))) for images in arrays)
    assert frechet_distance(x, y) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    assert kid(x, y) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)


def test_the_extractor_runs_in_batches(path: Path, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception.load, "__kwdefaults__", {"sha256_begins": digest})
    monkeypatch.setattr("wae.metrics.features.extractors.INCEPTION_BATCH", 2)
    extractor = EXTRACTORS["inception"](path, "cpu")
    features = extractor(images.numpy())
    assert (extractor.name, extractor.sha256, extractor.dim) == ("inception-v3-2015-12-05", digest, 2048)
    assert features.dtype == np.float32
    expected = inception.load(path).features(images).numpy()
    np.testing.assert_allclose(features, expected, atol=1e-5 * np.abs(expected).max())
