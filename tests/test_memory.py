"""Authenticity: what is a copy, and what is not."""

import numpy as np
import pytest

from wae.metrics import authenticity
from wae.metrics.manifold import radii

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
    monkeypatch.setattr("wae.metrics.neighbours.ROWS", rows)
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
