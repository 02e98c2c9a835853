"""Costs, priors, posteriors and penalties against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.testing import assert_close

from wae.models.costs import bernoulli, gaussian, l1, l2, l2sq
from wae.models.game import Batch, Posterior
from wae.models.penalties import Adversarial, Kl, Mmd, cross_entropy
from wae.models.pixels import OUTPUTS
from wae.models.posteriors import Deterministic
from wae.models.posteriors import Gaussian as GaussianPosterior
from wae.models.priors import Gaussian

SIGMOID, TANH = OUTPUTS["sigmoid"], OUTPUTS["tanh"]
DOUBLE = torch.float64
GENERATOR = torch.Generator()


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


# ---- costs ----


def test_costs_of_white_drawn_as_black():
    x, black = torch.ones(2, 1, 28, 28, dtype=DOUBLE), torch.full((2, 1, 28, 28), -1e3, dtype=DOUBLE)
    expected = {l2sq(factor=0.05): 0.05 * 784, l2(factor=0.2): 0.2 * 28, l1(factor=0.02): 0.02 * 784}
    for cost, value in expected.items():
        assert_close(cost(SIGMOID, black, x), torch.full((2,), value, dtype=DOUBLE))
        # In a tanh network's range the difference is 2.
        double = 4 if value == 39.2 else 2
        assert_close(cost(TANH, black, x), torch.full((2,), double * value, dtype=DOUBLE))


def test_l2_has_a_finite_gradient_where_image_and_reconstruction_agree():
    raw = torch.zeros(1, 1, 2, 2, dtype=DOUBLE, requires_grad=True)
    l2(factor=1.0)(SIGMOID, raw, torch.full((1, 1, 2, 2), 0.5, dtype=DOUBLE)).sum().backward()
    assert_close(raw.grad, torch.zeros_like(raw))


def test_bernoulli_is_minus_the_log_likelihood():
    raw, x = draw(3, 1, 4, 4), draw(3, 1, 4, 4, seed=1).gt(0).double()
    for output in (SIGMOID, TANH):
        expected = -Bernoulli(output.pixels(raw)).log_prob(x).sum((1, 2, 3))
        assert_close(bernoulli()(output, raw, x), expected)


def test_bernoulli_is_finite_for_logits_of_200():
    raw = torch.tensor([200.0, -200.0], requires_grad=True)
    loss = bernoulli()(SIGMOID, raw[:, None], torch.tensor([[0.0], [1.0]]))
    loss.sum().backward()
    assert_close(loss, torch.tensor([200.0, 200.0]))
    assert_close(raw.grad, torch.tensor([1.0, -1.0]))


def test_gaussian_is_minus_the_log_likelihood_and_its_variance_of_ten_is_the_factor_of_the_authors():
    raw, x = draw(3, 1, 4, 4), draw(3, 1, 4, 4, seed=1).sigmoid()
    expected = -Normal(raw.tanh(), 0.3**0.5).log_prob(2 * x - 1).sum((1, 2, 3))
    assert_close(gaussian(variance=0.3)(TANH, raw, x), expected)
    difference = gaussian(variance=10.0)(TANH, raw, x) - l2sq(factor=0.05)(TANH, raw, x)
    assert_close(difference, torch.full((3,), 8 * math.log(20 * math.pi), dtype=DOUBLE))


# ---- posteriors ----


def test_posteriors_sample_what_they_say():
    raw = torch.tensor([[1.0, -2.0, math.log(4.0), math.log(0.25)]]).expand(200_000, 4)
    generator = torch.Generator().manual_seed(0)
    posterior = GaussianPosterior()(raw, generator)
    assert_close(posterior.sample.mean(0), torch.tensor([1.0, -2.0]), rtol=0, atol=0.02)
    assert_close(posterior.sample.var(0), torch.tensor([4.0, 0.25]), rtol=0.01, atol=0)
    assert torch.equal(posterior.mean, GaussianPosterior().mean(raw))
    point = Deterministic()(raw, generator)
    assert point.sample is point.mean is raw


# ---- KL ----


@pytest.mark.parametrize("variance", [1.0, 2.5])
def test_kl_is_the_closed_form(variance):
    mean, log_variance = draw(5, 3), draw(5, 3, seed=1)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, variance**0.5)).sum(1).mean()
    penalty = Kl(Gaussian(3, variance=variance))
    assert_close(penalty(Posterior(mean, mean, log_variance), mean, GENERATOR), expected)


def test_kl_of_the_prior_itself_is_zero():
    zero = torch.zeros(2, 3, dtype=DOUBLE)
    log_variance = torch.full((2, 3), math.log(2.5), dtype=DOUBLE)
    assert_close(Kl(Gaussian(3, variance=2.5))(Posterior(zero, zero, log_variance), zero, GENERATOR), zero.sum())


def test_kl_refuses_what_has_no_closed_form():
    with pytest.raises(ValueError, match="needs a gaussian prior"):
        Kl(nn.Identity())
    with pytest.raises(ValueError, match="needs a gaussian posterior"):
        Kl(Gaussian(3, variance=1.0))(Posterior(draw(2, 3), draw(2, 3)), draw(2, 3), GENERATOR)


# ---- MMD ----


def test_mmd_is_algorithm_2_and_measures_in_units_of_the_prior():
    i, j = torch.arange(5, dtype=DOUBLE)[:, None], torch.arange(3, dtype=DOUBLE)
    x, y = (1 + i + 2 * j).sin(), (i / 2 - j).cos()
    scales = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert_close(Mmd(Gaussian(3, variance=1.0), scales=scales)(Posterior(x, x), y, GENERATOR).item(), 0.8695669466)
    for kernel in ("imq", "rbf"):
        unit = Mmd(Gaussian(3, variance=1.0), kernel=kernel, scales=scales)(Posterior(x, x), y, GENERATOR)
        wide = Mmd(Gaussian(3, variance=9.0), kernel=kernel, scales=scales)(Posterior(3 * x, 3 * x), 3 * y, GENERATOR)
        assert_close(unit, wide)


def test_mmd_sees_the_sample_not_the_mean():
    x, y = draw(6, 3), draw(6, 3, seed=1)
    penalty = Mmd(Gaussian(3, variance=1.0), scales=(1.0,))
    assert_close(penalty(Posterior(x, 0 * x), y, GENERATOR), penalty(Posterior(x, x), y, GENERATOR))


# ---- adversarial ----


def blind(rounds: int = 1) -> Adversarial:
    penalty = Adversarial(Gaussian(3, variance=1.0), layers=2, units=4, rounds=rounds).double()
    for parameter in penalty.parameters():
        nn.init.zeros_(parameter)
    return penalty


def test_at_the_optimum_the_critic_loses_2_log_2_and_the_encoder_log_2():
    penalty, codes = blind(), draw(10, 3)
    (critic,) = penalty.turns(10.0, lambda batch: Posterior(codes, codes), lambda batch: draw(10, 3, seed=1))
    loss = critic.loss(Batch(codes, torch.Generator()))
    assert_close(sum(loss.values()), torch.tensor(20 * math.log(2), dtype=DOUBLE))
    assert_close(penalty(Posterior(codes, codes), codes, GENERATOR), torch.tensor(math.log(2), dtype=DOUBLE))


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("logit", [200.0, -200.0])
def test_cross_entropy_is_finite_for_logits_of_200(label, logit):
    logits = torch.tensor([[logit]], requires_grad=True)
    loss = cross_entropy(logits, label)
    loss.backward()
    right = (logit > 0) == (label > 0)
    assert_close(loss, torch.tensor(0.0 if right else 200.0))
    assert_close(logits.grad, torch.tensor([[0.0 if right else (1.0 - 2 * label)]]))


def test_the_critic_returns_one_logit_a_code():
    # The authors' p-trick adds (n,) to (n, 1): an (n, n) loss that trains, badly.
    assert blind().critic(draw(7, 3)).shape == (7, 1)


def test_the_critic_takes_its_turns_and_does_not_reach_the_encoder():
    penalty, codes = blind(rounds=3), draw(4, 3).requires_grad_()
    nn.init.ones_(penalty.critic[-1].weight)
    turns = penalty.turns(1.0, lambda batch: Posterior(codes, codes), lambda batch: draw(4, 3))
    assert [player.name for player in turns] == ["latent_critic"] * 3
    assert set(Adversarial.players) == {player.name for player in turns}
    sum(turns[0].loss(Batch(codes, torch.Generator())).values()).backward()
    assert codes.grad is None


def test_the_encoder_is_pushed_towards_what_the_critic_takes_for_the_prior():
    penalty = Adversarial(Gaussian(2, variance=1.0), layers=0, units=1, rounds=1).double()
    with torch.no_grad():
        penalty.critic[-1].weight.copy_(torch.tensor([[1.0, -1.0]]))
    codes = draw(4, 2).requires_grad_()
    penalty(Posterior(codes, codes), codes.detach(), GENERATOR).backward()
    assert (codes.grad[:, 0] < 0).all()
    assert (codes.grad[:, 1] > 0).all()
