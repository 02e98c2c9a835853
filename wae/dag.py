"""The pipeline is a table: each stage once, for both engines.

`STAGES` says for each stage what it ranges over, its command, inputs, parameter keys, code and outputs. The Snakemake
rules and `wae dvc` read it. Nothing here imports torch, reads an array or runs anything.
"""

from __future__ import annotations

from wae.profile import DATA_PARAMS, Profile
from wae.stage import DATA, Job, Out, Outs, Scope, Stage, templates
from wae.transport.stages import FIGURE_STAGES

ARRAYS = ("train", "test")


# ---- what stages read and write ---------------------------------------------


def raw(profile: Profile, source: str) -> list[str]:
    """The files of a source, as downloaded."""
    return [f"data/raw/{source}/{file}" for file in profile.data["sources"][source]["files"]]


def arrays(profile: Profile, dataset: str) -> list[str]:
    """The arrays of a data set: images, and labels where it has them."""
    suffixes = ("", "-labels") if profile.data["datasets"][dataset]["labels"] else ("",)
    return [f"data/{dataset}/{split}{suffix}.npy" for split in ARRAYS for suffix in suffixes]


def features(profile: Profile, dataset: str) -> list[str]:
    """The files that hold the networks in whose features a data set is measured."""
    files = {
        "classifier": lambda: [f"{profile.results}/{dataset}/classifier.safetensors"],
        "inception": lambda: raw(profile, "inception"),
    }
    return [file for name in profile.params["evaluation"][dataset]["features"] for file in files[name]()]


def _download_outs(profile: Profile, scope: Scope) -> list[Out]:
    return [Out(path, real=True) for path in raw(profile, scope["source"])]


def _prepare_deps(profile: Profile, scope: Scope) -> list[str]:
    entry = profile.data["datasets"][scope["dataset"]]
    own = [entry["path"]] if entry.get("path") else []
    return raw(profile, entry["source"]) if entry.get("source") else own


def _prepare_outs(profile: Profile, scope: Scope) -> list[Out]:
    return [Out(path, real=True) for path in arrays(profile, scope["dataset"])]


def _evaluate_deps(profile: Profile, scope: Scope) -> list[str]:
    run = [f"{scope['results']}/{scope['dataset']}/{scope['model']}/{scope['seed']}/model.safetensors"]
    return [*run, *_floor_deps(profile, scope)]


def _floor_deps(profile: Profile, scope: Scope) -> list[str]:
    return [f"data/{scope['dataset']}/{split}.npy" for split in ARRAYS] + features(profile, scope["dataset"])


def runs(profile: Profile, dataset: str, file: str, seeds: list[int] | None = None) -> list[str]:
    """One file of every run of a data set."""
    seeds = seeds or profile.params["seeds"]
    return [f"{profile.results}/{dataset}/{m}/{s}/{file}" for m in profile.params["grid"][dataset] for s in seeds]


def _first_images(profile: Profile, scope: Scope) -> list[str]:
    return [f"{scope['results']}/{scope['dataset']}/{scope['model']}/{profile.params['seeds'][0]}/images.npz"]


def _collect_deps(profile: Profile, scope: Scope) -> list[str]:
    return [
        path
        for dataset in profile.params["grid"]
        for path in [f"{profile.results}/{dataset}/data/metrics.json", *runs(profile, dataset, "metrics.json")]
    ]


def _compare_deps(profile: Profile, scope: Scope) -> list[str]:
    dataset, first = scope["dataset"], profile.params["seeds"][:1]
    pictures = [f"{profile.results}/{dataset}/data/images.npz", *runs(profile, dataset, "images.npz", first)]
    return [f"{profile.results}/metrics.csv", *runs(profile, dataset, "history.csv"), *pictures]


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
        if classified(profile, dataset)
    ]
    written = [Profile.file(profile.name), DATA_PARAMS, "claims.yaml"]
    return [f"{profile.results}/metrics.csv", *classifiers, *pictures, *written]


def classified(profile: Profile, dataset: str, model: str = "") -> bool:
    """Whether a data set is measured in the features of a classifier of ours."""
    return "classifier" in profile.params["evaluation"][dataset]["features"]


def encodes(profile: Profile, dataset: str, model: str) -> bool:
    """Whether a model has codes: its entry says how they are read."""
    return "posterior" in profile.params["models"][dataset][model]


def _grids(**real: bool) -> Outs:
    return templates(*(Out(f"{PICTURES}{name}.png", real=holds, caption=name) for name, holds in real.items()))


OF = "{results}/{dataset}/"
CLASSIFIER = OF + "classifier.safetensors"
RUN = OF + "{model}/{seed}/"
PICTURES = OF + "{model}/"

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="download",
            summary="fetch the files of a source, verified",
            over=("source",),
            command="wae download {source}",
            params=("sources.{source}.files", "sources.{source}.licence"),
            deps=lambda profile, scope: [],
            outs=_download_outs,
            home=DATA,
        ),
        Stage(
            name="prepare",
            summary="one uint8 array a split, from what was downloaded or is drawn",
            over=("dataset",),
            command="wae prepare {dataset}",
            params=("datasets.{dataset}",),
            deps=_prepare_deps,
            outs=_prepare_outs,
            home=DATA,
        ),
        Stage(
            name="classifier",
            summary="train the classifier whose features fd_classifier uses",
            over=("dataset",),
            command="wae classifier {dataset}{option}",
            params=("compute", "evaluation.{dataset}.classifier"),
            deps=lambda profile, scope: arrays(profile, scope["dataset"]),
            outs=templates(Out(CLASSIFIER), Out(OF + "classifier.json", "metrics")),
            heavy=True,
            wanted=classified,
        ),
        Stage(
            name="floor",
            summary="measure real training images: the table's floor",
            over=("dataset",),
            command="wae floor {dataset}{option}",
            params=("compute", "datasets.{dataset}", "evaluation.{dataset}"),
            deps=_floor_deps,
            outs=templates(Out(OF + "data/metrics.json", "metrics"), Out(OF + "data/images.npz", real=True)),
            heavy=True,
        ),
        Stage(
            name="corruption",
            summary="how fd_classifier rises with damage to real images",
            over=("dataset",),
            command="wae corruption {dataset}{option}",
            params=("compute", "datasets.{dataset}", "evaluation.{dataset}"),
            deps=lambda profile, scope: [*arrays(profile, scope["dataset"]), CLASSIFIER.format(**scope)],
            outs=templates(Out(OF + "corruption.csv"), Out(OF + "corruption.png", caption="corruption")),
            heavy=True,
            wanted=classified,
        ),
        Stage(
            name="train",
            summary="train one model from one seed",
            over=("dataset", "model", "seed"),
            command="wae train {dataset} {model} {seed}{option}",
            params=("compute", "datasets.{dataset}", "models.{dataset}.{model}"),
            deps=lambda profile, scope: [f"data/{scope['dataset']}/train.npy"],
            outs=templates(Out(RUN + "model.safetensors"), Out(RUN + "history.csv", "plots")),
            heavy=True,
        ),
        Stage(
            name="evaluate",
            summary="every number and the images to draw of one trained model",
            over=("dataset", "model", "seed"),
            command="wae evaluate {dataset} {model} {seed}{option}",
            params=("compute", "datasets.{dataset}", "evaluation.{dataset}", "models.{dataset}.{model}"),
            deps=_evaluate_deps,
            outs=templates(Out(RUN + "metrics.json", "metrics"), Out(RUN + "images.npz", real=True)),
            heavy=True,
        ),
        Stage(
            name="samples",
            summary="grids of samples of one model, one with the nearest training images",
            over=("dataset", "model"),
            command="wae samples {dataset} {model}{option}",
            deps=_first_images,
            outs=_grids(samples=False, nearest=True),
        ),
        Stage(
            name="codes",
            summary="what the codes of one auto-encoder give: grids, and the codes themselves",
            over=("dataset", "model"),
            command="wae codes {dataset} {model}{option}",
            deps=_first_images,
            wanted=encodes,
            outs=_grids(reconstructions=True, interpolations=True, expost=False, latent=False),
        ),
        *FIGURE_STAGES,
        Stage(
            name="collect",
            summary="gather every run's metrics",
            over=(),
            command="wae collect{option}",
            params=("seeds", "grid"),  # DVC would not notice that an input is no longer one
            deps=_collect_deps,
            outs=templates(Out("{results}/metrics.csv", caption="metrics")),
        ),
        Stage(
            name="compare",
            summary="curves, bars and samples of all models of a data set",
            over=("dataset",),
            command="wae compare {dataset}{option}",
            params=("seeds", "grid.{dataset}"),
            deps=_compare_deps,
            outs=templates(
                Out(OF + "curves.png", caption="curves"),
                Out(OF + "metrics.png", caption="bars"),
                Out(OF + "overview.png", real=True, caption="overview"),
            ),
        ),
        Stage(
            name="table",
            summary="the comparison table",
            over=(),
            command="wae table{option}",
            deps=_table_deps,
            outs=templates(
                Out("{results}/table.csv", caption="table"),
                *(Out("{results}/" + file) for file in ("table.md", "table.tex", "differences.csv")),
            ),
        ),
    )
}


def jobs(profile: Profile) -> list[Job]:
    """Every job that a profile's table needs, data first."""
    return [Job(stage, profile, scope) for stage in STAGES.values() for scope in stage.scopes(profile)]


def data_jobs(profile: Profile) -> list[Job]:
    """Those of them that all profiles share."""
    shared = [stage for stage in STAGES.values() if stage.home == DATA]
    return [Job(stage, profile, scope) for stage in shared for scope in stage.scopes(profile)]
