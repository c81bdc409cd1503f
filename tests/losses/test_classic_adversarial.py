"""The losses of the first adversarial networks."""

import math

import pytest
import torch

from stereokit.losses.classic_adversarial import non_saturating, odds_critic, saturating


def test_a_critic_that_cannot_tell_pays_two_log_2_and_one_that_can_pays_little():
    nothing = torch.zeros(4)
    assert float(odds_critic(nothing, nothing)) == pytest.approx(2.0 * math.log(2.0))
    assert float(odds_critic(nothing + 20.0, nothing - 20.0)) < 1e-6


def test_both_generators_want_higher_verdicts():
    verdicts = torch.tensor([-1.0, 0.5])
    for loss in (saturating, non_saturating):
        assert float(loss(verdicts + 1.0)) < float(loss(verdicts))


def test_against_a_sure_critic_only_the_non_saturating_generator_has_a_slope():
    slopes = []
    for loss in (saturating, non_saturating):
        verdict = torch.tensor([-20.0], requires_grad=True)
        loss(verdict).backward()
        slopes.append(float(verdict.grad))
    assert slopes[0] == pytest.approx(0.0, abs=1e-8)
    assert slopes[1] == pytest.approx(-1.0, abs=1e-8)
