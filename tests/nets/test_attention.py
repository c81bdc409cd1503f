"""Attention over the places of a picture."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from stereokit.nets.attention import PictureAttention


@pytest.mark.parametrize("is_linear", [True, False])
def test_attention_changes_nothing_at_the_start(is_linear):
    pictures = torch.randn(2, 16, 8, 8)
    assert torch.equal(PictureAttention(16, is_linear=is_linear)(pictures), pictures)


def work(side, *, is_linear):
    layer = PictureAttention(16, is_linear=is_linear)
    with FlopCounterMode(display=False) as counter:
        layer(torch.randn(1, 16, side, side))
    return counter.get_total_flops()


def test_linear_attention_grows_with_the_places_and_all_pairs_with_their_square():
    assert work(32, is_linear=True) == 4 * work(16, is_linear=True)
    assert work(32, is_linear=False) > 12 * work(16, is_linear=False)


@pytest.mark.parametrize("is_linear", [True, False])
def test_every_place_sees_all_others(is_linear):
    torch.manual_seed(0)
    layer = PictureAttention(16, is_linear=is_linear)
    torch.nn.init.ones_(layer.gain)
    pictures = torch.randn(1, 16, 4, 4, requires_grad=True)
    layer(pictures)[0, :, 0, 0].sum().backward()
    assert torch.all(pictures.grad[0].abs().sum(0) > 0)


def test_all_pairs_is_the_softmax_of_queries_times_keys():
    torch.manual_seed(0)
    layer = PictureAttention(16, is_linear=False)
    torch.nn.init.ones_(layer.gain)
    pictures = torch.randn(1, 16, 3, 3)
    query, key, value = (part(pictures)[0].flatten(1) for part in (layer.query, layer.key, layer.value))
    found = torch.stack([value @ torch.softmax(key.T @ query[:, place], 0) for place in range(9)], dim=1)
    torch.testing.assert_close(layer(pictures)[0], pictures[0] + found.view(16, 3, 3))


def test_attention_can_be_differentiated_twice():
    layer = PictureAttention(16, is_linear=True)
    torch.nn.init.ones_(layer.gain)
    pictures = torch.randn(1, 16, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(pictures).square().sum(), pictures, create_graph=True)
    slope.square().sum().backward()
    assert layer.query.weight.grad.abs().max() > 0
