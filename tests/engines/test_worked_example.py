"""The worked example of the documentation, to the letter: one Python file, one params entry, a row in the table."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

from support.project import ROOT, Project, copy

PAGE = (ROOT / "docs" / "adding-a-penalty.md").read_text(encoding="utf-8")
(DIFF,) = re.findall(r"```diff\n(.+?)```", PAGE, re.DOTALL)
TARGET = "results/smoke/table.csv"


def row(project: Project) -> dict[str, str]:
    with (project.folder / TARGET).open(newline="", encoding="utf-8") as file:
        (found,) = [row for row in csv.DictReader(file) if row["model"] == "wae-energy"]
    return found


def test_the_diff_touches_one_python_file_and_one_params_file() -> None:
    assert re.findall(r"^\+\+\+ b/(.+)$", DIFF, re.MULTILINE) == ["params/smoke/params.yaml", "wae/models/penalties.py"]


def test_the_diff_gives_a_row_in_the_table_of_both_engines(tmp_path: Path) -> None:
    project = copy(tmp_path)
    (tmp_path / "example.diff").write_text(DIFF, encoding="utf-8")
    project.run("git", "apply", "example.diff")
    assert "run `wae dvc`" in project.run("snakemake", "-n", TARGET, check=False).stderr
    project.run("wae", "dvc")
    project.run("snakemake", "--cores", "2", TARGET)
    made = row(project)
    assert made["dataset"] == "digits"
    assert float(made["fd_classifier_mean"]) > 0
    shutil.rmtree(tmp_path / "results" / "smoke")
    project.run("dvc", "repro", "params/smoke/dvc.yaml")
    assert row(project) == made
