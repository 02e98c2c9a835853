"""`wae verify`: damage of every kind is found, told once and in words that say what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Project
from support.stubs import FILES, PARAMS, TARGET, snakemake

from wae.provenance.receipt import md5

WEIGHTS = "results/smoke/digits/wae-gan/1/model.safetensors"
OTHER = WEIGHTS.replace("wae-gan", "wae-mmd")
RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"
LOCK = "params/smoke/dvc.lock"


def silently(path: Path) -> None:
    """Change one byte of a file whose size and time stay what they were."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def found(project: Project, *options: str) -> list[str]:
    """What `wae verify` finds; its exit code says whether it found something."""
    done = project.run("wae", "verify", *options, check=False)
    lines = done.stdout.splitlines()
    assert (done.stderr, done.returncode) == ("", 0 if lines == ["every artifact is what its receipt says"] else 1)
    return lines if done.returncode else []


def stored(project: Project, path: str, cache: str = ".dvc/cache") -> Path:
    """Where DVC's cache has what is under a path now."""
    digest = md5(project.folder / path)
    return Path(cache, "files", "md5", digest[:2], digest[2:])


# ---- against receipts -------------------------------------------------------


def test_each_kind_of_damage(project: Project) -> None:
    assert found(project, "--deep") == []
    kept = (project.folder / WEIGHTS).read_bytes()
    silently(project.folder / WEIGHTS)
    first, *others = found(project, "--deep")
    assert first.startswith(f"{WEIGHTS}: is not what train-digits@wae-gan-1 wrote: md5 ")
    assert all(f"input {WEIGHTS} changed" in line for line in others)
    (project.folder / WEIGHTS).write_bytes(kept)
    assert found(project, "--deep") == []
    at = stored(project, WEIGHTS)
    silently(project.folder / at)
    (line,) = found(project, "--deep")
    assert line.startswith(f"{at}: is a damaged cache object")
    assert WEIGHTS in line


def outputs(receipt: dict[str, dict[str, str]]) -> None:
    """The edit that hides an output of another origin."""
    receipt["outputs"][WEIGHTS] = "0" * 32


def code(receipt: dict[str, dict[str, str]]) -> None:
    """The edit that hides a change of code."""
    receipt["code"]["wae/stages/train.py"] = "0" * 32


def setting(receipt: dict[str, dict[str, str]]) -> None:
    """The edit that hides how it was run."""
    receipt["setting"]["device"] = "cuda"


@pytest.mark.parametrize("edit", [outputs, code, setting, None])
def test_a_receipt_edited_or_deleted(
    project: Project, edit: Callable[[dict[str, dict[str, str]]], None] | None
) -> None:
    path = project.folder / RECEIPT
    if edit is None:
        path.unlink()
    else:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        edit(receipt)
        path.write_text(json.dumps(receipt), encoding="utf-8")
    words = f"nothing says what made it: its receipt, {RECEIPT}, is not there or not as it was written"
    lines = found(project)
    assert f"{WEIGHTS}: {words}" in lines
    gone = f"{RECEIPT}: is not here, but DVC recorded it: `dvc checkout` brings it back"
    assert (gone in lines) == (edit is None)
    assert len(lines) == (3 if edit is None else 2)


def test_an_output_from_other_parameters(project: Project) -> None:
    shutil.copy(project.folder / OTHER, project.folder / WEIGHTS)
    assert any(line.startswith(f"{WEIGHTS}: is not what train-digits@wae-gan-1 wrote") for line in found(project))
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    sentence = "parameter models.digits.wae-gan.optimisers.latent_critic.lr was 0.0005 and is 0.0006"
    assert f"{RECEIPT}: tells of another state: {sentence}" in found(project)


def test_a_partial_run_after_an_edit_is_consistent(project: Project) -> None:
    """Learning rate to metrics.csv was made anew; the table and its pictures still tell of the older model."""
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    snakemake(project, "results/smoke/metrics.csv")
    receipts = project.folder / "results/smoke/receipts"
    train, evaluate, collect, table = (
        json.loads((receipts / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("train/digits/wae-gan/1", "evaluate/digits/wae-gan/1", "collect", "table")
    )
    assert train["params"]["models.digits.wae-gan"]["optimisers"]["latent_critic"]["lr"] == 0.0006
    metrics = WEIGHTS.replace("model.safetensors", "metrics.json")
    for before, path, after in ((train, WEIGHTS, evaluate), (evaluate, metrics, collect)):
        assert before["outputs"][path] == after["inputs"][path] == md5(project.folder / path)
    assert collect["outputs"]["results/smoke/metrics.csv"] != table["inputs"]["results/smoke/metrics.csv"]
    lines = found(project, "--deep")
    about = {line.split(": ")[0].removeprefix("results/smoke/receipts/") for line in lines}
    assert about == {
        f"{name}.json" for name in ("samples/digits/wae-gan", "codes/digits/wae-gan", "compare/digits", "table")
    }
    assert all(": tells of another state: input " in line for line in lines)
    snakemake(project)
    assert found(project, "--deep") == []


# ---- against what DVC recorded ----------------------------------------------


def test_data_that_no_profile_asks_for(project: Project) -> None:
    project.run("wae", "prepare", "faces")
    assert found(project, "--deep") == []
    silently(project.folder / "data/faces/train.npy")
    (line,) = found(project, "--deep")
    assert line.startswith("data/faces/train.npy: is not what prepare-faces wrote: md5 ")
    assert found(project, "smoke", "--deep") == []


def test_what_a_model_left_that_is_in_params_no_more(project: Project) -> None:
    project.edit(PARAMS, "[wae-mmd, wae-gan]", "[wae-gan]")
    project.run("wae", "dvc")
    snakemake(project)
    assert found(project, "--deep") == []
    digest = md5(project.folder / OTHER)
    silently(project.folder / OTHER)
    (line,) = found(project, "--deep")
    assert line.startswith(f"{OTHER}: is not what DVC recorded of a job that is in params no more: md5 ")
    (project.folder / OTHER).unlink()
    assert found(project, "--deep") == []
    silently(project.folder / ".dvc/cache/files/md5" / digest[:2] / digest[2:])
    (line,) = found(project, "--deep")
    assert f"is a damaged cache object: DVC would restore it as {OTHER}" in line


def test_a_cache_that_was_moved(project: Project, tmp_path: Path) -> None:
    shutil.move(project.folder / ".dvc/cache", tmp_path / "moved")
    project.run("dvc", "cache", "dir", "--local", str(tmp_path / "moved"))
    assert found(project, "--deep") == []
    at = Path(os.path.relpath(tmp_path / "moved", project.folder))
    silently(project.folder / stored(project, WEIGHTS, str(at)))
    (line,) = found(project, "--deep")
    assert line.startswith(f"{stored(project, WEIGHTS, str(at))}: is a damaged cache object")


def test_what_dvc_could_not_restore_or_would(project: Project) -> None:
    at = project.folder / stored(project, WEIGHTS)
    at.rename(at.with_name("aside"))
    words = "is here, but not in DVC's cache: DVC could not restore it; `dvc commit` stores it"
    assert found(project, "--deep") == [f"{WEIGHTS}: {words}"]
    assert found(project) == []
    project.run("dvc", "commit", FILES[0])
    assert found(project, "--deep") == []
    (project.folder / WEIGHTS).unlink()
    (project.folder / RECEIPT).unlink()
    (project.folder / WEIGHTS).with_name("history.csv").unlink()
    back = "is not here, but DVC recorded it: `dvc checkout` brings it back"
    said = [line for line in found(project) if "tells of another state" not in line]
    assert sorted(said) == sorted(
        f"{path}: {back}" for path in (WEIGHTS, WEIGHTS.replace("model.safetensors", "history.csv"), RECEIPT)
    )
    at.unlink()
    assert any(
        line.startswith(f"{WEIGHTS}: is nowhere here, but DVC recorded it: `dvc pull`") for line in found(project)
    )
    project.run("dvc", "checkout", "--quiet", FILES[0], check=False)
    assert (project.folder / RECEIPT).is_file()


def test_a_lock_file_that_says_what_is_false_or_is_not_whole(project: Project) -> None:
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    project.run("dvc", "commit", "--force", "--quiet", f"{FILES[0]}:train-digits@wae-gan-1")
    project.edit(PARAMS, "lr: 0.0006", "lr: 0.0005")
    assert found(project) == [f"{LOCK}: says of train-digits@wae-gan-1 what the receipt recorded there does not"]
    (project.folder / LOCK).write_text("stages: [", encoding="utf-8")
    assert found(project) == [f"{LOCK}: was not written to its end: what it recorded is not known"]


def test_many_that_lack_the_same_are_one_line(project: Project) -> None:
    shutil.rmtree(project.folder / ".dvc/cache")
    assert found(project) == []
    lines = found(project, "--deep")
    assert [line.split(":")[0] for line in lines] == [*sorted({line.split(": ")[0] for line in lines})]
    assert len(lines) <= 8
    assert any(line.startswith(f"{LOCK}: ") and "are here, but not in DVC's cache" in line for line in lines)
    shutil.rmtree(project.folder / "results/smoke")
    shutil.rmtree(project.folder / "data/digits")
    lines = found(project)
    assert len([line for line in lines if line.startswith(f"{LOCK}: ")]) == 1
    assert all("nowhere here, but DVC recorded" in line and "`dvc pull`" in line for line in lines)


def test_what_its_licence_keeps_here_is_not_said_to_be_in_a_remote(project: Project) -> None:
    path = "data/raw/celeba/img_align_celeba.zip"
    project.run("snakemake", "--cores", "2", path)
    assert found(project, "--deep") == []
    (project.folder / stored(project, path)).unlink()
    (project.folder / path).unlink()
    words = "is nowhere here, but DVC recorded it; no remote may have it (`push: false`): make it again"
    assert f"{path}: {words}" in found(project)


# ---- what stops it ----------------------------------------------------------


@pytest.mark.parametrize("content", ["[]", "3", '{"data/digits/train.npy": 3}', '{"data/digits/train.npy": [1, 2]}'])
def test_what_was_kept_of_files_may_have_any_shape(project: Project, content: str) -> None:
    path = project.folder / WEIGHTS
    stamp = [path.stat().st_size, path.stat().st_mtime_ns, path.stat().st_ino]
    (project.folder / ".wae/hashes.json").write_text(content, encoding="utf-8")
    assert found(project) == []
    (project.folder / ".wae/hashes.json").write_text(json.dumps({WEIGHTS: stamp}), encoding="utf-8")
    assert found(project) == []


SNAKEMAKE = "Using workflow specific profile profiles/default for setting default command line arguments.\n"


def test_a_file_that_is_no_python_is_one_sentence_everywhere(project: Project) -> None:
    (project.folder / "wae/stages/collect.py").write_text("a = 1\ndef run(:\n", encoding="utf-8")
    (project.folder / "wae/stages/prepare.py").write_text("", encoding="utf-8")
    sentence = "wae/stages/collect.py:2: this is no Python: invalid syntax\n"
    for command in (("wae", "why", TARGET), ("wae", "verify"), ("wae", "check"), ("snakemake", "-n", TARGET)):
        done = project.run(*command, check=False)
        assert (done.returncode, done.stderr.removeprefix(SNAKEMAKE)) == (2, sentence)
    (project.folder / "wae/stages/prepare.py").write_text("def run(:\n", encoding="utf-8")
    done = project.run("snakemake", "-n", "data/digits/train.npy", check=False)
    assert done.stderr.removeprefix(SNAKEMAKE) == "wae/stages/prepare.py:1: this is no Python: invalid syntax\n"
