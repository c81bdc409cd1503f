"""The alignment check finds a lag of one sample, a drift, and sound before the first note."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stereokit.data.midi.alignment import measure_alignment
from stereokit.data.midi.performance import Performance
from stereokit.data.midi.soundfont import read_soundfont
from stereokit.data.midi.synthesis import render

RATE = 44_100


@pytest.fixture(scope="module")
def song() -> Performance:
    """Forty chords of two notes in ten seconds."""
    random = np.random.default_rng(3)
    start = np.repeat(np.sort(random.integers(2_000, 420_000, 40)), 2)
    pitch = random.integers(50, 80, 80)
    zeros = np.zeros(80, np.int64)
    stop = start + random.integers(5_000, 30_000, 80)
    return Performance(RATE, 470_000, start, stop, pitch, random.integers(40, 120, 80), zeros, zeros)


@pytest.fixture(scope="module")
def sharp(font_of) -> Path:
    """A font whose notes die away, as a plucked string does."""
    return font_of({(0, 0): [[(54, 1), (36, 0), (37, 1_000)]]}, harmonics=30)


@pytest.fixture(scope="module")
def player(sharp: Path):
    font = read_soundfont(sharp)
    return lambda performance: render(performance, font)


def test_a_render_lies_on_its_notes(song: Performance, player):
    found = measure_alignment(player(song), song, player)
    assert found.lags == (0, 0)
    assert found.is_proved
    assert not found.is_wrong
    assert 0 <= found.attack <= 10


@pytest.mark.parametrize("lag", [1, -1, 64, -300])
def test_a_lag_is_found_to_the_sample(song: Performance, player, lag: int):
    found = measure_alignment(np.roll(player(song), lag, axis=1), song, player)
    assert found.lags == (lag, lag)
    assert found.is_wrong


def test_a_drift_shows(song: Performance, player):
    slower = replace(song, start=np.rint(song.start * 1.0005).astype(int), stop=np.rint(song.stop * 1.0005).astype(int))
    found = measure_alignment(player(slower), song, player)
    assert not found.is_proved


def test_sound_before_the_first_note_is_found(song: Performance, player):
    early = player(song)
    early[:, : song.start[0]] += 0.01
    found = measure_alignment(early, song, player)
    assert found.is_early
    assert found.is_wrong


def test_one_note_is_enough(song: Performance, player):
    one = Performance(RATE, 40_000, *(getattr(song, name)[:1] for name in (
        "start", "stop", "pitch", "velocity", "channel", "program",
    )))  # fmt: skip
    assert measure_alignment(player(one), one, player).lags == (0, 0)
    assert measure_alignment(np.roll(player(one), 7, axis=1), one, player).lags == (7, 7)


def test_a_tone_without_an_edge_is_where_it_is(song: Performance, font: Path):
    def tone(performance: Performance):
        return render(performance, read_soundfont(font))

    assert not measure_alignment(tone(song), song, tone).is_wrong


def test_what_is_nowhere_in_the_render_is_not_proved(song: Performance, player):
    noise = np.random.default_rng(1).standard_normal((2, song.frames)).astype(np.float32)
    noise[:, : song.start[0]] = 0.0
    assert None in measure_alignment(noise, song, player).lags


def test_sines_that_ring_into_each_other_are_not_called_late(font_of):
    font = read_soundfont(font_of({(0, 0): [[(54, 1)]]}))
    starts = 11_025 * np.arange(40) + 100
    random = np.random.default_rng(0)
    zeros = np.zeros(40, np.int64)
    stops, pitches = starts + random.integers(2_800, 10_500, 40), random.integers(50, 80, 40)
    song = Performance(RATE, 470_000, starts, stops, pitches, zeros + 100, zeros, zeros)
    found = measure_alignment(render(song, font), song, lambda performance: render(performance, font))
    assert not found.is_wrong
