"""Mid and side."""

import torch

from stereokit.representations._mid_side import from_mid_side, to_mid_side


def test_mono_has_no_side_and_opposite_channels_no_middle():
    wave = torch.randn(1, 1, 9)
    assert not to_mid_side(wave.expand(1, 2, 9))[:, 1].any()
    assert not to_mid_side(torch.cat([wave, -wave], dim=1))[:, 0].any()


def test_the_way_back_leads_back():
    clips = torch.randn(3, 2, 7, dtype=torch.float64)
    torch.testing.assert_close(from_mid_side(to_mid_side(clips)), clips)
