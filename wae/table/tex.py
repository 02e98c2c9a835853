"""table.tex for papers: a table for each data set and group of metrics, and how it was measured below it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from wae.io import write_text
from wae.table.collapse import explained, marked
from wae.table.summary import protocols
from wae.table.tidy import GROUPS
from wae.table.write import CAPTION, KEYS, cells_of, measurement, told

COMMANDS = {
    **{"±": r"$\pm$", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "→": r"$\rightarrow$", "∞": r"$_\infty$"},
    **{"₁": "$_1$", "²": "$^2$", "³": "$^3$", "é": r"\'e"},
}
ESCAPES = {
    **{"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$"},
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def write_tex(
    table: pd.DataFrame,
    out: Path,
    *,
    metrics: pd.DataFrame,
    accuracy: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """The summary as LaTeX, numbers of one protocol in a column; the document needs \\usepackage{booktabs}.

    Args:
        metrics: the metrics that the table summarises, for N, reference and protocol.
        accuracy: data set -> held-out accuracy of the classifier, one per label column.
    """
    measured, table, texts = protocols(metrics), marked(table, metrics), []
    for dataset in table["dataset"].unique():
        rows = table[table["dataset"] == dataset]
        for group, title in GROUPS.items():
            cells, best = cells_of(rows, group)
            if title and cells.shape[1] == len(KEYS):
                continue
            caption = f"{': '.join(filter(None, (dataset, title)))}. {CAPTION} {told(accuracy, dataset)}".strip()
            notes = [*filter(None, [explained(rows)]), *measurement(measured, dataset, group)]
            texts.append(_tabular(cells, best, caption, f"tab:{'-'.join(filter(None, (dataset, group)))}", notes))
    write_text(out, "\n".join(texts))


def _tabular(cells: pd.DataFrame, best: pd.DataFrame, caption: str, label: str, notes: Sequence[str]) -> str:
    bold = best.drop(columns="model").map(lambda yes: "textbf:--rwrap;" if yes else "")
    cells.index = bold.index = pd.Index(cells.pop("model"))
    style = cells.style.apply(lambda _: bold, axis=None)
    style = style.format_index(escape="latex", axis=0).format_index(escape="latex", axis=1).hide(axis=0, names=True)
    text = style.to_latex(
        hrules=True,
        column_format="l" + "r" * cells.shape[1],
        caption=escaped(caption),
        label=re.sub(r"[^a-z0-9:]+", "-", label),
        position_float="centering",
    )
    text = text.replace(" & seeds", "model & seeds", 1)
    small = "".join(f"\\par {escaped(note)}\n" for note in notes)
    text = text.replace("\\end{tabular}\n", f"\\end{{tabular}}\n{{\\footnotesize\n{small}}}\n")
    return "".join(COMMANDS.get(character, character) for character in text)


def escaped(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(ESCAPES.get(character, character) for character in text)
