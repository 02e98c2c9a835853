"""Authenticity: what is a copy, and what is not. The nearest training images, to look at."""

import re
from pathlib import Path

import numpy as np
import pytest

from wae.io import read_array
from wae.metrics import authenticity
from wae.metrics.distances.manifold import radii
from wae.metrics.distances.memory import nearest_images
from wae.pipeline.dag import STAGES
from wae.pipeline.profile import Profile

LINE = np.array([[0.0], [1.0], [3.0], [10.0]])


def cloud(n: int, d: int, seed: int) -> np.ndarray:
    return 100.0 + np.random.default_rng(seed).standard_normal((n, d))


def test_by_hand() -> None:
    # Nearest training sample, distance to it, and its own distance to another: (0, .4, 1), (3, 2.5, 2), (10, 8, 7).
    assert authenticity(LINE, np.array([[-0.4], [5.5], [18.0]])) == 2 / 3
    assert authenticity(LINE, np.array([[-1.0], [4.9]])) == 0.0  # on the boundary: not authentic


def test_copies_are_not_authentic_and_far_samples_are() -> None:
    x = cloud(40, 5, 0)
    assert authenticity(x, x[::-1]) == 0.0
    assert authenticity(x, x + 1e-6) == 0.0
    assert authenticity(x, np.concatenate([x[:10], x[:30] + 50.0])) == 0.75


def test_a_training_image_that_stands_twice_has_no_room_for_a_noisy_copy() -> None:
    x = cloud(20, 5, 0)
    assert authenticity(np.repeat(x, 2, axis=0), x + 1e-3) == 1.0
    assert authenticity(np.repeat(x, 3, axis=0), x) == 0.0


@pytest.mark.parametrize("rows", [7, 512])
def test_it_agrees_with_its_definition(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wae.metrics.distances.neighbours.ROWS", rows)
    x, y = cloud(60, 4, 0), cloud(50, 4, 1)
    squared = ((y[:, None] - x) ** 2).sum(axis=2)
    expected = (squared.min(axis=1) > radii(x, 1)[squared.argmin(axis=1)]).mean()
    assert authenticity(x, y) == expected
    assert 0.2 < expected < 0.8


def test_values_that_are_not_finite_are_refused() -> None:
    broken = cloud(20, 4, 0)
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match="1 of 80 values that are not finite"):
        authenticity(cloud(20, 4, 1), broken)


def pictures(n: int, seed: int, top: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, top, (n, 3, 5, 4), dtype=np.uint8)


@pytest.mark.parametrize("held", [1, 7 * 60, 1 << 22])
def test_the_nearest_training_image_by_its_definition(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of few grey levels, where many are equally near: the first of them is taken, whatever is held at once."""
    monkeypatch.setattr("wae.metrics.distances.memory.HELD", held)
    for top in (256, 2):
        samples, training = pictures(40, 0, top), pictures(90, 1, top)
        squared = ((samples[:, None].astype(int) - training) ** 2).sum(axis=(2, 3, 4))
        assert np.array_equal(nearest_images(samples, training), squared.argmin(axis=1))


def test_a_copy_s_nearest_is_what_it_was_copied_from() -> None:
    training = pictures(50, 0)
    assert np.array_equal(nearest_images(training[::-1], training), np.arange(50)[::-1])
    assert nearest_images(training[:1], np.repeat(training[:2], 3, axis=0)).tolist() == [0]


def test_a_mapped_file_is_searched_like_an_array_and_its_pages_are_given_back(tmp_path: Path) -> None:
    training = np.random.default_rng(0).integers(0, 256, (1400, 3, 64, 64), dtype=np.uint8)
    np.save(tmp_path / "train.npy", training)
    mapped = read_array(tmp_path / "train.npy")
    assert np.array_equal(nearest_images(training[[1399, 700]], mapped[1:]), [1398, 699])
    (resident,) = (
        int(re.search(r"Rss:\s+(\d+)", entry)[1])  # type: ignore[index]
        for entry in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE)
        if str(tmp_path) in entry
    )
    assert resident < 2000, "KiB, of 16,800"


def test_white_and_black_images_of_the_full_size_do_not_overflow() -> None:
    levels = np.array([0, 255, 254], dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 64, 64), dtype=np.uint8)
    assert nearest_images(levels[[1, 0, 2]], levels).tolist() == [1, 0, 2]


def test_a_grid_with_real_faces_stays_on_this_machine() -> None:
    """The licence of CelebA forbids passing faces on; the drawn digits may go anywhere."""
    for name, dataset, stays in (("celeba-cpu", "celeba-15k", True), ("demo", "digits", False)):
        profile = Profile.read(name)
        scope = profile.scope(dataset=dataset, model="vae")
        outs = {out.path: out.real and not profile.may_leave(scope) for out in STAGES["samples"].outs(profile, scope)}
        folder = f"results/{name}/{dataset}/vae"
        assert outs == {f"{folder}/samples.png": False, f"{folder}/nearest.png": stays}
