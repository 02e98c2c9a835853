"""What stands beside the code: the Slurm profile, the workflows, the citation, the changelog. Each says what is so."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML
from snakemake_executor_plugin_slurm.utils import set_gres_string
from support.project import ROOT, Project, copy

SLURM = "profiles/slurm/config.yaml"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def yaml(file: str) -> Any:
    return YAML(typ="safe").load(read(file))


# ---- Slurm ----


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return copy(tmp_path_factory.mktemp("repository"))


def test_snakemake_takes_the_slurm_profile_and_asks_for_a_gpu_where_params_do(project: Project) -> None:
    plan = project.run("snakemake", "-n", "--profile", "profiles/slurm", "results/paper/table.csv").stdout
    asked = dict(re.findall(r"^rule (\w+):\n(?:    .+\n)*?    resources: (.+)$", plan, re.MULTILINE))
    assert {rule for rule, resources in asked.items() if "gpu=1" in resources} == {
        "train", "evaluate", "classifier", "floor", "corruption",
    }  # fmt: skip
    assert set_gres_string(SimpleNamespace(resources={"gpu": 1})) == " --gpus=1"
    cpu = project.run("snakemake", "-n", "--profile", "profiles/slurm", "results/smoke/table.csv").stdout
    assert "gpu=1" not in cpu


def test_the_slurm_profile_s_comments_are_options_too(project: Project) -> None:
    """With every commented-out option put in force, Snakemake still takes it; with a key that it has not, it stops."""
    plain = read(SLURM)
    full = re.sub(r"^# (?=(- slurm_|set-resources|  \w+: \{|slurm-))", "", plain, flags=re.MULTILINE).replace(
        "...", "main"
    )
    full = full.replace("- slurm_", "  - slurm_")
    file = project.folder / SLURM
    for text, code in ((full, 0), (full + "no-such-option: 1\n", 1)):
        file.write_text(text)
        done = project.run("snakemake", "-n", "--profile", "profiles/slurm", "results/paper/table.csv", check=False)
        assert bool(done.returncode) == bool(code), done.stderr
    file.write_text(full)
    assert len(YAML(typ="safe").load(full)) == len(YAML(typ="safe").load(plain)) + 4
    plan = project.run("snakemake", "-n", "--profile", "profiles/slurm", "results/paper/table.csv").stdout
    assert "slurm_partition=main" in plan
    file.write_text(plain)


def test_both_profiles_compare_inputs_by_content_and_take_up_what_was_killed() -> None:
    default, slurm = yaml("profiles/default/config.yaml"), yaml(SLURM)
    for key in ("max-checksum-file-size", "rerun-triggers", "ignore-incomplete", "keep-going", "show-failed-logs"):
        assert default[key] == slurm[key], key


# ---- what pages and workflows name exists ----


def test_workflows_run_the_tests_and_the_smoke_run_by_both_engines() -> None:
    jobs = yaml(".github/workflows/ci.yml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    commands = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    assert "bash .ci/run" in commands["test"]
    assert "make test" in read(".ci/run")
    for command in ("snakemake --cores 2 results/smoke/table.csv", "dvc repro params/smoke/dvc.yaml", "diff -r"):
        assert command in commands["smoke"]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    files = [*PAGES, ".github/workflows/ci.yml", ".github/workflows/nightly.yml", ".ci/run"]
    named = {name for file in files for name in re.findall(r"(?:`|\$ |run: |exec )make ([a-z-]+)", read(file))}
    assert {"setup", "test", "test-long", "demo"} <= named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    written = re.findall(r"`((?:wae|tests|workflow|params|profiles|bench|docs)/[\w./-]+\.\w+)`", read(page))
    links = [(Path(page).parent / link).as_posix() for link in re.findall(r"\]\((?!http)([^)#]+)\)", read(page))]
    missing = [name for name in [*written, *links] if not (ROOT / name).exists()]
    assert missing == []


SCRIPTS = [path.relative_to(ROOT).as_posix() for folder in ("bench", "docs") for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_name_that_a_script_imports_from_the_package_is_there(script: str) -> None:
    missing = []
    for node in ast.walk(ast.parse(read(script))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ("wae", "support"):
            module = import_module(str(node.module))
            names = [name.name for name in node.names if not hasattr(module, name.name)]
            missing += [f"{node.module}.{name}" for name in names if find_spec(f"{node.module}.{name}") is None]
    assert missing == []


def test_gpu_sh_s_variables_are_those_that_its_page_explains() -> None:
    script, page = read("bench/gpu.sh") + read("bench/gpu.py"), read("docs/gpu.md")
    used = set(re.findall(r"\b((?:BENCH|WAE|WHEELS)_[A-Z]+|OUT|WITHOUT|PYTHON)\b", script)) - {"WAE_SCRATCH"}
    assert {name for name in used if f"`{name}`" not in page} == set()


# ---- citation, changelog, version ----


def test_the_citation_is_complete_and_names_this_version() -> None:
    citation, project = yaml("CITATION.cff"), tomllib.loads(read("pyproject.toml"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"] == [{"name": "The wae contributors"}]
    assert {"message", "title"} <= set(citation)
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year", "url"} <= set(reference), reference["title"]
    assert f"Version {project['version']}, not yet released" in read("CHANGELOG.md")


def test_pre_commit_runs_what_make_lint_runs() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.+\n)+)", read("Makefile"), re.MULTILINE)
    assert lint is not None
    hooks = [hook["entry"] for hook in yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]]
    for entry in hooks:
        tool, *rest = shlex.split(entry.removeprefix(".venv/bin/"))
        assert " ".join([tool, *(word for word in rest[:1] if not word.startswith("-"))]) in lint.group(1)
