import numpy as np
import pytest
import torch
from scipy import linalg

from wae.metrics import Gaussian, frechet_distance
from wae.metrics.distances.frechet import root_trace_by_cholesky, root_trace_by_svd


def exact(n: int, mean: np.ndarray, covariance: np.ndarray, seed: int = 0) -> np.ndarray:
    """n samples whose mean and unbiased covariance are exactly the given ones."""
    d = len(mean)
    x = np.random.default_rng(seed).standard_normal((n, d))
    x -= x.mean(axis=0)
    white = linalg.solve_triangular(linalg.cholesky(np.cov(x, rowvar=False)), x.T, trans=1).T
    return white @ linalg.cholesky(covariance) + mean


def correlated(n: int, d: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def by_sqrtm(x: np.ndarray, y: np.ndarray) -> float:
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(s @ t)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * np.trace(root).real)


def test_shifted_unit_gaussians_in_four_dimensions() -> None:
    x, y = exact(50, np.zeros(4), np.eye(4)), exact(70, np.ones(4), np.eye(4), seed=1)
    assert frechet_distance(x, y) == pytest.approx(4.0, rel=1e-12)


def test_commuting_covariances_give_squared_differences_of_their_roots() -> None:
    x = exact(30, np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    y = exact(40, np.zeros(3), np.diag([4.0, 4.0, 1.0]), seed=1)
    assert frechet_distance(x, y) == pytest.approx(5.0, rel=1e-12)


def test_fewer_samples_than_dimensions_give_the_distance_in_their_subspace() -> None:
    basis = linalg.qr(np.random.default_rng(2).standard_normal((50, 3)), mode="economic")[0].T
    x = exact(10, np.zeros(3), np.diag([1.0, 4.0, 9.0])) @ basis
    y = exact(12, np.ones(3), np.diag([4.0, 4.0, 1.0]), seed=1) @ basis
    assert frechet_distance(x, y) == pytest.approx(8.0, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 200), (200, 20), (200, 300)])
def test_a_set_is_at_distance_zero_of_itself_at_any_rank(n: int, m: int) -> None:
    x = correlated(n, 50, 0)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0.0, abs=1e-10)
    assert frechet_distance(x, correlated(m, 50, 1)) > 1.0


def test_a_collapsed_set_costs_its_offset_and_the_trace() -> None:
    x, point = exact(50, np.zeros(4), np.diag([1.0, 2.0, 3.0, 4.0])), np.full((60, 4), 2.0)
    assert frechet_distance(x, point) == pytest.approx(16.0 + 10.0, rel=1e-12)
    assert frechet_distance(point, x) == pytest.approx(16.0 + 10.0, rel=1e-12)
    assert frechet_distance(point, point + 1.0) == pytest.approx(4.0, rel=1e-12)


def test_features_that_never_vary_change_nothing() -> None:
    x, y = correlated(200, 10, 0), correlated(300, 10, 1)
    dead = lambda a: np.concatenate([a, np.full((len(a), 3), 0.7)], axis=1)
    assert frechet_distance(dead(x), dead(y)) == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_both_paths_agree_and_agree_with_a_matrix_root() -> None:
    x, y = correlated(400, 40, 0), correlated(300, 40, 1)
    by_cholesky = root_trace_by_cholesky(Gaussian.of(x), Gaussian.of(y))
    assert by_cholesky == pytest.approx(root_trace_by_svd(Gaussian.of(x), Gaussian.of(y)), rel=1e-9)
    assert frechet_distance(x, y) == pytest.approx(by_sqrtm(x, y), rel=1e-9)


def test_the_cholesky_path_declines_what_it_cannot_resolve() -> None:
    x = correlated(400, 8, 0)
    flat = x * np.array([1.0] * 7 + [1e-9])
    assert root_trace_by_cholesky(Gaussian.of(x), Gaussian.of(flat)) is None
    assert root_trace_by_cholesky(Gaussian.of(flat), Gaussian.of(x)) is None
    assert frechet_distance(flat, flat) == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("n", [15, 100])
def test_symmetry_and_invariance_under_rigid_motions(n: int) -> None:
    x, y = correlated(n, 20, 0), correlated(n, 20, 1)
    rotation = linalg.qr(np.random.default_rng(3).standard_normal((20, 20)))[0]
    distance = frechet_distance(x, y)
    assert frechet_distance(y, x) == pytest.approx(distance, rel=1e-9)
    assert frechet_distance(x @ rotation + 5.0, y @ rotation + 5.0) == pytest.approx(distance, rel=1e-9)
    assert frechet_distance(3.0 * x, 3.0 * y) == pytest.approx(9.0 * distance, rel=1e-9)


def test_a_prepared_reference_and_tensors_change_nothing() -> None:
    x, y = correlated(100, 10, 0), correlated(120, 10, 1)
    reference = Gaussian.of(y)
    assert frechet_distance(x, reference) == frechet_distance(torch.from_numpy(x), torch.from_numpy(y))
    assert reference.cholesky is reference.cholesky


def test_float32_features_are_promoted_before_anything_is_summed() -> None:
    x = correlated(100, 10, 0).astype(np.float32)
    assert frechet_distance(x, x + np.float32(0)) == frechet_distance(x.astype(float), x.astype(float))


def test_bias_at_equal_distributions_is_as_measured() -> None:
    # 4.46 at n = 500, d = 64: why every number carries its n.
    rng = np.random.default_rng(0)
    draws = [frechet_distance(rng.standard_normal((500, 64)), rng.standard_normal((500, 64))) for _ in range(10)]
    assert np.mean(draws) == pytest.approx(4.46, rel=0.02)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("d", [4, 200])
def test_values_that_are_not_finite_are_refused(bad: float, d: int) -> None:
    x = np.zeros((100, d))
    broken = x.copy()
    broken[3, 2] = bad
    for both in ((broken, x), (x, broken)):
        with pytest.raises(ValueError, match=f"1 of {100 * d} values that are not finite"):
            frechet_distance(*both)


@pytest.mark.parametrize(
    ("x", "says"),
    [(np.zeros((1, 3)), "at least two"), (np.zeros((5, 0)), "at least two"), (np.zeros(5), "n, d"), (np.eye(4), "3")],
)
def test_what_has_no_covariance_is_refused(x: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        frechet_distance(x, np.zeros((5, 3)))
