"""The command `wae`: one sub-command per stage, and tools. Limits threads before numpy or torch is imported."""

from __future__ import annotations

import csv
import importlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from wae import runtime
from wae.check import check
from wae.config.check import Mistakes, aliased
from wae.errors import UserError, correctable, one_of
from wae.io import ROOT, write_text
from wae.pipeline.checkout import serve
from wae.pipeline.dag import STAGES
from wae.pipeline.dag import jobs as dag_jobs
from wae.pipeline.profile import DATA_DVC, Profile, named
from wae.pipeline.render import DATA_STAGES, all_data, dvc_data, rendered, stale
from wae.pipeline.stage import Job, Stage
from wae.provenance.leftovers import prune
from wae.provenance.receipt import Hashes, unchanged
from wae.provenance.runrecord import alone, recorded
from wae.score import score


def profile_option(home: str) -> click.Option:
    """The option `--profile`; `home` is its default profile."""
    without = Profile.file(home) if home else "the full params.yaml"
    return click.Option(
        ["--profile"], default=home, metavar="NAME", help=f"params/NAME/params.yaml; without it, {without}"
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """Reproduce the Wasserstein auto-encoder family, from raw data to comparison table."""
    if context.invoked_subcommand != score.name and Path.cwd() != ROOT:  # `wae score` works in any folder
        raise UserError(f"wae: run it from the project's root, {ROOT}; this is {Path.cwd()}")


# ---- stages -----------------------------------------------------------------


def begin(stage: Stage, profile: str, axes: Mapping[str, str]) -> Job:
    """The job of a command line. Its params and dvc.yaml are checked first; errors raise Mistakes."""
    if stage.name in DATA_STAGES:
        of = all_data()
        mistakes = (
            [] if Path(DATA_DVC).read_text(encoding="utf-8") == dvc_data(of.data) else [f"{DATA_DVC}: run `wae dvc`"]
        )
    else:
        of = named(profile)
        mistakes = stale(of)
    if mistakes:
        raise Mistakes(mistakes)
    return Job(stage, of, of.scope(**known(stage, of, axes)))


def known(stage: Stage, profile: Profile, axes: Mapping[str, str]) -> dict[str, Any]:
    """The axes' values, with the types that params give them. A value that is not in params raises Mistakes."""
    found: dict[str, Any] = {}
    for axis, text in axes.items():
        allowed = {
            "source": list(profile.data["sources"]),
            "dataset": list(profile.params["grid"]),
            "model": profile.params["grid"].get(found.get("dataset", ""), []),
            "seed": profile.params["seeds"],
            "figure": list(profile.figures()),
        }[axis]
        by_text = {str(value): value for value in allowed}
        if text not in by_text:
            raise Mistakes([f"wae {stage.name}: {axis} {one_of(text, by_text)}"])
        found[axis] = by_text[text]
    return found


def command(stage: Stage) -> click.Command:
    """The sub-command of a stage: its axes as arguments, then the profile."""

    def callback(profile: str = "", **axes: str) -> None:
        job = begin(stage, profile, axes)
        runtime.limit_threads(stage.threads(job.profile))
        with alone(job), recorded(job):
            importlib.import_module(f"wae.stages.{stage.name}").run(job)
        if "DVC_STAGE" in os.environ:
            unchanged(begin(stage, profile, axes))

    options = [] if stage.name in DATA_STAGES else [profile_option(stage.home)]
    arguments = [click.Argument([axis]) for axis in stage.over]
    return click.Command(
        stage.name, callback=callback, params=[*arguments, *options], help=stage.summary.capitalize() + "."
    )


for _stage in STAGES.values():
    cli.add_command(command(_stage))
cli.add_command(score)
cli.add_command(prune)
cli.add_command(check)


# ---- tools ------------------------------------------------------------------


@cli.command()
def dvc() -> None:
    """Render every dvc.yaml from its params."""
    for name in Profile.names():
        for path, content in rendered(named(name)).items():
            if not path.is_file() or path.read_text(encoding="utf-8") != content:
                write_text(path, content)
                click.echo(f"rendered {path}")
        for sentence in aliased(Path(Profile.file(name))):
            click.echo(sentence, err=True)


@cli.command("schema")
def write_schema() -> None:
    """Generate workflow/schemas/params.schema.json from the configuration models."""
    from wae.config.jsonschema import SCHEMA, schema

    write_text(SCHEMA, schema())
    click.echo(f"wrote {SCHEMA}")


@cli.command()
@click.option("--cores", default="all", show_default=True, help="as Snakemake's")
def demo(cores: str) -> None:
    """Make results/demo/table.csv with Snakemake if it is not up to date, and show it."""
    table = Path("results/demo/table.csv")
    snakemake = [str(Path(sys.executable).parent / "snakemake"), "--cores", cores, str(table)]
    plan = subprocess.run([*snakemake, "--dry-run"], capture_output=True, text=True, check=False)
    if "Nothing to be done" in plan.stdout + plan.stderr:
        click.echo(f"{table} is up to date: nothing to do.")
    elif subprocess.run(snakemake, check=False).returncode:
        sys.exit(1)
    show(table)


SHOWN = 3  # most means that `show` prints


def show(table: Path) -> None:
    """Print the first SHOWN means of a table.csv, and say where the whole table is."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    means = [name for name in rows[0] if name.endswith("_mean") and any(row[name] for row in rows)][:SHOWN]
    columns = ["dataset", "model", "seeds", *means]
    cells = [
        [f"{float(row[name]):.4g}" if name in means and row[name] else row[name] for name in columns] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    for line in [columns, *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    click.echo(f"\n{table.with_suffix('.md')} has the whole table and the pictures; they lie in {table.parent}/*/")


# ---- provenance -------------------------------------------------------------


@cli.command()
@click.argument("path")
def why(path: str) -> None:
    """Say if the output PATH is up to date, why, and what it would cost to make it again."""
    from wae.provenance import questions

    click.echo(questions.why(questions.from_root(path)))


@cli.command()
@click.argument("path")
@click.option("--row", nargs=2, metavar="DATASET MODEL", help="of a table: follow only what made this row")
def trace(path: str, row: tuple[str, str] | None) -> None:
    """Show which parameters, code and downloaded files made PATH, an output or a copy of a picture."""
    from wae.provenance import questions

    for line in questions.trace(questions.from_root(path), row):
        click.echo(line)


@cli.command()
@click.argument("profiles", nargs=-1)
@click.option("--deep", is_flag=True, help="read every byte again, and those of DVC's cache that are recorded")
def verify(profiles: tuple[str, ...], *, deep: bool) -> None:
    """Compare the outputs of PROFILES with their receipts, with the present, and with DVC's records.

    Without PROFILES: data/ and every profile with results or a dvc.lock. A file with the same size, time and inode as
    before is not read again, except with --deep.
    """
    from wae.provenance import questions
    from wae.provenance.verify import verify as findings

    states = questions.states(map(named, profiles), Hashes(afresh=deep))
    found = list(findings(states, deep=deep))
    for finding in found:
        click.echo(f"{finding.path}: {finding.wrong}")
    if found:
        sys.exit(1)
    click.echo("every artifact is what its receipt says")


@cli.command("accept")
@click.argument("profiles", nargs=-1)
def accept_comments(profiles: tuple[str, ...]) -> None:
    """Accept code changes in comments and layout only (equal syntax trees): outputs are not made again."""
    from wae.provenance.accept import accepted
    from wae.provenance.questions import states

    click.echo(accepted(states(map(named, profiles), Hashes())))


@cli.command()
@click.option("--clear", is_flag=True, help="delete the old ones: those that no next run goes on from")
@click.option("--all", "every", is_flag=True, help="with --clear: delete all")
def checkpoints(*, clear: bool, every: bool) -> None:
    """List what stopped trainings left, and ends that longer runs go on from; or delete the old ones."""
    from wae.provenance import unfinished

    jobs = [job for name in Profile.names() for job in dag_jobs(named(name))]
    for line in unfinished.cleared(jobs, every=every) if clear else unfinished.listed(jobs):
        click.echo(line)


def main() -> None:
    """The entry point. Prints an error that the user can correct as one sentence and exits with code 2."""
    serve()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it cannot print is no reason to stop
    try:
        cli(standalone_mode=True)
    except (UserError, OSError) as error:
        print(correctable(error), file=sys.stderr)
        sys.exit(2)
