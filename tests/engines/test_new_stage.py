"""A stage is added in two places, its line in the table and its module, and runs under both engines."""

from __future__ import annotations

from support.project import Project

LINE = """        Stage(
            "count",
            "how many numbers there are",
            deps=files.collected,
            outs=templates(Out("{results}/count.txt")),
        ),
"""
MODULE = '''"""Count the numbers of every run."""

from __future__ import annotations

from wae.io import read_json, write_text
from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write how many there are."""
    write_text(job.output("count.txt"), f"{sum(len(read_json(path)) for path in job.input_paths)}\\n")
'''
COUNT = "results/smoke/count.txt"


def test_a_new_stage_runs_under_both_engines(project: Project) -> None:
    project.edit("wae/pipeline/dag.py", "        *FIGURE_STAGES,\n", f"        *FIGURE_STAGES,\n{LINE}")
    (project.folder / "wae/stages/count.py").write_text(MODULE, encoding="utf-8")
    project.run("wae", "dvc")
    assert "How many numbers there are." in project.run("wae", "--help").stdout
    project.run("snakemake", "--cores", "2", COUNT)
    counted = (project.folder / COUNT).read_text(encoding="utf-8")
    assert int(counted) > 0
    assert "count" not in {address.split(":")[-1] for address in project.changed("params/smoke/dvc.yaml:count")}
    (project.folder / COUNT).unlink()
    project.run("dvc", "repro", "params/smoke/dvc.yaml:count")
    assert (project.folder / COUNT).read_text(encoding="utf-8") == counted
    assert "up to date" in project.run("wae", "why", COUNT).stdout
    assert not project.planned(COUNT)
