# What the rules share: the table of stages, formatted with wildcards.

import os
from functools import cache

import snakemake.io

from wae.config.check import Mistakes
from wae.config.figures import Figures
from wae.errors import UserError
from wae.io import write_text
from wae.pipeline.code import put_on_path
from wae.pipeline.dag import STAGES, data_jobs, jobs
from wae.pipeline.profile import Profile
from wae.pipeline.render import all_data, stale
from wae.pipeline.stage import DATA as SHARED
from wae.pipeline.stage import Job
from wae.provenance.lock import record, reread
from wae.provenance.questions import maker
from wae.provenance.receipt import Hashes
from wae.provenance.state import State

put_on_path()  # jobs run `wae` by name, also where no environment is activated

NAMES = Profile.names()


def stop(mistakes) -> None:
    """Print every mistake as one sentence and exit with code 2, before any job starts."""
    print(*dict.fromkeys(mistakes), sep="\n", file=sys.stderr)
    sys.exit(2)


WITHOUT_WRITING = "Snakemake cannot plan where it cannot write; `wae why PATH` can"
for folder in map(Path, (".", ".snakemake", ".wae")):
    if folder.is_dir() and not os.access(folder, os.W_OK):
        stop([f"{folder.resolve()}: cannot be written; {WITHOUT_WRITING}"])


if workflow.config_settings.overwrite_config or workflow.config_settings.configfiles:
    stop(
        [
            "--config and --configfile change nothing here: a result's path names its parameters,"
            " results/demo/... those of params/demo/params.yaml; edit that file"
        ]
    )


@cache
def profile(results: str) -> Profile:
    """The profile of an output's folder. It is read once, when it is first needed."""
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
DATA_ONLY = None  # in place of a profile's name: the jobs that all profiles share


def state(of: Profile) -> State:
    """The state of a profile's jobs. Finished jobs that an earlier, killed run did not record are recorded now."""
    asked = DATA_ONLY if of is DATA else of.name
    if asked not in STATES:
        STATES[asked] = State(data_jobs(DATA) if of is DATA else jobs(of), HASHES)
        record(STATES[asked])
    return STATES[asked]


def record_all() -> None:
    """After a run, let DVC record the jobs that are up to date, of every profile that was used.

    Params are read again: DVC would record params that were edited meanwhile as those of the outputs.
    """
    for made in STATES.values():
        try:
            record(reread(made))
        except Mistakes as error:
            print(*error.sentences, sep="\n", file=sys.stderr)


def needed(of: Job) -> list[str]:
    """A job's inputs. If it is not up to date, also a file with the reasons, which is newer than its outputs.

    Receipts decide, as under DVC, not file times. So inputs are `ancient`, except those that will be made again.
    """
    if not workflow.is_main_process:
        return of.inputs
    try:
        now = state(of.profile)
        if (
            of.address not in now.jobs
        ):  # a model, seed or figure that params do not have
            maker(now, of.outputs[0])
        why = now.why(of.address)
    except UserError as error:
        stop([str(error)])
    files = [path if now.changes(path) else ancient(path) for path in of.inputs]
    if why:
        # One folder per job: Snakemake lists a folder only once, and would miss files that are written there later.
        said = Path(".wae/why", of.profile.results, of.address, "stale")
        try:
            write_text(said, "\n".join(why) + "\n")
        except OSError as error:
            stop([f"{said}: {error.strerror}; {WITHOUT_WRITING}"])
        files.append(str(said))
    return files


def stages():
    """Name, stage and fixed axes of every rule. A shared stage has one rule per source or data set."""
    for name, stage in STAGES.items():
        if stage.home == SHARED:
            (axis,) = stage.over
            scopes = list(stage.scopes(DATA))
            yield from (
                (f"{name}_{of[axis]}", stage, {axis: of[axis]}) for of in scopes
            )
        else:
            yield name, stage, {}


class StageRule:
    """A stage as a rule. Each method gives the value of one Snakemake directive, for the job that wildcards name."""

    def __init__(self, stage, fixed):
        self.stage, self.fixed = stage, fixed

    def job(self, wildcards) -> Job:
        of = DATA if self.fixed else profile(wildcards.results)
        axes = {
            axis: self.fixed.get(axis) or getattr(wildcards, axis)
            for axis in self.stage.over
        }
        return Job(self.stage, of, of.scope(**axes))

    def inputs(self, wildcards):
        return needed(self.job(wildcards))

    def command(self, wildcards):
        return self.job(wildcards).command

    def threads(self, wildcards):
        return self.stage.threads(self.job(wildcards).profile)

    def memory_mb(self, wildcards):
        return self.stage.memory_mb(self.job(wildcards).profile)

    def gpus(self, wildcards):
        return self.stage.gpus(self.job(wildcards).profile)

    def outputs(self) -> list:
        """The patterns of its outputs, with a caption in the report if the table names one."""
        axes = {axis: f"{{{axis}}}" for axis in ("results", *self.stage.over)}
        return [
            (
                snakemake.io.report(
                    out.path,
                    caption=f"../report/{out.caption}.rst",
                    category=self.stage.name,
                )
                if out.caption
                else out.path
            )
            for out in self.stage.written(DATA, {**axes, **self.fixed})
        ]

    def log(self, suffix: str = "log") -> str:
        """The pattern of a log or a benchmark: one per job, named like its outputs."""
        axes = list(self.fixed.values()) or [
            f"{{{axis}}}" for axis in ("results", *self.stage.over)
        ]
        return f"{Path('logs', self.stage.name, *axes)}.{suffix}"
