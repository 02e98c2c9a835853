"""`dvc plots` draws what a model lowers, of every model of the family."""

from __future__ import annotations

import json

import pytest
from support.entries import MODELS, trained
from support.project import Project

from wae.config.fit import drawn


@pytest.mark.parametrize("model", MODELS)
def test_the_columns_that_are_drawn_are_there_and_change(model: str) -> None:
    history = trained(model).history
    for column in drawn(MODELS[model]):
        constant = column == "autoencoder.penalty" and MODELS[model]["penalty"]["kind"] == "none"
        assert len({epoch[column] for epoch in history}) == (1 if constant else len(history)), column


def test_dvc_draws_these_columns_over_epochs(made: Project) -> None:
    plots = json.loads(made.run("dvc", "plots", "show", "params/smoke/dvc.yaml", "--json").stdout)["data"]
    plots.pop("params/smoke/dvc.yaml")  # DVC takes the target itself for a plot, too
    terms = ("autoencoder.reconstruction", "autoencoder.penalty")
    assert list(plots) == [f"smoke digits {model} {term}" for model in ("wae-mmd", "wae-gan") for term in terms]
    for title, (plot,) in plots.items():
        column = title.split()[-1]
        assert plot["content"]["layer"][1]["encoding"]["y"]["field"] == column.replace(".", "\\.")
        assert plot["content"]["layer"][1]["encoding"]["x"]["field"] == "epoch"
        first, second = (float(row[column]) for row in plot["content"]["data"]["values"])
        assert second == first + 1  # as the stub writes it


def test_git_ignores_the_pictures(made: Project) -> None:
    made.run("git", "check-ignore", "dvc_plots/index.html")
