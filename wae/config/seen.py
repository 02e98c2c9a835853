"""Checks that the figures of trained models can be drawn of the models, data and measures that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wae.config.figures import shown
from wae.config.yaml import Keys
from wae.errors import one_of

MOSAIC = 25  # samples of a model that the figure `generators` shows

Options = Mapping[str, Any]
Mistake = tuple[Keys, str]


def shown_wrongly(keys: Keys, settings: Options, params: Options, described: Options) -> Iterator[Mistake]:
    """The mistakes of one figure's settings, if it shows trained models.

    Args:
        keys: where the settings stand.
        described: data sets of data/params.yaml; empty where these are wrong.
    """
    dataset, models = settings.get("dataset"), shown(settings)
    if dataset is None:
        return
    if dataset not in params["grid"]:
        yield (*keys, "dataset"), one_of(dataset, params["grid"])
        return
    if not models:
        yield keys, "shows no model"
    for model in models:
        if model not in params["grid"][dataset]:
            yield keys, f"shows {model!r}, which grid has not for {dataset!r}"
        elif entry := (params["models"].get(dataset) or {}).get(model):
            yield from ((keys, f"shows {model!r}, {said}") for said in OF_MODEL.get(keys[-1], _none)(entry))
    if dataset in described:
        yield from OF_DATA.get(keys[-1], _no_mistake)(keys, settings, params, described[dataset])


def _none(entry: Options) -> Iterator[str]:
    return iter(())


def _no_mistake(keys: Keys, settings: Options, params: Options, described: Options) -> Iterator[Mistake]:
    return iter(())


def _planar(entry: Options) -> Iterator[str]:
    posterior, latent = (entry.get("posterior") or {}).get("kind"), entry["network"]["latent"]
    if posterior != "gaussian" or latent != 2:
        has = f"has posterior {posterior!r} and latent {latent}" if posterior else "is no auto-encoder"
        yield f"which {has}; the figure is of gaussian posteriors in two dimensions"


def _labelled(keys: Keys, settings: Options, params: Options, described: Options) -> Iterator[Mistake]:
    if not described["labels"]:
        yield (*keys, "dataset"), f"is {settings['dataset']!r}, which has no labels"
    if settings["images"] > described["test"]:
        yield (*keys, "images"), f"is {settings['images']}; at most {described['test']}, the test images"


def _measured(keys: Keys, settings: Options, params: Options, described: Options) -> Iterator[Mistake]:
    dataset = settings["dataset"]
    evaluation = params["evaluation"].get(dataset)
    if evaluation and "classifier" not in evaluation["features"]:
        yield (*keys, "dataset"), f"is {dataset!r}, whose evaluation.features lacks classifier: the figure plots that"
    if evaluation and evaluation["pictures"]["samples"] < MOSAIC:
        held = evaluation["pictures"]["samples"]
        yield (*keys, "dataset"), f"is {dataset!r}, whose pictures.samples is {held}; the figure shows {MOSAIC}"


OF_MODEL: dict[str | int, Callable[[Options], Iterator[str]]] = {"posteriors": _planar}
OF_DATA: dict[str | int, Callable[[Keys, Options, Options, Options], Iterator[Mistake]]] = {
    "posteriors": _labelled,
    "generators": _measured,
}
