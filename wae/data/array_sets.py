"""A user's own arrays as a data set: of one file or of a folder of .npy, with their own split or drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wae.data.arrays import Part, as_images, load, names_in, parts
from wae.data.decoding import BATCH, write
from wae.data.errors import DataError
from wae.data.fitting import Fit, fitted
from wae.data.progress import progress, say
from wae.data.shared import Names, digest
from wae.data.splits import SPLITS, column, distinct, drawn, draws_apart

SPLIT = "train and test (x_train, train_images ...), or one array of images and a seed to draw the split by"


@dataclass(frozen=True)
class Portion:
    """One split: the name of the array with its images, those images, their rows, and the array with their labels."""

    name: str
    images: np.ndarray
    rows: np.ndarray
    labels: str | None


def prepare(path: Path, entry: Mapping[str, Any], folder: Path) -> Names:
    """Write the images of both splits, and their labels if the entry has them. Returns the images' names."""
    names, fit = names_in(path), Fit.of(entry)
    portions = _portions(path, names, entry, fit)
    used = {name for portion in portions.values() for name in (portion.name, portion.labels)}
    if unused := [name for name in names if name not in used]:
        say(f"{path}: {len(unused)} arrays are not used: {', '.join(unused)}")
    with progress("fitting", sum(len(portion.rows) for portion in portions.values()), "images") as advance:
        for split, portion in portions.items():
            write(folder / f"{split}.npy", (len(portion.rows), *fit.shape), _batches(path, portion, fit), advance)
    if entry["labels"]:
        _save_labels(path, folder, portions)
    return {split: [f"{portion.name}[{row}]" for row in portion.rows] for split, portion in portions.items()}


def _portions(path: Path, names: list[str], entry: Mapping[str, Any], fit: Fit) -> dict[str, Portion]:
    """The splits that the arrays' names say, or those drawn from the one array of images."""
    found: dict[Part, str] = parts(names) if len(names) != 1 else dict.fromkeys([("", "images")], names[0])
    seed = entry.get("seed")
    held = entry.get("held_out") or ("test" if ("test", "images") in found else "valid")
    if ("train", "images") in found and (held, "images") in found and seed is None:
        own = {"train": "train", "test": held}
        arrays = {split: as_images(load(path, found[own[split], "images"]), path) for split in SPLITS}
        rows = {split: np.arange(len(array)) for split, array in arrays.items()}
    elif ("", "images") in found and seed is not None:
        own = dict.fromkeys(SPLITS, "")
        array = as_images(load(path, found["", "images"]), path)
        arrays, rows = dict.fromkeys(SPLITS, array), _drawn(path, array, entry, fit)
    else:
        has = "a seed" if seed is not None else "no seed"
        raise DataError(f"{path} holds {', '.join(names) or 'nothing'}, and its entry has {has}; expected {SPLIT}")
    return {
        split: Portion(found[own[split], "images"], arrays[split], rows[split], found.get((own[split], "labels")))
        for split in SPLITS
    }


def _drawn(path: Path, array: np.ndarray, entry: Mapping[str, Any], fit: Fit) -> dict[str, np.ndarray]:
    every = np.arange(len(array))
    if draws_apart(entry):
        batches = _batches(path, Portion("", array, every, None), fit)
        every = np.array(distinct(path, [digest(image) for batch in batches for image in batch]))
    return {split: every[rows] for split, rows in drawn(path, len(every), entry).items()}


def _batches(path: Path, portion: Portion, fit: Fit) -> Iterator[np.ndarray]:
    for start in range(0, len(portion.rows), BATCH):
        rows = portion.rows[start : start + BATCH]
        images = [fitted(f"{path}: {portion.name}[{row}]", _picture(portion.images[row]), fit) for row in rows]
        yield np.ascontiguousarray(np.stack(images))


def _picture(pixels: np.ndarray) -> Image.Image:
    """An image uint8 (1 or 3, h, w) as Pillow has it."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _save_labels(path: Path, folder: Path, portions: Mapping[str, Portion]) -> None:
    """Write each split's labels (n, f): whole numbers as they are, words by their place in the alphabet."""
    labels = {split: _labels(path, portion) for split, portion in portions.items()}
    if labels["train"].dtype.kind in "US":
        words = np.unique(np.concatenate([rows.ravel() for rows in labels.values()]))
        say(f"{path}: {len(words)} classes: {', '.join(map(str, words[:10]))}")
        labels = {split: np.searchsorted(words, rows) for split, rows in labels.items()}
    for split, rows in labels.items():
        np.save(folder / f"{split}-labels.npy", column(rows))


def _labels(path: Path, portion: Portion) -> np.ndarray:
    """The labels of a split's rows, in the order of its images."""
    if portion.labels is None:
        beside = (
            "put it into a folder beside its labels, as images.npy and labels.npy"
            if path.suffix == ".npy"
            else ("name them labels or y, train_labels, y_test and so on")
        )
        raise DataError(f"{path} has no labels for {portion.name}, but labels is true; {beside}")
    labels, where = load(path, portion.labels), f"{path}: {portion.labels}"
    if labels.ndim not in (1, 2) or len(labels) != len(portion.images):
        raise DataError(f"{where} has shape {labels.shape} for {len(portion.images)} images; labels are (n,) or (n, f)")
    if labels.dtype.kind == "f" and labels.size and np.array_equal(labels, np.rint(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "biuUS" or (
        labels.dtype.kind in "iu" and not 0 <= labels.min() <= labels.max() < 65536
    ):
        raise DataError(f"{where} holds {labels.dtype}; labels are whole numbers from 0 to 65,535, or words")
    chosen: np.ndarray = labels[portion.rows]
    return chosen
