"""All measured numbers in one CSV file, one row per number."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import pandas as pd

from wae.errors import UserError
from wae.io import read_json, write_text

DATA = "data"  # the model name of the rows that measure real training images: the floor
COLUMNS = ("dataset", "model", "seed", "sampling", "metric", "value", "n", "reference", "features_sha256", "protocol")
MEASURED = COLUMNS[5:]

Record = tuple[str, str, int | str, Path]


class TableError(UserError):
    """Numbers that cannot be in one table. The message says where and why."""


@dataclass(frozen=True)
class Metric:
    """A metric's title, its unit, and which values are better.

    Args:
        better: `lower`; `higher`; `data`: nearer to real images is better, because a noisy image is sharp too; or
            `prior`: nearer to the prior's own value, the floor, is better; or `neither`.
        everywhere: whether every table has its columns, even if nothing measured it.
        group: its part of a page, a key of GROUPS.
        least: with fewer images on each side, the number is mostly its own bias or noise (docs/metrics.md).
    """

    title: str
    unit: str
    better: Literal["lower", "higher", "data", "prior", "neither"]
    everywhere: bool = True
    group: str = "quality"
    least: int = 0

    def few(self, n: float | None) -> str:
        """A warning that n images are few; empty if they are enough or not counted."""
        if n is None or math.isnan(n) or n >= self.least:
            return ""
        return f"few: below {self.least} mostly bias and noise, to be compared with the floor alone"


GROUPS = {
    "quality": "",
    "support": "Support, memory and scales",
    "codes": "Codes, and images from them",
    "moments": "Moments of codes",
}
FLOOR = "_floor"  # the suffix of a metric that is the best possible value of another metric


def _support(extractor: str, features: str) -> dict[str, Metric]:
    units = {
        "precision": "share of samples in the real support",
        "recall": "share of real images in the samples' support",
        "density": "real balls around a sample, over k",
        "coverage": "share of real balls with a sample inside",
    }
    return {
        f"{name}_{extractor}": Metric(
            f"{name} ({features})", unit, "higher", everywhere=False, group="support", least=1000
        )
        for name, unit in units.items()
    }


METRICS: dict[str, Metric] = {
    "fid": Metric("FID", "Fréchet distance, Inception-v3 features", "lower", least=5000),
    "fd_classifier": Metric("FD (classifier)", "Fréchet distance, classifier features", "lower", least=1000),
    "fid_infinity": Metric("FID∞", "FID extrapolated to n = ∞", "lower", everywhere=False, least=5000),
    "fd_infinity_classifier": Metric(
        "FD∞ (classifier)", "Fréchet distance extrapolated to n = ∞", "lower", everywhere=False, least=1000
    ),
    "kid": Metric("KID", "MMD², Inception-v3 features", "lower", everywhere=False),
    "kid_classifier": Metric("KD (classifier)", "MMD², classifier features", "lower", everywhere=False),
    **_support("inception", "Inception-v3"),
    **_support("classifier", "classifier"),
    **{
        f"authenticity_{extractor}": Metric(
            f"authenticity ({features})",
            "share that is no copy of training images",
            "data",
            everywhere=False,
            group="support",
            least=1000,
        )
        for extractor, features in (("inception", "Inception-v3"), ("classifier", "classifier"))
    },
    "sharpness": Metric("sharpness", "variance of the Laplacian, pixels in [0, 1]", "data"),
    "swd": Metric("SWD", "10³ sliced W₁ of patches, mean over levels", "lower", everywhere=False, least=1000),
    **{
        f"swd_{side}": Metric(
            f"SWD {side} px",
            "10³ sliced W₁ of the level's patches",
            "lower",
            everywhere=False,
            group="support",
            least=1000,
        )
        for side in range(2048, 6, -1)  # of any data set's pyramid
    },
    "reconstruction_mse": Metric("reconstruction MSE", "squared error a pixel, in [0, 1]", "lower"),
    "latent_mmd": Metric(
        "latent MMD²", "codes against the prior, U-statistic", "lower", everywhere=False, group="codes"
    ),
    "latent_sw": Metric("latent SW²", "codes against the prior, sliced", "lower", everywhere=False, group="codes"),
    "latent_bures": Metric(
        "latent Bures", "moments of codes against the prior's", "lower", everywhere=False, group="codes"
    ),
    "latent_mean": Metric(
        "latent mean²", "squared norm of the codes' mean, prior variances", "lower", everywhere=False, group="moments"
    ),
    "latent_variance": Metric(
        "latent variance", "mean over coordinates, prior variances", "prior", everywhere=False, group="moments"
    ),
    "latent_kurtosis": Metric(
        "latent kurtosis", "mean over coordinates; a Gaussian: 3", "prior", everywhere=False, group="moments"
    ),
    "kl": Metric("KL to the prior", "nats an image, of the posterior", "neither", everywhere=False, group="codes"),
    "active_units": Metric(
        "active units", "coordinates whose means vary with the image", "neither", everywhere=False, group="codes"
    ),
    "mutual_information": Metric(
        "mutual information", "nats, of an image and its code", "neither", everywhere=False, group="codes"
    ),
    "fid_expost": Metric(
        "FID, ex-post", "Fréchet distance, codes from a mixture", "lower", everywhere=False, group="codes", least=5000
    ),
    "fd_classifier_expost": Metric(
        "FD (classifier), ex-post",
        "Fréchet distance, codes from a mixture",
        "lower",
        everywhere=False,
        group="codes",
        least=1000,
    ),
    "sharpness_expost": Metric(
        "sharpness, ex-post", "variance, codes from a mixture", "data", everywhere=False, group="codes"
    ),
    "interpolation_distance": Metric(
        "interpolation distance", "1 - cosine to the nearest real ray", "lower", everywhere=False, group="codes"
    ),
    "interpolation_smoothness": Metric(
        "interpolation smoothness", "largest step, above an even one", "lower", everywhere=False, group="codes"
    ),
}


def collect(records: Sequence[Record], out: Path) -> None:
    """Gather `metrics.json` files into one CSV, in the order of `records`, each file's metrics in its own order.

    A number is written in the shortest form that reads back as the same float64; a value not computed is empty.

    Args:
        records: data set, model, seed (empty for the `data` row) and file of each evaluation, in the grid's order.

    Raises:
        TableError: a record stands twice, or a file lacks a field or holds a number that is not finite.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    seen: dict[tuple[str, str, str], Path] = {}
    for dataset, model, seed, path in records:
        run = (dataset, model, str(seed))
        if run in seen:
            raise TableError(f"{path}: {'/'.join(run).rstrip('/')} is measured already, by {seen[run]}")
        seen[run] = path
        writer.writerows([*run, *measured] for measured in _measured(path))
    write_text(out, stream.getvalue())


def read_metrics(path: Path) -> pd.DataFrame:
    """The table that `collect` wrote: `value` float64 (NaN where empty), `n` nullable integer, all else strings."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    # Python's float is exact; pandas' reader is so only since version 3.
    table["value"] = pd.Series([float(text or "nan") for text in table["value"]], dtype="float64")
    table["n"] = pd.Series([int(text) if text else None for text in table["n"]], dtype="Int64")
    return table


def seed_means(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per training seed: the mean over its samplings. They share a network, so they are not separate runs."""
    runs = ["dataset", "model", "seed", "metric"]
    means = metrics.groupby(runs, sort=False)["value"].agg(lambda values: mean(values.tolist()))
    return metrics.drop_duplicates(runs).assign(value=means.to_numpy())


def _measured(path: Path) -> Iterator[list[str]]:
    """For each number of a metrics.json, the fields of COLUMNS from `sampling` on."""
    for metric, entry in read_json(path).items():
        missing = [field for field in MEASURED if field not in entry]
        if missing:
            raise TableError(f"{path}: {metric} has no {', '.join(missing)}; it needs {', '.join(MEASURED)}")
        numbers = (entry["value"], *entry.get("again", ()))
        for number in numbers:
            if number is not None and not math.isfinite(number):
                raise TableError(f"{path}: {metric} is {number}; what could not be computed is null, never a number")
        how = [_text(entry[name]) for name in MEASURED[1:]]
        for sampling, number in enumerate(numbers, start=1):
            yield [str(sampling), metric, "" if number is None else repr(float(number)), *how]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
