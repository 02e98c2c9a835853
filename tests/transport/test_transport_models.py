"""Figures of optimal transport that show trained models, and how all figures stand in the pipeline."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.project import ROOT, copy

from wae.config.check import Mistakes, load
from wae.io import write_arrays, write_json
from wae.pipeline.dag import STAGES
from wae.pipeline.profile import Profile
from wae.transport import generators, posteriors

PARAMS = "params/transport/params.yaml"


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# ---- posteriors ----


def test_codes_taken_by_another_posterior_in_closed_form() -> None:
    one = torch.ones(2, 1, dtype=torch.float64)
    for shift in (0.5, 1.0, 2.0):
        share = posteriors.taken(torch.tensor([[0.0], [shift]]).double(), one, 40_000, generator())
        assert share == pytest.approx(math.erfc(shift / 2 / math.sqrt(2)) / 2, abs=0.005)
    assert posteriors.taken(100 * torch.eye(3), torch.ones(3, 3), 100, generator()) == 0
    assert posteriors.taken(torch.zeros(4, 2), torch.ones(4, 2), 100, generator()) == 0.75


def test_posteriors_are_read_from_each_run(tmp_path: Path) -> None:
    files = [tmp_path / model / seed / "posteriors.csv" for model in ("vae", "wae") for seed in ("1", "2")]
    columns = ["label", *posteriors.MEANS, *posteriors.DEVIATIONS]
    for place, file in enumerate(files):
        file.parent.mkdir(parents=True)
        deviation = 2 if "vae" in file.parts else 0.01
        rows = [[label, label + place, 0, deviation, deviation] for label in range(5)]
        pd.DataFrame(rows, columns=columns).to_csv(file, index=False)
    numbers = posteriors.numbers({"images": 4, "draws": 50}, generator(), files)
    assert numbers.groupby(["model", "seed"]).size().to_dict() == {
        (model, seed): 4 for model in ("vae", "wae") for seed in ("1", "2")
    }
    assert (numbers[numbers["model"] == "wae"]["taken"] == 0).all()
    assert numbers[numbers["model"] == "vae"]["taken"].min() > 0.4
    titles = [axes.get_title() for axes in posteriors.draw(numbers, files).axes]
    assert titles[1].endswith("0% (seed 1), 0% (seed 2)")


def test_the_images_whose_posteriors_are_shown_are_drawn_and_the_same_of_every_run(tmp_path: Path) -> None:
    """Held-out images in the order of their labels, as from a folder for each class."""
    files = [tmp_path / "vae" / seed / "posteriors.csv" for seed in ("1", "2")]
    for file in files:
        file.parent.mkdir(parents=True)
        table = pd.DataFrame({"label": np.repeat(np.arange(10), 50), "mean_1": np.arange(500.0), "mean_2": 0.0})
        table.assign(deviation_1=1, deviation_2=1).to_csv(file, index=False)
    numbers = posteriors.numbers({"images": 60, "draws": 1}, generator(), files)
    one, other = (of.reset_index(drop=True) for _, of in numbers.groupby("seed"))
    assert one["mean_1"].equals(other["mean_1"])
    assert one["mean_1"].is_unique
    assert one["label"].nunique() == 10


# ---- generators ----


def test_generators_are_read_from_each_run(tmp_path: Path) -> None:
    def metrics(folder: Path, value: float) -> Path:
        write_json(folder / "metrics.json", {name: {"value": value} for name in (generators.METRIC, "sharpness")})
        return folder / "metrics.json"

    real, files, images = metrics(tmp_path / "data", 1.0), [], []
    for index, model in enumerate(("gan-conv", "gan-conv-plain", "swg-conv", "swg-conv-plain")):
        files += [metrics(tmp_path / model / str(seed), index + seed) for seed in (1, 2)]
        images.append(tmp_path / model / "1" / "images.npz")
        write_arrays(images[-1], {"samples": np.zeros((30, 1, 4, 4), np.uint8)})
    everything = [real, *files, *images]
    numbers = generators.numbers({}, generator(), everything)
    assert list(numbers["objective"]) == ["data", *["gan"] * 4, *["swg"] * 4]
    assert list(numbers["network"].unique()) == ["", "conv", "conv-plain"]
    assert list(numbers[generators.METRIC]) == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert len(generators.draw(numbers, everything).axes) == 5


def test_a_mosaic_keeps_images_whole() -> None:
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((4, 1, 2, 3), np.uint8)
    assert generators.mosaic(images, 2).tolist() == [[0] * 3 + [1] * 3] * 2 + [[2] * 3 + [3] * 3] * 2
    assert generators.mosaic(np.zeros((9, 3, 2, 2), np.uint8), 3).shape == (6, 6, 3)


# ---- the pipeline ----


def test_a_figure_is_a_stage_that_reads_its_own_settings_and_models() -> None:
    profile, stage = Profile.read("transport"), STAGES["transport"]
    inputs = {scope["figure"]: stage.deps(profile, scope) for scope in stage.scopes(profile)}
    assert len(inputs) == 9
    assert {figure for figure, files in inputs.items() if files} == {"posteriors", "generators"}
    assert "results/transport/digits/vae/2/posteriors.csv" in inputs["posteriors"]
    assert "results/transport/digits/data/metrics.json" in inputs["generators"]
    assert list(stage.scopes(Profile.read("smoke"))) == list(STAGES["posteriors"].scopes(Profile.read("smoke"))) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("models: [vae, wae-mmd]", "models: [vae, wae-mdm]", "figures.posteriors shows 'wae-mdm'"),
        ("networks: [conv,", "networks: [convex,", "figures.generators shows 'gan-convex'"),
        ("few: 8", "fwe: 8", "figures.plans.fwe is an unknown key"),
        ("  plans:", "  plan:", "figures.plan is an unknown key"),
    ],
)
def test_a_mistake_in_a_figure_s_settings_is_a_sentence(old: str, new: str, words: str, tmp_path: Path) -> None:
    text = (ROOT / PARAMS).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Mistakes, match=words):
        load(path, Path("data/params.yaml"))


def test_both_engines_and_a_hand_make_the_same_figure(tmp_path: Path) -> None:
    project = copy(tmp_path)
    project.edit(PARAMS, "few: 8, many: 300", "few: 4, many: 20")
    files = [tmp_path / "results" / "transport" / f"plans.{suffix}" for suffix in ("png", "csv")]
    made = []
    for command in (
        ("snakemake", "--cores", "1", str(files[0].relative_to(tmp_path))),
        ("dvc", "repro", "params/transport/dvc.yaml:transport-plans"),
        ("wae", "transport", "plans"),
    ):
        project.run(*command)
        made.append([file.read_bytes() for file in files])
        for file in files:
            file.unlink()
    assert made[0] == made[1] == made[2]


def test_an_edited_figure_leaves_the_others_alone(tmp_path: Path) -> None:
    project = copy(tmp_path)
    targets = [f"results/transport/{name}.png" for name in ("plans", "radon")]
    project.edit(PARAMS, "few: 8, many: 300", "few: 4, many: 20")
    project.edit(PARAMS, "pairs: 40, points: 150, directions: 180", "pairs: 2, points: 10, directions: 9")
    project.run("snakemake", "--cores", "2", *targets)
    project.edit("wae/transport/plans.py", '"""', '"""Edited. ')
    assert [job.name for job in project.planned(targets[0], targets[1])] == ["transport-plans"]
    project.edit(PARAMS, "pairs: 2,", "pairs: 3,")
    assert {job.name for job in project.planned(targets[0], targets[1])} == {"transport-plans", "transport-radon"}
