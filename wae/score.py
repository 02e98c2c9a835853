"""`wae score`: compares two sets of images from any source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wae import runtime
from wae.errors import UserError
from wae.io import ROOT

if TYPE_CHECKING:
    from wae.metrics.features.extractors import Extractor
    from wae.metrics.measures import Measure

WEIGHTS = Path("data/raw/inception/weights-inception-2015-12-05-6726825d.pth")
OF_INCEPTION = "fid, fid_infinity, kid; precision, recall, density and coverage_inception"
SMALLEST = 3  # pixels a side: sharpness needs a 3x3 Laplacian


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--against", required=True, type=click.Path(path_type=Path), help="what PATH is compared with, e.g. real")
@click.option("--json", "as_json", is_flag=True, help="print JSON in place of a table")
@click.option("--inception", type=click.Path(path_type=Path), help=f"its weights  [default: {WEIGHTS}, if it is there]")
@click.option("--first", type=click.IntRange(min=2), help="take no more than so many images, in the order of names")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="of patches, directions and subsets"
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="[default: all]")
def score(
    path: Path, against: Path, as_json: bool, inception: Path | None, first: int | None, seed: int,
    device: str, threads: int | None,
) -> None:  # fmt: skip
    """Compare the images of PATH with other images: folders or zips of pictures, .npy or .npz arrays.

    Pictures are turned upright by their EXIF data. Transparent and animated pictures are refused.
    SWD and sharpness need no weights. FID, KID and similar metrics need Inception's weights.
    """
    threads = threads or os.cpu_count() or 1
    runtime.limit_threads(threads)
    from wae.data.pictures import read_pictures
    from wae.metrics.score import score as measured

    on = runtime.start(device, threads, "score", seed)
    images, reference = read_pictures(path, first), read_pictures(against, first)
    comparable(path, images.shape, against, reference.shape)
    extractors, missing = networks(inception, on)
    measures, refused = measured(images, reference, extractors, seed)
    if as_json:
        report: dict[str, Any] = {"images": str(path), "against": str(against), "seed": seed}
        report |= {"metrics": {name: measure.report() for name, measure in measures.items()}}
        click.echo(json.dumps(report | {"missing": missing | refused}, indent=2, allow_nan=False))
    else:
        show(f"{path} against {against}, seed {seed}", measures, missing | refused)


def comparable(path: Path, shape: tuple[int, ...], against: Path, other: tuple[int, ...]) -> None:
    """Raise UserError for sets of different size or colour, for one image, and for images that are too small."""
    if shape[1:] != other[1:]:
        sizes = " and ".join(
            f"{where} has pictures of {width}x{height} in {'colour' if channels == 3 else 'grey'}"
            for where, (_, channels, height, width) in ((path, shape), (against, other))
        )
        raise UserError(f"{sizes}; only equal sizes compare, and resizing changes every metric")
    for where, n in ((path, shape[0]), (against, other[0])):
        if n < 2:
            raise UserError(f"{where} holds one picture; a distance of distributions takes at least two")
    if min(shape[2:]) < SMALLEST:
        raise UserError(f"{path} has pictures of {shape[3]}x{shape[2]}; the smallest that can be measured is 3x3")


def networks(weights: Path | None, device: Any) -> tuple[dict[str, Extractor], dict[str, str]]:
    """The Inception network if its weights exist; otherwise the reason why its metrics are missing."""
    from wae.metrics.features.extractors import EXTRACTORS

    if weights is not None and not weights.is_file():
        raise UserError(f"--inception {weights} does not exist")
    found = weights or ROOT / WEIGHTS
    if not found.is_file():
        reason = f"need the weights of Inception-v3: `wae download inception` fetches {WEIGHTS}"
        return {}, {OF_INCEPTION: reason}
    return {"inception": EXTRACTORS["inception"](found, device)}, {}


def show(title: str, measures: Mapping[str, Measure], missing: Mapping[str, str]) -> None:
    """Print the measures as a table, then how each was measured, then what is missing and why."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from wae.table import METRICS

    console = Console(highlight=False)
    table = Table(title=escape(title), title_justify="left")
    for column in ("metric", "value", "n", "better"):
        table.add_column(column, justify="right" if column in ("value", "n") else "left")
    protocols: dict[str, list[str]] = {}
    few: dict[str, list[str]] = {}
    for name, measure in measures.items():
        metric = METRICS.get(name)
        if said := metric.few(measure.n) if metric else "":
            few.setdefault(said, []).append(name)
        better = {"data": "nearer to the reference's"}.get(metric.better, metric.better) if metric else ""
        table.add_row(name, f"{measure.value:.6g}", str(measure.n), better)
        features = f"features {measure.features_sha256[:8]}; " if measure.features_sha256 else ""
        protocols.setdefault(features + measure.protocol, []).append(name)
    console.print(table)
    for protocol, names in (few | protocols).items():
        console.print(f"{', '.join(names)}: {escape(protocol)}", soft_wrap=True)
    for name, reason in missing.items():
        console.print(f"not measured: {name}: {escape(reason)}", soft_wrap=True)
