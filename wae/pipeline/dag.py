"""The table of stages, for both engines: Snakemake and DVC.

`STAGES` has for each stage its axes, inputs, parameter keys, outputs and resources. The Snakemake rules and `wae dvc`
read it. Nothing here imports torch, reads an array or runs anything.

To add a stage, add an entry here and a module `wae/stages/<name>.py` with `run(job)`. Then run `wae dvc`.
"""

from __future__ import annotations

from wae.pipeline import files
from wae.pipeline.files import CLASSIFIER, OF, RUN, WEIGHTS
from wae.pipeline.profile import DATA_PARAMS, Profile
from wae.pipeline.stage import DATA, Job, Out, Resources, Scope, Stage, templates
from wae.pipeline.transport import FIGURE_STAGES

EVALUATED = ("compute", "datasets.{dataset}", "evaluation.{dataset}")


def _table_deps(profile: Profile, scope: Scope) -> list[str]:
    pictures = [
        out.path
        for name in ("transport", "samples", "codes", "compare", "corruption")
        for where in STAGES[name].scopes(profile)
        for out in STAGES[name].outs(profile, where)
        if out.path.endswith(".png")
    ]
    classifiers = [
        f"{profile.results}/{dataset}/classifier.json"
        for dataset in profile.params["grid"]
        if files.classified(profile, dataset)
    ]
    written = [Profile.file(profile.name), DATA_PARAMS, "claims.yaml"]
    return [f"{profile.results}/metrics.csv", *classifiers, *pictures, *written]


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "download",
            "fetch the files of a source, verified",
            over=("source",),
            params=("sources.{source}.files", "sources.{source}.licence"),
            deps=lambda profile, scope: [],
            outs=files.downloaded,
            resources=Resources(minutes=240, memory_mb=500),
            home=DATA,
        ),
        Stage(
            "prepare",
            "one uint8 array a split, from what was downloaded or is drawn",
            over=("dataset",),
            params=("datasets.{dataset}",),
            deps=files.unprepared,
            outs=files.prepared,
            resources=Resources(minutes=60),
            home=DATA,
        ),
        Stage(
            "classifier",
            "train the classifier whose features fd_classifier uses",
            over=("dataset",),
            params=("compute", "evaluation.{dataset}.classifier"),
            deps=lambda profile, scope: files.arrays(profile, scope["dataset"]),
            outs=templates(Out(CLASSIFIER), Out(OF + "classifier.json", "metrics")),
            resources=Resources(minutes=60, torch=True, gpu=True),
            wanted=files.classified,
        ),
        Stage(
            "floor",
            "measure real training images: the table's floor",
            over=("dataset",),
            params=EVALUATED,
            deps=files.measured_with,
            outs=templates(Out(OF + "data/metrics.json", "metrics"), Out(OF + "data/images.npz", real=True)),
            resources=Resources(minutes=60, torch=True, gpu=True),
        ),
        Stage(
            "corruption",
            "how fd_classifier rises with damage to real images",
            over=("dataset",),
            params=EVALUATED,
            deps=lambda profile, scope: [*files.arrays(profile, scope["dataset"]), CLASSIFIER.format(**scope)],
            outs=templates(Out(OF + "corruption.csv"), Out(OF + "corruption.png", caption="corruption")),
            resources=Resources(minutes=60, torch=True, gpu=True),
            wanted=files.classified,
        ),
        Stage(
            "train",
            "train one model from one seed",
            over=("dataset", "model", "seed"),
            params=("compute", "datasets.{dataset}", "models.{dataset}.{model}"),
            deps=lambda profile, scope: files.images(scope["dataset"])[:1],
            outs=templates(Out(WEIGHTS), Out(RUN + "history.csv")),
            resources=Resources(minutes=1440, torch=True, gpu=True),
        ),
        Stage(
            "evaluate",
            "every number and the images to draw of one trained model",
            over=("dataset", "model", "seed"),
            params=(*EVALUATED, "models.{dataset}.{model}"),
            deps=lambda profile, scope: [WEIGHTS.format(**scope), *files.measured_with(profile, scope)],
            outs=templates(Out(RUN + "metrics.json", "metrics"), Out(RUN + "images.npz", real=True)),
            resources=Resources(minutes=120, torch=True, gpu=True),
        ),
        Stage(
            "samples",
            "grids of samples of one model, one with the nearest training images",
            over=("dataset", "model"),
            deps=files.first_images,
            outs=files.grids(samples=False, nearest=True),
        ),
        Stage(
            "codes",
            "what the codes of one auto-encoder give: grids, and the codes themselves",
            over=("dataset", "model"),
            deps=files.first_images,
            outs=files.grids(reconstructions=True, interpolations=True, expost=False, latent=False),
            wanted=files.encodes,
        ),
        *FIGURE_STAGES,
        Stage(
            "collect",
            "gather every run's metrics",
            params=("seeds", "grid"),  # without them, DVC does not notice a removed input
            deps=files.collected,
            outs=templates(Out("{results}/metrics.csv", caption="metrics")),
        ),
        Stage(
            "compare",
            "curves, bars and samples of all models of a data set",
            over=("dataset",),
            params=("seeds", "grid.{dataset}"),
            deps=files.compared,
            outs=templates(
                Out(OF + "curves.png", caption="curves"),
                Out(OF + "metrics.png", caption="bars"),
                Out(OF + "overview.png", real=True, caption="overview"),
            ),
        ),
        Stage(
            "table",
            "the comparison table",
            deps=_table_deps,
            outs=templates(
                Out("{results}/table.csv", caption="table"),
                *(Out("{results}/" + file) for file in ("table.md", "table.tex", "differences.csv")),
            ),
        ),
    )
}


def jobs(profile: Profile) -> list[Job]:
    """Every job that a profile's table needs; data jobs come first."""
    return [Job(stage, profile, scope) for stage in STAGES.values() for scope in stage.scopes(profile)]


def data_jobs(profile: Profile) -> list[Job]:
    """The jobs of a profile that all profiles share: its data jobs."""
    shared = [stage for stage in STAGES.values() if stage.home == DATA]
    return [Job(stage, profile, scope) for stage in shared for scope in stage.scopes(profile)]
