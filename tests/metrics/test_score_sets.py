"""`wae score` of sets that differ in form: grey saved as colour, other sizes, labels, and moments for images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from wae.data.compared import SMALLEST as OF_COMPARED
from wae.data.decoding import FILTERS
from wae.data.fitting import Fit
from wae.data.images import decode_all
from wae.errors import UserError
from wae.metrics import Gaussian, frechet_distance
from wae.metrics.features.extractors import Extractor
from wae.score import KERNELS, SMALLEST
from wae.score import score as command


def images(n: int, seed: int = 0, shape: tuple[int, ...] = (3, 20, 16)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def run(*arguments: object) -> dict[str, dict[str, dict[str, object]]]:
    done = CliRunner().invoke(command, [*map(str, arguments), "--threads", "1", "--json"], catch_exceptions=False)
    found: dict[str, dict[str, dict[str, object]]] = json.loads(done.output)
    return found


def written(folder: Path, arrays: list[np.ndarray]) -> Path:
    folder.mkdir()
    for index, array in enumerate(arrays):
        Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def inception(monkeypatch: pytest.MonkeyPatch) -> Extractor:
    """Four means of an image, whatever its number of channels, in place of Inception's features."""
    extractor = Extractor(
        "inception-v3", "0" * 64, 4, lambda z: z.float().mean(1).unflatten(1, (4, -1)).flatten(2).mean(2), "cpu", 50
    )
    monkeypatch.setattr("wae.score.networks", lambda weights, device: ({"inception": extractor}, {}))
    return extractor


# ---- grey that is saved as colour -------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_grey_that_is_saved_as_colour_compares_with_grey(swapped: bool, inception: Extractor, tmp_path: Path) -> None:
    x, y = images(8, 0, (1, 20, 16)), images(9, 1, (1, 20, 16))
    np.save(tmp_path / "grey.npy", y)
    np.save(tmp_path / "same.npy", x)
    np.save(tmp_path / "colour.npy", x.repeat(3, axis=1))
    pair = [tmp_path / "colour.npy", tmp_path / "grey.npy"][:: -1 if swapped else 1]
    plain = [tmp_path / "same.npy", tmp_path / "grey.npy"][:: -1 if swapped else 1]
    found, expected = run(pair[0], "--against", pair[1]), run(plain[0], "--against", plain[1])
    values = [{name: of["value"] for name, of in report["metrics"].items()} for report in (found, expected)]
    assert values[0] == values[1]  # FID and all others, to the last bit
    said = "the three channels of colour.npy are equal in every picture, so one was taken, as grey"
    assert found["notes"] == [said]
    assert all(str(of["protocol"]).endswith(said) for of in found["metrics"].values())
    assert expected["notes"] == []
    text = CliRunner().invoke(command, [str(pair[0]), "--against", str(pair[1]), "--threads", "1"]).output
    assert f"note: {said}" in text


def test_one_picture_with_colour_is_enough_to_refuse(tmp_path: Path) -> None:
    x = images(8, 0, (1, 20, 16)).repeat(3, axis=1)
    x[7, 2, 19, 15] ^= 1
    np.save(tmp_path / "colour.npy", x)
    np.save(tmp_path / "grey.npy", images(8, 1, (1, 20, 16)))
    with pytest.raises(UserError, match=r"colour.npy has pictures in colour and .*grey.npy in grey; save .*convert"):
        run(tmp_path / "colour.npy", "--against", tmp_path / "grey.npy")


# ---- sizes ------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_resized_pictures_are_those_that_prepare_makes(kernel: str, tmp_path: Path) -> None:
    """Pictures of several sizes, in a folder and in arrays, against the same as `prepare` resizes them."""
    several = [*images(3, 0, (3, 40, 50)), *images(3, 1, (3, 33, 12)), *images(2, 2, (3, 9, 9))]
    folder = written(tmp_path / "several", several)
    files = [(str(index), (folder / f"{index}.png").read_bytes()) for index in range(len(several))]
    np.save(tmp_path / "made.npy", decode_all(files, fit=Fit((3, 9, 9), None, kernel)))
    found = run(folder, "--against", tmp_path / "made.npy", "--size", 9, "--filter", kernel)
    assert found["metrics"]["swd"]["value"] == 0.0
    (note,) = found["notes"]
    assert note.startswith(f"the middle square resized to 9x9 by {kernel} of Pillow ")
    assert all(note in str(of["protocol"]) for of in found["metrics"].values())
    np.save(tmp_path / "large.npy", np.stack(several[:3]))
    np.save(tmp_path / "small.npy", decode_all(files[:3], fit=Fit((3, 9, 9), None, kernel)))
    arguments = ("--against", tmp_path / "small.npy", "--size", 9, "--filter", kernel)
    assert run(tmp_path / "large.npy", *arguments)["metrics"]["swd"]["value"] == 0.0


def test_a_filter_averages_and_does_not_skip_pixels(tmp_path: Path) -> None:
    """A fine checkerboard is grey when it is half as large; without antialiasing it is black, or white."""
    board = np.uint8(255) * ((np.arange(16)[:, None] + np.arange(16)) % 2).astype(np.uint8)
    np.save(tmp_path / "boards.npy", np.stack([board, 255 - board])[:, None])
    np.save(tmp_path / "grey.npy", np.full((2, 1, 8, 8), 128, np.uint8))
    found = run(tmp_path / "boards.npy", "--against", tmp_path / "grey.npy", "--size", 8, "--filter", "box")
    assert found["metrics"]["sharpness"]["value"] == found["metrics"]["sharpness_reference"]["value"] == 0.0


def test_what_the_command_says_before_numpy_is_loaded_is_what_the_readers_have() -> None:
    assert tuple(FILTERS) == KERNELS
    assert SMALLEST == OF_COMPARED


# ---- labels and moments in .npz ---------------------------------------------


def test_labels_beside_the_images_change_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "labelled.npz", images=images(8), labels=np.arange(8))
    np.savez(tmp_path / "alone.npz", images(8))
    np.save(tmp_path / "other.npy", images(9, 1))
    found, expected = (
        run(tmp_path / f"{name}.npz", "--against", tmp_path / "other.npy") for name in ("labelled", "alone")
    )
    assert found["metrics"] == expected["metrics"]


def test_moments_give_the_frechet_distance_of_the_images_that_they_are_of(inception: Extractor, tmp_path: Path) -> None:
    x, y = images(30), images(25, 1)
    features = inception(y).astype(np.float64)
    np.savez(tmp_path / "moments.npz", mu=features.mean(axis=0), sigma=np.cov(features, rowvar=False))
    np.save(tmp_path / "x.npy", x)
    report = run(tmp_path / "x.npy", "--against", tmp_path / "moments.npz")
    fid = report["metrics"]["fid"]
    assert fid["value"] == pytest.approx(frechet_distance(inception(x), inception(y)), rel=1e-9)
    assert (fid["n"], fid["reference"]) == (30, "mean and covariance of a file")
    assert set(report["metrics"]) == {"fid", "sharpness"}
    assert any("needs the images of the reference" in str(reason) for reason in report["missing"].values())


@pytest.mark.parametrize(
    ("mean", "covariance", "says"),
    [
        (np.zeros(5), np.eye(5), r"mu of shape \(5,\); inception-v3 has 4 features"),
        (np.zeros(4), np.eye(3), r"are \(4,\) and \(3, 3\); expected"),
        (np.zeros(4), -np.eye(4), "negative eigenvalue"),
        (np.zeros(4), np.triu(np.ones((4, 4))), "not symmetric"),
        (np.zeros(4), np.full((4, 4), np.nan), "not finite"),
    ],
)
@pytest.mark.usefixtures("inception")
def test_moments_that_are_none_are_refused(mean: np.ndarray, covariance: np.ndarray, says: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "moments.npz", mu=mean, sigma=covariance)
    np.save(tmp_path / "x.npy", images(8))
    with pytest.raises(UserError, match=says):
        run(tmp_path / "x.npy", "--against", tmp_path / "moments.npz")
    with pytest.raises(UserError, match="without images; such a file stands behind --against"):
        run(tmp_path / "moments.npz", "--against", tmp_path / "x.npy")


def test_a_gaussian_of_moments_is_that_of_its_sample() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 6)) * np.arange(6), rng.standard_normal((30, 6))  # one column is constant
    given = Gaussian.with_moments(x.mean(axis=0), np.cov(x, rowvar=False))
    assert frechet_distance(y, given) == pytest.approx(frechet_distance(y, x), rel=1e-9)
    assert frechet_distance(given, given) == pytest.approx(0.0, abs=1e-10)
