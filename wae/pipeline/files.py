"""The paths that stages read and write, as templates, and which data sets and models have which files."""

from __future__ import annotations

from wae.pipeline.profile import Profile
from wae.pipeline.stage import Out, Outs, Scope, templates

SPLITS = ("train", "test")
OF = "{results}/{dataset}/"
PICTURES = OF + "{model}/"
RUN = PICTURES + "{seed}/"
CLASSIFIER = OF + "classifier.safetensors"
WEIGHTS = RUN + "model.safetensors"


# ---- data -------------------------------------------------------------------


def raw(profile: Profile, source: str) -> list[str]:
    """The files of a source, as downloaded."""
    return [f"data/raw/{source}/{file}" for file in profile.data["sources"][source]["files"]]


def images(dataset: str) -> list[str]:
    """The images of a data set, one file per split."""
    return [f"data/{dataset}/{split}.npy" for split in SPLITS]


def arrays(profile: Profile, dataset: str) -> list[str]:
    """The arrays of a data set: images, and labels if it has them."""
    suffixes = ("", "-labels") if profile.data["datasets"][dataset]["labels"] else ("",)
    return [f"data/{dataset}/{split}{suffix}.npy" for split in SPLITS for suffix in suffixes]


def downloaded(profile: Profile, scope: Scope) -> list[Out]:
    """The outputs of `download`."""
    return [Out(path, real=True) for path in raw(profile, scope["source"])]


def prepared(profile: Profile, scope: Scope) -> list[Out]:
    """The outputs of `prepare`."""
    return [Out(path, real=True) for path in arrays(profile, scope["dataset"])]


def unprepared(profile: Profile, scope: Scope) -> list[str]:
    """The inputs of `prepare`: the files of a source, a user's own pictures, or none if the code draws the images."""
    entry = profile.data["datasets"][scope["dataset"]]
    own = [entry["path"]] if entry.get("path") else []
    return raw(profile, entry["source"]) if entry.get("source") else own


# ---- networks and runs ------------------------------------------------------


def measured_with(profile: Profile, scope: Scope) -> list[str]:
    """The inputs of every measurement: a data set's images, and the networks that compute features."""
    dataset = scope["dataset"]
    networks = {
        "classifier": lambda: [CLASSIFIER.format(**scope)],
        "inception": lambda: raw(profile, "inception"),
    }
    chosen = profile.params["evaluation"][dataset]["features"]
    return [*images(dataset), *(file for name in chosen for file in networks[name]())]


def runs(profile: Profile, dataset: str, file: str, seeds: list[int] | None = None) -> list[str]:
    """The path of `file` in every run of a data set."""
    seeds = seeds or profile.params["seeds"]
    return [f"{profile.results}/{dataset}/{m}/{s}/{file}" for m in profile.params["grid"][dataset] for s in seeds]


def first_images(profile: Profile, scope: Scope) -> list[str]:
    """The images.npz of a model's first seed. Its figures are drawn from it."""
    return [f"{scope['results']}/{scope['dataset']}/{scope['model']}/{profile.params['seeds'][0]}/images.npz"]


def collected(profile: Profile, scope: Scope) -> list[str]:
    """The inputs of `collect`: the metrics of real images and of every run."""
    return [
        path
        for dataset in profile.params["grid"]
        for path in [f"{profile.results}/{dataset}/data/metrics.json", *runs(profile, dataset, "metrics.json")]
    ]


def compared(profile: Profile, scope: Scope) -> list[str]:
    """The inputs of `compare`: all metrics, every run's history, and images of each model's first seed."""
    dataset, first = scope["dataset"], profile.params["seeds"][:1]
    pictures = [f"{profile.results}/{dataset}/data/images.npz", *runs(profile, dataset, "images.npz", first)]
    return [f"{profile.results}/metrics.csv", *runs(profile, dataset, "history.csv"), *pictures]


def grids(**real: bool) -> Outs:
    """The pictures of a model. `real` has their names, and says for each if it holds real images."""
    return templates(*(Out(f"{PICTURES}{name}.png", real=holds, caption=name) for name, holds in real.items()))


# ---- conditions: does a stage exist for a data set or a model? --------------


def classified(profile: Profile, dataset: str, model: str = "") -> bool:
    """Whether a data set is measured in the features of the pipeline's own classifier."""
    return "classifier" in profile.params["evaluation"][dataset]["features"]


def encodes(profile: Profile, dataset: str, model: str) -> bool:
    """Whether a model has codes: its entry has a posterior."""
    return "posterior" in profile.params["models"][dataset][model]
