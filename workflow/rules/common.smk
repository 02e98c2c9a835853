# What the rules share: the table of stages, formatted with wildcards.

from functools import cache

import snakemake.io

from wae.check import Mistakes, load_data
from wae.code import put_on_path
from wae.dag import STAGES
from wae.profile import DATA_PARAMS, Profile
from wae.render import everything, stale
from wae.settings import Figures
from wae.stage import Job

put_on_path()  # jobs run `wae` by name, also where no environment is activated

NAMES = Profile.names()


def stop(mistakes) -> None:
    """Every mistake, one sentence each, before any job starts."""
    print(*dict.fromkeys(mistakes), sep="\n", file=sys.stderr)
    sys.exit(2)


@cache
def profile(results: str) -> Profile:
    """The profile that an output's folder names, read when it is first asked for."""
    try:
        found = Profile.read(results.removeprefix("results").removeprefix("/"))
    except Mistakes as error:
        stop(error.sentences)
    if mistakes := stale(found):
        stop(mistakes)
    return found


try:
    DATA = everything(load_data(Path(DATA_PARAMS)))
except Mistakes as error:
    stop(error.sentences)


wildcard_constraints:
    results="|".join(f"results/{name}" if name else "results" for name in NAMES),
    dataset="|".join(DATA.data["datasets"]),
    model=r"(?!data\b)[a-z0-9-]+",
    seed=r"\d+",
    figure="|".join(Figures.model_fields),


def job(stage: str, wildcards) -> Job:
    """The job that wildcards name."""
    of = profile(wildcards.results)
    axes = {axis: getattr(wildcards, axis) for axis in STAGES[stage].over}
    return Job(STAGES[stage], of, of.scope(**axes))


def inputs(stage: str):
    return lambda wildcards: job(stage, wildcards).inputs


def outputs(stage: str, scope=None) -> list:
    """A stage's outputs as patterns, with a caption in the report where the table names one."""
    axes = {
        axis: f"{{{axis}}}"
        for axis in ("results", "dataset", "model", "seed", "figure")
    }
    return [
        (
            snakemake.io.report(
                out.path, caption=f"../report/{out.caption}.rst", category=stage
            )
            if out.caption
            else out.path
        )
        for out in STAGES[stage].outs(DATA, scope or axes)
    ]


def tracked(stage: str) -> dict:
    """The command, and what Snakemake compares with the last run, parameter values and the code behind them."""
    return {
        "command": lambda wildcards: job(stage, wildcards).command,
        "slice": lambda wildcards: job(stage, wildcards).slice(),
        "code": lambda wildcards: job(stage, wildcards).code_fingerprint,
    }


def tracked_job(of: Job) -> dict:
    """The same for a job without wildcards."""
    return {
        "command": of.command,
        "slice": of.slice(),
        "code": of.code_fingerprint,
    }


def log_of(stage: str, suffix: str = "log") -> str:
    """A stage's log or benchmark, one a job, named like its outputs."""
    axes = [f"{{{axis}}}" for axis in ("results", *STAGES[stage].over)]
    return f"{Path('logs', stage, *axes)}.{suffix}"


def compute(key: str):
    return lambda wildcards: profile(wildcards.results).params["compute"][key]


def gpu(wildcards) -> int:
    return int(profile(wildcards.results).params["compute"]["device"] != "cpu")
