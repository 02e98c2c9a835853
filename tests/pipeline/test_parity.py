"""dvc.yaml and the Snakemake rules describe one graph: the same nodes, edges and commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import ROOT, Project, copy, short

from wae.config.check import load_data
from wae.pipeline.dag import STAGES, jobs
from wae.pipeline.profile import DATA_PARAMS, Profile
from wae.pipeline.render import dvc_data, rendered

PROFILES = {
    "demo": "results/demo/table.csv",
    "": "results/table.csv",
    "cpu": "results/cpu/table.csv",
    "transport": "results/transport/table.csv",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return copy(tmp_path_factory.mktemp("parity"))


@pytest.mark.parametrize("name", PROFILES)
def test_both_engines_have_the_same_nodes_edges_and_commands(name: str, project: Project) -> None:
    planned = {job.name: job for job in project.planned(PROFILES[name], "--forceall") if job.name != "all"}
    wanted = Profile.read(name)
    files = (wanted.dvc, "data/dvc.yaml")
    stages = {
        short(address): stage
        for address, stage in project.stages().items()
        if (address.split(":")[0] if ":" in address else "dvc.yaml") in files
    }
    # data/dvc.yaml serves all profiles; a profile's graph holds only the data that it reads.
    data = {address for address in stages if address.startswith(("download-", "prepare-"))}
    stages = {address: stage for address, stage in stages.items() if address in planned or address not in data}
    assert set(planned) == set(stages)
    params = {wanted.file(name), DATA_PARAMS}
    for address, job in planned.items():
        assert job.command == stages[address]["command"]
        assert job.outputs == stages[address]["outputs"]
        assert job.inputs - params == stages[address]["inputs"] - params, address
    assert {job.address for job in jobs(wanted)} == set(planned)


def test_every_rendered_file_is_what_the_table_renders() -> None:
    for name in Profile.names():
        for path, content in rendered(Profile.read(name)).items():
            assert path.read_text(encoding="utf-8") == content, f"{path}: run `wae dvc`"
    assert Path("data/dvc.yaml").read_text(encoding="utf-8") == dvc_data(load_data(Path(DATA_PARAMS)))


def test_every_stage_has_a_module_and_a_rule(project: Project) -> None:
    rules = project.run("snakemake", "--list", "--quiet").stdout.split()
    for name in STAGES:
        assert (ROOT / "wae" / "stages" / f"{name}.py").is_file()
        assert name in rules or any(rule.startswith(f"{name}_") for rule in rules)


def test_a_grid_edited_without_rendering_stops_snakemake_and_wae(tmp_path: Path) -> None:
    project = copy(tmp_path)
    project.edit("params/smoke/params.yaml", "seeds: [1]", "seeds: [1, 2]")
    for command in (("snakemake", "--cores", "1", "results/smoke/table.csv"), ("wae", "collect", "--profile", "smoke")):
        done = project.run(*command, check=False)
        assert done.returncode == 2, command
        assert "params/smoke/dvc.yaml does not fit params/smoke/params.yaml" in done.stderr, command
    assert not list((project.folder / ".snakemake" / "locks").glob("*"))
    project.run("wae", "dvc")
    assert {"train-digits@wae-mmd-2"} < {job.name for job in project.planned("results/smoke/table.csv")}
