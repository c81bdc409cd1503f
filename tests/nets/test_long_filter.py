"""A linear filter with many taps."""

import torch

from stereokit.nets.long_filter import LongFilter


def noise(count: int = 4, frames: int = 4_000) -> torch.Tensor:
    return torch.randn(count, 2, frames, generator=torch.Generator().manual_seed(0))


def test_it_says_nothing_before_it_has_learned():
    assert not LongFilter(2, 64)(noise()).any()


def test_one_tap_in_the_middle_is_a_wire_and_others_are_delays():
    module = LongFilter(2, 64).double()
    signals = noise().double()
    with torch.no_grad():
        module.taps[0, 0, 32] = module.taps[1, 1, 35] = 1.0
        module.taps[0, 1, 30] = 0.5
        made = module(signals)
    torch.testing.assert_close(made[:, 1, 3:], signals[:, 1, :-3])
    assert made[:, 1, :3].abs().max() < 1e-12
    torch.testing.assert_close(made[:, 0, :-2], signals[:, 0, :-2] + 0.5 * signals[:, 1, 2:])
    assert made.shape == signals.shape


def test_what_it_hears_is_evened_out():
    module = LongFilter(1, 2)
    signals = noise()[:, :1]
    # a low pass
    dull = signals.clone()
    for _ in range(2):
        dull = (dull + dull.roll(1, -1)) / 2.0
    module.adapt(iter(dull.split(2)))
    with torch.no_grad():
        module.taps[0, 0, 1] = 1.0
        # a cut through a sound is a click to the curve
        white = module(dull)[..., 1_000:-1_000]
    # a little less: the top lies under the floor
    assert 0.8 < float(white.var()) < 1.0
    steps = white[..., 1:] - white[..., :-1]
    # of white noise they have twice the variance, of what came in two thirds of it
    assert 1.7 < float(steps.var() / white.var()) < 2.3
    before = dull[..., 1:] - dull[..., :-1]
    assert 0.6 < float(before.var() / dull.var()) < 0.75


def test_silence_leaves_the_curve_as_it_is():
    module = LongFilter(1, 2)
    module.adapt(iter([torch.zeros(2, 1, 3_000)]))
    assert (module.whitening == 1.0).all()


def test_it_learns_a_delay_of_a_dull_sound_quickly():
    module = LongFilter(1, 64)
    dull = noise()[:, :1]
    for _ in range(2):
        dull = (dull + dull.roll(1, -1)) / 2.0
    module.adapt(iter([dull]))
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    wanted = dull.roll(7, -1)
    for _ in range(60):
        optimiser.zero_grad()
        loss = (module(dull) - wanted)[..., 100:].square().mean()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.05 * float(dull.square().mean())
