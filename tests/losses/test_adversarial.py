"""Losses and penalties of critics."""

import math

import pytest
import torch

from stereokit.losses.adversarial import gradient_penalty, least_squares, real_slope, relativistic, wasserstein_critic


def test_a_wasserstein_critic_wants_real_items_above_made_ones():
    assert float(wasserstein_critic(torch.tensor([3.0, 1.0]), torch.tensor([0.0, 1.0]))) == -1.5


def test_the_relativistic_loss_of_equal_verdicts_is_log_2():
    verdicts = torch.tensor([0.3, -2.0])
    assert float(relativistic(verdicts, verdicts)) == pytest.approx(math.log(2.0))
    assert relativistic(verdicts + 5.0, verdicts) < relativistic(verdicts, verdicts)


def test_the_penalty_is_0_for_a_slope_of_1_everywhere():
    real, made = torch.randn(4, 5), torch.randn(4, 5)
    direction = torch.ones(5) / math.sqrt(5.0)
    penalty = gradient_penalty(lambda items: items @ direction, real, made, torch.rand(4)).detach()
    assert float(penalty) == pytest.approx(0.0, abs=1e-6)
    doubled = gradient_penalty(lambda items: 3.0 * (items @ direction), real, made, torch.rand(4)).detach()
    assert float(doubled) == pytest.approx(4.0, rel=1e-4)


def test_the_penalty_is_taken_between_real_and_made():
    seen = []

    def critic(items):
        seen.append(items.detach())
        return items.sum(1)

    gradient_penalty(critic, torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([0.25, 1.0]))
    torch.testing.assert_close(seen[0], torch.tensor([[0.25] * 3, [1.0] * 3]))


def test_the_slope_at_real_items_is_the_squared_gradient():
    real = torch.tensor([[1.0, 2.0]])
    assert float(real_slope(lambda items: items.square().sum(1), real).detach()) == pytest.approx(4 + 16, rel=1e-4)


def test_penalties_teach_the_critic():
    critic = torch.nn.Linear(5, 1)
    for penalty in (
        gradient_penalty(critic, torch.randn(4, 5), torch.randn(4, 5), torch.rand(4)),
        real_slope(critic, torch.randn(4, 5)),
    ):
        critic.zero_grad()
        penalty.backward()
        assert critic.weight.grad.abs().max() > 0


def test_least_squares_wants_verdicts_at_a_number():
    verdicts = torch.tensor([[1.0, 0.0], [3.0, 1.0]])
    assert least_squares(verdicts, 1.0).item() == (0.0 + 1.0 + 4.0 + 0.0) / 4
    assert least_squares(torch.ones(3), 1.0) == 0.0
