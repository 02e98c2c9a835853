"""Measurements of models with codes: reconstructions, interpolations, and distances of codes from the prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from wae.metrics.codes.expost import fit_mixture
from wae.metrics.codes.information import ACTIVE, active_units, kl_to_normal, mutual_information
from wae.metrics.codes.interpolation import interpolation_quality
from wae.metrics.codes.latent import CODES, FLOORS, Prior, against_prior
from wae.metrics.codes.paths import PATHS
from wae.metrics.codes.plane import least_alike
from wae.metrics.draws import drawn, drawn_pairs
from wae.metrics.images import quantise
from wae.metrics.measures import Measure, counted, held_out, protocol, unit

LINEAR = "linear"
INFORMATION = {
    "kl": "mean KL(Q(Z|X) | prior), closed form, gaussian posterior and prior",
    "active_units": f"coordinates whose posterior means have a variance above {ACTIVE} of the prior's",
    "mutual_information": "a draw of each gaussian posterior against the equal mixture of all; at most log N",
}


@runtime_checkable
class Encoding(Protocol):
    """A model that can also reconstruct and interpolate images."""

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of images in [0, 1]."""

    def decode(self, z: Tensor) -> Tensor:
        """Images in [0, 1] of codes (n, d)."""


@runtime_checkable
class Matched(Encoding, Protocol):
    """A model that also has a prior, with which its codes are compared."""

    prior: Prior

    def draw_codes(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Codes (n, d) of images in [0, 1], drawn from their posteriors."""

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log variance (n, d) of the posteriors of images in [0, 1]; no log variance for point masses."""


def code_measures(
    model: Encoding,
    images: np.ndarray,
    settings: Mapping[str, Any],
    device: torch.device | str,
    generator: torch.Generator,
) -> tuple[dict[str, Measure], dict[str, np.ndarray]]:
    """All measures of a model's codes on held-out uint8 images, and the images to draw; `settings` as in `evaluate`."""
    n, batch, seed = settings["samples"], settings["batch"], settings["seed"]
    reference = drawn(images, n, seed, "evaluation.samples")
    measures = {"reconstruction_mse": reconstruction_mse(model, reference, len(images), batch, device)}
    shown = pictures(model, images, settings, device)
    if isinstance(model, Matched):
        some = drawn(images, min(n, CODES), seed, "evaluation.samples")
        codes = encoded(model, some, batch, device, generator)
        measures |= latent_measures(codes, len(images), model.prior, generator)
        measures |= information_measures(model, codes, some, len(images), batch)
        shown["latent"] = plane(codes, model.prior, generator)
    if settings.get("interpolation"):
        measures |= interpolation_measures(model, images, settings, device)
    return measures, shown


def reconstruction_mse(model: Encoding, images: np.ndarray, of: int, batch: int, device: torch.device | str) -> Measure:
    """Mean squared error of unrounded reconstructions, over all elements of `images` uint8, in [0, 1].

    Args:
        of: how many held-out images they were drawn from.
    """
    total = 0.0
    for start in range(0, len(images), batch):
        x = unit(images[start : start + batch], device)
        total += float((model.decode(model.encode(x)).double() - x.double()).square().sum())
    n = len(images)
    how = protocol(f"mean over all elements in [0, 1]; {counted(n, of)} held-out; not rounded")
    return Measure(total / images.size, n, held_out(n, of), protocol=how, of=of)


def encoded(
    model: Matched, images: np.ndarray, batch: int, device: torch.device | str, generator: torch.Generator
) -> Tensor:
    """A code (n, d) of each of `images` uint8, drawn from its posterior."""
    starts = range(0, len(images), batch)
    return torch.cat([model.draw_codes(unit(images[at : at + batch], device), generator) for at in starts])


def latent_measures(codes: Tensor, of: int, prior: Prior, generator: torch.Generator) -> dict[str, Measure]:
    """Distances of codes of some `of` held-out images from the prior, and moments, each with its floor."""
    how = protocol(
        f"a draw of each posterior against as many of the prior; floor: mean of {FLOORS} prior pairs; float64"
    )
    values, n = against_prior(codes, prior, generator), len(codes)
    return {name: Measure(value, n, held_out(n, of), protocol=how, of=of) for name, value in values.items()}


def information_measures(model: Matched, codes: Tensor, images: np.ndarray, of: int, batch: int) -> dict[str, Measure]:
    """KL, active units and mutual information of images uint8, of which `codes` are one draw each.

    The images were drawn from `of` held-out ones. A point mass has no density, so only its active units are defined.
    The KL also needs a Gaussian prior.
    """
    parts = [model.moments(unit(images[at : at + batch], codes.device)) for at in range(0, len(images), batch)]
    mean = torch.cat([part for part, _ in parts]).double()
    logs = [part for _, part in parts if part is not None]
    prior, n = model.prior, len(images)
    values: dict[str, float | None] = {"active_units": active_units(mean, prior.variance)}
    values |= dict.fromkeys(("kl", "mutual_information"))
    if logs:
        log_variance = torch.cat(logs).double()
        values["mutual_information"] = mutual_information(codes, mean, log_variance)
        if prior.gaussian:
            values["kl"] = float(kl_to_normal(mean, log_variance, prior.variance).mean())
    return {
        name: Measure(values[name], n, held_out(n, of), protocol=protocol(f"{how}; float64"), of=of)
        for name, how in INFORMATION.items()
    }


def plane(codes: Tensor, prior: Prior, generator: torch.Generator) -> np.ndarray:
    """Codes and as many draws of the prior in the plane where they look least alike, float32 (2, n, 2)."""
    draw = prior.sample(len(codes), generator)
    axes = least_alike(codes, draw, generator).to(codes)
    return torch.stack([codes @ axes, draw @ axes]).float().cpu().numpy()


def expost(
    model: Matched,
    train_images: np.ndarray,
    settings: Mapping[str, Any],
    device: torch.device | str,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """`settings.samples` images in [0, 1], a batch at a time: decoded from a mixture fitted to training codes."""
    wanted = settings["mixture"]
    images = drawn(train_images, wanted["images"], settings["seed"], "evaluation.mixture.images")
    codes = encoded(model, images, settings["batch"], device, generator)
    mixture = fit_mixture(codes, wanted["components"], settings["seed"])
    sampled, batch = mixture.sample(settings["samples"], generator), settings["batch"]
    yield from (model.decode(sampled[at : at + batch]) for at in range(0, len(sampled), batch))


def interpolation_measures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, Any], device: torch.device | str
) -> dict[str, Measure]:
    """ACAI's two measures of `pairs` pairs of held-out rays, drawn by the settings' seed."""
    wanted = settings["interpolation"]
    n = wanted["pairs"]
    pairs = drawn_pairs(images, n, settings["seed"], "twice evaluation.interpolation.pairs")
    rows = torch.stack(list(between(model, pairs, wanted, device)))
    distance, smoothness = interpolation_quality(rows.cpu().numpy())
    path = f"{n} held-out pairs in {wanted['steps']} steps, {wanted.get('path', LINEAR)}"
    how, reference = protocol(f"{path}; 10000 real rays; not rounded"), held_out(2 * n, len(images))
    measures = {"interpolation_distance": distance, "interpolation_smoothness": smoothness}
    return {name: Measure(value, n, reference, protocol=how) for name, value in measures.items()}


def between(
    model: Encoding, pairs: np.ndarray, settings: Mapping[str, Any], device: torch.device | str
) -> Iterator[Tensor]:
    """Decoded images (steps, c, h, w) along the path from each image 2i's code to image 2i + 1's, ends included."""
    codes = model.encode(unit(pairs, device))
    t = torch.linspace(0.0, 1.0, settings["steps"], device=codes.device)[:, None]
    yield from map(model.decode, PATHS[settings.get("path", LINEAR)](codes[0::2, None], codes[1::2, None], t))


def pictures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, Any], device: torch.device | str
) -> dict[str, np.ndarray]:
    """`originals`, `reconstructions` (k, c, h, w) and `interpolations` (rows, steps, c, h, w) of held-out images.

    The images are drawn by the settings' seed. Both ends of an interpolation are reconstructed.
    """
    wanted, seed = settings["pictures"], settings["seed"]
    originals = drawn(images, wanted["reconstructions"], seed, "evaluation.pictures.reconstructions")
    pairs = drawn_pairs(images, wanted["rows"], seed, "twice evaluation.pictures.rows")
    decoded = [quantise(row).cpu().numpy() for row in between(model, pairs, wanted, device)]
    reconstructions = quantise(model.decode(model.encode(unit(originals, device)))).cpu().numpy()
    return {"originals": originals, "reconstructions": reconstructions, "interpolations": np.stack(decoded)}
