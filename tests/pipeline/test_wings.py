"""The order of the wings: who may import whom. `docs/architecture.md` draws it."""

from __future__ import annotations

import shutil
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from support.project import ROOT
from wings import PICTURE, draw, imports

GROUND = {"errors", "io", "runtime", "progress"}
WINGS: dict[str, set[str]] = {
    # wing          may import, besides itself and the ground
    "config":      set(),
    "pipeline":    {"config"},
    "provenance":  {"config", "pipeline", "training"},
    "divergences": {"config"},
    "models":      {"config", "divergences"},
    "training":    {"config", "models"},
    "data":        set(),
    "metrics":     {"config", "divergences", "data"},
    "table":       set(),
    "figures":     {"table"},
    "transport":   {"divergences", "models"},
    "stages":      {"data", "models", "training", "metrics", "table", "figures", "transport", "pipeline"},
    "score":       {"data", "metrics", "table"},
    "check":       {"config", "pipeline", "models"},
    "cli":         {"config", "pipeline", "provenance", "score", "stages", "check"},
}  # fmt: skip


def against_the_order(root: Path) -> list[str]:
    """Each import that the table does not allow, in words."""
    wing = lambda module: module.split(".")[0]
    return [
        f"wae.{module} imports wae.{other}"
        for module, found in sorted(imports(root).items())
        for other in sorted(found)
        if wing(other) != wing(module)
        and wing(other) not in GROUND | {"wae"}
        and wing(other) not in WINGS.get(wing(module), set())
    ]


def test_no_import_runs_against_the_order() -> None:
    assert not against_the_order(ROOT / "wae")


def test_the_order_has_a_top_and_a_ground_and_names_every_folder() -> None:
    assert list(TopologicalSorter(WINGS).static_order())
    folders = {path.parent.name for path in (ROOT / "wae").glob("*/__init__.py")}
    alone = {path.stem for path in (ROOT / "wae").glob("*.py")} - {"__init__"}
    assert folders | alone == WINGS.keys() | GROUND
    assert len(alone) + 1 <= 8, "what stands directly in wae/ can be counted on two hands"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert len(list(TopologicalSorter(imports(ROOT / "wae")).static_order())) > 100


def altered(module: str, line: str, to: Path) -> Path:
    """A copy of the package with one more import, inside a function at the end of a module."""
    shutil.copytree(ROOT / "wae", to / "wae", ignore=shutil.ignore_patterns("__pycache__"))
    with (to / "wae" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef late() -> None:\n    {line}\n")
    return to / "wae"


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("models/nets.py", "from wae.training.optim import schedule", "wae.models.nets imports wae.training.optim"),
        ("models/nets.py", "from ..training import optim", "wae.models.nets imports wae.training.optim"),
        ("config/yaml.py", "import wae.pipeline.dag", "wae.config.yaml imports wae.pipeline.dag"),
        ("io.py", "from wae import table", "wae.io imports wae.table"),
    ],
)
def test_an_import_against_the_order_is_found(module: str, line: str, said: str, tmp_path: Path) -> None:
    assert against_the_order(altered(module, line, tmp_path)) == [said]


@pytest.mark.parametrize("line", ["from wae.models import build", "from wae.models.compose import build"])
def test_a_circle_is_found_also_through_a_package(line: str, tmp_path: Path) -> None:
    with pytest.raises(CycleError):
        list(TopologicalSorter(imports(altered("models/nets.py", line, tmp_path))).static_order())


def test_the_picture_is_what_the_imports_draw(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--fix"):
        PICTURE.write_text(draw(), encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == draw(), "run `python docs/wings.py`"
