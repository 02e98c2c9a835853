"""What a person asks an engine for and cannot have is told in a sentence, before any job."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import Project
from support.stubs import TARGET

PROFILE = "Using workflow specific profile profiles/default for setting default command line arguments.\n"
RUN = "results/smoke/digits/wae-mmd"
# a target that no job makes -> what was probably meant
UNKNOWN = {
    f"{RUN}/7/model.safetensors": f"{RUN}/1/model.safetensors",
    "results/smoke/digits/wae-mdm/1/model.safetensors": f"{RUN}/1/model.safetensors",
    "results/smoke/digits/wae-mdm/samples.png": f"{RUN}/samples.png",
    "results/smoke/clipping.png": "results/smoke/digits/curves.png",
}


def told(project: Project, *command: str) -> str:
    done = project.run(*command, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.removeprefix(PROFILE)


@pytest.mark.parametrize("target", UNKNOWN)
def test_snakemake_says_of_an_unknown_target_what_wae_why_says(target: str, made: Project) -> None:
    sentence = f"{target}: no job makes it; did you mean {UNKNOWN[target]!r}?\n"
    assert told(made, "snakemake", "-n", target) == sentence
    assert told(made, "wae", "why", target) == sentence


def test_a_path_may_be_absolute_and_lead_through_a_link(made: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made.folder)
    said = made.run("wae", "why", TARGET).stdout
    for folder in (made.folder, tmp_path / "link"):
        assert made.run("wae", "why", str(folder / TARGET)).stdout == said
        trace = made.run("wae", "trace", str(folder / TARGET)).stdout
        assert trace == made.run("wae", "trace", TARGET).stdout


@pytest.mark.parametrize("option", [("--config", "seeds=[5]"), ("--configfile", "params/smoke/params.yaml")])
def test_other_parameters_on_the_command_line_are_refused(option: tuple[str, str], made: Project) -> None:
    assert "a result's path names its parameters" in told(made, "snakemake", "-n", TARGET, *option)
