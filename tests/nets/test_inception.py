"""Convolutions of several lengths side by side."""

import torch

from stereokit.nets.inception import Inception, InceptionForm

FORM = InceptionForm(kernels=(3, 9, 27), shares=(2, 1, 1), reduction=16)


def test_filters_are_shared_out_and_bottlenecks_are_never_empty():
    assert FORM.branches(8) == [4, 2, 2]
    module = Inception(5, 8, FORM)
    assert [branch.in_channels for branch in module.branches] == [1, 1, 1]
    assert [branch.in_channels for branch in Inception(5, 128, FORM).branches] == [4, 2, 2]


def test_each_branch_sees_as_far_as_its_kernel_is_long():
    module = Inception(1, 8, FORM).double()
    impulse = torch.zeros(1, 1, 101, dtype=torch.float64)
    impulse[..., 50] = 1.0
    answer = module(impulse) - module(torch.zeros_like(impulse))
    assert answer.shape == (1, 8, 101)
    for first, last, reach in ((0, 4, 1), (4, 6, 4), (6, 8, 13)):
        places = answer[0, first:last].abs().sum(0).nonzero()[:, 0]
        assert (int(places[0]), int(places[-1])) == (50 - reach, 50 + reach)
