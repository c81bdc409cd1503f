"""Samples moved between time and channels."""

import pytest
import torch

from stereokit.nets.subpixel import subpixel, superpixel


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_the_pair_is_the_identity_to_the_bit_in_both_orders(factor: int):
    signals = torch.randn(3, 8, 48)
    assert torch.equal(subpixel(superpixel(signals, factor), factor), signals)
    assert torch.equal(superpixel(subpixel(signals, factor), factor), signals)


def test_neighbours_in_time_become_neighbouring_channels():
    signals = torch.tensor([[[0, 1, 2, 3], [10, 11, 12, 13]]])
    assert superpixel(signals).tolist() == [[[0, 2], [1, 3], [10, 12], [11, 13]]]
    assert subpixel(signals).tolist() == [[[0, 10, 1, 11, 2, 12, 3, 13]]]
