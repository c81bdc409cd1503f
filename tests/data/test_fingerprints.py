"""Fingerprints: a sound is known again after encoding, gain, cutting, resampling and swapping, and no other is."""

import io

import numpy as np
import pytest
import soundfile

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample
from stereokit.data import near_duplicates
from stereokit.data.fingerprints import COLUMNS, FLOOR, OUTSIDE, fingerprint, read_marks
from stereokit.data.near_duplicates import groups_of
from stereokit.data.synth._voice import make_sound

RATE = 44_100
COUNT = 20


def encoded(clip: Clip, container: str, subtype: str) -> Clip:
    """Encode at about 128 kbit/s and decode again."""
    data = io.BytesIO()
    soundfile.write(data, clip.samples.T, clip.sample_rate, format=container, subtype=subtype, compression_level=0.6)
    data.seek(0)
    samples, rate = soundfile.read(data, dtype="float32", always_2d=True)
    return Clip(np.ascontiguousarray(samples.T), rate)


def cut(clip: Clip, start: float, share: float) -> Clip:
    frames = slice(round(start * clip.sample_rate), round(clip.frames * share))
    return Clip(clip.samples[:, frames], clip.sample_rate)


def padded(clip: Clip) -> Clip:
    return Clip(np.pad(clip.samples, ((0, 0), (3001, 5000))), clip.sample_rate)


# what is done to a sound, and how many of twenty drums may be lost by it
FORMS = {
    "mp3": (lambda clip: encoded(clip, "MP3", "MPEG_LAYER_III"), 1),
    "vorbis": (lambda clip: encoded(clip, "OGG", "VORBIS"), 1),
    "softer": (lambda clip: Clip(clip.samples * np.float32(0.1), clip.sample_rate), 0),
    "inverted": (lambda clip: Clip(-clip.samples, clip.sample_rate), 0),
    "start cut": (lambda clip: cut(clip, 0.005, 1.0), 3),
    "end cut": (lambda clip: cut(clip, 0.0, 0.6), 0),
    "padded": (padded, 1),
    "22 kHz": (lambda clip: resample(clip, 22_050), 0),
    "96 kHz": (lambda clip: resample(clip, 96_000), 0),
    "swapped": (lambda clip: Clip(clip.samples[::-1].copy(), clip.sample_rate), 0),
    "all": (lambda clip: encoded(cut(Clip(clip.samples[::-1] * np.float32(0.5), RATE), 0.003, 0.7), "MP3",
                                 "MPEG_LAYER_III"), 3),
}  # fmt: skip


@pytest.fixture(scope="module")
def drums():
    voice = catalog.load("synth", "drums")
    return [make_sound(voice, seed=11, index=index, sample_rate=RATE).clip for index in range(COUNT)]


@pytest.fixture(scope="module")
def known(drums):
    return [fingerprint(clip) for clip in drums]


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_is_known_again(form: str, drums, known):
    change, lost = FORMS[form]
    groups = groups_of(known + [fingerprint(change(clip)) for clip in drums])
    found = sum(groups[COUNT + index] == groups[index] for index in range(COUNT))
    assert found >= COUNT - lost


def test_different_sounds_are_not_taken_for_one_another(known):
    assert groups_of(known) == list(range(COUNT))


def test_bursts_of_noise_with_one_spectrum_and_envelope_are_different_sounds():
    random = np.random.default_rng(0)
    shape = np.exp(-np.arange(12_000) / 3000)
    bursts = [Clip((random.standard_normal((2, 12_000)) * shape * 0.2).astype(np.float32), RATE) for _ in range(12)]
    assert groups_of([fingerprint(clip) for clip in bursts]) == list(range(12))


def test_tones_of_one_pitch_and_different_envelopes_are_different_sounds():
    time = np.arange(20_000) / RATE
    tones = []
    for decay in (0.03, 0.1, 0.4):
        wave = np.sin(2 * np.pi * 220 * time) * np.exp(-time / decay)
        tones.append(Clip(np.stack([wave, wave]).astype(np.float32), RATE))
    assert groups_of([fingerprint(clip) for clip in tones]) == [0, 1, 2]


def test_a_hit_is_not_the_loop_that_it_is_in(drums):
    loop = np.zeros((2, 4 * RATE), np.float32)
    for beat in range(8):
        clip = drums[beat % 4]
        start = beat * RATE // 2
        kept = min(clip.frames, loop.shape[1] - start)
        loop[:, start : start + kept] += clip.samples[:, :kept]
    groups = groups_of([fingerprint(Clip(loop, RATE)), *(fingerprint(clip) for clip in drums[:4])])
    assert groups == [0, 1, 2, 3, 4]


def test_silence_is_like_nothing_and_has_no_marks():
    silence = fingerprint(Clip(np.zeros((2, 5000), np.float32), RATE))
    assert silence == b""
    assert read_marks(silence) == []
    assert groups_of([silence, None, silence]) == [0, 1, 2]


@pytest.mark.parametrize("frames", [2, 5, 100, 700])
def test_the_shortest_sounds_have_fingerprints_too(frames: int):
    samples = np.random.default_rng(frames).standard_normal((2, frames)).astype(np.float32)
    data = fingerprint(Clip(samples, RATE))
    assert groups_of([data, data]) == [0, 0]
    (marks,) = read_marks(data)
    assert marks.cells.shape[0] == COLUMNS


def test_a_sound_of_the_sides_alone_is_known_by_its_difference():
    left = np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    inverted = Clip(np.stack([left, -left]), RATE)
    marks = read_marks(fingerprint(inverted))
    assert marks[0].signs.any()
    assert groups_of([fingerprint(inverted), fingerprint(Clip(inverted.samples[::-1].copy(), RATE))]) == [0, 0]


def test_a_fingerprint_is_small_and_its_cells_are_half_decibels_under_the_loudest(drums, known):
    assert np.mean([len(data) for data in known]) < 1000
    for data in known:
        for marks in read_marks(data):
            inside = marks.cells[marks.cells != OUTSIDE]
            assert inside.min() == 0
            assert inside.max() <= FLOOR
    assert read_marks(b"\x00" + known[0][1:]) == []


def test_sameness_is_passed_on_and_the_first_of_a_group_names_it(drums, known):
    louder = fingerprint(Clip(drums[3].samples * np.float32(0.5), RATE))
    shorter = fingerprint(cut(drums[3], 0.0, 0.7))
    assert groups_of([known[1], louder, known[2], shorter, known[3]]) == [0, 1, 2, 1, 1]


def test_many_copies_take_no_pairs_and_order_does_not_change_the_groups(drums, known):
    assert groups_of([known[0]] * 5000) == [0] * 5000
    everything = known + [fingerprint(padded(clip)) for clip in drums]
    order = np.random.default_rng(0).permutation(len(everything))
    straight = groups_of(everything)
    mixed = groups_of([everything[index] for index in order])
    sets = {frozenset(np.flatnonzero(np.array(straight) == one).tolist()) for one in straight}
    again = {frozenset(order[np.flatnonzero(np.array(mixed) == one)].tolist()) for one in mixed}
    assert again == sets


def test_each_table_meets_about_ten_whatever_the_number(monkeypatch: pytest.MonkeyPatch):
    # hashes at random: no two are alike, and the work is the meetings
    met = []
    plain = np.bitwise_count
    monkeypatch.setattr(near_duplicates.np, "bitwise_count", lambda words: met.append(len(words)) or plain(words))
    for count in (1000, 4000):
        hashes = np.random.default_rng(0).integers(0, 1 << 63, (count, 8), np.uint64)
        anchors = near_duplicates._Anchors(
            np.zeros((count, 1, 1), np.uint8), np.zeros((count, 1), bool), hashes, np.arange(count)
        )
        met.clear()
        one, _ = near_duplicates._met(anchors)
        assert one.size == 0
        assert sum(met) / near_duplicates._TABLES / count < 10
