import numpy as np
import pytest

from stereokit.audio.clip import Clip
from stereokit.metrics.patch_words import learn_words, word_counts
from stereokit.metrics.portrait import BANDS, COLUMNS, DESCRIPTORS, portrait
from stereokit.metrics.sound_space import principal_axes, sound_space, standardised

RATE = 44_100


def tone(hz: float, seconds: float = 0.2, *, decay: float = 20.0, rate: int = RATE) -> Clip:
    times = np.arange(round(seconds * rate)) / rate
    one = np.sin(2.0 * np.pi * hz * times) * np.exp(-decay * times)
    return Clip(np.stack([one, one]).astype(np.float32) * 0.5, rate)


def noise(seed: int, seconds: float = 0.2) -> Clip:
    random = np.random.default_rng(seed)
    one = random.normal(size=round(seconds * RATE)) * np.exp(-20.0 * np.arange(round(seconds * RATE)) / RATE)
    return Clip(np.stack([one, one]).astype(np.float32) * 0.1, RATE)


def test_a_tone_lies_in_its_band_and_its_pitch_is_told():
    found = portrait(tone(1000.0))
    assert found.picture.shape == (COLUMNS, BANDS)
    assert found.descriptors.shape == (DESCRIPTORS,)
    centres = 32.7 * (16_000.0 / 32.7) ** (np.arange(1, BANDS + 1) / (BANDS + 1))
    assert centres[found.picture[4].argmax()] == pytest.approx(1000.0, rel=0.1)
    assert any(abs(value - np.log2(1000.0)) < 0.01 for value in found.descriptors)


def test_level_polarity_sides_and_leading_silence_make_no_difference():
    clip = tone(300.0)
    found = portrait(clip)
    random = np.random.default_rng(0)
    wide = Clip(clip.samples + 0.01 * random.normal(size=clip.samples.shape).astype(np.float32), RATE)
    late = Clip(np.concatenate([np.zeros((2, 5000), np.float32), clip.samples], axis=1), RATE)
    for other in (Clip(clip.samples * 0.125, RATE), Clip(-clip.samples, RATE), late):
        again = portrait(other)
        assert np.abs(again.picture.astype(int) - found.picture).max() <= 1
        assert again.descriptors == pytest.approx(found.descriptors, abs=1e-3)
    swapped = portrait(Clip(np.ascontiguousarray(wide.samples[::-1]), RATE))
    assert np.array_equal(swapped.picture, portrait(wide).picture)


def test_inverted_channels_have_a_portrait_and_silence_has_none():
    clip = tone(300.0)
    inverted = Clip(np.stack([clip.samples[0], -clip.samples[1]]), RATE)
    assert np.isfinite(portrait(inverted).descriptors).all()
    assert portrait(Clip(np.zeros((2, 100), np.float32), RATE)) is None


@pytest.mark.parametrize("frames", [1, 2, 500])
def test_the_shortest_clips_have_finite_portraits(frames):
    found = portrait(Clip(np.full((2, frames), 0.5, np.float32), 8_000))
    assert np.isfinite(found.descriptors).all()


def test_words_are_unit_vectors_and_counts_say_where_they_are():
    pictures = np.zeros((4, COLUMNS, BANDS), np.uint8)
    pictures[:, :6, 20:30] = 200
    pictures[:, 10:20, 40:60] = 90
    words = learn_words(pictures, seed=0)
    assert np.linalg.norm(words.words, axis=1) == pytest.approx(1.0, abs=1e-5)
    counts = word_counts(words, pictures[0]).reshape(3, 5, -1)
    assert counts[0].sum() > 0.0
    assert counts[2, 4].sum() == 0.0


def test_flat_pictures_have_words_that_are_never_seen():
    flat = np.full((2, COLUMNS, BANDS), 7, np.uint8)
    assert not word_counts(learn_words(flat, seed=0), flat[0]).any()


def test_like_sounds_lie_nearer_than_unlike_ones():
    tones = [tone(hz) for hz in np.linspace(80.0, 120.0, 8)]
    hisses = [noise(seed) for seed in range(8)]
    points = sound_space([portrait(clip) for clip in [*tones, *hisses]])
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    within = max(apart[:8, :8].max(), apart[8:, 8:].max())
    assert apart[:8, 8:].min() > within
    assert np.array_equal(points, sound_space([portrait(clip) for clip in [*tones, *hisses]]))


def test_one_sound_and_equal_sounds_have_places():
    one = portrait(tone(100.0))
    for count in (1, 3):
        points = sound_space([one] * count)
        assert points.shape[0] == count
        assert np.isfinite(points).all()


def test_columns_that_never_change_are_zero():
    values = np.array([[1.0, 3.0], [1.0, 5.0]])
    assert standardised(values).tolist() == [[0.0, -1.0], [0.0, 1.0]]


def test_principal_axes_of_a_line_are_its_direction():
    line = np.outer(np.arange(5.0), [3.0, 4.0])
    mean, turn = principal_axes(line, 2)
    assert mean == pytest.approx([6.0, 8.0])
    assert turn[:, 0] == pytest.approx([0.6, 0.8])
