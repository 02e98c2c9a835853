"""The faces that we draw: shapes by closed forms, the portrait by its symmetry, the labels by what one sees."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from wae.data import faces as module
from wae.data.canvas import Region, capsule, ellipse, smooth
from wae.data.faces import BACKGROUND, FACTORS, faces, jitter
from wae.data.portrait import draw

N = 600


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    return faces(N, 64, np.random.default_rng(0))


def column(labels: np.ndarray, factor: str, value: str) -> np.ndarray:
    names = list(FACTORS)
    return labels[:, names.index(factor)] == FACTORS[factor].index(value)


# ---- shapes ----------------------------------------------------------------


def test_ellipse_of_equal_axes_is_the_distance_to_a_circle() -> None:
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 1000))
    np.testing.assert_allclose(ellipse(x, y, 0.5, 0.5), np.hypot(x, y) - 0.5, atol=1e-9)


def test_ellipse_is_nought_on_its_edge_and_has_slope_one_across_it() -> None:
    angle = np.linspace(0, 2 * math.pi, 50)
    x, y = 0.6 * np.cos(angle), 0.3 * np.sin(angle)
    normal = np.stack([np.cos(angle) / 0.6, np.sin(angle) / 0.3])
    normal = normal / np.linalg.norm(normal, axis=0)
    np.testing.assert_allclose(ellipse(x, y, 0.6, 0.3), 0, atol=1e-9)
    step = 1e-5
    np.testing.assert_allclose(ellipse(x + step * normal[0], y + step * normal[1], 0.6, 0.3) / step, 1, atol=1e-3)


def test_capsule_is_the_distance_to_a_segment() -> None:
    x, y = np.random.default_rng(2).uniform(-1, 1, (2, 500))
    half, slope = 0.3, 0.5
    points = np.linspace(-half, half, 20001)
    nearest = np.hypot(x[:, None] - points, y[:, None] - slope * points).min(axis=1)
    np.testing.assert_allclose(capsule(x, y, np.array(half), np.array(slope), 0.1), nearest - 0.1, atol=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.02])
def test_painted_area_is_the_ellipse_s_whatever_pixel_it_falls_on(shift: float) -> None:
    canvas = Region.blank(1, 64)
    canvas.paint(canvas.cover(ellipse(canvas.x - shift, canvas.y, 0.5, 0.3)), np.ones((1, 3, 1, 1), np.float32))
    assert canvas.pixels[0, 0].sum() * canvas.size**2 == pytest.approx(math.pi * 0.5 * 0.3, rel=2e-3)


def test_painting_in_a_window_paints_the_picture() -> None:
    whole, windowed = Region.blank(1, 64), Region.blank(1, 64)
    for region in (whole, windowed.window(-0.5, -0.2, 0.7, 0.6)):
        region.paint(region.cover(ellipse(region.x - 0.1, region.y - 0.2, 0.3, 0.2)), np.ones((1, 3, 1, 1), np.float32))
    assert whole.pixels.sum() > 0
    np.testing.assert_array_equal(whole.pixels, windowed.pixels)


def test_smooth_is_a_step_with_a_soft_middle() -> None:
    np.testing.assert_array_equal(smooth(1, 3, np.array([0, 1, 2, 3, 4])), [0, 0, 0.5, 1, 1])


# ---- portraits -------------------------------------------------------------


def test_a_mirrored_sitter_gives_the_mirrored_picture() -> None:
    generator = np.random.default_rng(3)
    labels = np.stack([generator.integers(len(values), size=40) for values in FACTORS.values()], axis=1)
    sitters = jitter(labels, generator)
    mirrored = dict(sitters)
    for name in ("x", "tilt", "yaw", "light", "gaze", "parting"):
        mirrored[name] = -sitters[name]
    difference = draw(sitters, 64)[..., ::-1].astype(int) - draw(mirrored, 64)
    assert np.abs(difference).max() <= 1


def test_every_value_of_every_factor_occurs_and_factors_are_independent(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    _, labels = drawn
    assert labels.dtype == np.uint8
    assert labels.shape == (N, len(FACTORS))
    for values, found in zip(FACTORS.values(), labels.T):
        assert set(found) == set(range(len(values)))
    assert np.abs(np.corrcoef(labels.T) - np.eye(len(FACTORS))).max() < 0.15  # 3.7 standard deviations


def test_no_two_images_are_equal_and_most_differ_much(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, _ = drawn
    assert len({image.tobytes() for image in images}) == N
    assert images.std(axis=0).mean() > 30  # levels of 255


def test_background_is_what_its_label_says(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = drawn
    corner = images[:, :, :4, :4].mean(axis=(2, 3))
    tint = corner - corner.mean(axis=1, keepdims=True)
    table = np.array(BACKGROUND, float)
    table -= table.mean(axis=1, keepdims=True)
    nearest = np.square(tint[:, None] - table).sum(axis=2).argmin(axis=1)
    assert (nearest == labels[:, list(FACTORS).index("background")]).mean() > 0.98


def test_light_comes_from_where_its_label_says(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = drawn
    facing = column(labels, "pose", "centre")
    cheeks = images[:, :, 36:40].mean(axis=(1, 2))
    lean = cheeks[:, 36:42].mean(axis=1) - cheeks[:, 22:28].mean(axis=1)
    left, right = facing & column(labels, "light", "left"), facing & column(labels, "light", "right")
    assert min(left.sum(), right.sum()) >= 30
    assert lean[left].max() < 0 < lean[right].min()


def test_skin_darkens_along_its_values(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = drawn
    centre = images[:, :, 28:40, 28:36].mean(axis=(1, 2, 3))
    means = [centre[column(labels, "skin", value)].mean() for value in FACTORS["skin"]]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("side", [32, 96])
def test_other_sizes_show_the_same_face(side: int) -> None:
    large = draw_some(192).astype(float)
    scale = 192 // side
    small = large.reshape(8, 3, side, scale, side, scale).mean(axis=(3, 5))
    assert np.abs(small - draw_some(side)).mean() < 4


def draw_some(side: int) -> np.ndarray:
    return faces(8, side, np.random.default_rng(4))[0]


# ---- the data set ----------------------------------------------------------


def test_splits_come_from_streams_of_their_own_and_again_the_same(tmp_path: Path) -> None:
    entry = {"shape": [3, 64, 64], "train": 40, "test": 40, "seed": 1}
    contents = []
    for seed in (1, 1, 2):
        module.prepare(entry | {"seed": seed}, tmp_path, tmp_path, 1)
        contents.append({path.name: path.read_bytes() for path in sorted(tmp_path.iterdir())})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 4
    images = [content[f"{split}.npy"] for content in (contents[0], contents[2]) for split in ("train", "test")]
    assert len(set(images)) == 4
