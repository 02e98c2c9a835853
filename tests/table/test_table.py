"""The table: arithmetic by closed form, and nothing averaged that does not compare."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.project import ROOT

from wae.table import Claim, Order, collect, judge, read_claims, read_metrics, summarise
from wae.table.summary import mean_std
from wae.table.tidy import seed_means
from wae.table.verdicts import rises

REST = {"n": 100, "reference": "first 100 held-out images", "features_sha256": "abc", "protocol": "float64, rounded"}


def record(
    tmp_path: Path, dataset: str, model: str, seed: int | str, **values: Any
) -> tuple[str, str, int | str, Path]:
    """A metrics.json; a value may be a number, None, or a whole entry."""
    path = tmp_path / f"{dataset}-{model}-{seed}.json"
    path.write_text(json.dumps({k: v if isinstance(v, dict) else {"value": v, **REST} for k, v in values.items()}))
    return dataset, model, seed, path


def gathered(tmp_path: Path, *records: tuple[str, str, int | str, Path]) -> pd.DataFrame:
    collect(records, tmp_path / "metrics.csv")
    return read_metrics(tmp_path / "metrics.csv")


def three_seeds(tmp_path: Path) -> pd.DataFrame:
    """Data first, as the pipeline gives it; fid never computed; wae-gan's sharpness failed for one seed."""
    distances = {"vae": (1.0, 2.0, 4.0), "wae-mmd": (0.1, 0.2, 0.3), "wae-gan": (5.0, 5.0, 5.0)}
    sharp = {"vae": (0.1,) * 3, "wae-mmd": (0.5,) * 3, "wae-gan": (0.2, 0.2, None)}
    runs = [
        record(tmp_path, "digits", model, seed, fid=None, fd_classifier=value[seed], sharpness=sharp[model][seed])
        for model, value in distances.items()
        for seed in range(3)
    ]
    floor = record(tmp_path, "digits", "data", "", fid=None, fd_classifier=0.05, sharpness=0.2, reconstruction_mse=None)
    return gathered(tmp_path, floor, *runs)


def claim(**changes: Any) -> Claim:
    entry = {"dataset": "digits", "model": "vae", "metric": "fid", "value": 63.0, "source": "A, 2018"}
    return Claim(**{**entry, "protocol": "p", "tolerance": {"absolute": 1.0}, **changes})


# ---- collect ----------------------------------------------------------------


def test_metrics_csv_is_tidy_exact_and_in_the_order_of_the_grid(tmp_path: Path) -> None:
    records = [
        record(tmp_path, "mnist", "vae", 10, fid=None, sharpness=0.1 + 0.2),
        record(tmp_path, "a", "data", "", fid=1),
    ]
    collect(records, tmp_path / "metrics.csv")
    assert (tmp_path / "metrics.csv").read_bytes().decode() == (
        "dataset,model,seed,sampling,metric,value,n,reference,features_sha256,protocol\n"
        'mnist,vae,10,1,fid,,100,first 100 held-out images,abc,"float64, rounded"\n'
        'mnist,vae,10,1,sharpness,0.30000000000000004,100,first 100 held-out images,abc,"float64, rounded"\n'
        'a,data,,1,fid,1.0,100,first 100 held-out images,abc,"float64, rounded"\n'
    )


def test_every_float_reads_back_as_itself(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal(200) * 10.0 ** np.arange(-100, 100)
    metrics = gathered(tmp_path, *(record(tmp_path, "d", "m", i, fid=value) for i, value in enumerate(values)))
    assert metrics["value"].tolist() == values.tolist()


def test_a_sampling_has_a_row_and_what_is_not_sampled_again_one(tmp_path: Path) -> None:
    entry = {"value": 1.0, **REST, "again": [2.0, 6.0]}
    metrics = gathered(tmp_path, record(tmp_path, "d", "m", 7, fid=entry, kid=None), record(tmp_path, "d", "data", ""))
    assert list(zip(metrics["sampling"], metrics["metric"], metrics["value"].fillna(-1))) == [
        ("1", "fid", 1.0), ("2", "fid", 2.0), ("3", "fid", 6.0), ("1", "kid", -1),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="fid is inf"):
        gathered(tmp_path, record(tmp_path, "d", "m", 1, fid={**entry, "again": [math.inf]}))


def test_a_seed_counts_once_however_often_it_is_sampled(tmp_path: Path) -> None:
    numbers = {1: [1.0, 2.0, 6.0], 2: [5.0, 5.0, 5.0]}
    runs = [record(tmp_path, "d", "m", s, fid={"value": v[0], **REST, "again": v[1:]}) for s, v in numbers.items()]
    means = seed_means(gathered(tmp_path, *runs))
    assert means[["seed", "value"]].to_numpy().tolist() == [["1", 3.0], ["2", 5.0]]
    one = summarise(gathered(tmp_path, *runs), []).iloc[0]
    assert (one["seeds"], one["fid_mean"]) == (2, 4.0)
    assert "n=100, 3 samplings a seed, first 100" in one["protocol"]
    # The variance of the means 3 and 5 is 2, those within 7 and 0.
    assert one["fid_std"] == pytest.approx(math.sqrt(2.0 + (1 - 1 / 3) * 3.5), rel=1e-15)
    assert mean_std([[1.0, 2.0, 6.0]]) == (3.0, math.sqrt(7.0))
    assert math.isnan(mean_std([[1.0, 2.0], [math.nan, 2.0]])[0])


def test_the_variance_of_one_number_is_unbiased() -> None:
    """Seeds of variance 4, samplings of variance 9 within them: 13, where all numbers together would vary by less."""
    rng, trials, seeds, samplings = np.random.default_rng(0), 4000, 3, 4
    numbers = rng.normal(0, 2, (trials, seeds, 1)) + rng.normal(0, 3, (trials, seeds, samplings))
    variances = np.square([mean_std(trial.tolist())[1] for trial in numbers])
    assert abs(variances.mean() - 13) < 3 * variances.std() / math.sqrt(trials)
    together = numbers.reshape(trials, -1).var(axis=1, ddof=1)
    assert together.mean() < 13 - 10 * together.std() / math.sqrt(trials)


def test_a_model_may_be_called_none_or_nan(tmp_path: Path) -> None:
    metrics = gathered(tmp_path, record(tmp_path, "null", "nan", "", fid=None))
    assert (metrics["dataset"][0], metrics["model"][0], metrics["seed"][0]) == ("null", "nan", "")
    assert math.isnan(metrics["value"][0])


def test_what_is_no_number_is_refused_by_file_and_metric(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"d-m-1\.json: fid is nan"):
        gathered(tmp_path, record(tmp_path, "d", "m", 1, fid=math.nan))
    with pytest.raises(ValueError, match=r"d-m-1\.json: fid has no protocol"):
        gathered(
            tmp_path, record(tmp_path, "d", "m", 1, fid={"value": 1, "n": 1, "reference": "", "features_sha256": ""})
        )
    with pytest.raises(ValueError, match="d/m/1 is measured already"):
        gathered(tmp_path, record(tmp_path, "d", "m", 1, fid=1), record(tmp_path, "d", "m", 1, fid=1))
    assert not (tmp_path / "metrics.csv").exists()


# ---- summarise --------------------------------------------------------------


def test_a_mean_over_some_of_the_seeds_is_not_given(tmp_path: Path) -> None:
    runs = [record(tmp_path, "d", "m", 1, fid=1.0, kid=3.0), record(tmp_path, "d", "m", 2, fid=2.0)]
    row = summarise(gathered(tmp_path, *runs), []).iloc[0]
    assert (row["fid_mean"], row["seeds"]) == (1.5, 2)
    assert math.isnan(row["kid_mean"])


def test_one_seed_measured_more_often_than_another_cannot_be_averaged(tmp_path: Path) -> None:
    often = {"value": 1.0, **REST, "again": [2.0]}
    runs = [record(tmp_path, "d", "m", 1, fid=often), record(tmp_path, "d", "n", 2, fid=2.0)]
    with pytest.raises(ValueError, match=r"d: fid mixes samplings 2 \(m, seed 1\) and 1 \(n, seed 2\)"):
        summarise(gathered(tmp_path, *runs), [])
    anchor = record(tmp_path, "d", "data", "", fid=1.0)
    assert summarise(gathered(tmp_path, runs[0], anchor), [])["fid_mean"].tolist() == [1.5, 1.0]


def test_mean_and_sample_standard_deviation(tmp_path: Path) -> None:
    table = summarise(three_seeds(tmp_path), []).set_index("model")
    assert table["fd_classifier_mean"]["vae"] == 7 / 3
    assert table["fd_classifier_std"]["vae"] == math.sqrt(7 / 3)  # ((4/3)^2 + (1/3)^2 + (5/3)^2) / 2
    # 0.2 when only the result is rounded; a running sum of 0.1, 0.2, 0.3 ends at 0.20000000000000004.
    assert table["fd_classifier_mean"]["wae-mmd"] == 0.2
    assert table["fd_classifier_std"]["wae-gan"] == 0
    assert table["seeds"].tolist() == [3, 3, 3, pd.NA]


def test_rows_keep_the_grids_order_with_data_last_of_each_data_set(tmp_path: Path) -> None:
    names = [("b", "data"), ("b", "z"), ("b", "y"), ("a", "data"), ("a", "y")]
    metrics = gathered(tmp_path, *(record(tmp_path, *name, 1, fid=1) for name in names))
    table = summarise(metrics, [])
    assert list(zip(table["dataset"], table["model"])) == [names[1], names[2], names[0], names[4], names[3]]


def test_the_order_of_seeds_changes_nothing(tmp_path: Path) -> None:
    values = np.random.default_rng(0).lognormal(0, 5, 7)
    records = [record(tmp_path, "d", "m", seed, fid=value) for seed, value in enumerate(values)]
    forth, back = (summarise(gathered(tmp_path, *order), []) for order in (records, records[::-1]))
    assert forth.equals(back)


def test_what_was_not_computed_for_every_seed_is_empty(tmp_path: Path) -> None:
    table = summarise(three_seeds(tmp_path), []).set_index("model")
    assert table.filter(regex="^(fid|reconstruction_mse)_").isna().all(axis=None)
    assert math.isnan(table["sharpness_mean"]["wae-gan"])
    assert math.isnan(table["fd_classifier_std"]["data"])


@pytest.mark.parametrize("field", REST)
def test_numbers_measured_differently_cannot_share_a_column(tmp_path: Path, field: str) -> None:
    other = {"value": 1.0, **REST, field: 500 if field == "n" else "other"}
    one = record(tmp_path, "d", "vae", 1, fid=1)
    with pytest.raises(ValueError, match=rf"d: fid mixes {field} .*\(vae\) and (500|other) \(wae-mmd\)"):
        summarise(gathered(tmp_path, one, record(tmp_path, "d", "wae-mmd", 1, fid=other)), [])
    assert len(summarise(gathered(tmp_path, one, record(tmp_path, "e", "wae-mmd", 1, fid=other)), [])) == 2
    assert (
        len(summarise(gathered(tmp_path, one, record(tmp_path, "d", "gan", 1, fid={**other, "value": None})), [])) == 2
    )


# ---- published --------------------------------------------------------------


def test_a_published_value_stands_beside_with_its_source_and_the_first_wins(tmp_path: Path) -> None:
    claims = [
        claim(),
        claim(value=99.0, source="B"),
        claim(model="wae-mmd", metric="sharpness", value=3e-3, source="C"),
    ]
    metrics = three_seeds(tmp_path)
    table = summarise(metrics, judge(claims, metrics, {})).set_index("model")
    assert (table["fid_published"]["vae"], table["fid_published_source"]["vae"]) == (63.0, "A, 2018")
    assert (table["sharpness_published"]["wae-mmd"], table["sharpness_published_source"]["wae-mmd"]) == (3e-3, "C")
    words = table["sharpness_verdict"].str.partition(":")[0].tolist()
    assert words == ["", "reproduced", "", ""]  # 0.5 within 1 of 0.003
    assert math.isnan(table["fid_published"]["data"])
    assert table["fid_published_source"]["data"] == ""


def test_the_shipped_claims_are_the_papers(tmp_path: Path) -> None:
    claims = read_claims(ROOT / "claims.yaml")
    values = [c for c in claims if isinstance(c, Claim)]
    wae = {(c.model, c.metric): c.value for c in values if "1711.01558" in c.source}
    assert [wae[model, "fid"] for model in ("vae", "wae-mmd", "wae-gan", "data")] == [63, 55, 42, 2]
    assert [wae[model, "sharpness"] for model in ("vae", "wae-mmd", "wae-gan", "data")] == [3e-3, 6e-3, 6e-3, 2e-2]
    assert len({(c.dataset, c.model, c.metric, c.source) for c in values}) == len(values)
    published = {(c.dataset, c.model, c.metric, c.source): c.value for c in values}
    for order in (c for c in claims if isinstance(c, Order)):
        assert rises([published[order.dataset, model, order.metric, order.source] for model in order.order])


def test_a_number_without_a_source_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text("- {dataset: d, model: m, metric: fid, value: 3e-3, source: s, protocol: p, differs: size}\n")
    assert read_claims(path)[0].value == 0.003  # YAML 1.2; in 1.1 it is a string
    path.write_text("- {dataset: d, model: m, metric: fid, value: 1, protocol: p}\n")
    with pytest.raises(ValueError, match=r"claims\.yaml: entry 1\.source: field required"):
        read_claims(path)
    path.write_text("- {dataset: d, model: m, metric: fid, value: 1, source: '', protocol: p}\n")
    with pytest.raises(ValueError, match=r"claims\.yaml: entry 1\.source"):
        read_claims(path)
