"""What `evaluate` and `floor` write: numbers whose protocols also say how the images came to be and what drew."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wae.errors import UserError
from wae.io import read_arrays, write_json
from wae.metrics.evaluate import Evaluation
from wae.metrics.measures import Measure
from wae.stages import classifier
from wae.stages.measure import prepared, write
from wae.table import collect, read_metrics

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


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_value_that_is_not_finite_is_never_a_number(value: float, place: int, tmp_path: Path) -> None:
    numbers = [1.0, 2.0, 3.0]
    numbers[place] = value
    measure = Measure(numbers[0], 10, "held-out", "", "how", tuple(numbers[1:]))
    write_json(tmp_path / "metrics.json", {"kid": measure.report(), "fid": Measure(1.5).report()})
    collect([("digits", "vae", 1, tmp_path / "metrics.json")], tmp_path / "metrics.csv")
    table = read_metrics(tmp_path / "metrics.csv")
    kid = table[table["metric"] == "kid"]
    assert kid["value"].isna().tolist() == [True] * 3
    assert set(kid["protocol"]) == {f"not computed: the value was {value}; how"}
    assert table[table["metric"] == "fid"]["value"].tolist() == [1.5]


def test_a_classifier_that_diverged_in_its_last_step_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wae.runtime.start", lambda device, *seed: device)
    settings = {"epochs": 1, "batch": 20, "lr": 1e30, "width": 2, "features": 4, "seed": 1}
    params = {"compute": {"device": "cpu", "threads": 1}, "evaluation": {"digits": {"classifier": settings}}}
    arrays = {"train": np.arange(20 * 64).reshape(20, 1, 8, 8) % 251, "labels": np.arange(20)[:, None] % 3}
    for name, array in arrays.items():
        np.save(tmp_path / name, array.astype(np.uint8))
    paths = [tmp_path / f"{name}.npy" for name in ("train", "labels") * 2]
    job: Any = SimpleNamespace(
        profile=SimpleNamespace(params=params),
        scope={"dataset": "digits"},
        input_paths=paths,
        output=lambda name: tmp_path / name,
    )
    with pytest.raises(
        UserError, match="the classifier after its last step: the mean feature of held-out images is nan"
    ):
        classifier.run(job)
    assert not (tmp_path / "classifier.safetensors").exists()


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
