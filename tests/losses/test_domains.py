"""How far groups lie apart, by a critic; and a gradient turned round."""

import pytest
import torch

from stereokit.losses.domains import apartness, domain_penalty, outputs_of
from stereokit.losses.reversal import gradient_reversed


def test_of_two_domains_it_is_the_difference_of_their_mean_verdicts():
    verdicts = torch.tensor([[1.0], [3.0], [10.0]])
    assert float(apartness(verdicts, torch.tensor([0, 0, 1]))) == pytest.approx(2.0 - 10.0)


def test_of_three_each_is_held_against_all_others():
    verdicts = torch.tensor([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
    assert float(apartness(verdicts, torch.tensor([0, 1, 2]))) == pytest.approx(3.0)


def test_a_domain_without_items_has_no_say():
    verdicts = torch.tensor([[1.0, 5.0, 7.0], [0.0, 9.0, 7.0]])
    found = apartness(verdicts, torch.tensor([0, 1]))
    assert float(found) == pytest.approx(((1.0 - 0.0) + (9.0 - 5.0)) / 2.0)


@pytest.mark.parametrize("domains", [2, 3, 5])
def test_a_critic_of_slope_2_is_fined_1(domains):
    weights = torch.zeros(4, outputs_of(domains))
    weights[0] = 2.0
    items, labels = torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), torch.arange(9) % domains
    fine = domain_penalty(lambda shown: shown @ weights, items, labels, torch.full((9,), 0.3))
    assert float(fine) == pytest.approx(1.0, abs=1e-5)


def test_the_reversed_gradient_leaves_values_to_the_bit():
    values = torch.randn(100, generator=torch.Generator().manual_seed(0)).requires_grad_()
    turned = gradient_reversed(values)
    assert torch.equal(turned, values)
    (turned * torch.arange(100.0)).sum().backward()
    assert torch.equal(values.grad, -torch.arange(100.0))
