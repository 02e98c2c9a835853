"""The command `wae check`: everything that can be known of params files before a job runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from wae import runtime
from wae.config.check import Mistakes, aliased
from wae.config.jsonschema import SCHEMA, schema
from wae.config.yaml import Document
from wae.errors import UserError
from wae.io import ROOT, read_json, write_json
from wae.pipeline.code import closure
from wae.pipeline.profile import DATA_PARAMS, Profile, named
from wae.pipeline.render import stale

UNSHAPED = ("epochs", "optimisers", "precision", "compile")  # options that no shape depends on


@click.command()
@click.argument("profiles", nargs=-1)
@click.option("--values", is_flag=True, help="values and dvc.yaml alone: no model is built, torch is not imported")
def check(profiles: tuple[str, ...], *, values: bool) -> None:
    """Check every params file, or PROFILES, that every dvc.yaml fits, and that every model of a grid can be trained.

    A model is built without data, and its first round is played with shapes alone. The sizes of its networks are told.
    """
    names = list(profiles) or Profile.names()
    mistakes = [] if SCHEMA.read_text(encoding="utf-8") == schema() else [f"{SCHEMA}: run `wae schema`"]
    read: list[Profile] = []
    for name in names:
        try:
            read.append(named(name))
            mistakes += [*stale(read[-1]), *aliased(Path(Profile.file(name)))]
        except Mistakes as error:
            mistakes += error.sentences
    lines, amiss = ([], []) if values else trained(read)
    for line in lines:
        click.echo(line)
    if mistakes + amiss:
        raise Mistakes(dict.fromkeys(mistakes + amiss))
    which = f"{len(names)} profiles" if len(names) != 1 else names[0]
    also = "" if values else ", every model can be trained"
    click.echo(f"{which} and {DATA_PARAMS} are right, every dvc.yaml fits{also}")


def trained(profiles: Iterable[Profile]) -> tuple[list[str], list[str]]:
    """A line for the models of a data set whose networks have the same sizes, and a sentence for each that fails."""
    known = Known()
    groups: dict[tuple[str, str, str], list[str]] = {}
    amiss = []
    for of in profiles:
        file = of.file(of.name)
        for dataset, models in of.params["grid"].items():
            for model in models:
                found = known(of.data["datasets"][dataset]["shape"], of.params["models"][dataset][model])
                if said := found if isinstance(found, str) else too_large(found, of.params["compute"]["memory_mb"]):
                    keys = ("models", dataset, model)
                    amiss.append(f"{file}:{Document(Path(file)).line(keys)}: {'.'.join(keys)} {said}")
                elif isinstance(found, dict):
                    told = ", ".join(f"{name} {size:,}" for name, size in found.items())
                    groups.setdefault((file, dataset, told), []).append(model)
    known.save()
    return [f"{file}: {dataset}: {', '.join(of)}: {told}" for (file, dataset, told), of in groups.items()], amiss


def too_large(sizes: Mapping[str, int], memory_mb: int) -> str:
    """A sentence, if the weights alone take more memory than a job asks for; else an empty text."""
    needed = sum(sizes.values()) * 4 // 2**20
    told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    asked = f"compute.memory_mb asks for {memory_mb:,}"
    return f"has weights of {needed:,} MiB ({told}), and {asked}" if needed > memory_mb else ""


class Known:
    """What `wae.models.trial` found of each model, kept in .wae/ for the present code and release of torch."""

    store = Path(".wae/tried.json")

    def __init__(self) -> None:
        digest = hashlib.sha256(version("torch").encode())
        for path in closure("wae.models.trial"):
            digest.update((ROOT / path).read_bytes())
        self._code, self._found = digest.hexdigest(), {}
        with suppress(OSError, ValueError):
            match read_json(self.store):
                case {"code": code, "found": dict(found)} if code == self._code:
                    self._found = found

    def __call__(self, shape: list[int], entry: Mapping[str, Any]) -> dict[str, int] | str:
        """The sizes of a model's networks, or a sentence. Torch is imported for a model that is not known yet."""
        parts = {name: value for name, value in entry.items() if name not in UNSHAPED}
        key = hashlib.sha256(json.dumps([shape, parts], sort_keys=True).encode()).hexdigest()
        if key not in self._found:
            runtime.limit_threads(1)
            from wae.models.trial import sizes

            try:
                self._found[key] = sizes({"shape": shape}, parts)
            except UserError as error:
                self._found[key] = str(error)
        found: dict[str, int] | str = self._found[key]
        return found

    def save(self) -> None:
        """Keep what was found, where the disk lets it."""
        with suppress(OSError):
            write_json(self.store, {"code": self._code, "found": self._found})
