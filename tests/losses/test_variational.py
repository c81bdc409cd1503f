"""What latents cost."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from stereokit.losses.variational import divergence, drawn, freed


def test_the_standard_normal_distribution_costs_nothing():
    assert not divergence(torch.zeros(3, 2), torch.zeros(3, 2)).any()


def test_a_mean_of_two_costs_two_nats_and_a_variance_of_e_half_of_e_less_two():
    nats = divergence(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 1.0]))
    assert nats.tolist() == pytest.approx([2.0, (math.e - 2.0) / 2.0])


def test_it_is_the_divergence_that_torch_computes():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 50, generator=generator, dtype=torch.float64)
    wanted = kl_divergence(Normal(mean, (log_variance / 2.0).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(divergence(mean, log_variance), wanted.double())


def test_each_number_has_its_nats_free_in_the_mean_of_the_batch():
    nats = torch.tensor([[0.0, 1.0], [0.2, 5.0]])
    assert freed(nats, 0.0).item() == pytest.approx(0.1 + 3.0)
    assert freed(nats, 0.5).item() == pytest.approx(0.5 + 3.0)


def test_what_is_free_pulls_nothing():
    nats = torch.tensor([[0.1, 2.0]], requires_grad=True)
    freed(nats, 0.5).backward()
    assert nats.grad.tolist() == [[0.0, 1.0]]


def test_drawn_vectors_have_mean_and_deviation():
    normal = torch.tensor([[-1.0, 0.0, 2.0]])
    found = drawn(torch.full((1, 3), 5.0), torch.full((1, 3), math.log(9.0)), normal)
    assert found[0].tolist() == pytest.approx([2.0, 5.0, 11.0])
