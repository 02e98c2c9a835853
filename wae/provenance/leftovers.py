"""What jobs made that are in params no more: a model, seed, figure, data set or profile was renamed or removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from wae.pipeline.dag import data_jobs, jobs
from wae.pipeline.profile import Profile
from wae.pipeline.render import all_data
from wae.provenance.receipt import read


@dataclass(frozen=True)
class Leftover:
    """The files that are still there of a job that no longer exists.

    Args:
        command: its command line, from its receipt.
        files: its outputs, logs and receipt; not those that another job makes now.
    """

    command: str
    files: tuple[Path, ...]


def leftovers() -> list[Leftover]:
    """All leftovers under data/ and results/, found by their receipts. A file that no receipt names is nobody's."""
    shared = data_jobs(all_data())
    every = [*shared, *(job for name in Profile.names() for job in jobs(Profile.read(name)))]
    made = {path for job in every for path in (*job.outputs, job.receipt)}
    found = []
    for path in sorted(place for top in ("data", "results") for place in Path(top).glob("**/receipts/**/*.json")):
        receipt = None if str(path) in made else read(str(path))
        if receipt:
            outputs = (Path(output) for output in receipt["outputs"] if output not in made)
            files = [file for file in (*outputs, *_logs(path), path) if file.is_file()]
            found.append(Leftover(receipt["command"], tuple(files)))
    return found


def _logs(receipt: Path) -> Iterator[Path]:
    """The logs of the job with this receipt: `F/receipts/STAGE/AXES.json` has `logs/STAGE/F/AXES.*`."""
    at = receipt.parts.index("receipts")
    folder, (stage, *axes) = receipt.parts[:at], receipt.with_suffix("").parts[at + 1 :]
    place = Path("logs", stage, *folder, *axes)
    return (place.with_name(place.name + suffix) for suffix in (".log", ".tsv", ".run.json"))


def remove(found: list[Leftover]) -> None:
    """Delete the files, and the folders that are empty after that."""
    for path in (path for leftover in found for path in leftover.files):
        path.unlink(missing_ok=True)
        with suppress(OSError):  # a folder that still holds something
            for folder in list(path.parents)[:-2]:  # not `.`, `results` or `logs`
                folder.rmdir()


@click.command()
@click.option("--delete", is_flag=True, help="delete them; DVC's cache keeps what it has recorded")
def prune(*, delete: bool) -> None:
    """List what is left of jobs that are in params no more (renamed or removed models, seeds, data sets)."""
    found = leftovers()
    for leftover in found:
        click.echo(f"{leftover.command}: {', '.join(map(str, leftover.files))}")
    count = sum(len(leftover.files) for leftover in found)
    size = sum(path.stat().st_size for leftover in found for path in leftover.files) / 1e6
    if delete:
        remove(found)
    what = f"{count} files, {size:.1f} MB, of {len(found)} jobs that are in params no more"
    said = f"{what}: deleted" if delete else f"{what}; `wae prune --delete` deletes them"
    click.echo(said if found else "nothing is left of jobs that are in params no more")
