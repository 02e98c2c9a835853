"""Every model that params can name is built and played once without data, and what fails in training fails there."""

from __future__ import annotations

import pytest
import torch
from support.entries import DATASET, MODELS, entry, images

from wae.errors import UserError
from wae.models.compose import build
from wae.models.trial import sizes
from wae.training.run import Run


def test_nothing_is_allocated() -> None:
    """Networks of 4 * 10^12 bytes; only their shapes are made."""
    wide = entry("vae", network={"kind": "mlp", "latent": 10**6, "layers": 1, "units": 10**6, "output": "tanh"})
    assert sizes(DATASET, wide)["decoder"] > 10**12


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch", [1, 2])
def test_the_trial_fails_where_the_first_round_does(name: str, batch: int) -> None:
    """One image a batch is too few for some penalties and for batch norm of one pixel."""
    options = entry(name, batch=batch) | ({"pretraining": None} if "penalty" in entry(name) else {})
    try:
        Run(DATASET, options, images(), seed=1, device="cpu").advance()
    except (ValueError, RuntimeError):
        with pytest.raises(UserError):
            sizes(DATASET, options)
    else:
        sizes(DATASET, options)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": {"kind": "mlp", "latent": 10**30, "layers": 1, "units": 4, "output": "tanh"}}, "Overflow"),
        ({"prior": {"kind": "ring", "inner": 2.0, "outer": 1.0}, "penalty": {"kind": "none"}}, "inner is the smaller"),
    ],
)  # fmt: skip
def test_whatever_is_raised_is_a_sentence(changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        sizes(DATASET, entry("vae", **changes))
    assert "\n" not in str(caught.value)


def test_the_trial_draws_nothing() -> None:
    """A check before a build must not change its weights."""
    before = torch.random.get_rng_state()
    sizes(DATASET, entry("wae-gan"))
    assert torch.equal(torch.random.get_rng_state(), before)
    first = build(DATASET, entry("wae-gan"), torch.Generator().manual_seed(1)).state_dict()
    sizes(DATASET, entry("wae-gan"))
    second = build(DATASET, entry("wae-gan"), torch.Generator().manual_seed(1)).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
