"""Differences of what a discriminator sees."""

import pytest
import torch

from stereokit.losses.features import paired_features, unpaired_features


def test_equal_features_have_no_difference():
    features = [torch.randn(3, 4), torch.randn(3, 2, 5)]
    assert paired_features(features, features) == 0.0
    assert unpaired_features(features, features) == 0.0


def test_layers_count_relative_to_their_size():
    real = [torch.full((2, 3), 2.0), torch.full((2, 5), 100.0)]
    made = [torch.full((2, 3), 3.0), torch.full((2, 5), 100.0)]
    assert paired_features(made, real).item() == pytest.approx(0.25)
    scaled = [[10.0 * one for one in features] for features in (made, real)]
    assert paired_features(*scaled).item() == pytest.approx(0.25)


def test_the_order_of_items_matters_to_pairs_only():
    real = [torch.arange(8.0).view(4, 2)]
    made = [real[0].flip(0)]
    assert paired_features(made, real) > 0.5
    assert unpaired_features(made, real).item() == pytest.approx(0.0, abs=1e-6)
    assert unpaired_features([made[0] + 1.0], real).item() == pytest.approx(1.0 / 3.5)
