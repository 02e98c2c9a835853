"""Training curves and bars, seeds shown, colours that colour-blind readers tell apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from wae.figures.style import INK, save, styled
from wae.table.tidy import DATA, FLOOR, METRICS, read_metrics, seed_means

DRAWN = ("quality", "codes")  # groups of metrics
ACROSS = 3  # panels a row
BETTER = {
    **{"lower": "lower", "higher": "higher", "neither": "neither side"},
    **{"data": "nearer to real data", "prior": "nearer to the prior (black)"},
}
DASHES = ("", (4, 1.5), (1, 1))  # each time the colours are used up, the next dash begins


# ---- curves -----------------------------------------------------------------


def curves(histories: Sequence[tuple[str, int | str, Path]], out: Path, *, title: str = "Training") -> None:
    """One panel per term of each player's loss, against epochs: one line per model, with a band over its seeds.

    A penalty may be negative (an unbiased MMD is); its panel is then linear or symmetrically logarithmic.

    Args:
        histories: model, seed and history.csv of each run, in the grid's order.

    Raises:
        ValueError: no history holds a term.
    """
    long = _terms(histories)
    terms, models = list(long["term"].unique()), list(dict.fromkeys(model for model, _, _ in histories))
    if not terms:
        raise ValueError(f"{', '.join(str(path) for _, _, path in histories)}: no column <player>.<term> to draw")
    with styled():
        band = " (line: mean over seeds; band: smallest to largest)" * (long["seed"].nunique() > 1)
        figure, panels = _panels(len(terms), (3.5, 2.6), title + band)
        for axes, term in zip(panels, terms):
            _curve(axes, long[long["term"] == term], models)
            player, name = term.split(".", 1)
            axes.set_title(f"{name} · {player}".replace("_", " "))
        _legend(figure, panels, models)
        save(figure, out)


def _terms(histories: Sequence[tuple[str, int | str, Path]]) -> pd.DataFrame:
    """Columns model, seed, epoch, term, value, without learning rates, constants and terms that a model lacks."""
    tables = [pd.read_csv(path).assign(model=model, seed=str(seed)) for model, seed, path in histories]
    long = pd.concat(tables).melt(["model", "seed", "epoch"], var_name="term").dropna(subset="value")
    return long[~long["term"].str.endswith((".lr", ".effective_lambda"))]


def _curve(axes: Axes, values: pd.DataFrame, models: Sequence[str]) -> None:
    dashes = {model: DASHES[index // 10 % len(DASHES)] for index, model in enumerate(models)}
    sns.lineplot(
        values, x="epoch", y="value", hue="model", hue_order=models, palette=_colours(models), style="model",
        style_order=models, dashes=dashes, errorbar=("pi", 100), linewidth=1.5, ax=axes, legend="full",
        marker="o" if values["epoch"].nunique() == 1 else None,
    )  # fmt: skip
    axes.set(xlabel="epoch", ylabel="mean over the epoch")
    first, last = values["epoch"].min(), values["epoch"].max()
    axes.set_xlim(first - 0.03 * max(last - first, 20), last + 0.03 * max(last - first, 20))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    _scale(axes, values)


def _scale(axes: Axes, values: pd.DataFrame) -> None:
    """A log scale if positive values span a factor above 5; symlog if some are not positive and some are large."""
    sizes = values["value"].abs()
    typical = sizes[sizes > 0].groupby(values["model"]).median().min()  # of the model with the smallest values
    if values["value"].min() <= 0:
        axes.axhline(0, color=INK, linewidth=0.7)
        if sizes.max() > 20 * typical:
            # Linear up to the typical size: small values stay visible, and noise around 0 makes no jumps.
            axes.set_yscale("symlog", linthresh=10.0 ** round(math.log10(typical)))
            axes.margins(y=0.06)
    elif sizes.max() > 5 * sizes.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatter())  # 60, not 6 x 10^1
        axes.yaxis.set_minor_formatter(LogFormatter())


def _legend(figure: Figure, panels: Sequence[Axes], models: Sequence[str]) -> None:
    handles, labels = panels[0].get_legend_handles_labels()
    for legend in filter(None, (axes.get_legend() for axes in panels)):
        legend.remove()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(models)), fontsize=9)


# ---- bars -------------------------------------------------------------------


def bars(metrics_csv: Path, dataset: str, out: Path) -> None:
    """One panel per metric: each model's mean, its standard deviation over seeds, its seeds, and real data as a floor.

    If a metric has its own `<metric>_floor`, each model's floor is a black line across its bar.

    Raises:
        ValueError: the file holds no number for the data set.
    """
    metrics = seed_means(read_metrics(metrics_csv))
    values = metrics[(metrics["dataset"] == dataset) & metrics["value"].notna()]
    models = [model for model in metrics[metrics["dataset"] == dataset]["model"].unique() if model != DATA]
    names = [name for name in values[values["model"] != DATA]["metric"].unique() if _drawn(name)]
    if not names:
        raise ValueError(f"{metrics_csv}: holds no number of a model on {dataset!r}; it has {_datasets(metrics)}")
    with styled():
        title = f"{dataset} (bar: mean over seeds; whiskers: standard deviation; dots: seeds; dashed: real data)"
        figure, panels = _panels(len(names), (3.5, 1.2 + 0.34 * len(models)), title)
        for index, (axes, name) in enumerate(zip(panels, names)):
            _bar(axes, values[values["metric"] == name], name, models)
            _floors(axes, values[values["metric"] == name + FLOOR], models)
            axes.tick_params(axis="y", length=0, labelleft=index % ACROSS == 0)
        save(figure, out)


def _drawn(name: str) -> bool:
    """Whether a metric has a panel. Metrics of other groups are only in the table."""
    return not name.endswith(FLOOR) and (name not in METRICS or METRICS[name].group in DRAWN)


def _bar(axes: Axes, values: pd.DataFrame, name: str, models: Sequence[str]) -> None:
    floor, values = values[values["model"] == DATA]["value"], values[values["model"] != DATA]
    common = {"x": "value", "y": "model", "order": models, "ax": axes}
    sns.barplot(
        values, **common, hue="model", hue_order=models, palette=_colours(models), legend=False, errorbar="sd",
        capsize=0.2, err_kws={"linewidth": 1.2, "color": INK}, width=0.7, alpha=0.85,
    )  # fmt: skip
    sns.stripplot(values, **common, color="white", edgecolor=INK, linewidth=0.8, size=4, jitter=False, zorder=3)
    if len(floor):
        axes.axvline(floor.iloc[0], color=INK, linestyle="--", linewidth=1.2)
    metric = METRICS.get(name)
    axes.set_title(metric.title if metric else name)
    axes.set(ylabel="", xlabel=f"{metric.unit}\n{BETTER[metric.better]} is better" if metric else name)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _floors(axes: Axes, values: pd.DataFrame, models: Sequence[str]) -> None:
    axes.set_ylim(len(models) - 0.5, -0.5)  # fixed: a line at a bar's edge would change the limits
    for model, floor in values.groupby("model")["value"].mean().items():
        middle = models.index(str(model))
        axes.plot([floor, floor], [middle - 0.45, middle + 0.45], color=INK, linewidth=2, solid_capstyle="butt")


def _datasets(metrics: pd.DataFrame) -> str:
    return ", ".join(metrics["dataset"].unique()) or "none"


# ---- both -------------------------------------------------------------------


def _colours(models: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    palette = sns.color_palette("colorblind", 10)
    return {model: palette[index % 10] for index, model in enumerate(models)}


def _panels(count: int, size: tuple[float, float], title: str) -> tuple[Figure, list[Axes]]:
    columns = min(ACROSS, count)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows + 0.5), layout="constrained")
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in grid[count:]:
        axes.remove()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure, list(grid[:count])
