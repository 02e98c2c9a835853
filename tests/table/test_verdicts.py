"""Verdicts on published numbers: judged is only what was measured as the claim asks, everything else says why."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.project import ROOT

from wae.pipeline.profile import Profile
from wae.pipeline.render import all_data
from wae.table import Claim, Order, TableError, Verdict, judge, read_claims, summarise

SAID = {"source": "A, 2018", "protocol": "p"}
SETTINGS = {"faces": {"dataset": {"train": 4000}, "models": {"vae": {"network": {"width": 0.125}, "epochs": 5}}}}


def claim(value: float = 2.0, **more: Any) -> Claim:
    judged = {} if "differs" in more else {"tolerance": {"absolute": 0.5}}
    return Claim(**{"dataset": "faces", "model": "vae", "metric": "fid", "value": value, **SAID, **judged, **more})


def measured(n: int = 100, **models: dict[str, tuple[float, ...]]) -> pd.DataFrame:
    """Metrics of `faces`: model -> metric -> a value a seed."""
    rows = [
        {
            "dataset": "faces",
            "model": model.replace("_", "-"),
            "seed": str(seed),
            "metric": metric,
            "value": value,
            "n": n,
        }
        for model, of in models.items()
        for metric, values in of.items()
        for seed, value in enumerate(values, start=1)
    ]
    how = dict.fromkeys(("reference", "features_sha256", "protocol"), "")
    return pd.DataFrame(rows).assign(**how).astype({"n": "Int64"})


def text(of: Claim | Order, metrics: pd.DataFrame) -> str:
    (verdict,) = judge([of], metrics, SETTINGS)
    return verdict.text


# ---- values -----------------------------------------------------------------


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("distance", "word"),
    [(0.0, "reproduced"), (0.5, "reproduced"), (0.75, "close"), (1.0, "close"), (1.25, "not reproduced")],
)
@pytest.mark.parametrize("tolerance", [{"absolute": 0.5}, {"relative": 0.25}])
def test_a_mean_is_judged_by_its_distance_in_tolerances(
    sign: int, distance: float, word: str, tolerance: dict[str, float]
) -> None:
    mean = 2.0 + sign * distance  # exact in binary, so the borders are too
    metrics = measured(vae={"fid": (mean - 0.25, mean + 0.25)})
    said = f"{word}: mean of 2 seeds, standard deviation 0.35"
    assert text(claim(tolerance=tolerance), metrics) == said


def test_a_mean_that_is_right_by_luck_is_no_more_than_close() -> None:
    """Seeds 0, 2 and 4 have the mean 2, and one of them lies beyond twice the tolerance of 0.5."""
    assert text(claim(), measured(vae={"fid": (0.0, 2.0, 4.0)})) == "close: mean of 3 seeds, standard deviation 2"
    assert text(claim(), measured(vae={"fid": (1.0, 2.0, 3.0)})).startswith("reproduced: mean of 3 seeds")


def test_the_samplings_of_a_seed_count_as_their_mean_and_not_as_the_last() -> None:
    """Each case's last sampling alone would give another verdict."""
    first, last = (measured(vae={"fid": (value,)}, wae_gan={"fid": (other,)}) for value, other in ((0.5, 5), (3.5, 2)))
    metrics = pd.concat([first, last], ignore_index=True)
    assert text(claim(), metrics) == "reproduced: one seed"
    assert text(claim(), first) == text(claim(), last) == "not reproduced: one seed"
    asked = Order(dataset="faces", metric="fid", order=["vae", "wae-gan"], **SAID)
    assert text(asked, metrics) == "reproduced: it holds for 1 of 1 seeds"
    assert text(asked, last) == "not reproduced: it holds for 0 of 1 seeds"


def test_real_images_have_no_seeds() -> None:
    assert text(claim(model="data"), measured(data={"fid": (2.0,)})) == "reproduced"


def test_a_relative_tolerance_of_a_negative_value_is_positive() -> None:
    assert text(claim(-2.0, tolerance={"relative": 0.25}), measured(vae={"fid": (-2.5,)})) == "reproduced: one seed"


HOLDS = {"n": 100, "dataset.train": 4000, "model.network.width": 0.125}
NOT_RUN = {
    "never judged": (claim(differs="d_z 16"), "other protocol: d_z 16"),
    "no such model": (claim(model="wae-gan"), "the grid has no wae-gan"),
    "no Inception": (claim(), "no Inception weights were asked for"),
    "not measured": (claim(metric="kid"), "kid was not measured"),
    "a seed without": (claim(metric="swd"), "swd has no value for some seed"),
    "narrow": (claim(metric="sharpness", where={**HOLDS, "model.network.width": 1.0}), "model.network.width is 0.125"),
    "few images": (claim(metric="sharpness", where={"n": 1000}), "n is 100, there 1000"),
    "no such key": (
        claim(metric="sharpness", where={"model.cost.kind": "l2sq"}),
        "model.cost.kind is None, there l2sq",
    ),
    "both": (claim(metric="sharpness", where={"n": 9, "model.epochs": 8}), "n is 100, there 9; model.epochs is 5"),
}


@pytest.mark.parametrize("case", NOT_RUN)
def test_what_was_measured_otherwise_is_not_judged(case: str) -> None:
    of, why = NOT_RUN[case]
    values = {"fid": (math.nan, math.nan), "sharpness": (9.0, 9.0), "swd": (1.0, math.nan)}
    assert text(of, measured(vae=values)).startswith(f"not run: {why}")
    assert text(claim(metric="sharpness", where=HOLDS), measured(vae=values)).startswith("not reproduced: mean of 2")


def test_a_claim_stands_beside_every_data_set_that_it_names_and_no_other() -> None:
    metrics = measured(vae={"fid": (2.0,)})
    assert [of.dataset for of in judge([claim(dataset="celeba", also=["faces", "birds"])], metrics, {})] == ["faces"]
    assert judge([claim(dataset="celeba")], metrics, {}) == []


# ---- orders -----------------------------------------------------------------


def order(*models: str) -> Order:
    return Order(dataset="faces", metric="sharpness", order=list(models), **SAID)


@pytest.mark.parametrize(
    ("vae", "gan", "expected"),
    [
        (
            (1.0, 2.0, 3.0),
            (2.0, 3.0, 4.0),
            "reproduced: it holds for 3 of 3 seeds, the 95% intervals of its differences are above 0",
        ),
        (
            (1.0, 2.0, 4.5),
            (2.0, 3.0, 4.0),
            "close: it holds for 2 of 3 seeds, the 95% intervals of its differences are not all above 0",
        ),
        ((1.0, 2.0, 9.0), (2.0, 3.0, 4.0), "not reproduced: it holds for 2 of 3 seeds"),
        ((2.0, 2.0, 2.0), (2.0, 2.0, 2.0), "not reproduced: it holds for 0 of 3 seeds"),
    ],
)
def test_an_order_is_asked_of_every_seed_and_of_the_means(
    vae: tuple[float, ...], gan: tuple[float, ...], expected: str
) -> None:
    metrics = measured(vae={"sharpness": vae}, wae_gan={"sharpness": gan})
    assert text(order("vae", "wae-gan"), metrics) == expected


def test_an_order_of_three_needs_every_step() -> None:
    metrics = measured(a={"sharpness": (1.0,)}, b={"sharpness": (3.0,)}, c={"sharpness": (2.0,)})
    assert text(order("a", "c", "b"), metrics).startswith("reproduced")
    assert text(order("a", "b", "c"), metrics).startswith("not reproduced")
    assert text(order("a", "d"), metrics) == "not run: the grid has no d"


# ---- the table and the file -------------------------------------------------


def test_the_table_has_the_first_claim_of_a_row_and_every_order_that_names_it() -> None:
    metrics = measured(vae={"sharpness": (1.0,)}, wae_gan={"sharpness": (2.0,)})
    claims = [
        claim(1.0, metric="sharpness"),
        claim(9.0, metric="sharpness"),
        order("vae", "wae-gan"),
        order("vae", "x"),
    ]
    table = summarise(metrics, judge(claims, metrics, {})).set_index("model")
    assert table["sharpness_verdict"].tolist() == ["reproduced: one seed", ""]
    assert table["sharpness_published"]["vae"] == 1.0
    assert table["sharpness_order"]["wae-gan"] == "vae < wae-gan: reproduced: it holds for 1 of 1 seeds"
    assert table["sharpness_order"]["vae"].split("; ")[1] == "vae < x: not run: the grid has no x"


def test_a_verdict_s_word_is_what_stands_before_its_details() -> None:
    assert Verdict(claim(), "faces", "not run: no such: thing").word == "not run"


REFUSED = {
    "a value with neither": ("value: 1", "either a tolerance or differs"),
    "a value with both": ("value: 1, tolerance: {absolute: 1}, differs: size", "either a tolerance or differs"),
    "two tolerances": ("value: 1, tolerance: {absolute: 1, relative: 1}", "either absolute or relative"),
    "no tolerance": ("value: 1, tolerance: {}", "either absolute or relative"),
    "a tolerance of nothing": ("value: 1, tolerance: {absolute: 0}", "greater than 0"),
    "an order with a value": ("order: [a, b], value: 1", "extra inputs"),
    "an order of one": ("order: [a]", "at least 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_claim_that_cannot_be_judged_in_one_way_is_refused(tmp_path: Path, case: str) -> None:
    what, words = REFUSED[case]
    model = "" if "order" in what else "model: m, "
    path = tmp_path / "claims.yaml"
    path.write_text(f"- {{dataset: d, {model}metric: fid, {what}, source: s, protocol: p}}\n")
    with pytest.raises(TableError, match=rf"claims\.yaml: entry 1.*{words}"):
        read_claims(path)


def judged_as(model: dict[str, Any], dataset: dict[str, Any]) -> str:
    """The word of the paper's FID of wae-mmd, on a model that has it."""
    row = {"dataset": "celeba", "model": "wae-mmd", "seed": "1", "metric": "fid", "value": 55.0, "n": 10000}
    settings = {"celeba": {"dataset": dataset, "models": {"wae-mmd": model}}}
    claims = [of for of in read_claims(ROOT / "claims.yaml") if isinstance(of, Claim) and of.tolerance]
    verdicts = judge(claims, pd.DataFrame([row]).astype({"n": "Int64"}), settings)
    (word,) = {of.word for of in verdicts if of.claim.model == "wae-mmd" and of.claim.metric == "fid"}
    return word


def test_the_shipped_claims_judge_a_run_of_the_paper_s_size_and_no_smaller_one() -> None:
    """The paper's own numbers, as if they were ours, on celeba; the same from the subset of 10,000 images."""
    paper = {"vae": (63.0, 3e-3, 68), "wae-mmd": (55.0, 6e-3, 55), "wae-gan": (42.0, 6e-3, 55)}
    rows = [
        {"dataset": dataset, "model": model, "seed": "1", "metric": metric, "value": value, "n": n}
        for dataset in ("celeba", "celeba-15k")
        for model, values in {**paper, "data": (2.0, 0.0235)}.items()
        for metric, value, n in zip(("fid", "sharpness"), values, (10000, 10000))
    ]
    models = Profile.read("").params["models"]["celeba"]
    assert {name: models[name]["epochs"] for name in paper} == {name: of[2] for name, of in paper.items()}
    settings = {
        name: {"dataset": all_data().data["datasets"][name], "models": models} for name in ("celeba", "celeba-15k")
    }
    other = {**models["wae-mmd"], "weight": 0, "penalty": {"kind": "none"}}
    assert judged_as(other, settings["celeba"]["dataset"]) == "not run"
    assert judged_as(models["wae-mmd"], settings["celeba"]["dataset"]) == "reproduced"
    assert judged_as(models["wae-mmd"], {**settings["celeba"]["dataset"], "filter": "box"}) == "not run"
    verdicts = judge(read_claims(ROOT / "claims.yaml"), pd.DataFrame(rows).astype({"n": "Int64"}), settings)
    values = {
        (of.dataset, of.claim.model, of.claim.metric): of.word
        for of in verdicts
        if isinstance(of.claim, Claim) and "1711.01558" in of.claim.source
    }
    assert len(values) == 16
    for (dataset, model, metric), word in values.items():
        assert word == ("reproduced" if dataset == "celeba" or model == "data" else "not run"), (dataset, model, metric)
    words = [of.word for of in verdicts if isinstance(of.claim, Order) and "swae" not in of.claim.order]
    assert words == ["reproduced"] * 6
