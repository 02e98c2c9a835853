"""The sliced Wasserstein distance of patches: what it sees, and what it must not."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.ndimage import convolve
from scipy.stats import chisquare

from wae.divergences import wasserstein_1d
from wae.metrics import laplacian_swd
from wae.metrics.checks import TooFewError
from wae.metrics.distances import swd
from wae.metrics.distances.swd import BINOMIAL, cut, enlarged, laplacian, normalise, patches, placed, sizes, sliced_w1

SHAPES = [(3, 64, 64), (1, 28, 28), (1, 33, 47)]


def noise(n: int, shape: tuple[int, ...] = (3, 32, 32), seed: int = 0, top: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, top, (n, *shape), dtype=np.uint8)


def distance(x: np.ndarray, y: np.ndarray, seed: int = 0) -> dict[int, float]:
    return laplacian_swd(x, y, torch.Generator().manual_seed(seed))


def pyramid(images: np.ndarray) -> list[np.ndarray]:
    return [laplacian(images, index) for index in range(len(sizes(images.shape[2:])))]


# ---- pyramid ----------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pyramid_is_the_image_again(shape: tuple[int, ...]) -> None:
    x = noise(3, shape)
    *levels, image = pyramid(x)
    for level in reversed(levels):
        image = level + enlarged(image, level.shape[2:])
    assert_allclose(image, x, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "heights"),
    [((3, 64, 64), [64, 32, 16]), ((1, 28, 28), [28, 14]), ((1, 32, 32), [32, 16]), ((3, 26, 90), [26])],
)
def test_levels_are_halved_down_to_16_and_28_to_14(shape: tuple[int, ...], heights: list[int]) -> None:
    assert [level.shape[2] for level in pyramid(noise(1, shape))] == heights
    assert [level.shape[2:] for level in pyramid(noise(1, shape))] == sizes(shape[1:])


def test_constant_images_have_no_detail_and_ramps_only_at_the_border() -> None:
    for level in pyramid(np.full((1, 1, 64, 64), 200, np.uint8))[:-1]:
        assert_allclose(level, 0.0, atol=1e-4)
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (1, 1, 64, 64))
    assert_allclose(pyramid(ramp)[0][..., 4:-4], 0.0, atol=1e-4)


def test_the_coarse_image_is_every_second_pixel_of_the_binomial_filter() -> None:
    x = np.zeros((1, 1, 29, 29), dtype=np.uint8)
    x[0, 0, 14, 14] = 16
    assert BINOMIAL.sum() == 1
    coarse = pyramid(x)[1][0, 0]
    expected = np.zeros((15, 15))
    expected[6:9, 6:9] = 16 * np.outer([1, 6, 1], [1, 6, 1]) / 256
    assert_allclose(coarse, expected, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_borders_are_mirrored_going_down_and_up(shape: tuple[int, ...]) -> None:
    kernel = np.outer(np.array([1, 4, 6, 4, 1]), np.array([1, 4, 6, 4, 1]))[None, None] / 256
    x = noise(2, shape).astype(np.float64)
    coarse = convolve(x, kernel, mode="mirror")[:, :, ::2, ::2]
    spread = np.zeros_like(x)
    spread[:, :, ::2, ::2] = coarse
    assert_allclose(pyramid(x)[0], x - convolve(spread, 4 * kernel, mode="mirror"), atol=1e-3)


# ---- patches ----------------------------------------------------------------


def test_a_patch_is_cut_where_it_is_asked_for() -> None:
    level = np.arange(2 * 3 * 9 * 10, dtype=np.float32).reshape(2, 3, 9, 10)
    patches = cut(level, np.array([[0, 2], [1, 1]]), np.array([[3, 0], [2, 3]]))
    for patch, (image, row, column) in zip(patches, [(0, 0, 3), (0, 2, 0), (1, 1, 2), (1, 1, 3)], strict=True):
        assert np.array_equal(patch, level[image, :, row : row + 7, column : column + 7])


def test_each_channel_is_normalised_over_the_whole_set() -> None:
    rows = normalise(
        np.random.default_rng(0).normal([[[5.0]], [[-3.0]]], [[[2.0]], [[9.0]]], (50, 2, 7, 7)).astype("f4")
    )
    channels = rows.reshape(50, 2, 49)
    assert_allclose(channels.mean(axis=(0, 2)), 0.0, atol=1e-5)
    assert_allclose(channels.std(axis=(0, 2)), 1.0, rtol=1e-5)
    assert not normalise(np.full((4, 1, 7, 7), 3.0, np.float32)).any()


def test_moving_a_cloud_costs_the_mean_length_of_its_shift_s_slices() -> None:
    rng = np.random.default_rng(0)
    x, shift, directions = rng.standard_normal((200, 5)), rng.standard_normal(5), rng.standard_normal((70, 5))
    moved = (x + shift).astype(np.float32)
    expected = np.abs(directions @ shift).mean()
    assert sliced_w1(x.astype(np.float32), moved[::-1], directions) == pytest.approx(expected, rel=1e-5)


# ---- distance ---------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sample_is_at_zero_from_itself_and_others_are_not(shape: tuple[int, ...]) -> None:
    x, y = noise(20, shape), noise(20, shape, seed=1)
    assert set(distance(x, x.copy()).values()) == {0.0}
    assert distance(x, y) == distance(y, x)
    assert min(distance(x, y).values()) > 0.0


@pytest.mark.parametrize("shape", SHAPES)
def test_neither_sample_s_order_matters(shape: tuple[int, ...]) -> None:
    """Copies of an image are there too: which of them stands first is nobody's business."""
    x, y = (np.concatenate([of, of[:4], of[:2]]) for of in (noise(20, shape), noise(14, shape, seed=1)))
    value, order = distance(x, y), np.random.default_rng(0).permutation(len(x))
    assert set(distance(x, x[::-1]).values()) == set(distance(x, x[order]).values()) == {0.0}
    assert distance(x[::-1], y) == distance(x[order], y[::-1]) == value


def test_the_value_of_unequal_samples_is_that_of_both_repeated_to_one_size() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 5)).astype("f4"), rng.standard_normal((4, 5)).astype("f4")
    directions = rng.standard_normal((70, 5))
    expected = sliced_w1(np.repeat(x, 2, axis=0), np.repeat(y, 3, axis=0), directions)
    assert sliced_w1(x, y, directions) == pytest.approx(expected, rel=1e-6)
    assert sliced_w1(y, x, directions) == pytest.approx(expected, rel=1e-6)
    projected = (torch.from_numpy(of @ directions.T.astype("f4")) for of in (x, y))
    assert sliced_w1(x, y, directions) == pytest.approx(float(wasserstein_1d(*projected, p=1).mean()), rel=1e-6)
    assert sliced_w1(x[:1], y, np.eye(1, 5)) == pytest.approx(np.abs(y[:, 0] - x[0, 0]).mean(), rel=1e-6)


@pytest.mark.parametrize("index", [0, 1])
def test_brightness_contrast_and_tint_change_nothing(index: int) -> None:
    """Of patches at the same places; an image of another tint has other bytes, and so its patches at other places."""
    x = noise(30, top=60)
    tinted = 2 * x + np.array([0, 40, 90], dtype=np.uint8)[:, None, None]
    ordered, places = placed(x, seed=1)
    one, other = (normalise(patches(of[ordered.rows], index, *places[index])) for of in (x, tinted))
    assert_allclose(one, other, atol=1e-4)
    floor = distance(x, noise(30, top=60, seed=1))
    assert all(value < 1.1 * floor[side] for side, value in distance(x, tinted).items())


def test_two_levels_against_a_uniform_pixel_cost_what_their_quantiles_differ() -> None:
    """Both of variance 1: W_1 is the integral of |1 - sqrt(3) v| over v in [0, 1], which is 0 at v = 1 / sqrt(3)."""
    rng, root = np.random.default_rng(0), np.sqrt(3)
    signs, uniform = rng.integers(0, 2, 20000) * 2 - 1, rng.uniform(-root, root, 20000)
    x, y = (np.stack([s, rng.standard_normal(20000)], axis=1).astype(np.float32) for s in (signs, uniform))
    expected = 1 / (2 * root) + root / 2 * (1 - 1 / root) ** 2
    assert sliced_w1(x, y, np.eye(1, 2)) == pytest.approx(expected, rel=0.02)


def test_more_noise_is_farther_and_only_its_own_level_sees_fine_noise() -> None:
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(60, 190, (40, 1, 8, 8)), np.ones((8, 8))).astype(np.uint8)
    other = np.kron(rng.integers(60, 190, (40, 1, 8, 8)), np.ones((8, 8))).astype(np.uint8)
    speckled = [(other + np.round(rng.normal(0, scale, other.shape))).astype(np.uint8) for scale in (0, 2, 5, 12)]
    values = [distance(smooth, images) for images in speckled]
    assert all(low[64] < high[64] for low, high in pairwise(values))
    assert values[3][64] > 2.5 * values[0][64]
    assert values[3][16] < 1.1 * values[0][16]


def test_one_seed_gives_one_distance_whatever_is_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = noise(10), noise(10, seed=1)
    value = distance(x, y)
    monkeypatch.setattr("wae.metrics.distances.swd.HELD", 7)
    assert distance(x, y) == pytest.approx(value, rel=1e-5)
    assert distance(x, y, seed=1) != distance(x, y)


def test_an_image_s_places_follow_from_its_bytes_and_the_seed_and_differ_at_each_level() -> None:
    x = noise(4)
    ordered, places = placed(x, 1)
    backwards, others = placed(np.concatenate([noise(3, seed=1), x[::-1]]), 1)
    for image in range(4):
        row, again = list(ordered.rows).index(image), list(backwards.rows).index(6 - image)
        assert np.array_equal(places[:, :, row], others[:, :, again])
    assert np.array_equal(places, placed(x, 1)[1])
    of_seeds = np.concatenate([places, placed(x, 2)[1]]).reshape(-1, 128)
    assert len(np.unique(of_seeds, axis=0)) == 2 * 2 * 2 * 4  # seeds, levels, rows and columns, images


def test_places_are_uniform_and_independent_between_images_copies_too() -> None:
    """Counts of 484 places by 128 patches of 500 copies of one image, and of how often two copies share a place."""
    _, places = placed(np.zeros((500, 1, 28, 28), np.uint8), 1)
    rows, columns = places[0]
    counts = np.bincount((22 * rows + columns).ravel(), minlength=484)
    assert counts.size == 484
    assert chisquare(counts).pvalue > 1e-3
    same = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    expected, deviation = 1 / 484, np.sqrt(1 / 484 / same.size)
    assert abs(same.mean() - expected) < 4 * deviation


@pytest.mark.parametrize("shape", SHAPES)
def test_few_images_are_filtered_at_once_and_the_distance_is_that_of_all_at_once(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    monkeypatch.setattr(swd, "laplacian", lambda images, index: held.append(len(images)) or laplacian(images, index))
    x, y = noise(10, shape), noise(10, shape, seed=1)
    value = distance(x, y)
    assert set(held) == {10}
    for filtered, most in ((1, 1), (3 * x[0].size, 3), (5 * x[0].size, 5)):
        held.clear()
        monkeypatch.setattr(swd, "FILTERED", filtered)
        assert distance(x, y) == value
        assert max(held) == most
        assert sum(held) == 2 * 10 * len(value)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (noise(3), noise(3, (1, 32, 32)), "this distance takes"),
        (noise(3) / 255, noise(3) / 255, "float64"),
        (noise(3)[0], noise(3)[0], "this distance takes"),
    ],
)
def test_what_is_no_pair_of_image_sets_is_refused(x: np.ndarray, y: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        distance(x, y)


def test_images_smaller_than_a_patch_have_no_distance() -> None:
    with pytest.raises(TooFewError, match="6 x 9 hold no patch of 7 x 7"):
        distance(noise(3, (1, 6, 9)), noise(3, (1, 6, 9)))


@pytest.mark.parametrize("channels", [1, 3])
def test_directions_are_uniform_on_the_unit_sphere(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(swd, "sliced_w1", lambda x, y, directions: seen.append(directions) or 0.0)
    images = np.random.default_rng(0).integers(0, 256, (4, channels, 16, 16), dtype=np.uint8)
    swd.laplacian_swd(images, images, torch.Generator().manual_seed(1))
    for directions in seen:
        k, d = directions.shape
        assert (k, d) == (512, 49 * channels)
        np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-12)
        # A coordinate of a uniform direction has mean 0 and variance 1 / d: within five deviations of their estimates.
        assert np.abs(directions.mean(axis=0)).max() < 5 / np.sqrt(k * d)
        assert np.abs(directions.var() * d - 1) < 5 * np.sqrt(2 / (k * d))
    assert seen
