"""CNN14 against the published definition, written down once more: NumPy for the pictures, functions for the rest."""

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from stereokit.nets.cnn14 import Cnn14
from stereokit.representations._published_log_mel import PublishedLogMel, PublishedSpectrogram

LABELS = 5


@cache
def network(*, is_by_frame=False):
    """Return a network in evaluation whose weights and statistics are random, and small enough to stay finite."""
    with torch.device("meta"):
        made = Cnn14(LABELS, is_by_frame=is_by_frame)
    kernels = {
        **{f"spectrogram_extractor.{name}": one for name, one in PublishedSpectrogram().state_dict().items()},
        **{f"logmel_extractor.{name}": one for name, one in PublishedLogMel().state_dict().items()},
    }
    made = made.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in made.state_dict().items():
        if name in kernels:
            tensor.copy_(kernels[name])
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0, generator=generator)
        elif name.endswith("num_batches_tracked"):
            tensor.zero_()
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.0, generator=generator)
        else:
            tensor.normal_(0.0, (2.0 / tensor[0].numel()) ** 0.5, generator=generator)
    return made


def hz_of(mel):
    return mel * 200.0 / 3.0 if mel < 15.0 else 1_000.0 * 6.4 ** ((mel - 15.0) / 27.0)


def mel_of(hz):
    return hz * 3.0 / 200.0 if hz < 1_000.0 else 15.0 + 27.0 * np.log(hz / 1_000.0) / np.log(6.4)


def plain_picture(wave):
    """32 kHz, 1,024 samples of a periodic Hann window, 320 apart, mirrored ends; 64 Slaney bands; dB."""
    padded = np.pad(wave.astype(np.float64), 512, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(1_024) / 1_024)
    frames = [padded[start : start + 1_024] * window for start in range(0, len(padded) - 1_023, 320)]
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = [hz_of(mel) for mel in np.linspace(mel_of(50.0), mel_of(14_000.0), 66)]
    filters = np.zeros((64, 513))
    for band in range(64):
        low, centre, high = edges[band : band + 3]
        for number in range(513):
            hz = number * 32_000 / 1_024
            height = min((hz - low) / (centre - low), (high - hz) / (high - centre))
            filters[band, number] = max(0.0, height) * 2.0 / (high - low)
    return 10.0 * np.log10(np.maximum(power @ filters.T, 1e-10))


def norm(values, state, name):
    own = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return functional.batch_norm(values, *own, training=False, eps=1e-5)


def plain_frames(wave, state):
    """Return what the blocks make of a wave, (1, 2048, frames / 32)."""
    picture = torch.from_numpy(plain_picture(wave)).float()[None, None]
    found = norm(picture.transpose(1, 3), state, "bn0").transpose(1, 3)
    for number in range(1, 7):
        for layer in (1, 2):
            weight = state[f"conv_block{number}.conv{layer}.weight"]
            found = norm(functional.conv2d(found, weight, padding=1), state, f"conv_block{number}.bn{layer}").relu()
        if number < 6:
            found = functional.avg_pool2d(found, (2, 2))
    return found.mean(dim=3)


def wave_of(frames):
    random = np.random.default_rng(3)
    return (0.3 * random.standard_normal(frames) * np.exp(-np.arange(frames) / 9_000)).astype(np.float32)


def test_a_clips_outputs_before_the_sigmoid_and_its_embedding_are_the_published_ones():
    wave, made = wave_of(12_000), network()
    state = made.state_dict()
    frames = plain_frames(wave, state)
    pooled = frames.max(dim=2).values + frames.mean(dim=2)
    embedding = (pooled @ state["fc1.weight"].T + state["fc1.bias"]).relu()
    logits = embedding @ state["fc_audioset.weight"].T + state["fc_audioset.bias"]
    with torch.no_grad():
        ours, own = made(made.pictures(torch.from_numpy(wave)[None]))
    assert torch.allclose(ours, logits, rtol=1e-4, atol=1e-4)
    assert torch.allclose(own, embedding, rtol=1e-4, atol=1e-4)
    assert float(logits.std()) > 1e-2
    assert float(embedding.std()) > 1e-2


@pytest.mark.slow
def test_decisions_of_frames_are_weighted_as_published():
    wave, made = wave_of(22_000), network(is_by_frame=True)
    state = made.state_dict()
    frames = plain_frames(wave, state)
    pooled = functional.max_pool1d(frames, 3, 1, 1) + functional.avg_pool1d(frames, 3, 1, 1)
    inner = (state["fc1.weight"] @ pooled[0] + state["fc1.bias"][:, None]).relu()
    attention = state["att_block.att.weight"][:, :, 0] @ inner + state["att_block.att.bias"][:, None]
    told = state["att_block.cla.weight"][:, :, 0] @ inner + state["att_block.cla.bias"][:, None]
    shares = torch.softmax(torch.clamp(attention, -10.0, 10.0), dim=1)
    probabilities = (shares * torch.sigmoid(told)).sum(dim=1)
    with torch.no_grad():
        ours, own = made(made.pictures(torch.from_numpy(wave)[None]))
    assert torch.allclose(ours.sigmoid()[0], probabilities, atol=1e-5)
    assert torch.allclose(own[0], inner.mean(dim=1), rtol=1e-4, atol=1e-4)
    assert shares.shape[1] > 1


@pytest.mark.parametrize("frames", [1, 100, 9_919])
def test_a_wave_of_fewer_than_32_frames_is_repeated_up_to_a_second(frames):
    wave, made = torch.from_numpy(wave_of(frames))[None], network()
    second = wave.repeat(1, 32_000)[:, :32_000]
    assert torch.equal(made.pictures(wave), made.pictures(second))


def test_32_frames_are_enough():
    made = network()
    picture = made.pictures(torch.from_numpy(wave_of(9_920))[None])
    assert picture.shape == (1, 1, 32, 64)
    with torch.no_grad():
        assert made(picture)[0].isfinite().all()


@pytest.mark.parametrize(("is_by_frame", "parameters", "keys"), [(False, 80_753_615, 84), (True, 81_834_492, 91)])
def test_parameters_and_names_are_the_published_files(is_by_frame, parameters, keys):
    with torch.device("meta"):
        made = Cnn14(527, is_by_frame=is_by_frame)
    state = made.state_dict()
    assert sum(one.numel() for one in made.parameters()) == parameters
    assert len(state) == keys
    assert state["spectrogram_extractor.stft.conv_real.weight"].shape == (513, 1, 1_024)
    assert state["spectrogram_extractor.stft.conv_imag.weight"].shape == (513, 1, 1_024)
    assert state["logmel_extractor.melW"].shape == (513, 64)
