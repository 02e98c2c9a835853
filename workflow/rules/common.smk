# What the rules share: the table of stages, formatted with wildcards.

from functools import cache

import snakemake.io

from wae.check import Mistakes
from wae.code import put_on_path
from wae.dag import STAGES, data_jobs, jobs
from wae.errors import UserError
from wae.io import write_text
from wae.lock import record, reread
from wae.profile import Profile
from wae.receipt import Hashes
from wae.render import all_data, stale
from wae.settings import Figures
from wae.stage import Job
from wae.state import State

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
        mistakes = stale(found)
    except UserError as error:
        stop([str(error)])
    if mistakes:
        stop(mistakes)
    return found


try:
    DATA = all_data()
except Mistakes as error:
    stop(error.sentences)


wildcard_constraints:
    results="|".join(f"results/{name}" if name else "results" for name in NAMES),
    dataset="|".join(DATA.data["datasets"]),
    model=r"(?!data\b)[a-z0-9-]+",
    seed=r"\d+",
    figure="|".join(Figures.model_fields),


HASHES, STATES = Hashes(), {}
DATA_ONLY = None  # among the names of profiles: what all of them share


def state(of: Profile) -> State:
    """What of a profile is up to date. What an earlier run finished and did not live to record is recorded now."""
    asked = DATA_ONLY if of is DATA else of.name
    if asked not in STATES:
        STATES[asked] = State(data_jobs(DATA) if of is DATA else jobs(of), HASHES)
        record(STATES[asked])
    return STATES[asked]


def record_all() -> None:
    """Let DVC record, of every profile that was asked for, what is up to date after a run.

    Params are read again: what was edited meanwhile, DVC would record as what the outputs were made from.
    """
    for made in STATES.values():
        try:
            record(reread(made))
        except Mistakes as error:
            print(*error.sentences, sep="\n", file=sys.stderr)


def job(stage: str, wildcards) -> Job:
    """The job that wildcards name."""
    of = profile(wildcards.results)
    axes = {axis: getattr(wildcards, axis) for axis in STAGES[stage].over}
    return Job(STAGES[stage], of, of.scope(**axes))


def needed(of: Job) -> list[str]:
    """A job's inputs, and if it is not up to date a file that says why and is newer than its outputs.

    Receipts decide, as they do under DVC, and not times: inputs count as ancient but for those that will be made anew.
    """
    if not workflow.is_main_process:
        return of.inputs
    try:
        now = state(of.profile)
        why = now.why(of.address)
    except UserError as error:
        stop([str(error)])
    files = [path if now.changes(path) else ancient(path) for path in of.inputs]
    if why:
        # A folder each: Snakemake lists a folder once, and would miss what is written there for its next target.
        said = Path(".wae/why", of.profile.results, of.address, "stale")
        write_text(said, "\n".join(why) + "\n")
        files.append(str(said))
    return files


def inputs(stage: str):
    return lambda wildcards: needed(job(stage, wildcards))


def shared(stage: str, **axes) -> Job:
    """A job that all profiles share."""
    return Job(STAGES[stage], DATA, DATA.scope(**axes))


def inputs_of(of: Job):
    return lambda wildcards: needed(of)


def command(stage: str):
    return lambda wildcards: job(stage, wildcards).command


def outputs(stage: str, scope=None) -> list:
    """What a stage writes as patterns, with a caption in the report where the table names one."""
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
        for out in STAGES[stage].written(DATA, scope or axes)
    ]


def log_of(stage: str, suffix: str = "log") -> str:
    """A stage's log or benchmark, one a job, named like its outputs."""
    axes = [f"{{{axis}}}" for axis in ("results", *STAGES[stage].over)]
    return f"{Path('logs', stage, *axes)}.{suffix}"


def compute(key: str):
    return lambda wildcards: profile(wildcards.results).params["compute"][key]


def gpu(wildcards) -> int:
    return int(profile(wildcards.results).params["compute"]["device"] != "cpu")
