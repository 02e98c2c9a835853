"""The rules of the game: who moves, whose batch, how often."""

from __future__ import annotations

import torch
from torch import nn
from torch.testing import assert_close

from wae.models.game import Batch, Player, draws, play


def batch(value: float = 1.0) -> Batch:
    return Batch(torch.full((2, 1), value, dtype=torch.float64), torch.Generator())


def parameter(value: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor(value, dtype=torch.float64))


def descent(*players: Player) -> dict[str, torch.optim.Optimizer]:
    return {player.name: torch.optim.SGD(player.params, lr=1.0) for player in players}


def test_a_batch_computes_once():
    calls = []

    def make(of: Batch) -> torch.Tensor:
        calls.append(of)
        return of.x + 1

    one, other = batch(), batch()
    assert one.once(make) is one.once(make)
    assert other.once(make) is not one.once(make)
    assert calls == [one, other]


def test_a_player_lowers_the_sum_of_its_terms_over_its_own_tensors_only():
    mine, theirs = parameter(3.0), parameter(5.0)
    player = Player("a", (mine,), lambda b: {"square": mine**2 / 2, "product": mine * theirs})
    (terms,) = play((player,), descent(player), [batch()])
    assert_close(mine.item(), 3.0 - (3.0 + 5.0))
    assert theirs.item() == 5.0
    assert theirs.grad is None
    assert terms == {
        "square": torch.tensor(4.5, dtype=torch.float64),
        "product": torch.tensor(15.0, dtype=torch.float64),
    }
    assert not any(value.requires_grad for value in terms.values())


def test_players_move_in_order_each_seeing_what_the_one_before_did():
    x, y = parameter(1.0), parameter(1.0)
    first = Player("first", (x,), lambda b: {"loss": x * y})
    second = Player("second", (y,), lambda b: {"loss": x * y})
    play((first, first, second), descent(first, second), [batch()])
    # x: 1 -> 0 -> -1, then y: 1 -> 1 - (-1)
    assert (x.item(), y.item()) == (-1.0, 2.0)


def test_gradients_do_not_pile_up_over_turns():
    x = parameter(0.0)
    player = Player("a", (x,), lambda b: {"loss": x})
    play((player,) * 3, descent(player), [batch()])
    assert x.item() == -3.0


def test_fresh_players_draw_their_own_batch_and_the_others_share_the_last():
    seen = []
    x = parameter(0.0)

    def loss(of: Batch) -> dict[str, torch.Tensor]:
        seen.append(of.x[0, 0].item())
        return {"loss": x}

    critic, generator = Player("critic", (x,), loss, fresh=True), Player("generator", (x,), loss)
    turns = (critic, critic, generator, generator)
    assert draws(turns) == 3
    play(turns, descent(critic, generator), [batch(1.0), batch(2.0), batch(3.0)])
    assert seen == [1.0, 2.0, 3.0, 3.0]
    assert draws((critic,) * 5) == 5
    assert draws((generator,)) == 1


def test_what_comes_after_a_turn_comes_after_its_step():
    x = parameter(5.0)

    def clip() -> None:
        with torch.no_grad():
            x.clamp_(-1, 1)

    player = Player("critic", (x,), lambda b: {"loss": -x}, after=clip)
    play((player,), descent(player), [batch()])
    assert x.item() == 1.0
