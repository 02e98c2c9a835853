"""table.csv for machines, table.md for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from wae.io import write_text
from wae.table.collapse import explained, marked
from wae.table.differences import from_first
from wae.table.summary import drawn, protocols
from wae.table.tidy import DATA, FLOOR, GROUPS, METRICS
from wae.table.verdicts import Verdict

ARROWS = {"lower": "↓", "higher": "↑", "data": "→ data", "prior": "→ prior", "neither": ""}
KEYS = ("model", "seeds")
CAPTION = (
    "Mean over training seeds, and over the samplings of each where below are some, ± the standard deviation of a "
    "number by one seed and one sampling (of one seed, and of data: by one sampling). Bold: the best model (↓ lowest, "
    "↑ highest, → nearest to the data row). The row data is the floor: real training images against the same "
    "reference; its sharpness and authenticity are held-out ones'. "
    "Empty: it does not apply, was not asked for, or could not be computed for every seed; "
    "a metric without any number has no column here. In parentheses: the floor of a metric that has one of its own."
)
VERDICTS = (
    "Published, and whether ours reproduce it (close: within twice the tolerance that claims.yaml states, or an order "
    "of the means that does not hold for every seed). A value is judged only where ours was measured at its size; an "
    "order is judged whatever the width, images and epochs of this run are, and says nothing of the paper's own size:"
)


def write_csv(table: pd.DataFrame, out: Path) -> None:
    """Write the summary as CSV: floats in their shortest exact form, empty if there is no number."""
    write_text(out, table.to_csv(index=False, lineterminator="\n"))


def write_md(
    table: pd.DataFrame,
    out: Path,
    *,
    metrics: pd.DataFrame,
    between: pd.DataFrame | None = None,
    verdicts: Sequence[Verdict] = (),
    accuracy: Mapping[str, Sequence[float]] | None = None,
    pictures: Sequence[Path] = (),
) -> None:
    """Write the summary as a GitHub page: for each data set its table, how it was measured, and its pictures.

    Args:
        metrics: the metrics that the table summarises, for N, reference and protocol.
        between: its `differences`; the page shows those from each data set's first model.
        verdicts: on all published values and orders, listed with their sources below the table.
        accuracy: data set -> held-out accuracy of the classifier, one per label column.
        pictures: files under the page's folder, `<dataset>/<model>/<name>.png` or `<dataset>/<name>.png`.
    """
    measured, table = protocols(metrics), marked(table, metrics)
    inside = [path.relative_to(out.parent) for path in pictures]
    parts = ["# Results", CAPTION]
    for dataset in table["dataset"].unique():
        parts += [
            f"## {dataset}",
            told(accuracy, dataset),
            *_tables(table[table["dataset"] == dataset]),
            explained(table[table["dataset"] == dataset]),
            *_differences(between, metrics, dataset),
            "\n".join(["How it was measured:", "", *(f"- {line}" for line in measurement(measured, dataset))]),
        ]
        parts += [_published([verdict for verdict in verdicts if verdict.dataset == dataset])]
        parts += _gallery([path for path in inside if path.parts[0] == dataset])
    write_text(out, "\n\n".join(filter(None, parts)) + "\n")


def _tables(table: pd.DataFrame) -> Iterator[str]:
    """One table per group of metrics, the first without a heading; groups and rows without numbers are left out."""
    for group, title in GROUPS.items():
        cells, best = cells_of(table, group)
        if title:
            measured = cells.drop(columns=list(KEYS)).astype(bool).any(axis=1)
            cells, best = cells[measured], best[measured]
        if title and not len(cells):
            continue
        cells = cells.mask(best, "**" + cells + "**")
        cells["model"] = cells["model"].mask(cells["model"] == DATA, "*data (floor)*")
        yield from filter(None, (title and f"### {title}", _pipe(cells)))


def _differences(between: pd.DataFrame | None, metrics: pd.DataFrame, dataset: str) -> Iterator[str]:
    """Differences of the data set's models from the first, under a heading, or why they are not given."""
    said, cells = from_first(between, metrics, dataset) if between is not None else ("", pd.DataFrame())
    yield from filter(None, (said and "### Differences", said, len(cells) and _pipe(cells)))


# ---- cells ------------------------------------------------------------------


def cells_of(table: pd.DataFrame, group: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A group's columns as text, without empty columns, and which cells are the best of their data set.

    A metric's own floor stands behind its value, in parentheses.
    """
    cells = {"model": table["model"], "seeds": table["seeds"].astype("string").fillna("")}
    best = {}
    for name in (column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")):
        mean, std, metric = table[f"{name}_mean"], table[f"{name}_std"], METRICS.get(name)
        title = metric.title if metric else name
        if name.endswith(FLOOR) or (metric.group if metric else "quality") != group:
            continue
        floor = table.get(f"{name}{FLOOR}_mean", mean * math.nan)
        if mean.notna().any():
            heading = f"{title} {ARROWS[metric.better]}".strip() if metric else title
            cells[heading] = pd.Series([_with_floor(*of) for of in zip(mean, std, floor)], table.index)
            # Codes that say nothing are not the best codes.
            rival = mean.mask(table["collapsed"]) if group == "codes" and "collapsed" in table else mean
            best[heading] = _best(table, rival, metric.better if metric else "")
        published = table.get(f"{name}_published")
        if published is not None and published.notna().any():
            cells[f"{title}, published"] = published.map(lambda value: "" if math.isnan(value) else f"{value:g}")
            cells[f"{title}, verdict"] = table[f"{name}_verdict"].str.partition(":")[0]
    texts = pd.DataFrame(cells)
    return texts, pd.DataFrame(best, table.index).reindex(columns=texts.columns, fill_value=False)


def _with_floor(mean: float, std: float, floor: float) -> str:
    return plus_minus(mean, std) + (f" ({floor:.2g})" if not math.isnan(floor) else "")


def plus_minus(mean: float, std: float) -> str:
    """Two digits of the deviation, the mean with as many decimals; without a deviation four digits of the mean."""
    if math.isnan(mean):
        return ""
    lead = std if std > 0 else mean
    decimals = max(0, (1 if std > 0 else 3) - math.floor(math.log10(abs(lead)))) if lead else 0
    return f"{mean:.{decimals}f}" if math.isnan(std) else f"{mean:.{decimals}f} ± {std:.{decimals if std else 0}f}"


def _best(table: pd.DataFrame, mean: pd.Series, better: str) -> pd.Series:
    """Which models have the best mean of their data set; none where fewer than two have one."""
    floor = table["dataset"].map(mean[table["model"] == DATA].groupby(table["dataset"]).first())
    scores = {"lower": mean, "higher": -mean, "data": (mean - floor).abs()}
    score = scores.get(better, mean * math.nan).where(table["model"] != DATA)
    rivals = score.groupby(table["dataset"])
    return pd.Series((score == rivals.transform("min")) & (rivals.transform("count") > 1))


# ---- Markdown ---------------------------------------------------------------


def _pipe(cells: pd.DataFrame) -> str:
    right = {"model": "left"}
    align = [right.get(name, "right") for name in cells.columns]
    escaped = cells.map(lambda text: text.replace("|", "\\|"))
    return str(escaped.to_markdown(index=False, disable_numparse=True, colalign=align))


def told(accuracy: Mapping[str, Sequence[float]] | None, dataset: str) -> str:
    """The accuracy of the data set's classifier, in words; empty if it has none."""
    shares = ", ".join(f"{share:.2%}" for share in (accuracy or {}).get(dataset, ()))
    return f"The classifier's held-out accuracy: {shares}." if shares else ""


def measurement(measured: pd.DataFrame, dataset: str, group: str | None = None) -> list[str]:
    """How a data set's metrics, or those of a group, were measured: one line for all with the same protocol."""
    titles: dict[str, list[str]] = {}
    for _, row in measured[(measured["dataset"] == dataset) & ~measured["metric"].str.endswith(FLOOR)].iterrows():
        metric = METRICS.get(row["metric"])
        if group not in (None, metric.group if metric else "quality"):
            continue
        parts = [f"N = {row['n']}" if pd.notna(row["n"]) else "", metric.few(row["n"]) if metric else ""]
        parts += [drawn(row["samplings"]), row["reference"]]
        parts += [f"features {row['features_sha256'][:8]}" if row["features_sha256"] else "", row["protocol"]]
        titles.setdefault("; ".join(filter(None, parts)), []).append(metric.title if metric else row["metric"])
    return [f"{', '.join(names)}: {how}" for how, names in titles.items()]


def _published(verdicts: Sequence[Verdict]) -> str:
    """Published values and whether ours reproduce them: one list for each source, metric and protocol."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for verdict in verdicts:
        claim = verdict.claim
        title = METRICS[claim.metric].title if claim.metric in METRICS else claim.metric
        told = ". ".join(filter(None, (claim.protocol, (claim.note or "").removesuffix("."))))
        lines.setdefault((title, claim.source, told), []).append(str(verdict))
    listed = ["\n  - ".join((f"- {title} ({source}). {told}.", *said)) for (title, source, told), said in lines.items()]
    return "\n".join([VERDICTS, "", *listed]) if listed else ""


def _gallery(paths: Sequence[Path]) -> list[str]:
    """Pictures that compare models one below the other, then a table of grids, one row per model."""
    compared = [_picture(path) for path in paths if len(path.parts) <= 2]
    grids = {(path.parts[1], path.stem): _picture(path) for path in paths if len(path.parts) == 3}
    if not grids:
        return compared
    kinds = list(dict.fromkeys(kind for _, kind in grids))
    models = dict.fromkeys(model for model, _ in grids)
    rows = [{"model": model, **{kind: grids.get((model, kind), "") for kind in kinds}} for model in models]
    return [*compared, str(pd.DataFrame(rows).to_markdown(index=False))]


def _picture(path: Path) -> str:
    return f"![{', '.join(path.with_suffix('').parts)}]({quote(path.as_posix())})"
