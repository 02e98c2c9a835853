"""Paired differences and their intervals: closed forms, and the share of cases in which an interval holds the truth."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wae.table import differences, judge, summarise, write_md
from wae.table.claims import Order
from wae.table.differences import interval

HOW = {"n": 100, "reference": "r", "features_sha256": "", "protocol": "p"}


def measured(**models: dict[str, list[float]]) -> pd.DataFrame:
    """Metrics of `d`: model -> metric -> a value a seed; of a seed with several samplings, a list."""
    rows = [
        {"dataset": "d", "model": model.replace("_", "-"), "seed": str(seed), "metric": metric, "value": number, **HOW}
        for model, of in models.items()
        for metric, values in of.items()
        for seed, value in enumerate(values, start=1)
        for number in np.atleast_1d(value)
    ]
    return pd.DataFrame(rows).astype({"n": "Int64"})


@pytest.mark.parametrize(
    ("values", "quantile"),
    # Student's 0.975 quantiles as printed in every table: 12.706, 4.303 and 2.776 for 1, 2 and 4 degrees of freedom.
    [([1.0, 3.0], 12.706), ([1.0, 2.0, 3.0], 4.303), ([-2.0, -1.0, 0.0, 1.0, 2.0], 2.776)],
)
def test_the_interval_is_student_s(values: list[float], quantile: float) -> None:
    low, high = interval(values)
    assert (low + high) / 2 == pytest.approx(np.mean(values), abs=1e-12)
    half_width = quantile * np.std(values, ddof=1) / math.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half_width, rel=0.0005 / quantile)


def test_one_seed_has_no_interval_and_equal_differences_one_of_no_width() -> None:
    assert all(map(math.isnan, interval([1.0])))
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_an_interval_holds_the_truth_as_often_as_it_says(seeds: int) -> None:
    """Where a seed moves both models: of 2,000 cases within the central 99.9% of a binomial count at 0.95."""
    rng, cases, truth = np.random.default_rng(seeds), 2000, 0.3
    shared = 5.0 * rng.standard_normal((cases, seeds))
    first, second = (shared + rng.standard_normal((cases, seeds)) for _ in range(2))
    ends = [interval(of.tolist()) for of in second + truth - first]
    held = sum(low <= truth <= high for low, high in ends)
    few, many = stats.binom.interval(0.999, cases, 0.95)
    assert few <= held <= many
    gaussian = [1.96 * np.std(of, ddof=1) / math.sqrt(seeds) for of in second - first]
    assert sum(abs(of.mean()) <= reach for of, reach in zip(second - first, gaussian)) < few, "1.96 is too short"


def test_differences_are_between_the_same_seeds_and_of_every_pair_once() -> None:
    metrics = measured(
        data={"fid": [0.5]}, vae={"fid": [10.0, 20.0, 30.0]}, swae={"fid": [11.0, 22.0, 33.0]}, gan={"fid": [9.0] * 3}
    )
    found = differences(metrics)
    assert found[["model", "other"]].to_numpy().tolist() == [["swae", "vae"], ["gan", "vae"], ["gan", "swae"]]
    row = found.iloc[0]
    assert (row["dataset"], row["metric"], row["seeds"], row["difference"]) == ("d", "fid", 3, 2.0)
    # Of differences 1, 2, 3: by seed the models vary by 10 and more, and so would a difference that is not paired.
    assert (row["low"], row["high"]) == interval([1.0, 2.0, 3.0])
    shuffled = differences(metrics.sample(frac=1.0, random_state=0).sort_values("model", key=lambda m: m != "vae"))
    swae = shuffled[(shuffled["model"] == "swae") & (shuffled["other"] == "vae")].iloc[0]
    assert (swae["low"], swae["high"]) == (row["low"], row["high"])


def test_samplings_are_averaged_within_their_seed() -> None:
    vae, gan = [[1.0, 3.0], [2.0, 6.0]], [[5.0, 7.0], [6.0, 4.0]]
    row = differences(measured(vae={"fid": vae}, gan={"fid": gan})).iloc[0]
    assert (row["seeds"], row["difference"]) == (2, 2.5)
    assert (row["low"], row["high"]) == interval([4.0, 1.0])


def test_what_one_of_two_models_lacks_has_no_difference() -> None:
    gan = {"fid": [1.0, math.nan], "sharpness": [1.0, 2.0]}
    metrics = measured(vae={"fid": [1.0, 2.0], "latent_sw": [1.0, 2.0], "latent_sw_floor": [1.0, 2.0]}, gan=gan)
    assert differences(metrics).empty
    alone = differences(measured(vae={"fid": [1.0]}))
    assert list(alone.columns) == ["dataset", "metric", "model", "other", "seeds", "difference", "low", "high"]


def page(tmp_path: Path, metrics: pd.DataFrame) -> str:
    write_md(summarise(metrics, []), tmp_path / "table.md", metrics=metrics, between=differences(metrics))
    return (tmp_path / "table.md").read_text()


def test_a_page_shows_differences_from_the_first_model_with_their_intervals(tmp_path: Path) -> None:
    vae = {"fid": [1.0, 2.0, 3.0], "reconstruction_mse": [0.1, 0.1, 0.1], "latent_sw": [1.0] * 3}
    wae = {"fid": [0.0, 0.0, 3.0], "reconstruction_mse": [0.15, 0.15, 0.15], "latent_sw": [2.0] * 3}
    said = page(tmp_path, measured(vae=vae, wae=wae, gan={"fid": [11.0, 12.5, 13.0]}))
    lines = said[said.index("### Differences") :].splitlines()
    assert lines[2].startswith("From vae, the first of the grid: mean over 3 training seeds, each paired")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:8]]
    assert cells[0] == ["model", "FID", "reconstruction MSE"]
    assert cells[2] == ["wae", "-1.0 [-3.5, +1.5]", "**+0.050 [+0.050, +0.050]**"]
    assert cells[3] == ["gan", "**+10.17 [+9.45, +10.88]**", ""]


def test_one_seed_says_that_it_has_no_interval_and_one_model_says_nothing(tmp_path: Path) -> None:
    said = page(tmp_path, measured(vae={"fid": [1.0]}, gan={"fid": [2.0]}))
    assert "their differences have no interval" in said
    assert "[" not in said.split("### Differences")[1].split("How it was measured")[0]
    assert "Differences" not in page(tmp_path, measured(data={"fid": [1.0]}, gan={"fid": [2.0, 3.0]}))


def test_an_order_says_whether_chance_could_have_made_it() -> None:
    claim = Order(dataset="d", metric="sharpness", order=["vae", "gan"], source="s", protocol="p")
    for gan, words in (([2.0, 3.0, 4.1], "are above"), ([1.1, 3.0, 8.0], "are not all above")):
        (verdict,) = judge([claim], measured(vae={"sharpness": [1.0, 2.0, 3.0]}, gan={"sharpness": gan}), {})
        assert verdict.text == f"reproduced: it holds for 3 of 3 seeds, the 95% intervals of its differences {words} 0"
    (verdict,) = judge([claim], measured(vae={"sharpness": [1.0]}, gan={"sharpness": [2.0]}), {})
    assert verdict.text == "reproduced: it holds for 1 of 1 seeds"
