"""Latents to normal numbers, and back."""

import math

import pytest
import torch

from stereokit.nets.latent_flow import LatentFlow


def flow(latent=4, labels=0, *, is_bent=True, is_moved=True):
    torch.manual_seed(0)
    made = LatentFlow(latent, labels, is_bent=is_bent).double()
    if is_moved:
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return made


def numbers(count=5, latent=4):
    return torch.randn(count, latent, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def known(count=5, labels=0):
    return torch.nn.functional.one_hot(torch.arange(count) % max(labels, 1), max(labels, 1)).double()[:, :labels]


@pytest.mark.parametrize("is_bent", [True, False])
def test_it_changes_nothing_before_it_has_learned(is_bent):
    untouched = flow(is_bent=is_bent, is_moved=False)
    assert torch.equal(untouched(numbers(), known()), numbers())
    assert torch.equal(untouched.inverse(numbers(), known()), numbers())


@pytest.mark.parametrize("is_bent", [True, False])
@pytest.mark.parametrize("latent", [2, 4, 5])
@pytest.mark.parametrize("labels", [0, 3])
def test_the_way_back_leads_back(is_bent, latent, labels):
    moved, items = flow(latent, labels, is_bent=is_bent), numbers(latent=latent)
    there = moved(items, known(labels=labels))
    assert not torch.allclose(there, items)
    torch.testing.assert_close(moved.inverse(there, known(labels=labels)), items)


def test_a_label_moves_where_its_sounds_lie():
    moved, items = flow(labels=3), numbers()
    first, second = (moved.inverse(items, torch.eye(3, dtype=torch.float64)[[one] * 5]) for one in (0, 1))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("is_bent", [True, False])
def test_surprise_is_the_likelihood_with_the_volume_that_torch_finds(is_bent):
    moved, items = flow(is_bent=is_bent), numbers(1)
    jacobian = torch.autograd.functional.jacobian(lambda one: moved(one, known(1))[0], items)[:, 0]
    normal = moved(items, known(1))
    likelihood = -normal.square().sum() / 2.0 - 2.0 * math.log(2.0 * math.pi) + jacobian.det().abs().log()
    assert moved.surprise(items, known(1)).item() == pytest.approx(-likelihood.item() / 4.0)


@pytest.mark.slow
def test_it_learns_where_two_heaps_lie():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(2)
    learned = LatentFlow(2, 0, is_bent=True)
    none = torch.zeros(256, 0)

    def heaps():
        side = 2.0 * torch.randint(0, 2, (256, 1), generator=generator) - 1.0
        return torch.cat([3.0 * side, side], 1) + 0.2 * torch.randn(256, 2, generator=generator)

    optimiser = torch.optim.Adam(learned.parameters(), 3e-3)
    for _ in range(300):
        optimiser.zero_grad()
        learned.surprise(heaps(), none).backward()
        optimiser.step()
    with torch.no_grad():
        made = learned.inverse(torch.randn(2_000, 2, generator=generator), torch.zeros(2_000, 0))
    # normal numbers lie between the heaps as often as not
    near = torch.minimum((made - torch.tensor([3.0, 1.0])).norm(dim=1), (made + torch.tensor([3.0, 1.0])).norm(dim=1))
    assert (near < 1.0).float().mean() > 0.85
    assert 0.3 < (made[:, 0] > 0.0).float().mean() < 0.7
