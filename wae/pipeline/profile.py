"""A profile: one checked params file, and the paths that follow from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wae.config.check import Mistakes, load
from wae.errors import one_of

DATA_PARAMS = "data/params.yaml"
DATA_DVC = "data/dvc.yaml"


@dataclass(frozen=True)
class Profile:
    """A params file, read and checked. The full reproduction is the profile without a name."""

    name: str
    params: Mapping[str, Any]
    data: Mapping[str, Any]

    @staticmethod
    def file(name: str) -> str:
        """The path of a profile's params file."""
        return f"params/{name}/params.yaml" if name else "params.yaml"

    @staticmethod
    def names() -> list[str]:
        """All profiles: the full reproduction, then those under params/."""
        return ["", *sorted(path.parent.name for path in Path("params").glob("*/params.yaml"))]

    @classmethod
    def read(cls, name: str) -> Profile:
        """Read and check a profile. Raises Mistakes, with every mistake."""
        params, data = load(Path(cls.file(name)), Path(DATA_PARAMS))
        return cls(name, params, data)

    @property
    def results(self) -> str:
        """The folder of its outputs."""
        return f"results/{self.name}" if self.name else "results"

    @property
    def dvc(self) -> str:
        """The path of its rendered dvc.yaml."""
        return self.file(self.name).replace("params.yaml", "dvc.yaml")

    @property
    def option(self) -> str:
        """Its option `--profile` on a command line; empty for the full reproduction."""
        return f" --profile {self.name}" if self.name else ""

    def scope(self, **axes: Any) -> dict[str, Any]:
        """The fields that every template may use: `results`, `option` and the axes."""
        return {"results": self.results, "option": self.option, **axes}

    def sources(self) -> list[str]:
        """The sources that its data sets and features need."""
        used = [self.data["datasets"][dataset].get("source") for dataset in self.params["grid"]]
        inception = any("inception" in self.params["evaluation"][d]["features"] for d in self.params["grid"])
        return list(dict.fromkeys([s for s in used if s] + ["inception"] * inception))

    def figures(self) -> dict[str, Any]:
        """The settings of each figure of optimal transport that it draws."""
        return {name: of for name, of in (self.params.get("figures") or {}).items() if of is not None}

    def may_leave(self, scope: Mapping[str, Any]) -> bool:
        """Whether the licence of a scope's data allows real images on a remote."""
        entry = self.data["datasets"][scope["dataset"]] if "dataset" in scope else {}
        source = scope.get("source") or entry.get("source")
        # The licence of a user's own pictures is not known: do not push them.
        return bool(self.data["sources"][source]["redistribute"]) if source else not entry.get("path")

    def lookup(self, key: str) -> Any:
        """The value of a dotted parameter key, from data/params.yaml or from the profile."""
        value: Any = self.data if in_data(key) else self.params
        for part in key.split("."):
            value = value[part]
        return value


def named(name: str) -> Profile:
    """The profile `name`, read and checked. An unknown name raises Mistakes."""
    if name not in Profile.names():
        raise Mistakes([f"--profile {one_of(name, filter(None, Profile.names()))}"])
    return Profile.read(name)


def in_data(key: str) -> bool:
    """Whether a parameter key stands in data/params.yaml."""
    return key.split(".")[0] in ("sources", "datasets")
