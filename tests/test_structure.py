"""What keeps the workflow light and the stages honest."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from project import ROOT

from wae.code import closure, fingerprint
from wae.dag import STAGES
from wae.schema import options, table


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import wae.dag", "import wae.cli", "import wae.render"])
def test_the_workflow_imports_no_torch_and_no_numpy(statement: str) -> None:
    assert not {"torch", "numpy", "pandas"} & modules_after(statement)


@pytest.mark.parametrize("stage", [name for name, stage in STAGES.items() if not stage.heavy])
def test_a_light_stage_imports_no_torch(stage: str) -> None:
    assert "torch" not in modules_after(f"import wae.stages.{stage}")


def test_closures_are_what_an_import_loads() -> None:
    """The files a stage depends on hold every module of ours that importing the stage really loads."""
    figure = {"figure": "clipping"}
    for name, stage in STAGES.items():
        modules = ", ".join([f"wae.stages.{name}", *(module.format(**figure) for module in stage.modules)])
        loaded = {module for module in modules_after(f"import {modules}") if module.split(".")[0] == "wae"}
        files = {str(Path(*module.split("."))) for module in loaded}
        named = {path.removesuffix(".py").removesuffix("/__init__") for path in stage.code(figure)}
        assert files <= named, name


def test_a_figure_depends_on_its_own_module_alone() -> None:
    radon, plans = (STAGES["transport"].code({"figure": name}) for name in ("radon", "plans"))
    assert set(radon) - set(plans) == {"wae/transport/radon.py", *closure("wae.divergences")} - set(plans)
    assert "wae/transport/plans.py" in plans
    assert "wae/objectives.py" not in plans


def test_a_stage_depends_on_what_its_functions_import_late() -> None:
    assert "wae/io.py" in closure("wae.stages.train")
    assert "wae/data/mnist.py" not in closure("wae.stages.train")
    assert "wae/train.py" not in closure("wae.stages.samples")


def test_maths_touches_no_file() -> None:
    for module in ("divergences", "game", "penalties", "priors", "costs", "posteriors", "nets", "optim", "models"):
        files = closure(f"wae.{module}")
        assert not [name for name in files if name.startswith(("wae/io", "wae/data/", "wae/stage", "wae/cli"))], module


def test_imports_run_one_way() -> None:
    """Files and folders directly under wae/ can be put in an order in which each imports only earlier ones."""
    imports: dict[str, set[str]] = {}
    for path in (ROOT / "wae").rglob("*.py"):
        name = path.relative_to(ROOT / "wae").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wae":
                at = [*str(node.module).split("."), ""][1]
                found = {at} if at else {alias.name for alias in node.names}
                imports.setdefault(name, set()).update(found - {name})
    assert len(list(TopologicalSorter(imports).static_order())) > 20


def test_a_fingerprint_depends_on_names_and_contents() -> None:
    files = closure("wae.stages.table")
    assert fingerprint(files) != fingerprint(files[1:])
    assert len(fingerprint(files)) == 64


def test_options_are_the_constructors_keyword_arguments() -> None:
    import inspect

    from wae import costs, nets, optim, penalties, posteriors, priors

    tables = {
        "penalties": penalties.PENALTIES, "nets": nets.NETWORKS, "costs": costs.COSTS, "priors": priors.PRIORS,
        "posteriors": posteriors.POSTERIORS, "optim": optim.OPTIMISERS,
    }  # fmt: skip
    for module, entries in tables.items():
        name = next(
            key for key in vars(sys.modules[f"wae.{module}"]) if vars(sys.modules[f"wae.{module}"])[key] is entries
        )
        assert set(table(module, name)) == set(entries)
        for key, model in options(module, name).items():
            parameters = inspect.signature(entries[key]).parameters.values()
            keyword = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
            assert set(model.model_fields) - {"kind"} == keyword


def test_no_file_and_no_function_needs_scrolling_twice() -> None:
    for path in (ROOT / "wae").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 260, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < 50, f"{path}: {node.name}"
