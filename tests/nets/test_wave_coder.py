"""Waves to numbers, and numbers to frames."""

import pytest
import torch

from stereokit.nets.wave_coder import CoderForm, FrameDecoder, Front, WaveEncoder


def form(samples=1_000, strides=(4, 2), *, is_normed=True):
    widths = (6, 8, 10)[: len(strides) + 1]
    return CoderForm(samples=samples, window=64, hop=16, widths=widths, strides=strides, kernel=5, is_normed=is_normed)


def test_frames_reach_from_the_first_sample_to_the_last():
    assert form(1_000).frames == 64
    assert form(1_024).frames == 65
    assert form(1_025).frames == 66
    assert form(1_000).lengths == [64, 16, 8]


@pytest.mark.parametrize("samples", [2, 15, 100, 1_000, 1_023])
@pytest.mark.parametrize("is_spectral", [True, False])
def test_waves_of_any_length_become_means_and_log_variances(samples, is_spectral):
    encoder = WaveEncoder(form(samples), 3, is_spectral=is_spectral)
    assert encoder(torch.randn(2, 2, samples)).shape == (2, 6)


@pytest.mark.parametrize("is_transposed", [True, False])
@pytest.mark.parametrize("samples", [2, 100, 1_000])
@pytest.mark.parametrize("strides", [(), (3,), (4, 2)])
def test_latents_become_as_many_frames_as_the_encoder_saw(is_transposed, samples, strides):
    shape = form(samples, strides)
    decoder = FrameDecoder(shape, 3, is_transposed=is_transposed)
    assert decoder(torch.randn(2, 3)).shape == (2, 6, shape.frames)
    assert Front(shape, is_spectral=True)(torch.randn(2, 2, samples)).shape == (2, 6, shape.frames)


def test_a_frame_hears_its_own_window_and_no_other():
    torch.manual_seed(0)
    front = Front(form(), is_spectral=True)
    wave = torch.zeros(1, 2, 1_000)
    click = wave.clone()
    click[..., 320] = 1.0
    changed = (front(click) - front(wave)).abs().sum(1)[0] > 1e-6
    # frame n is centred on sample 16 n, and reaches 32 samples back and 31 further
    assert changed.nonzero().flatten().tolist() == [19, 20, 21, 22]
