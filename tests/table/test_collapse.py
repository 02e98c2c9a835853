"""A model whose codes say nothing is marked where people read, and changes nothing for machines."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from wae.table import summarise, write_csv, write_md, write_tex

HOW = {"n": 100, "reference": "first 100 held-out images", "features_sha256": "", "protocol": "float64"}


def measured(units: dict[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """Of each model and seed: active units and mutual information; the model named first has the lowest latent MMD."""
    rows = [
        {"dataset": "digits", "model": model, "seed": str(seed), "metric": metric, "value": value, **HOW}
        for rank, (model, seeds) in enumerate(units.items())
        for seed, (active, nats) in enumerate(seeds)
        for metric, value in (("latent_mmd", 0.5 + rank), ("active_units", active), ("mutual_information", nats))
    ]
    return pd.DataFrame(rows).astype({"n": "Int64"})


def page(metrics: pd.DataFrame, folder: Path) -> str:
    write_md(summarise(metrics, []), folder / "table.md", metrics=metrics)
    return (folder / "table.md").read_text()


@pytest.mark.parametrize(
    ("seeds", "name"),
    [
        ([(0, 1e-9), (0, 0.05)], "vae (collapsed)"),
        ([(0, 1e-9), (3, 2.0)], "vae (1 of 2 seeds collapsed)"),
        ([(3, 2.0), (1, 0.01)], "vae"),
        ([(0, 3.0), (0, 3.0)], "vae"),  # a small scale of the codes is no collapse: they say which image it is
        ([(0, math.nan), (0, math.nan)], "vae"),  # a point mass has no density
    ],
)
def test_a_collapsed_model_is_marked(seeds: list[tuple[float, float]], name: str, tmp_path: Path) -> None:
    text = page(measured({"vae": seeds, "wae-mmd": [(8, 3.0)] * 2, "ae": [(8, 3.0)] * 2}), tmp_path)
    assert f"| {name} " in text
    assert ("Collapsed: no unit is active" in text) == ("collapsed" in name)
    assert "wae-mmd (" not in text


def test_a_collapsed_model_has_not_the_best_codes(tmp_path: Path) -> None:
    others = {"wae-mmd": [(8, 3.0)], "ae": [(8, 3.0)]}
    assert "**0.5000**" in page(measured({"vae": [(2, 1.0)], **others}), tmp_path)
    text = page(measured({"vae": [(0, 0.0)], **others}), tmp_path)
    assert "**0.5000**" not in text
    assert "**1.500**" in text


def test_machines_read_names_without_marks(tmp_path: Path) -> None:
    metrics = measured({"vae": [(0, 0.0)], "wae-mmd": [(8, 3.0)]})
    table = summarise(metrics, [])
    write_csv(table, tmp_path / "table.csv")
    write_tex(table, tmp_path / "table.tex", metrics=metrics)
    assert pd.read_csv(tmp_path / "table.csv")["model"].tolist() == ["vae", "wae-mmd"]
    assert "vae (collapsed)" in (tmp_path / "table.tex").read_text()
    assert "collapsed" not in (tmp_path / "table.csv").read_text()
