"""Leaving a run and taking it up again: resumed equals straight, bit for bit."""

from __future__ import annotations

import signal

import pytest
from support.entries import DATASET, MODELS, entry, equal, images, run, trained

from wae.progress import Silent
from wae.training.checkpoint import Checkpoint
from wae.training.train import Trained, train

EVERY = pytest.mark.parametrize("name", MODELS)


@EVERY
def test_a_run_taken_up_again_after_any_step_equals_the_straight_one(name, tmp_path):
    straight = trained(name)
    whole = run(name)
    moves = 0
    while not whole.done:
        whole.advance()
        moves += 1
    assert moves == whole.total + (entry(name).get("pretraining") or {"steps": 0})["steps"] > 1
    for left_after in range(moves + 1):
        first = run(name)
        for _ in range(left_after):
            first.advance()
        checkpoint = Checkpoint(tmp_path / "run.pt", "same", 0.0)
        checkpoint.save(first)
        second = run(name)
        second.generator.manual_seed(99)
        assert checkpoint.resume(second).startswith("going on")
        while not second.done:
            second.advance()
        assert equal(straight, Trained(second.weights(), second.history)), f"left after {left_after} moves"


class Interrupted(Silent):
    """Sends this process a signal after a number of rounds."""

    def __init__(self, number: int, after: int) -> None:
        self.number, self.after, self.notes = number, after, []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, done: int, total: int) -> None:
        if done == self.after:
            signal.raise_signal(self.number)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["int", "term"]
)
def test_a_signal_leaves_a_checkpoint_to_go_on_from(number, error, tmp_path):
    path = tmp_path / "run.pt"
    handler = signal.getsignal(number)
    with pytest.raises(error):
        trained("wae-gan", checkpoint=path, report=Interrupted(number, after=5))
    assert path.exists()
    assert signal.getsignal(number) == handler
    report = Interrupted(number, after=-1)
    assert equal(trained("wae-gan", checkpoint=path, report=report), trained("wae-gan"))
    assert report.notes == ["autoencoder.effective_lambda is 200", f"going on from {path}"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["data", "weight", "seed", "code"])
def test_a_checkpoint_of_another_run_is_ignored_and_said_so(what, tmp_path):
    path = tmp_path / "run.pt"
    with pytest.raises(SystemExit):
        trained("wae-mmd", checkpoint=path, software="a", report=Interrupted(signal.SIGTERM, after=5))
    report = Interrupted(0, after=-1)
    software = "b" if what == "code" else "a"
    changed = images()
    changed[0, 0, 0, 0] ^= 1
    options = entry("wae-mmd", **({"weight": 11.0} if what == "weight" else {}))
    data, seed = (changed if what == "data" else images()), (2 if what == "seed" else 1)
    ignored = train(DATASET, options, data, seed=seed, device="cpu", checkpoint=path, software=software, report=report)
    assert "ignoring" in report.notes[1]
    assert equal(ignored, train(DATASET, options, data, seed=seed, device="cpu"))


def test_a_checkpoint_that_cannot_be_read_is_ignored_and_said_so(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(b"not a checkpoint")
    report = Interrupted(0, after=-1)
    assert equal(trained("vae", checkpoint=path, report=report), trained("vae"))
    assert "cannot be read" in report.notes[1]


def test_a_checkpoint_is_written_when_it_is_due(tmp_path):
    first = run("vae")
    early, due = Checkpoint(tmp_path / "a", "f", 3600.0), Checkpoint(tmp_path / "b", "f", 0.0)
    early.save_if_due(first)
    due.save_if_due(first)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
