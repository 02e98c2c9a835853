"""`wae score`: compares two sets of images from any source."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wae import runtime
from wae.errors import UserError
from wae.io import ROOT

if TYPE_CHECKING:
    import numpy as np

    from wae.metrics.features.extractors import Extractor
    from wae.metrics.measures import Measure
    from wae.metrics.score import Measured

    Networks = tuple[dict[str, Extractor], dict[str, str]]
    Read = Callable[[Path], np.ndarray]

WEIGHTS = Path("data/raw/inception/weights-inception-2015-12-05-6726825d.pth")
OF_INCEPTION = "fid, fid_infinity, kid; precision, recall, density and coverage_inception"
SMALLEST = 3  # pixels a side, as in wae.data.compared
KERNELS = ("lanczos", "bicubic", "bilinear", "box")  # as in wae.data.decoding


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--against", required=True, type=click.Path(path_type=Path), help="what PATH is compared with, e.g. real")
@click.option("--json", "as_json", is_flag=True, help="print JSON in place of a table")
@click.option("--inception", type=click.Path(path_type=Path), help=f"its weights  [default: {WEIGHTS}, if it is there]")
@click.option("--images", type=click.IntRange(min=2), help="take no more than so many of each, drawn by the seed")
@click.option("--first", type=click.IntRange(min=2), help="take no more than so many images, in the order of names")
@click.option("--size", type=click.IntRange(min=SMALLEST), help="resize the middle square of each to so many pixels")
@click.option("--filter", "kernel", type=click.Choice(KERNELS), default=KERNELS[0], show_default=True, help="of --size")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="of all that is drawn at random"
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="[default: all]")
def score(
    path: Path, against: Path, as_json: bool, inception: Path | None, images: int | None, first: int | None,
    size: int | None, kernel: str, seed: int, device: str, threads: int | None,
) -> None:  # fmt: skip
    """Compare the images of PATH with other images: folders or zips of pictures, .npy or .npz arrays.

    Pictures are turned upright by their EXIF data. Transparent and animated pictures are refused.
    SWD and sharpness need no weights. FID, KID and similar metrics need Inception's weights.
    A .npz of `mu` and `sigma`, as other programs save them, may stand behind --against: it gives FID alone.
    """
    threads = threads or os.cpu_count() or 1
    runtime.limit_threads(threads)
    from wae.data.compared import resizing
    from wae.data.pictures import read_pictures
    from wae.data.resized import resized

    on = runtime.start(device, threads, "score", seed)
    fit = partial(resized, size=(size, size), kernel=kernel) if size else None
    read = partial(read_pictures, most=first, fit=fit)
    (measures, missing), notes = compared(path, against, read, lambda: networks(inception, on), seed, images)
    taken = [f"the first {first} of each set in the order of names"] if first else []
    notes = [*taken, *([resizing(size, kernel)] if size else []), *notes]
    measures = {name: replace(of, protocol="; ".join([of.protocol, *notes])) for name, of in measures.items()}
    if as_json:
        report: dict[str, Any] = {"images": str(path), "against": str(against), "seed": seed, "notes": notes}
        report |= {"metrics": {name: measure.report() for name, measure in measures.items()}}
        click.echo(json.dumps(report | {"missing": missing}, indent=2, allow_nan=False))
    else:
        show(f"{path} against {against}, seed {seed}", measures, missing, notes)


def compared(
    path: Path, against: Path, read: Read, found: Callable[[], Networks], seed: int, most: int | None
) -> tuple[Measured, list[str]]:
    """Measures and what is missing, and what was done to the pictures.

    Args:
        read: a path -> its pictures.
        found: the networks, and the reasons for those that are missing.
    """
    from wae.data.compared import alike, measurable
    from wae.data.moments import read_moments
    from wae.metrics.score import gaussian, score, score_moments

    if read_moments(path) is not None:
        raise UserError(f"{path} holds mu and sigma without images; such a file stands behind --against")
    images, moments, note = read(path), read_moments(against), ""
    if moments is None:
        (images, reference), note = alike(path, images, against, read(against))
        extractors, lacking = found()
        measures, missing = score(images, reference, extractors, seed, most)
    else:
        measurable(path, images)
        extractors, lacking = found()
        measures, missing = score_moments(images, gaussian(against, moments, extractors), extractors, seed, most)
    return (measures, lacking | missing), [note] * bool(note)


def networks(weights: Path | None, device: Any) -> Networks:
    """The Inception network if its weights exist; otherwise the reason why its metrics are missing."""
    from wae.metrics.features.extractors import EXTRACTORS

    if weights is not None and not weights.is_file():
        raise UserError(f"--inception {weights} does not exist")
    found = weights or ROOT / WEIGHTS
    if not found.is_file():
        reason = f"need the weights of Inception-v3: `wae download inception` fetches {WEIGHTS}"
        return {}, {OF_INCEPTION: reason}
    return {"inception": EXTRACTORS["inception"](found, device)}, {}


def show(title: str, measures: Mapping[str, Measure], missing: Mapping[str, str], notes: Sequence[str]) -> None:
    """Print the measures as a table, how each was measured, what is missing and why, what was done to the pictures."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from wae.metrics.measures import counted
    from wae.table import METRICS

    console = Console(highlight=False)
    table = Table(title=escape(title), title_justify="left")
    for column in ("metric", "value", "images", "reference", "better"):
        table.add_column(column, justify="left" if column in ("metric", "better") else "right")
    protocols: dict[str, list[str]] = {}
    few: dict[str, list[str]] = {}
    for name, measure in measures.items():
        metric = METRICS.get(name)
        if said := metric.few(min(measure.n, measure.n_reference or measure.n)) if metric else "":
            few.setdefault(said, []).append(name)
        better = {"data": "nearer to the reference's"}.get(metric.better, metric.better) if metric else ""
        numbers = (measure.n, measure.of), (measure.n_reference, measure.of_reference)
        table.add_row(name, f"{measure.value:.6g}", *(counted(n, of) if n else "" for n, of in numbers), better)
        features = f"features {measure.features_sha256[:8]}; " if measure.features_sha256 else ""
        protocols.setdefault(features + measure.protocol, []).append(name)
    console.print(table)
    for protocol, names in (few | protocols).items():
        console.print(f"{', '.join(names)}: {escape(protocol)}", soft_wrap=True)
    for name, reason in missing.items():
        console.print(f"not measured: {name}: {escape(reason)}", soft_wrap=True)
    for note in notes:
        console.print(f"note: {escape(note)}", soft_wrap=True)
