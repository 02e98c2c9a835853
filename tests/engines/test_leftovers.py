"""What renamed and removed models, seeds and profiles leave behind is listed, and deleted when asked."""

from __future__ import annotations

from pathlib import Path

from support.project import Project
from support.stubs import PARAMS, agreed, snakemake

OLD, NEW = "results/smoke/digits/wae-gan", "results/smoke/digits/wae-adv"


def files(project: Project) -> set[str]:
    roots = [project.folder / top for top in ("results", "data", "logs")]
    return {str(path.relative_to(project.folder)) for root in roots for path in root.rglob("*") if path.is_file()}


def test_a_renamed_model_leaves_files_that_are_listed_and_deleted(project: Project) -> None:
    assert project.run("wae", "prune").stdout == "nothing is left of jobs that are in params no more\n"
    before = files(project)
    for old, new in (("[wae-mmd, wae-gan]", "[wae-mmd, wae-adv]"), ("    wae-gan:", "    wae-adv:")):
        project.edit(PARAMS, old, new)
    project.run("wae", "dvc")
    snakemake(project)
    by_hand = project.folder / OLD / "notes.txt"
    by_hand.write_text("mine", encoding="utf-8")
    listed = project.run("wae", "prune").stdout.splitlines()
    assert [line.split(":")[0] for line in listed[:-1]] == [
        "wae codes digits wae-gan --profile smoke",
        "wae evaluate digits wae-gan 1 --profile smoke",
        "wae samples digits wae-gan --profile smoke",
        "wae train digits wae-gan 1 --profile smoke",
    ]
    left = {file for line in listed[:-1] for file in line.split(": ")[1].split(", ")}
    assert left == {file for file in before if "wae-gan" in file}
    assert f"{len(left)} files, " in listed[-1]
    assert by_hand.exists()
    there = files(project)
    assert project.run("wae", "prune", "--delete").stdout.endswith(": deleted\n")
    assert there - files(project) == left
    assert by_hand.read_text(encoding="utf-8") == "mine"
    assert not (project.folder / OLD / "1").exists()
    assert agreed(project) == set()
    assert project.run("wae", "verify", "smoke").returncode == 0


def test_results_of_a_profile_that_was_removed_are_leftovers(project: Project) -> None:
    (project.folder / "params/smoke").rename(project.folder / "params/smaller")
    listed = project.run("wae", "prune").stdout.splitlines()
    assert "wae table --profile smoke" in {line.split(":")[0] for line in listed}
    assert "data/digits" not in "".join(listed)  # the data are every profile's


def test_a_receipt_of_no_stage_deletes_nothing(project: Project) -> None:
    receipt = project.folder / "results/smoke/receipts/notes.json"
    receipt.write_text('{"command": "x", "outputs": {"params.yaml": ""}}', encoding="utf-8")
    project.run("wae", "prune", "--delete")
    assert Path(project.folder / "params.yaml").is_file()
    assert receipt.is_file()
