from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from wae.metrics import authenticity, density_coverage, kid, precision_recall, quantise, sharpness, support
from wae.metrics.distances.neighbours import nearest

LINE = np.array([[0.0], [1.0], [2.0], [3.0]])


def cloud(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


# ---- kid --------------------------------------------------------------------


def test_kid_by_hand() -> None:
    x = np.array([[0.0], [1.0]])
    # k(0, 1) = 1 within each set; across: 1, 1, 1 and 8.
    assert kid(x, x) == pytest.approx(1 + 1 - 2 * 11 / 4, rel=1e-15)


def test_kid_is_the_sum_over_pairs_of_different_samples() -> None:
    x, y = cloud(7, 3, 0), cloud(9, 3, 1) + 0.5
    k = lambda a, b: (a @ b / 3 + 1) ** 3
    within = lambda a: np.mean([k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j])
    across = np.mean([k(a, b) for a in x for b in y])
    assert kid(x, y) == pytest.approx(within(x) + within(y) - 2 * across, rel=1e-12)


def test_kid_of_more_samples_than_are_held_at_once() -> None:
    x, y = cloud(1100, 3, 0), cloud(1030, 3, 1)
    k = lambda a, b: (a @ b.T / 3 + 1) ** 3
    within = lambda a: (k(a, a).sum() - np.trace(k(a, a))) / (len(a) * (len(a) - 1))
    assert kid(x, y) == pytest.approx(within(x) + within(y) - 2 * k(x, y).mean(), rel=1e-9)


def test_kid_is_unbiased() -> None:
    draws = [kid(cloud(20, 4, 2 * i), cloud(20, 4, 2 * i + 1)) for i in range(400)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / 20
    assert min(draws) < 0


# ---- precision, recall, density, coverage -----------------------------------


def test_neighbour_metrics_by_hand() -> None:
    fake = np.array([[1.5], [10.0]])
    assert precision_recall(LINE, fake, 1) == (0.5, 1.0)
    assert density_coverage(LINE, fake, 1) == (1.0, 0.5)


def test_the_boundary_belongs_to_precision_but_not_to_density() -> None:
    fake = np.array([[4.0], [4.0]])
    assert precision_recall(LINE, fake, 1) == (1.0, 0.0)
    assert density_coverage(LINE, fake, 1) == (0.0, 0.0)


def test_equal_sets_are_perfect() -> None:
    x = cloud(60, 5, 0)
    assert precision_recall(x, x.copy(), 3) == (1.0, 1.0)
    assert density_coverage(x, x.copy(), 3) == (1.0, 1.0)


def test_a_collapsed_generator_is_precise_and_recalls_one_sample() -> None:
    x = cloud(50, 5, 0)
    fake = np.repeat(x[:1], 50, axis=0)
    assert precision_recall(x, fake, 3) == (1.0, 1 / 50)
    assert density_coverage(x, fake, 3)[1] < 0.2


def test_sets_far_apart_share_nothing() -> None:
    x = cloud(50, 5, 0)
    assert precision_recall(x, x + 100, 3) == (0.0, 0.0)
    assert density_coverage(x, x + 100, 3) == (0.0, 0.0)


@pytest.mark.parametrize("rows", [7, 512])
def test_neighbour_metrics_agree_with_their_definition(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wae.metrics.distances.neighbours.ROWS", rows)
    x, y, k = cloud(40, 3, 0), cloud(30, 3, 1) + 0.5, 4
    # Index 0 of a sorted row is the sample itself.
    radii = lambda a: np.sort(cdist(a, a), axis=1)[:, k]
    distances = cdist(x, y)
    inside = distances < radii(x)[:, None]
    recall = (distances <= radii(y)[None]).any(axis=1).mean()
    assert precision_recall(x, y, k) == pytest.approx((inside.any(axis=0).mean(), recall), rel=1e-12)
    expected = (inside.sum() / (k * len(y)), inside.any(axis=1).mean())
    assert density_coverage(x, y, k) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rows", [7, 512])
def test_a_tie_is_a_tie_wherever_the_samples_lie(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The k-th neighbour of a sample lies on its ball's boundary, exactly; products alone would say in or out."""
    monkeypatch.setattr("wae.metrics.distances.neighbours.ROWS", rows)
    monkeypatch.setattr("wae.metrics.distances.neighbours.DIFFERENCES", 100)
    x, k = 1000.0 + cloud(60, 7, 0), 3
    assert density_coverage(x, x[::-1], k) == (1.0, 1.0)  # itself and k - 1 others
    assert precision_recall(x, x[::-1], k) == (1.0, 1.0)
    far = np.concatenate([x[:1], 1e6 + cloud(59, 7, 1)])
    neighbours = np.sort(cdist(x, x), axis=1)[:, k] > cdist(x, x[:1])[:, 0]
    assert density_coverage(x, far, k) == (neighbours.sum() / (k * 60), neighbours.mean())


def test_where_the_features_lie_changes_nothing() -> None:
    """Far from the origin the products' rounding is larger than every distance, unless the mean is taken off first."""
    x, y = (np.round(cloud(60, 4, seed) * 1024) / 1024 for seed in (0, 1))
    far = 2.0**27  # all sums with it are exact
    assert support(x + far, y + far, 3) == support(x, y, 3)
    assert 0.1 < support(x, y, 3).precision < 1.0
    assert authenticity(x + far, y + far) == authenticity(x, y)
    for found, expected in zip(nearest(x + far, y + far, 1), nearest(x, y, 1), strict=True):
        assert np.array_equal(found, expected)


def test_nearest_neighbours_are_those_of_sorted_distances() -> None:
    x, y = 50.0 + cloud(30, 4, 0), 50.0 + cloud(40, 4, 1)
    indices, distances = nearest(x, y, 3)
    expected = cdist(x, y, "sqeuclidean")
    assert np.array_equal(np.sort(indices, axis=1), np.sort(np.argsort(expected, axis=1)[:, :3], axis=1))
    assert_allclose(np.sort(distances, axis=1), np.sort(expected, axis=1)[:, :3], rtol=1e-12)
    assert np.array_equal(nearest(x, x, 1)[0][:, 0], np.arange(30))
    assert nearest(x, x, 1)[1].max() == 0.0
    assert (nearest(x, x, 1, others=True)[0][:, 0] != np.arange(30)).all()


@pytest.mark.parametrize("metric", [lambda x, y: support(x, y, 3), kid])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(metric: Callable[..., object], bad: float) -> None:
    x, broken = cloud(20, 4, 0), cloud(20, 4, 1)
    broken[3, 2] = bad
    for both in ((x, broken), (broken, x)):
        with pytest.raises(ValueError, match="1 of 80 values that are not finite"):
            metric(*both)


@pytest.mark.parametrize("k", [0, 4])
def test_k_lies_between_one_and_the_other_samples(k: int) -> None:
    with pytest.raises(ValueError, match=f"k is {k}; with 4 samples it is between 1 and 3"):
        precision_recall(LINE, LINE, k)


# ---- sharpness --------------------------------------------------------------


def ramp(size: int) -> torch.Tensor:
    return torch.linspace(0, 1, size, dtype=torch.float64)


def test_constant_and_quadratic_images_are_not_sharp() -> None:
    x, y = torch.meshgrid(ramp(20), ramp(20), indexing="ij")
    images = torch.stack([torch.full_like(x, 0.3), x, (x * x + y * y + x * y) / 3])[:, None]
    torch.testing.assert_close(sharpness(images), torch.zeros(3, dtype=torch.float64), atol=1e-25, rtol=0)


def test_independent_uniform_pixels_have_variance_twenty_twelfths() -> None:
    images = torch.rand(40, 1, 150, 150, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert sharpness(images).mean().item() == pytest.approx(20 / 12, rel=0.01)


def test_a_checkerboard_is_as_sharp_as_can_be() -> None:
    board = (torch.arange(10)[:, None] + torch.arange(10)) % 2
    assert sharpness(board[None, None].double()).item() == 16.0


def test_an_edge_counts_only_inside() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1.0
    # The Laplacian over the valid 3 x 3: -4 in the middle, 1 at its four sides, 0 in the corners: mean 0.
    assert sharpness(image).item() == pytest.approx((16 + 4) / 9, rel=1e-15)
    border = torch.zeros(1, 1, 5, 5)
    border[0, 0, 0, 0] = 1.0
    assert sharpness(border).item() == 0.0


def test_colour_is_weighted_as_itu_r_601() -> None:
    board = ((torch.arange(10)[:, None] + torch.arange(10)) % 2).double()
    images = torch.zeros(3, 3, 10, 10, dtype=torch.float64)
    images[torch.arange(3), torch.arange(3)] = board
    expected = 16 * torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64).square()
    torch.testing.assert_close(sharpness(images), expected)


@pytest.mark.parametrize("shape", [(1, 2, 5, 5), (1, 1, 2, 5), (1, 5, 5)])
def test_shapes_without_a_laplacian_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sharpness takes"):
        sharpness(torch.zeros(shape))


def test_levels_are_not_mistaken_for_the_unit_range() -> None:
    with pytest.raises(ValueError, match="uint8"):
        sharpness(torch.zeros(1, 1, 5, 5, dtype=torch.uint8))


# ---- quantise ---------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_levels_survive_a_round_trip(dtype: torch.dtype) -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(quantise(levels.to(dtype) / 255), levels)


def test_halves_go_to_the_even_level() -> None:
    halves = torch.tensor([0.5, 126.5, 127.5, 254.5], dtype=torch.float64) / 255
    assert (halves * 255).tolist() == [0.5, 126.5, 127.5, 254.5]
    assert quantise(halves).tolist() == [0, 126, 128, 254]
    assert quantise(torch.tensor([0.9999, 0.0001])).tolist() == [255, 0]


@pytest.mark.parametrize("bad", [-0.001, 1.001, float("nan"), float("inf")])
def test_what_is_no_pixel_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="takes \\[0, 1\\]"):
        quantise(torch.tensor([0.5, bad]))
