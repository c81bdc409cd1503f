"""Procedural sounds: what a seed promises, and that stabs and drums are what their rows say."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.catalog import load, names
from stereokit.data.synth._image import IMAGE_CLASS_COUNTS, channels_of
from stereokit.data.synth._oscillators import swept_phase, unison, wave_table
from stereokit.data.synth._shaping import (
    echo,
    filter_hop_frames,
    filter_input_frames,
    filter_over_time,
    limited,
)
from stereokit.data.synth._voice import Sound, make_sound
from stereokit.data.synth.stabs import PITCH_CLASSES

RATE = 44100


def series(name: str, count: int, *, seed: int = 1, sample_rate: int = RATE) -> list[Sound]:
    voice = load("synth", name)
    return [make_sound(voice, seed=seed, index=index, sample_rate=sample_rate) for index in range(count)]


@pytest.fixture(scope="module")
def stabs() -> list[Sound]:
    return series("stabs", 300)


@pytest.fixture(scope="module")
def drums() -> list[Sound]:
    return series("drums", 400)


def measured_image_class(sound: Sound) -> str:
    left, right = sound.clip.samples.astype(np.float64)
    side = (left - right) / np.sqrt(2)
    edges = [round(edge * sound.clip.sample_rate / 44100) for edge in (0, 2940, 8820, 15872)]
    return "".join("W" if side[start:stop].std() > 0.125 else "N" for start, stop in pairwise(edges))


def power_spectrum(samples: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    return np.abs(np.fft.rfft(samples * np.kaiser(samples.size, 14.0), size)) ** 2


def log_bands(sound: Sound) -> NDArray[np.float64]:
    """Crude energies: 14 bands in each of four stretches of time, as shares of the whole, log10."""
    mid = sound.clip.samples.mean(axis=0)
    edges_hz = np.geomspace(50, 20000, 15)
    energies = []
    for start_s, stop_s in ((0.0, 0.02), (0.02, 0.08), (0.08, 0.25), (0.25, 0.6)):
        part = mid[int(start_s * RATE) : int(stop_s * RATE)]
        power = np.abs(np.fft.rfft(part)) ** 2
        places = np.searchsorted(edges_hz, np.fft.rfftfreq(part.size, 1 / RATE))
        energies.append(np.bincount(places, power, minlength=16)[:16])
    shares = np.concatenate(energies)
    return np.log10(shares / shares.sum() + 1e-6)


def test_the_catalogue_lists_both_voices() -> None:
    assert {"drums", "stabs"} <= set(names("synth"))


@pytest.mark.parametrize("name", ["stabs", "drums"])
def test_equal_seeds_make_equal_sounds_and_other_seeds_others(name: str) -> None:
    first, again, other = (series(name, 6, seed=seed, sample_rate=8000) for seed in (4, 4, 5))
    for one, two, three in zip(first, again, other, strict=True):
        assert one.clip.samples.tobytes() == two.clip.samples.tobytes()
        assert (one.label, one.facts) == (two.label, two.facts)
        assert not np.array_equal(one.clip.samples, three.clip.samples)


@pytest.mark.parametrize("name", ["stabs", "drums"])
def test_a_sound_does_not_depend_on_how_many_are_made(name: str) -> None:
    alone = make_sound(load("synth", name), seed=1, index=7, sample_rate=8000)
    assert np.array_equal(alone.clip.samples, series(name, 9, sample_rate=8000)[7].clip.samples)


@pytest.mark.parametrize("name", ["stabs", "drums"])
@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_every_sound_is_a_sound_clip_of_the_declared_length(name: str, sample_rate: int) -> None:
    voice = load("synth", name)
    for sound in series(name, 24, sample_rate=sample_rate):
        samples = sound.clip.samples
        assert samples.shape == (2, round(voice.length_s * sample_rate))
        assert samples.dtype == np.float32
        assert sound.clip.sample_rate == sample_rate
        assert np.isfinite(samples).all()
        assert 0.25 < np.abs(samples).max() <= 1.0
        assert np.abs(samples[:, [0, -1]]).max() < 1e-3
        assert sound.label in voice.labels


@pytest.mark.parametrize("name", ["stabs", "drums"])
def test_facts_can_be_written_as_json(name: str) -> None:
    for sound in series(name, 30, sample_rate=8000):
        assert json.loads(json.dumps(sound.facts, allow_nan=False)) == sound.facts


def test_peaks_vary(stabs: list[Sound], drums: list[Sound]) -> None:
    for sounds in (stabs, drums):
        peaks = [float(np.abs(sound.clip.samples).max()) for sound in sounds]
        assert min(peaks) < 0.45
        assert max(peaks) > 0.9


def test_a_stab_has_the_image_class_that_it_was_drawn_with(stabs: list[Sound]) -> None:
    others = [sound for rate in (22050, 48000) for sound in series("stabs", 60, seed=2, sample_rate=rate)]
    for sound in stabs + others:
        assert measured_image_class(sound) == sound.facts["image_class"]


def test_image_and_pitch_classes_occur_as_often_as_in_the_paper(stabs: list[Sound]) -> None:
    images = Counter(sound.facts["image_class"] for sound in stabs)
    for name, count in IMAGE_CLASS_COUNTS.items():
        assert images[name] / len(stabs) == pytest.approx(count / 11520, abs=0.08)
    pitches = Counter(sound.label for sound in stabs)
    assert pitches["F"] / len(stabs) == pytest.approx(0.39, abs=0.09)
    assert pitches["A#"] / len(stabs) < 0.03
    assert sum(share for _, share in PITCH_CLASSES.values()) == pytest.approx(1.0)


def test_the_middle_leads_and_narrow_parts_range_from_mono_to_nearly_wide(stabs: list[Sound]) -> None:
    widths, narrow = [], []
    for sound in stabs:
        left, right = sound.clip.samples
        widths.append(np.std(left - right) / np.std(left + right))
        if sound.facts["image_class"] == "NNN":
            narrow.append(np.std(left - right) / np.sqrt(2))
    assert np.mean(np.array(widths) < 0.8) > 0.97
    assert min(narrow) == 0.0
    assert max(narrow) > 0.08


def test_the_root_of_a_stab_can_be_heard(stabs: list[Sound]) -> None:
    size = 1 << 16
    frequencies_hz = np.fft.rfftfreq(size, 1 / RATE)
    heard = (frequencies_hz > 100) & (frequencies_hz < 1500)
    chroma = np.round(12 * np.log2(frequencies_hz[heard] / 440) + 9).astype(int) % 12
    strongest = among_two = 0
    for sound in stabs[:120]:
        power = power_spectrum(sound.clip.samples.mean(axis=0), size)[heard]
        order = np.argsort(np.bincount(chroma, power))
        root = PITCH_CLASSES[sound.label][0]
        strongest += root == order[-1]
        among_two += root in order[-2:]
    assert strongest > 0.7 * 120
    assert among_two > 0.9 * 120


@pytest.mark.parametrize(("sample_rate", "pitch_hz"), [(8000, 740.3), (44100, 1763.7), (96000, 98.1)])
def test_a_saw_has_nothing_between_its_harmonics(sample_rate: int, pitch_hz: float) -> None:
    table = wave_table(pitch_hz, sample_rate)
    saw = unison(table, np.array([pitch_hz]), np.array([0.3]), frames=sample_rate, sample_rate=sample_rate)[0]
    power = power_spectrum(saw, saw.size)
    distance_hz = np.abs((np.arange(power.size) + pitch_hz / 2) % pitch_hz - pitch_hz / 2)
    between = (distance_hz > 10) & (np.arange(power.size) > 10)
    assert 10 * np.log10(power[between].sum() / power.sum()) < -70
    assert power[round(pitch_hz)] == pytest.approx(4 * power[round(2 * pitch_hz)], rel=0.3)


def test_drum_classes_are_drawn_evenly(drums: list[Sound]) -> None:
    counts = Counter(sound.label for sound in drums)
    assert len(counts) == 8
    assert all(25 < count < 80 for count in counts.values())


def test_a_third_of_the_drums_is_mono_and_the_others_are_not(drums: list[Sound]) -> None:
    mono = [np.array_equal(*sound.clip.samples) for sound in drums]
    assert np.mean(mono) == pytest.approx(1 / 3, abs=0.08)
    assert mono == [sound.facts["image"] == "mono" for sound in drums]
    for sound, same in zip(drums, mono, strict=True):
        left, right = sound.clip.samples
        width = float(np.std(left - right) / np.std(left + right))
        assert width == 0.0 if same else 0.005 < width < 1.2
        assert width == pytest.approx(sound.facts["width_ratio"], abs=1e-3)


def test_a_nearest_centroid_on_crude_bands_tells_the_drums_apart(drums: list[Sound]) -> None:
    features = np.array([log_bands(sound) for sound in drums])
    labels = np.array([sound.label for sound in drums])
    features = (features - features[:200].mean(axis=0)) / (features[:200].std(axis=0) + 1e-9)
    classes = np.unique(labels)
    centroids = np.array([features[:200][labels[:200] == name].mean(axis=0) for name in classes])
    distances = np.linalg.norm(features[200:, None] - centroids, axis=2)
    assert np.mean(classes[distances.argmin(axis=1)] == labels[200:]) > 0.85


def test_drums_of_one_class_differ(drums: list[Sound]) -> None:
    features = np.array([log_bands(sound) for sound in drums])
    labels = np.array([sound.label for sound in drums])
    for name in np.unique(labels):
        own = features[labels == name]
        distances = np.sqrt(np.mean(np.square(own[:, None] - own), axis=2))
        closest = np.min(distances + 9 * np.eye(len(own)))
        assert np.mean(distances) > 0.3
        assert closest > 0.02


def test_a_filter_that_passes_everything_changes_nothing() -> None:
    hop_frames = filter_hop_frames(8000)
    count = filter_input_frames(1000, hop_frames)
    signal = np.random.default_rng(0).standard_normal((2, count)).astype(np.float32)
    gains = np.ones((1, count // hop_frames - 1, hop_frames + 1), np.float32)
    filtered = filter_over_time(signal, gains, hop_frames, 1000)
    np.testing.assert_allclose(filtered, signal[:, hop_frames : hop_frames + 1000], atol=1e-5)


def test_a_limiter_keeps_to_its_ceiling_and_leaves_quiet_sound_alone() -> None:
    signal = np.random.default_rng(0).standard_normal(5003).astype(np.float32)
    assert np.abs(limited(signal, np.float32(0.7), 31)).max() <= 0.7 * (1 + 1e-6)
    assert np.array_equal(limited(signal, np.float32(9.0), 31), signal)


def test_a_swept_phase_is_the_integral_of_its_frequency() -> None:
    time = np.arange(4000) / 8000
    frequency_hz = np.gradient(swept_phase(time, 50.0, ((3.0, 0.02),)), time) / (2 * np.pi)
    np.testing.assert_allclose(frequency_hz[1:-1], 50 * (1 + 3 * np.exp(-time / 0.02))[1:-1], rtol=1e-4)


def test_an_echo_of_an_impulse_is_a_second_impulse() -> None:
    signal = np.eye(1, 8, dtype=np.float32)
    echo(signal, 3, -0.5)
    assert signal.tolist() == [[1.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0]]


def test_mid_and_side_are_half_the_sum_and_half_the_difference() -> None:
    left, right = channels_of(np.array([[0.5, 0.2], [0.1, -0.2]], np.float32))
    np.testing.assert_allclose([(left + right) / 2, (left - right) / 2], [[0.5, 0.2], [0.1, -0.2]], atol=1e-7)
