"""`wae check`: what can be known of params is told by it, and torch is imported only for models it does not know."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.project import Project, copy

from wae.check import too_large

SMOKE = "params/smoke/params.yaml"
MODEL = "models.digits.wae-mmd"


@pytest.fixture
def alone(tmp_path: Path) -> Project:
    """A project whose one profile is smoke."""
    project = copy(tmp_path)
    for path in (project.folder / "params").glob("*/*"):
        if path.parent.name != "smoke":
            path.unlink()
    return project


def test_the_sizes_of_both_networks_are_told(alone: Project) -> None:
    told = alone.run("wae", "check", "smoke").stdout
    assert f"{SMOKE}: digits: wae-mmd: encoder 12,028, decoder 24,553\n" in told
    assert "wae-gan: encoder 12,028, decoder 24,553, latent_critic 793,089\n" in told
    assert told.endswith("every model can be trained\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("latent: 8", f"latent: {10**30}", "cannot be trained with these values: "),
        ("kernel: 4", f"kernel: {10**6}", "has weights of "),
    ],
)
def test_a_model_that_cannot_be_trained_is_a_sentence_with_its_line(
    old: str, new: str, words: str, alone: Project
) -> None:
    alone.edit(SMOKE, old, new)
    done = alone.run("wae", "check", "smoke", check=False)
    assert done.returncode == 2
    lines = (alone.folder / SMOKE).read_text(encoding="utf-8").splitlines()
    assert f"{SMOKE}:{1 + lines.index('    wae-mmd:')}: {MODEL} {words}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_profile_is_told_with_what_is_near(alone: Project) -> None:
    done = alone.run("wae", "check", "smoky", check=False)
    assert done.returncode == 2
    assert "did you mean 'smoke'?" in done.stderr


def test_torch_is_imported_for_models_that_are_not_known(alone: Project) -> None:
    script = (
        "import sys; from wae.cli import cli; cli(sys.argv[1:], standalone_mode=False); print('torch' in sys.modules)"
    )

    def imported(*arguments: str) -> bool:
        return json.loads(alone.run(sys.executable, "-c", script, "check", *arguments).stdout.splitlines()[-1].lower())

    assert not imported("smoke", "--values")
    assert imported("smoke")
    assert not imported("smoke")
    alone.edit(SMOKE, "lr: 0.001", "lr: 0.002")
    assert not imported("smoke"), "no shape depends on a learning rate"
    alone.edit(SMOKE, "latent: 8", "latent: 9")
    assert imported("smoke")


def test_what_was_found_by_other_code_is_not_believed(alone: Project) -> None:
    alone.run("wae", "check", "smoke")
    with (alone.folder / "wae/models/nets.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef normalised_alone(channels: int) -> list[nn.Module]:\n    raise UserError('no')\n")
    assert "encoder 12,028" in alone.run("wae", "check", "smoke").stdout
    alone.edit(
        "wae/models/nets.py",
        "def _conv_encoder(",
        "def _conv_encoder(*a, **k):\n    raise ValueError('what?')\n\n\ndef _other(",
    )
    assert (
        f"{MODEL} cannot be trained with these values: what?" in alone.run("wae", "check", "smoke", check=False).stderr
    )


def test_where_the_disk_is_read_only_the_check_still_answers(alone: Project) -> None:
    (alone.folder / ".wae").write_text("no folder", encoding="utf-8")
    assert "every model can be trained" in alone.run("wae", "check", "smoke").stdout


def test_weights_are_compared_with_the_memory_that_is_asked_for() -> None:
    """2^18 numbers of four bytes are 1 MiB."""
    assert too_large({"encoder": 2**18}, 1) == ""
    assert (
        too_large({"encoder": 2**19}, 1) == "has weights of 2 MiB (encoder 524,288), and compute.memory_mb asks for 1"
    )
