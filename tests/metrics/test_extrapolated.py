"""The Frechet distance at infinitely many samples."""

import numpy as np
import pytest
import torch

from wae.metrics import frechet_distance, frechet_infinity
from wae.metrics.checks import TooFewError


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_between_shifted_gaussians_it_is_nearer_to_the_truth_than_the_plain_value() -> None:
    # d = 8, n = 60: the plain bias is 0.65 at equal distributions, as d (d + 1) / (2 n) = 0.6 to first order.
    rng = np.random.default_rng(0)
    plain, infinite = np.zeros(60), np.zeros(60)
    for shift, truth in ((0.0, 0.0), (1.0, 8.0)):
        for trial in range(60):
            x, y = rng.standard_normal((60, 8)), rng.standard_normal((60, 8)) + shift
            plain[trial], infinite[trial] = frechet_distance(x, y), frechet_infinity(x, y, draws())
        assert plain.mean() - truth > 0.4
        assert infinite.mean() == pytest.approx(truth, abs=4 * infinite.std() / np.sqrt(60))


def test_it_is_the_intercept_of_the_line_through_both_sizes() -> None:
    # 23 samples of 10 features: parts of 23 and of 11, and one of the shuffled samples is in neither half.
    x, y = np.random.default_rng(0).standard_normal((2, 23, 10)) * [[[1.0]], [[2.0]]]
    order = draws(5)
    a, b = (s[torch.randperm(23, generator=order).numpy()] for s in (x, y))
    halves = np.mean([frechet_distance(a[:11], b[:11]), frechet_distance(a[11:22], b[11:22])])
    whole, slope = frechet_distance(x, y), (1 / 11 - 1 / 23)
    expected = whole - (halves - whole) / slope / 23
    assert frechet_infinity(x, y, draws(5)) == pytest.approx(expected, rel=1e-12)


def test_constant_distances_extrapolate_to_themselves() -> None:
    x = np.full((40, 2), 3.0)
    assert frechet_infinity(x, x + 1.0, draws()) == pytest.approx(2.0, rel=1e-12)


def test_all_of_unequal_samples_are_used() -> None:
    x, y = np.zeros((40, 2)), np.full((90, 2), 2.0)
    assert frechet_infinity(x, y, draws()) == frechet_infinity(y, x, draws()) == pytest.approx(8.0, rel=1e-12)
    rng, order = np.random.default_rng(0), draws(5)
    x, y = rng.standard_normal((8, 4)), rng.standard_normal((16, 4))
    a, b = (s[torch.randperm(len(s), generator=order).numpy()] for s in (x, y))
    halves = np.mean([frechet_distance(a[:4], b[:8]), frechet_distance(a[4:], b[8:])])
    # The line is in 1/s, twice as large for halves: its intercept is twice the whole's distance less the halves'.
    assert frechet_infinity(x, y, draws(5)) == pytest.approx(2 * frechet_distance(x, y) - halves, rel=1e-10)


def test_between_unequal_samples_of_one_gaussian_it_is_near_zero() -> None:
    """d = 8, n = 60, m = 240: the plain bias is 0.4 here; the mean of 60 has a standard error of 0.016."""
    rng = np.random.default_rng(0)
    values = np.array(
        [
            (frechet_distance(x, y), frechet_infinity(x, y, draws(trial)))
            for trial in range(60)
            for x, y in [(rng.standard_normal((60, 8)), rng.standard_normal((240, 8)))]
        ]
    )
    plain, infinite = values.mean(axis=0)
    assert plain > 0.3
    assert abs(infinite) < 0.1


@pytest.mark.parametrize("n", [2, 9, 10, 19])
def test_too_few_samples_are_refused(n: int) -> None:
    with pytest.raises(TooFewError, match=f"{n} samples of 10 features; .* at least 20"):
        frechet_infinity(np.zeros((n, 10)), np.zeros((50, 10)), draws())


def test_values_that_are_not_finite_are_refused() -> None:
    x = np.zeros((40, 2))
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match="1 of 80 values that are not finite"):
        frechet_infinity(x, np.zeros((40, 2)), draws())
