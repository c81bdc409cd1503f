"""Sounds of a pair have one rate and one loudness, and keep their length."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stereokit.audio.clip import Clip
from stereokit.audio.levels import loudness_lufs, peak
from stereokit.errors import BadInputError
from stereokit.workflows.score_listen_sounds import heard, matched_gains_db, played

RATE = 16_000


def noise(level: float, seconds: float = 0.5, rate: int = RATE) -> Clip:
    random = np.random.default_rng(round(level * 1000))
    return Clip(random.uniform(-level, level, (2, round(seconds * rate))).astype(np.float32), rate)


def written(path: Path, clip: Clip, **words: object) -> Path:
    soundfile.write(path, clip.samples.T, clip.sample_rate, **words)
    return path


def of(content: bytes) -> Clip:
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    return Clip(np.ascontiguousarray(samples.T), rate)


def test_all_are_turned_down_to_the_quietest():
    quiet, loud, middle = noise(0.1), noise(0.8), noise(0.3)
    gains = matched_gains_db([loud, quiet, middle])
    assert gains[1] == 0.0
    assert gains[0] == pytest.approx(loudness_lufs(quiet) - loudness_lufs(loud))
    assert gains[2] == pytest.approx(loudness_lufs(quiet) - loudness_lufs(middle))


def test_what_passes_full_scale_turns_all_down_alike():
    # quiet by its long silence, yet above full scale
    samples = np.zeros((2, 4 * RATE), np.float32)
    samples[:, 0] = 2.0
    clips = [Clip(samples, RATE), noise(0.5)]
    gains = matched_gains_db(clips)
    assert 20 * np.log10(2.0) + gains[0] == pytest.approx(0.0)
    levels = [loudness_lufs(clip) + gain for clip, gain in zip(clips, gains, strict=True)]
    assert levels[0] == pytest.approx(levels[1])


def test_silence_is_refused():
    with pytest.raises(BadInputError, match="silent"):
        matched_gains_db([noise(0.1), Clip(np.zeros((2, RATE), np.float32), RATE)])


def test_two_sides_are_played_as_one_kind_of_file_equally_loud_and_as_long_as_they_were(tmp_path: Path):
    clips = [noise(0.7, 0.5), noise(0.07, 0.75, rate=8_000)]
    paths = [written(tmp_path / "a.flac", clips[0]), written(tmp_path / "b.wav", clips[1], subtype="FLOAT")]
    gains = matched_gains_db([clips[0], noise(0.07, 0.75, rate=8_000)])
    contents = [played(path, sample_rate=RATE, gain_db=gain) for path, gain in zip(paths, gains, strict=True)]
    # the same header but for lengths
    assert contents[0][20:40] == contents[1][20:40]
    sounds = [of(content) for content in contents]
    assert [one.frames / one.sample_rate for one in sounds] == [0.5, 0.75]
    assert loudness_lufs(sounds[0]) == pytest.approx(loudness_lufs(clips[1]), abs=0.05)
    assert max(map(peak, sounds)) <= 1.0


def test_mono_is_heard_on_both_sides_and_said_so(tmp_path: Path):
    soundfile.write(tmp_path / "mono.wav", noise(0.5).samples[0], RATE)
    sound = heard(tmp_path / "mono.wav")
    assert sound.was_mono
    assert np.array_equal(sound.clip.samples[0], sound.clip.samples[1])


def test_what_no_page_can_play_is_refused_with_the_reason(tmp_path: Path):
    soundfile.write(tmp_path / "eight.wav", np.zeros((100, 8)), RATE)
    with pytest.raises(BadInputError, match="has 8 channels"):
        heard(tmp_path / "eight.wav")
    soundfile.write(tmp_path / "long.wav", np.zeros((61 * 1_000, 2)), 1_000)
    with pytest.raises(BadInputError, match="lasts 61 s: 60 s at most"):
        heard(tmp_path / "long.wav")
