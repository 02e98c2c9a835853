"""What keeps the workflow light and the stages honest."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import ROOT

from wae.config.constructors import options, table
from wae.pipeline.code import closure
from wae.pipeline.dag import STAGES


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import wae.pipeline.dag", "import wae.cli", "import wae.pipeline.render"])
def test_the_workflow_imports_no_torch_and_no_numpy(statement: str) -> None:
    assert not {"torch", "numpy", "pandas"} & modules_after(statement)


@pytest.mark.parametrize("stage", [name for name, stage in STAGES.items() if not stage.resources.torch])
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
    assert "wae/models/objectives.py" not in plans


def test_a_stage_depends_on_what_its_functions_import_late() -> None:
    assert "wae/io.py" in closure("wae.stages.train")
    assert "wae/data/mnist.py" not in closure("wae.stages.train")
    assert "wae/training/train.py" not in closure("wae.stages.samples")


def test_maths_touches_no_file() -> None:
    modules = ["divergences", "training.optim", "metrics.images"]
    modules += [f"models.{path.stem}" for path in (ROOT / "wae/models").glob("*.py") if path.stem != "__init__"]
    assert len(modules) > 12
    files = ("wae/io", "wae/data/", "wae/pipeline/", "wae/provenance/", "wae/stages/", "wae/cli")
    for module in modules:
        assert not [name for name in closure(f"wae.{module}") if name.startswith(files)], module


def test_a_closure_of_no_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"wae\.game is no module"):
        closure("wae.game")


def test_options_are_the_constructors_keyword_arguments() -> None:
    import inspect

    from wae.models import costs, nets, objectives, penalties, posteriors, priors
    from wae.training import optim

    tables = {
        "models.penalties": penalties.PENALTIES, "models.nets": nets.NETWORKS, "models.costs": costs.COSTS,
        "models.priors": priors.PRIORS, "models.posteriors": posteriors.POSTERIORS,
        "models.objectives": objectives.OBJECTIVES, "training.optim": optim.OPTIMISERS,
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
