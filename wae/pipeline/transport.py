"""The stages of the figures of optimal transport, for the table in `wae.pipeline.dag`. No torch."""

from __future__ import annotations

from wae.config.figures import shown
from wae.pipeline.files import RUN, WEIGHTS
from wae.pipeline.profile import Profile
from wae.pipeline.stage import Out, Resources, Scope, Stage, templates


def _has_posteriors(profile: Profile, dataset: str, model: str) -> bool:
    figure = profile.figures().get("posteriors", {})
    return dataset == figure.get("dataset") and model in shown(figure)


def _posteriors_deps(profile: Profile, scope: Scope) -> list[str]:
    return [WEIGHTS.format(**scope), *(f"data/{scope['dataset']}/{file}.npy" for file in ("test", "test-labels"))]


def _figure_deps(profile: Profile, scope: Scope) -> list[str]:
    """The files of trained models that a figure shows; most figures show none."""
    figure = profile.figures().get(scope["figure"], {})

    def runs(file: str, seeds: list[int]) -> list[str]:
        folder = f"{profile.results}/{figure['dataset']}"
        return [f"{folder}/{model}/{seed}/{file}" for model in shown(figure) for seed in seeds]

    if not shown(figure):
        return []
    seeds = profile.params["seeds"]
    if scope["figure"] == "posteriors":
        return runs("posteriors.csv", seeds)
    real = f"{profile.results}/{figure['dataset']}/data/metrics.json"
    return [real, *runs("metrics.json", seeds), *runs("images.npz", seeds[:1])]


FIGURE_STAGES = (
    Stage(
        "posteriors",
        "the posteriors of one auto-encoder's held-out images, for a figure",
        over=("dataset", "model", "seed"),
        params=("compute", "datasets.{dataset}", "models.{dataset}.{model}"),
        deps=_posteriors_deps,
        outs=templates(Out(RUN + "posteriors.csv")),
        resources=Resources(minutes=60, torch=True, gpu=True),
        wanted=_has_posteriors,
    ),
    Stage(
        "transport",
        "one figure of optimal transport, and the numbers it draws",
        over=("figure",),
        params=("compute.threads", "figures.{figure}"),
        deps=_figure_deps,
        outs=templates(Out("{results}/{figure}.png", caption="transport"), Out("{results}/{figure}.csv")),
        modules=("wae.transport.{figure}",),
        resources=Resources(minutes=60, torch=True),
        home="transport",
    ),
)
