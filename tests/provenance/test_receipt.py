"""A receipt against the present: every kind of change is told, also one that happened while the job ran."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.alone import CODE, INPUT, PARAMS, grown, replaced, run, training
from support.alone import folder as folder

from wae.errors import UserError
from wae.provenance import receipt
from wae.provenance.accept import accept
from wae.provenance.receipt import Hashes, differences, read, unchanged, write
from wae.provenance.state import State
from wae.stages import train

OTHER = Path("wae/models/game.py")
WEIGHTS = Path("results/smoke/digits/wae-gan/1/model.safetensors")


CHANGES: dict[str, tuple[Callable[[], None], str, str]] = {
    "parameter": (
        lambda: replaced(PARAMS, "lr: 0.0005", "lr: 0.0006"),
        "models.digits.wae-gan.optimisers.latent_critic.lr",
        "parameter models.digits.wae-gan.optimisers.latent_critic.lr was 0.0005 and is 0.0006",
    ),
    "input": (lambda: grown(INPUT, "x"), str(INPUT), f"input {INPUT} changed"),
    "code": (lambda: grown(CODE, "NUMBER = 1\n"), str(CODE), f"code {CODE} changed"),
    "comment": (
        lambda: grown(CODE, "# A comment.\n"),
        str(CODE),
        f"code {CODE} changed, in comments or layout only: `wae accept` takes it",
    ),
    "lock": (lambda: grown(Path("uv.lock"), "\n"), "uv.lock", "uv.lock changed"),
}
BESIDE: dict[str, Callable[[], None]] = {
    **{kind: change for kind, (change, *_) in CHANGES.items() if kind not in ("comment", "code")},
    "code": lambda: grown(OTHER, "NUMBER = 1\n"),
    "output": lambda: grown(WEIGHTS, "x"),
}
BROKEN = (lambda: grown(CODE, "def run(:\n"), str(CODE), f"code {CODE} changed")


def told() -> list[tuple[str, str, str]]:
    return [(found.kind, found.name, found.words) for found in differences(training(), Hashes())]


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_after_a_run_is_told_and_nothing_else(folder: Path, kind: str) -> None:
    change, name, words = CHANGES[kind]
    run(training())
    assert told() == []
    change()
    assert told() == [(kind, name, words)]


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_while_it_runs_is_no_part_of_what_it_was_made_from(folder: Path, kind: str) -> None:
    """The receipt tells of what was there when the job began, and DVC is not let to record what is there at its end."""
    change, name, words = CHANGES[kind]
    run(training(), meanwhile=change)
    assert told() == [(kind, name, words)]
    with pytest.raises(UserError, match="while it ran; DVC must not record that"):
        unchanged(training())


def test_code_that_is_no_python_any_more_is_a_change(folder: Path) -> None:
    change, name, words = BROKEN
    run(training(), meanwhile=change)
    assert told() == [("code", name, words)]


def test_an_input_or_an_output_that_is_gone_is_told(folder: Path) -> None:
    run(training())
    INPUT.unlink()
    WEIGHTS.unlink()
    assert told() == [
        ("input", str(INPUT), f"input {INPUT} is missing"),
        ("output", str(WEIGHTS), f"output {WEIGHTS} is missing"),
    ]


@pytest.mark.parametrize(("kind", "part"), [("input", "inputs"), ("code", "code")])
def test_a_file_that_is_no_longer_used_is_told(folder: Path, kind: str, part: str) -> None:
    run(training(), **{part: {"gone": "0" * 32}})
    assert told() == [(kind, "gone", f"{kind} gone is no longer used")]


@pytest.mark.parametrize("kind", BESIDE)
def test_a_comment_beside_another_change_is_not_accepted(folder: Path, kind: str) -> None:
    run(training())
    written = Path(training().receipt).read_bytes()
    CHANGES["comment"][0]()
    BESIDE[kind]()
    assert [found[0] for found in sorted(told())] == sorted(("comment", kind))
    assert accept(State([training()], Hashes())) == []
    assert Path(training().receipt).read_bytes() == written


def test_comments_alone_are_accepted(folder: Path) -> None:
    run(training())
    CHANGES["comment"][0]()
    assert accept(State([training()], Hashes())) == [training().address]
    assert told() == []


def test_whatever_is_edited_in_a_receipt_breaks_its_seal(folder: Path) -> None:
    job = training()
    run(job)
    whole = read(job.receipt)
    assert whole is not None
    assert set(whole) == {*receipt.PARTS, "key", "code", "outputs", "seal"}
    for name in whole:
        for edited in ({**whole, name: "another"}, {key: value for key, value in whole.items() if key != name}):
            Path(job.receipt).write_text(json.dumps(edited), encoding="utf-8")
            assert read(job.receipt) is None, name
    Path(job.receipt).write_text(json.dumps({**whole, "more": 1}), encoding="utf-8")
    assert read(job.receipt) is None
    Path(job.receipt).write_text(json.dumps(whole, sort_keys=True), encoding="utf-8")
    assert read(job.receipt) == whole
    write(job.receipt, whole | {"code": {}})
    assert (read(job.receipt) or {})["code"] == {}


@pytest.mark.parametrize("content", ["", "[]", "3", "null", '"seal"', '{"seal": 1}', "{}"])
def test_what_was_never_a_receipt_is_none(folder: Path, content: str) -> None:
    Path("receipt.json").write_text(content, encoding="utf-8")
    assert read("receipt.json") is None


@pytest.mark.parametrize("path", [CODE, Path("uv.lock")])
def test_a_checkpoint_is_of_one_state_of_code_and_environment(
    folder: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stage tells training, by which a checkpoint knows its own. A comment in the code is no change."""
    told: list[object] = []

    def recorded(*arguments: object, software: object, **options: object) -> None:
        told.append(software)
        raise UserError("enough")

    monkeypatch.setattr(train, "train", recorded)
    monkeypatch.setattr(train.runtime, "start", lambda *purpose: "cpu")
    monkeypatch.setattr(train, "read_array", lambda path: None)
    for more in ("", "NUMBER = 1\n", "", "# A comment.\n"):
        grown(path, more)
        receipt.syntax.cache_clear()
        with pytest.raises(UserError, match="enough"):
            train.run(training())
    assert told[0] != told[1] == told[2]
    assert (told[2] == told[3]) == (path == CODE)


def test_a_file_that_vanishes_while_it_is_read_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other engine removes outputs before it makes them again."""

    def vanished(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(receipt, "md5", vanished)
    assert Hashes()(str(INPUT)) is None


def test_an_output_that_another_engine_removed_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match=r"model\.safetensors is gone: another process removed it while this one ran"):
        run(training(), meanwhile=WEIGHTS.unlink)
    assert not Path(training().receipt).exists()
