"""table.csv, table.md and table.tex: nothing is lost, nothing is run by what reads them, the same bytes every time."""

import csv
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from wae.table import METRICS, Claim, judge, summarise, write_csv, write_md, write_tex
from wae.table.write import plus_minus

HOW = {"n": 100, "reference": "first 100 held-out images", "features_sha256": "abc", "protocol": "float64, rounded"}
CLAIM = Claim(
    dataset="digits",
    model="vae",
    metric="fid",
    value=63.0,
    source="A, 2018",
    protocol="p",
    note="So it says.",
    tolerance={"absolute": 1.0},
)
GAN = CLAIM.model_copy(update={"model": "gan", "value": 70.0})


def measured(*numbers: tuple[str, str, str, dict[str, float]]) -> pd.DataFrame:
    """Metrics as read_metrics gives them, from data set, model, seed and values."""
    rows = [
        {"dataset": dataset, "model": model, "seed": seed, "metric": metric, "value": value, **HOW}
        for dataset, model, seed, values in numbers
        for metric, value in values.items()
    ]
    return pd.DataFrame(rows).astype({"n": "Int64"})


def three_seeds() -> pd.DataFrame:
    """fid was never computed, wae-gan's sharpness not for one seed."""
    distances = {"vae": (1.0, 2.0, 4.0), "wae-mmd": (0.1, 0.2, 0.3), "wae-gan": (5.0, 5.0, 5.0)}
    sharp = {"vae": (0.1,) * 3, "wae-mmd": (0.5,) * 3, "wae-gan": (0.2, 0.2, math.nan)}
    runs = [
        ("digits", model, str(seed), {"fid": math.nan, "fd_classifier": value[seed], "sharpness": sharp[model][seed]})
        for model, value in distances.items()
        for seed in range(3)
    ]
    return measured(("digits", "data", "", {"fd_classifier": 0.05, "sharpness": 0.2}), *runs)


def test_table_csv(tmp_path: Path) -> None:
    metrics = three_seeds()
    table = summarise(metrics, judge([CLAIM], metrics, {}))
    write_csv(table, tmp_path / "table.csv")
    content = (tmp_path / "table.csv").read_bytes().decode()
    rows = list(csv.DictReader(content.splitlines()))
    assert list(rows[0])[:7] == [
        "dataset",
        "model",
        "seeds",
        "fid_mean",
        "fid_std",
        "fd_classifier_mean",
        "fd_classifier_std",
    ]
    assert list(rows[0])[-3:] == ["fid_published_source", "fid_published_protocol", "protocol"]
    assert "\r" not in content
    assert [row["model"] for row in rows] == ["vae", "wae-mmd", "wae-gan", "data"]
    assert [row["seeds"] for row in rows] == ["3", "3", "3", ""]
    assert {row["fid_mean"] for row in rows} == {""}
    assert float(rows[0]["fd_classifier_mean"]) == 7 / 3
    assert rows[3]["protocol"].startswith(
        "fd_classifier: n=100, first 100 held-out images, features abc, float64, rounded"
    )


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (12.3456, 0.4444, "12.35 ± 0.44"),
        (12.3456, 4.444, "12.3 ± 4.4"),
        (1234.5, 44.4, "1234 ± 44"),
        (0.0012345, 0.0000444, "0.001234 ± 0.000044"),
        (12.3456, math.nan, "12.35"),
        (0.0235, math.nan, "0.02350"),
        (-0.0127, 0.0031, "-0.0127 ± 0.0031"),
        (5.0, 0.0, "5.000 ± 0"),
        (0.0, math.nan, "0"),
        (math.nan, math.nan, ""),
    ],
)
def test_digits_follow_the_uncertainty(mean: float, std: float, text: str) -> None:
    assert plus_minus(mean, std) == text


def test_table_md(tmp_path: Path) -> None:
    metrics = three_seeds()
    verdicts = judge([CLAIM, GAN], metrics, {})
    pictures = [tmp_path / "digits" / "vae" / "samples.png", tmp_path / "digits" / "curves.png"]
    write_md(
        summarise(metrics, verdicts), tmp_path / "table.md", metrics=metrics, verdicts=verdicts,
        accuracy={"digits": [0.98125, 0.5]}, pictures=pictures,
    )  # fmt: skip
    page = (tmp_path / "table.md").read_text()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")
    ]
    assert cells[0] == ["model", "seeds", "FID, published", "FID, verdict", "FD (classifier) ↓", "sharpness → data"]
    assert cells[2] == [
        "vae",
        "3",
        "63",
        "not run",
        "2.3 ± 1.5",
        "**0.1000 ± 0**",
    ]  # sharpness: data 0.2, vae 0.1, wae-mmd 0.5
    assert cells[3] == ["wae-mmd", "3", "", "", "**0.20 ± 0.10**", "0.5000 ± 0"]
    assert cells[4] == ["wae-gan", "3", "", "", "5.000 ± 0", ""]
    assert cells[5] == ["*data (floor)*", "", "", "", "0.05000", "0.2000"]
    said = "few: below 1000 mostly bias and noise, to be compared with the floor alone"
    assert f"- FD (classifier): N = 100; {said}; first 100 held-out images; features abc; float64, rounded" in page
    assert "- sharpness: N = 100; first 100 held-out images; features abc; float64, rounded" in page
    assert "held-out accuracy: 98.12%, 50.00%" in page
    listed = page[page.index("- FID (A, 2018). p. So it says.") :].splitlines()
    assert listed[1:3] == [
        "  - vae 63: not run: no Inception weights were asked for",
        "  - gan 70: not run: the grid has no gan",
    ]
    assert "](digits/vae/samples.png)" in page
    assert "](digits/curves.png)" in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize(
    ("least", "names"),
    [
        (5000, "fid fid_infinity fid_expost"),
        (
            1000,
            "fd_classifier fd_infinity_classifier fd_classifier_expost swd swd_64 swd_14 precision_inception "
            "coverage_classifier authenticity_classifier",
        ),
    ],
)
def test_few_images_are_fewer_than_docs_metrics_says(least: int, names: str) -> None:
    for metric in map(METRICS.__getitem__, names.split()):
        said = f"few: below {least} mostly bias and noise, to be compared with the floor alone"
        assert [metric.few(n) for n in (2, least - 1, least)] == [said, said, ""]
    for metric in (METRICS["kid"], METRICS["sharpness"]):
        assert metric.few(2) == ""


def test_groups_have_tables_of_their_own_and_floors_stand_behind_their_values(tmp_path: Path) -> None:
    values = {"fid": 1.0, "precision_classifier": 0.5, "latent_sw": 0.25, "latent_sw_floor": 0.017, "latent_mean": 2.0}
    metrics = measured(("d", "vae", "1", values), ("d", "data", "", {"fid": 1.0}))
    write_md(summarise(metrics, []), tmp_path / "table.md", metrics=metrics)
    page = (tmp_path / "table.md").read_text()
    order = [
        "## d",
        "FID ↓",
        "### Support, memory and scales",
        "precision",
        "### Codes",
        "0.2500 (0.017)",
        "### Moments",
    ]
    assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)
    assert "latent_sw_floor" not in page
    write_tex(summarise(metrics, []), tmp_path / "table.tex", metrics=metrics)
    assert (tmp_path / "table.tex").read_text().count(r"\begin{tabular}") == 4


def test_one_model_alone_is_not_the_best(tmp_path: Path) -> None:
    metrics = measured(("d", "vae", "1", {"fid": 1.0}), ("d", "data", "", {"fid": 1.0}))
    write_md(summarise(metrics, []), tmp_path / "table.md", metrics=metrics)
    assert "**" not in (tmp_path / "table.md").read_text()


def test_table_tex_escapes_what_latex_would_run(tmp_path: Path) -> None:
    nasty = "a_b&50%$x^2$#{}~\\input{f}"
    value = {"my_metric": 1.5}
    metrics = measured((nasty, "vae_1", "1", value), ("c", "vae", "1", value), ("c", "wae", "1", value))
    write_tex(summarise(metrics, []), tmp_path / "table.tex", metrics=metrics)
    text = (tmp_path / "table.tex").read_text()
    assert r"\caption{a\_b\&50\%\$x\textasciicircum{}2\$\#\{\}\textasciitilde{}\textbackslash{}input\{f\}. " in text
    assert r"vae\_1" in text
    assert r"\input" not in text
    assert r"my\_metric" in text
    assert re.sub(r"\\[{}]", "", text).count("{") == re.sub(r"\\[{}]", "", text).count("}")
    body = text[text.index(r"\begin{tabular}") : text.index(r"\end{tabular}")]
    columns = [len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines() if line.endswith(r"\\")]
    assert columns == [2] * 2
    assert [line for line in body.splitlines() if "rule" in line] == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_table_tex_says_how_each_data_set_was_measured_and_mixes_none(tmp_path: Path) -> None:
    one = measured(("one", "vae", "1", {"fid": 1.0}), ("one", "wae", "1", {"fid": 2.0}))
    other = measured(("other", "vae", "1", {"fid": 3.0, "precision_inception": 0.5}))
    metrics = pd.concat([one, other.assign(protocol="float32 < float64, 5%", n=7)], ignore_index=True)
    write_tex(summarise(metrics, []), tmp_path / "table.tex", metrics=metrics, accuracy={"one": [0.98125]})
    first, second, third = (tmp_path / "table.tex").read_text().split(r"\end{table}")[:3]
    said = "few: below 5000 mostly bias and noise, to be compared with the floor alone"
    assert rf"\par FID: N = 100; {said}; first 100 held-out images; features abc; float64, rounded" in first
    assert r"The classifier's held-out accuracy: 98.12\%." in first
    assert rf"\par FID: N = 7; {said}; first 100 held-out images; features abc; float32 $<$ float64, 5\%" in second
    assert r"\par precision (Inception-v3): N = 7" in third
    assert ("3.000" in first, "accuracy" in second, "FID" in third) == (False, False, False)
    assert [re.findall(r"\\label\{(.+)\}", of) for of in (first, second, third)] == [
        ["tab:one-quality"], ["tab:other-quality"], ["tab:other-support"],
    ]  # fmt: skip


def test_table_tex_is_typeset_and_the_same_every_time(tmp_path: Path) -> None:
    metrics = three_seeds()
    table = summarise(metrics, judge([CLAIM], metrics, {}))
    for name in ("one.tex", "two.tex"):
        write_tex(table, tmp_path / name, metrics=metrics)
    text = (tmp_path / "one.tex").read_text()
    assert (tmp_path / "two.tex").read_text() == text
    assert r"\textbf{0.20 $\pm$ 0.10}" in text
    assert text.isascii()
    assert text.count("model & seeds") == 1
