"""Which of a user's own pictures are training images, which are held out, and what their class folders say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from wae.data.errors import MOST, DataError
from wae.data.progress import say
from wae.runtime import seed_for

SPLITS = ("train", "test")
FOLDERS = {  # names of folders, in any case -> the split that they are
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "valid"),
}

Splits = dict[str, list[str]]


def split(path: Path, names: Sequence[str], entry: Mapping[str, Any]) -> Splits:
    """The sorted names of `train` and `test`: drawn with the entry's seed, or without one as its folders say."""
    if entry.get("seed") is not None:
        rows = drawn(path, len(names), entry)
        return {key: [names[row] for row in rows[key]] for key in SPLITS}
    return by_folder(path, names, entry.get("held_out"))


def drawn(path: Path, count: int, entry: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The sorted rows of each split, drawn from `count` pictures."""
    train, test = entry["train"], entry["test"]
    if train + test > count:
        raise DataError(f"{path}: expected {train + test:,} pictures or more, found {count:,}")
    order = np.random.default_rng(seed_for("images", entry["seed"])).permutation(count)
    return {"train": np.sort(order[:train]), "test": np.sort(order[train : train + test])}


def by_folder(path: Path, names: Sequence[str], held_out: str | None) -> Splits:
    """The pictures under folders of a split's name. `valid` is held out if there is no `test`, or by `held_out`."""
    found: Splits = {"train": [], "test": [], "valid": [], "": []}
    for name in names:
        of = {FOLDERS[part.lower()] for part in PurePosixPath(name).parts[:-1] if part.lower() in FOLDERS}
        if len(of) > 1:
            raise DataError(f"{path}/{name} is in folders of two splits, {' and '.join(sorted(of))}")
        found[of.pop() if of else ""].append(name)
    held = held_out or ("test" if found["test"] else "valid")
    if not (found["train"] and found[held]):
        raise DataError(
            f"{path}: expected pictures in folders train and {held_out or 'test (or val)'}; "
            "or give a seed to draw the split by"
        )
    for key in {"test", "valid", ""} - {held}:
        if found[key]:
            where = f"in the folder of {key} images" if key else "in no folder of a split"
            say(f"{path}: {len(found[key]):,} pictures are not used: they are {where}, such as {found[key][0]}")
    return {"train": found["train"], "test": found[held]}


def classes(path: Path, splits: Splits) -> tuple[list[str], dict[str, np.ndarray]]:
    """The sorted names of the class folders, and each picture's number among them, (n, 1) for each split.

    A picture's class is the folder that holds it. Folders of splits are none: train/cat/1.jpg and cat/train/1.jpg are
    of the class cat.
    """
    of = {key: [_class(path, name) for name in names] for key, names in splits.items()}
    found = sorted(set(of["train"]))
    if len(found) < 2:
        raise DataError(
            f"{path}: expected training pictures in at least two class folders, found only {found[0]!r}; "
            "write labels: false if they have no classes"
        )
    strange = sorted(set(of["test"]) - set(found))
    if strange:
        raise DataError(f"{path}: no training picture is of the class {strange[0]!r}, but held-out pictures are")
    number = {name: index for index, name in enumerate(found)}
    return found, {key: column([number[name] for name in names]) for key, names in of.items()}


def _class(path: Path, name: str) -> str:
    folders = [part for part in PurePosixPath(name).parts[:-1] if part.lower() not in FOLDERS]
    if not folders:
        raise DataError(f"{path}/{name} is in no class folder, but labels is true; write labels: false, or move it")
    return folders[-1]


def draws_apart(entry: Mapping[str, Any]) -> bool:
    """Whether the splits are to be drawn from pictures that all differ."""
    return entry.get("seed") is not None and entry.get("shared") == "drop"


def distinct(path: Path, digests: Sequence[bytes]) -> list[int]:
    """The first row of each picture. The others are copies of it, pixel for pixel."""
    first: dict[bytes, int] = {}
    for row, found in enumerate(digests):
        first.setdefault(found, row)
    if len(first) < len(digests):
        say(f"{path}: {len(digests) - len(first):,} pictures are copies of others, and are left out")
    return list(first.values())


def save_labels(folder: Path, names: Sequence[str], labels: Mapping[str, np.ndarray]) -> None:
    """Write the labels of each split, and say which class has which number."""
    shown = [f"{number} {name}" for number, name in enumerate(names)]
    more = [f"and {len(shown) - MOST:,} more"] if len(shown) > MOST else []
    say(f"{len(shown)} classes: {', '.join([*shown[:MOST], *more])}")
    for key, rows in labels.items():
        np.save(folder / f"{key}-labels.npy", rows)


def column(numbers: Any) -> np.ndarray:
    """Labels (n, f) in the smallest type that holds them, a column if there is one a picture."""
    labels = np.asarray(numbers)
    labels = labels[:, None] if labels.ndim == 1 else labels
    return labels.astype(np.uint8 if labels.max(initial=0) < 256 else np.uint16)
