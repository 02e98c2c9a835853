"""Leaving a run and taking it up again: resumed equals straight, bit for bit, and no run destroys what another left."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from support.entries import DATASET, MODELS, entry, equal, images, run, trained

from wae.progress import Silent
from wae.training.checkpoint import Checkpoint
from wae.training.train import Trained, train

EVERY = pytest.mark.parametrize("name", MODELS)
CONSTANT = {"kind": "constant"}


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
        checkpoint = Checkpoint(tmp_path, {"run": "same"}, 0.0)
        checkpoint.save(first)
        second = run(name)
        second.generator.manual_seed(99)
        assert checkpoint.resume(second)[0].startswith("going on")
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


def left(folder: Path, after: int = 5, number: int = signal.SIGTERM, **changes: Any) -> Path:
    """The checkpoint of a run of wae-mmd (four rounds an epoch) that a signal stopped after some rounds."""
    before = set(folder.glob("*.pt"))
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        again(folder, report=Interrupted(number, after), **changes)
    (path,) = set(folder.glob("*.pt")) - before
    return path


def again(folder: Path | None, report: Silent | None = None, software: Any = None, **changes: Any) -> Trained:
    """A whole run of wae-mmd; its end is told, as by the stage that wrote its outputs."""
    data, seed = changes.pop("data", images()), changes.pop("seed", 1)
    done = train(
        DATASET, entry("wae-mmd", **changes), data, seed=seed, device="cpu",
        checkpoint=folder, software=software, report=report,
    )  # fmt: skip
    done.end()
    return done


def constant(**changes: Any) -> dict[str, Any]:
    """Options of a run whose learning rates do not depend on its length."""
    (player,) = entry("wae-mmd")["optimisers"].items()
    return {"optimisers": {player[0]: player[1] | {"schedule": CONSTANT}}, **changes}


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["int", "term"]
)
def test_a_signal_leaves_a_checkpoint_to_go_on_from_and_says_where_it_stopped(number, error, tmp_path):
    handler, stopped = signal.getsignal(number), Interrupted(number, after=5)
    with pytest.raises(error):
        again(tmp_path, report=stopped)
    (path,) = tmp_path.glob("*.pt")
    assert stopped.notes[-1] == f"stopped in epoch 2 of 2; the same command goes on from {path}"
    assert signal.getsignal(number) == handler
    report = Interrupted(number, after=-1)
    assert equal(again(tmp_path, report=report), trained("wae-mmd"))
    assert report.notes == ["autoencoder.effective_lambda is 200", f"going on from {path}, in epoch 2 of 2"]
    assert list(tmp_path.iterdir()) == []


OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "data": ({"data": images() ^ 1}, "images changed"),
    "weight": ({"weight": 11.0}, "model.weight was 10 and is 11.0"),
    "seed": ({"seed": 2}, "seed was 1 and is 2"),
    "code": ({"software": {"code": {"wae/a.py": "b" * 64}}}, "code.wae/a.py changed"),
    "length": ({"epochs": 1}, "this run ends earlier, after 1"),
}
SOFTWARE = {"code": {"wae/a.py": "a" * 64}}


@pytest.mark.parametrize("what", OTHER)
def test_another_run_says_why_it_does_not_go_on_from_a_checkpoint_and_leaves_it(what, tmp_path):
    path = left(tmp_path, software=SOFTWARE)
    content = path.read_bytes()
    report = Interrupted(0, after=-1)
    changes, words = OTHER[what]
    ignored = again(tmp_path, report=report, **{"software": SOFTWARE, **changes})
    assert report.notes[1].startswith(f"not going on from {path}, in epoch 2 of 2: {words}")
    assert equal(ignored, again(None, **changes))
    assert path.read_bytes() == content
    went = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=went, software=SOFTWARE), trained("wae-mmd"))
    assert went.notes[1] == f"going on from {path}, in epoch 2 of 2"


def test_two_runs_that_were_stopped_have_a_checkpoint_each(tmp_path):
    long, short = left(tmp_path, after=7), left(tmp_path, after=2, weight=11.0)
    assert long != short
    assert equal(again(tmp_path, weight=11.0), again(None, weight=11.0))
    assert list(tmp_path.glob("*.pt")) == [long]
    assert equal(again(tmp_path), trained("wae-mmd"))
    assert list(tmp_path.iterdir()) == []


def test_a_log_names_the_three_farthest_and_how_many_more(tmp_path):
    for weight, after in ((21.0, 1), (22.0, 2), (23.0, 3), (24.0, 5), (25.0, 6)):
        left(tmp_path, after=after, weight=weight)
    report = Interrupted(0, after=-1)
    again(tmp_path, report=report)
    assert [note.rpartition(": ")[2] for note in report.notes[1:4]] == [
        f"model.weight was {weight} and is 10" for weight in (25.0, 24.0, 23.0)
    ]
    assert report.notes[4] == "2 more: `wae checkpoints` lists them"


# ---- another number of epochs ------------------------------------------------


def test_a_weight_that_is_annealed_over_the_run_starts_anew(tmp_path):
    """Its epochs had other weights, though their learning rates are the same."""
    warm = {"annealing": {"kind": "warmup", "until": 0.5}}
    again(tmp_path, **constant(epochs=2, **warm))
    straight = again(None, **constant(epochs=4, **warm))
    assert equal(again(tmp_path, **constant(epochs=4, **warm)), straight)


@EVERY
@pytest.mark.parametrize("schedule", [CONSTANT, {"kind": "exponential", "final": 0.1}], ids=["constant", "exponential"])
def test_a_longer_run_goes_on_from_the_end_of_a_shorter_one_only_to_the_same_bytes(name, schedule, tmp_path):
    """Whatever in an entry depends on the length of the run, not learning rates alone, must stop a run here."""
    optimisers = {player: of | {"schedule": schedule} for player, of in entry(name)["optimisers"].items()}
    options = lambda epochs: entry(name, optimisers=optimisers, epochs=epochs)
    short = train(DATASET, options(2), images(), seed=1, device="cpu", checkpoint=tmp_path)
    short.end()
    kept = list(tmp_path.glob("*.pt"))
    assert len(kept) == (schedule == CONSTANT)
    report = Interrupted(0, after=-1)
    longer = train(DATASET, options(3), images(), seed=1, device="cpu", checkpoint=tmp_path, report=report)
    assert equal(longer, train(DATASET, options(3), images(), seed=1, device="cpu"))
    assert [note for note in report.notes if "going on" in note] == [
        f"going on from {path}, after 2 of 3 epochs" for path in kept
    ]


def test_the_end_that_is_kept_is_told_and_the_same_run_does_not_go_on_from_it(tmp_path):
    """A run that is forced again trains: otherwise it would show nothing."""
    report = Interrupted(0, after=-1)
    again(tmp_path, report=report, **constant())
    (path,) = tmp_path.glob("*.pt")
    assert report.notes[-1] == f"{path} keeps this end: with more epochs, the same command goes on from it"
    rounds: list[int] = []
    report = Interrupted(0, after=-1)
    report.step = lambda done, total: rounds.append(done)
    again(tmp_path, report=report, **constant())
    assert rounds == [0, 0, 0, *range(1, 9)], "with the steps of the pretraining"
    assert "starts anew" in report.notes[1]


def test_a_run_that_was_stopped_after_its_last_round_goes_on(tmp_path):
    path = left(tmp_path, after=8, **constant())
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report, **constant()), again(None, **constant()))
    assert report.notes[1] == f"going on from {path}, after 2 of 2 epochs"


def test_a_shorter_run_does_not_go_on_from_beyond_its_end(tmp_path):
    path = left(tmp_path, after=13, **constant(epochs=5))
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report, **constant(epochs=3)), again(None, **constant(epochs=3)))
    assert report.notes[1] == f"not going on from {path}, in epoch 4 of 5: this run ends earlier, after 3"
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report, **constant(epochs=4)), again(None, **constant(epochs=4)))
    assert report.notes[1] == f"going on from {path}, in epoch 4 of 4"
    assert path.exists()


def test_a_step_that_neither_run_has_come_to_does_not_matter(tmp_path):
    """Rates fall at half of the run: after 4 epochs of 8, after 5 of 10."""
    path = left(tmp_path, after=15, epochs=8)
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report, epochs=10), again(None, epochs=10))
    assert report.notes[1] == f"going on from {path}, in epoch 4 of 10"
    later = left(tmp_path / "later", after=17, epochs=8)
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path / "later", report=report, epochs=10), again(None, epochs=10))
    words = (
        "in epoch 5 of 8: its run had 8 epochs, this one has 10, "
        "and the learning rates or the weight of the epochs that it played"
    )
    assert report.notes[1].startswith(f"not going on from {later}, {words}")


# ---- files -------------------------------------------------------------------


def test_outputs_that_cannot_be_written_do_not_cost_the_training(tmp_path):
    """Only `end` removes the state of a run, and it is called when the outputs are written."""
    train(DATASET, entry("vae"), images(), seed=1, device="cpu", checkpoint=tmp_path, checkpoint_seconds=0.0)
    (path,) = tmp_path.glob("*.pt")
    report = Interrupted(0, after=-1)
    done = train(DATASET, entry("vae"), images(), seed=1, device="cpu", checkpoint=tmp_path, report=report)
    assert report.notes[1] == f"going on from {path}, after 2 of 2 epochs"
    assert equal(done, trained("vae"))


def test_a_checkpoint_that_cannot_be_read_is_passed_over_and_said_so(tmp_path):
    path = left(tmp_path)
    path.write_bytes(b"not a checkpoint")
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report), trained("wae-mmd"))
    assert report.notes[1] == f"not going on from {path}: it cannot be read (UnpicklingError)"


def test_a_checkpoint_of_an_earlier_form_is_passed_over_and_said_so(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"")
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report), trained("wae-mmd"))
    words = "at an unknown epoch: nothing says what run left it"
    assert report.notes[1] == f"not going on from {tmp_path / 'checkpoint.pt'}, {words}"
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_checkpoint_whose_description_was_not_written_is_its_own_run_s(tmp_path):
    """Killed between the two writes of its first save."""
    path = left(tmp_path)
    path.with_suffix(".json").unlink()
    report = Interrupted(0, after=-1)
    assert equal(again(tmp_path, report=report), trained("wae-mmd"))
    assert report.notes[1] == f"going on from {path}, in epoch 2 of 2"


def test_the_description_says_how_far_the_run_is(tmp_path):
    about = json.loads(left(tmp_path, after=6).with_suffix(".json").read_text(encoding="utf-8"))
    wanted = {"epoch": 1, "epochs": 2, "round": 2, "rounds": 4, "ended": False}
    assert {name: about[name] for name in wanted} == wanted
    assert about["basis"]["model"] == entry("wae-mmd")


def test_a_checkpoint_is_written_when_it_is_due(tmp_path):
    first = run("vae")
    early, due = Checkpoint(tmp_path / "a", {}, 3600.0), Checkpoint(tmp_path / "b", {}, 0.0)
    early.save_if_due(first)
    due.save_if_due(first)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_the_end_of_a_run_is_kept_until_its_outputs_are_written(tmp_path):
    """A full disk or a folder that may not be written must not cost the training."""
    first = train(DATASET, entry("wae-mmd"), images(), seed=1, device="cpu", checkpoint=tmp_path)
    report = Interrupted(0, after=-1)
    second = train(DATASET, entry("wae-mmd"), images(), seed=1, device="cpu", checkpoint=tmp_path, report=report)
    (path,) = tmp_path.glob("*.pt")
    assert report.notes[-1] == f"going on from {path}, after 2 of 2 epochs"
    assert equal(second, first)
    second.end()
    assert list(tmp_path.iterdir()) == []
