"""Rays and the measures of interpolations between them: known pictures, known numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from wae.data.lines import angles, quantised, rays
from wae.data.prepare import prepare
from wae.io import read_array
from wae.metrics.codes.interpolation import interpolation_quality
from wae.metrics.codes.report import interpolation_measures

ENTRY = {"kind": "lines", "shape": [1, 32, 32], "labels": False, "train": 300, "test": 100, "seed": 1}


def test_a_ray_points_where_its_angle_says() -> None:
    right, down, left, up = rays(np.array([0, 0.5, 1, 1.5]) * np.pi, 32)[:, 0]
    assert right[15:17, 16:29].min() == 1
    assert right[:, :14].max() == 0
    assert right[18:].max() == 0
    np.testing.assert_allclose(down, right.T, atol=1e-12)
    np.testing.assert_allclose(left, right[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(up, right.T[::-1], atol=1e-12)


def test_rays_are_equally_bright_at_all_angles() -> None:
    light = rays(np.linspace(0, 2 * np.pi, 360), 32).sum((1, 2, 3))
    assert light.std() / light.mean() < 0.02


def test_no_two_angles_are_near() -> None:
    drawn = np.sort(angles(500, np.random.default_rng(0)))
    assert np.diff(drawn).min() >= 0.5 * 2 * np.pi / 500 - 1e-12
    assert 0 <= drawn[0] < drawn[-1] < 2 * np.pi


def test_prepared_rays_are_the_same_again_and_no_test_ray_is_a_training_ray(tmp_path: Path) -> None:
    for name in ("a", "b"):
        prepare("lines", ENTRY, tmp_path, tmp_path / name)
    for split, n in (("train", 300), ("test", 100)):
        images = read_array(tmp_path / "a" / f"{split}.npy")
        assert images.shape == (n, 1, 32, 32)
        assert (images == read_array(tmp_path / "b" / f"{split}.npy")).all()


def interpolations(start: float, end: float, n: int = 16) -> np.ndarray:
    return rays(np.linspace(start, end, n), 32)[None]


def test_turning_evenly_is_perfect() -> None:
    """Angles on the reference's grid: no distance, and no step longer than another. Also across the angle 0."""
    step = 2 * np.pi / 10_000
    images = np.concatenate([interpolations(0, 1500 * step), interpolations(-750 * step, 750 * step)])
    distance, smoothness = interpolation_quality(images)
    assert distance == pytest.approx(0, abs=1e-12)
    assert smoothness == pytest.approx(0, abs=1e-9)


def test_a_jump_is_as_rough_as_can_be() -> None:
    ends = rays(np.array([0.0, 1.0]), 32)
    distance, smoothness = interpolation_quality(ends[[0] * 8 + [1] * 8][None])
    assert distance == pytest.approx(0, abs=1e-6)
    assert smoothness == pytest.approx(1 - 1 / 15, abs=1e-3)


def test_blending_pixels_is_far_from_rays_and_jumps() -> None:
    ends = rays(np.array([0.0, np.pi / 2]), 32)
    t = np.linspace(0, 1, 16)[:, None, None, None]
    distance, smoothness = interpolation_quality(((1 - t) * ends[0] + t * ends[1])[None])
    assert distance > 0.005
    assert smoothness is not None
    assert smoothness > 0.8


def test_ends_that_are_the_same_say_nothing_of_smoothness() -> None:
    still = interpolations(1.0, 1.0)
    assert interpolation_quality(still)[1] is None
    moving = interpolations(0.0, 1.0)
    assert interpolation_quality(np.concatenate([still, moving]))[1] == interpolation_quality(moving)[1]


class Angle:
    """Codes are angles, read off the brightest direction; the decoder draws the ray."""

    def encode(self, x: Tensor) -> Tensor:
        drawn = torch.from_numpy(rays(2 * np.pi * np.arange(1000) / 1000, 32)).float().flatten(1)
        return (x.flatten(1) @ drawn.T).argmax(1, keepdim=True) * (2 * np.pi / 1000)

    def decode(self, z: Tensor) -> Tensor:
        return torch.from_numpy(rays(z[:, 0].double().numpy(), 32)).float()


def test_a_model_that_knows_the_angle_scores_near_perfect() -> None:
    """In units of a blend's distance; codes of a circle may go the long way round, evenly all the same."""
    images = quantised(rays(angles(40, np.random.default_rng(1)), 32))
    settings = {"interpolation": {"pairs": 20, "steps": 16}, "seed": 1}
    measures = interpolation_measures(Angle(), images, settings, "cpu")
    distance, smoothness = measures["interpolation_distance"], measures["interpolation_smoothness"]
    assert distance.value == pytest.approx(0, abs=1e-4)
    assert smoothness.value == pytest.approx(0, abs=0.02)
    assert distance.n == 20
