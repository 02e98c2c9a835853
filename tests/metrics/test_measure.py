"""What `evaluate` and `floor` write: numbers whose protocols also say how the images came to be and what drew."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wae.io import read_arrays
from wae.metrics.evaluate import Evaluation
from wae.metrics.measures import Measure
from wae.stages.measure import prepared, write

PILLOW = version("pillow")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"shape": [1, 28, 28]}, "images of 28x28, not resized"),
        (
            {"shape": [3, 20, 32], "crop": [1, 2, 33, 22]},
            "images of 20x32, crop (1, 2, 33, 22) of the original, not resized",
        ),
        ({"shape": [3, 64, 64], "filter": "box"}, f"images of 64x64, box of Pillow {PILLOW}"),
        (
            {"shape": [3, 64, 64], "crop": [19, 39, 159, 179], "filter": "lanczos"},
            f"images of 64x64, crop (19, 39, 159, 179) of the original, lanczos of Pillow {PILLOW}",
        ),
    ],
)
def test_how_images_came_to_their_size(entry: dict[str, Any], words: str) -> None:
    assert prepared(entry) == words


def test_a_protocol_ends_with_preparation_and_seed_and_what_was_not_measured_has_none(tmp_path: Path) -> None:
    params = {"evaluation": {"faces": {"seed": 7}}}
    profile = SimpleNamespace(params=params, data={"datasets": {"faces": {"shape": [3, 8, 8]}}})
    job: Any = SimpleNamespace(profile=profile, scope={"dataset": "faces"}, output=lambda name: tmp_path / name)
    images = {"samples": np.zeros((2, 3, 8, 8), np.uint8)}
    write(job, Evaluation({"swd": Measure(1.0, 2, protocol="float32"), "fid": Measure()}, images))
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["swd"]["protocol"] == "float32; images of 8x8, not resized; evaluation seed 7"
    assert (written["fid"]["protocol"], written["fid"]["value"]) == ("", None)
    np.testing.assert_array_equal(read_arrays(tmp_path / "images.npz")["samples"], images["samples"])
