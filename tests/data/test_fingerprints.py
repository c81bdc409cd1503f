"""Fingerprints: a sound is known again after encoding, gain, cutting, resampling and swapping, and no other is."""

import io
from itertools import combinations

import numpy as np
import pytest
import soundfile

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample
from stereokit.data import near_duplicates, near_kernels
from stereokit.data.fingerprints import BANDS, COLUMNS, FLOOR, OUTSIDE, SIGNS, fingerprint, read_marks
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


def anchors_of(hashes: np.ndarray, cells: np.ndarray) -> near_duplicates._Anchors:
    count = len(hashes)
    return near_duplicates._Anchors(cells, np.zeros((count, SIGNS), bool), hashes, np.arange(count))


@pytest.mark.parametrize("count", [1000, 4000])
def test_each_table_has_about_ten_of_a_key_whatever_the_number(count: int):
    # Hashes at random: no two are alike, and the work is the meetings.
    hashes = np.random.default_rng(0).integers(0, 1 << 63, (count, 8), np.uint64)
    orders, places, keys = near_duplicates._tables(hashes)
    for order, place, key in zip(orders, places, keys, strict=True):
        assert (key[order][1:] >= key[order][:-1]).all()
        np.testing.assert_array_equal(order[place], np.arange(count))
        assert 5 < count / np.unique(key).size < 20
    met, _ = near_duplicates._met(anchors_of(hashes, np.zeros((count, COLUMNS, BANDS), np.uint8)))
    assert len(met) == 0


def distance_twin(one: np.ndarray, other: np.ndarray) -> float:
    """The definition: mean absolute difference in dB, loud cells counting more, without gain; all in float64."""
    is_shared = (one != OUTSIDE) & (other != OUTSIDE)
    first, second = (np.minimum(cells, FLOOR).astype(float) for cells in (one, other))
    weights = np.where(is_shared, FLOOR - np.minimum(first, second), 0.0)
    for cells in (one, other):
        energy = np.where(cells == OUTSIDE, 0.0, 10.0 ** (np.minimum(cells, FLOOR) / -20.0))
        energy *= near_duplicates._COUNTED[:, None]
        if energy[is_shared].sum() < 0.5 * energy.sum():
            return np.inf
    difference = first - second
    gain = (difference * weights).sum() / weights.sum()
    return float((np.abs(difference - gain) * weights).sum() / weights.sum() / 2.0)


@pytest.fixture
def pictures() -> np.ndarray:
    """Pictures that lack columns at an end, some much alike."""
    random = np.random.default_rng(3)
    cells = random.integers(0, FLOOR + 1, (12, COLUMNS, BANDS)).astype(np.uint8)
    cells[1] = np.minimum(cells[0] + random.integers(0, 4, cells[0].shape), FLOOR)
    for number, lacking in enumerate((0, 3, 20, 9, 26, 1, 0, 12, 24, 2, 5, 0)):
        cells[number, COLUMNS - lacking :] = OUTSIDE
    return cells


def test_pictures_are_as_far_apart_as_the_definition_says(pictures: np.ndarray):
    energies = near_duplicates._energies(pictures)
    depths = (FLOOR - np.minimum(pictures, FLOOR)).astype(np.uint8)
    found = [
        near_kernels.picture_distance(depths[a], depths[b], energies[a], energies[b], 0.5)
        for a, b in combinations(range(len(pictures)), 2)
    ]
    known = [distance_twin(pictures[a], pictures[b]) for a, b in combinations(range(len(pictures)), 2)]
    np.testing.assert_allclose(found, known, rtol=1e-5)
    assert 0 < np.isinf(known).sum() < len(known)


def test_pairs_are_those_of_a_search_through_all(pictures: np.ndarray):
    random = np.random.default_rng(5)
    base = random.integers(0, 256, (1, 64), np.uint8)
    flipped = np.packbits(random.random((12, 512)) < np.linspace(0.0, 0.3, 12)[:, None], axis=1)
    anchors = anchors_of((base ^ flipped).view(np.uint64), np.repeat(pictures[:2], 6, axis=0))
    bits = [int.from_bytes(row.tobytes(), "little") for row in anchors.hashes]
    known = {
        (a, b)
        for a, b in combinations(range(12), 2)
        if (bits[a] ^ bits[b]).bit_count() <= near_duplicates._MOST_BITS
        and distance_twin(anchors.cells[a], anchors.cells[b]) <= near_duplicates._MOST_PICTURE_DB
    }
    met, distance = near_duplicates._met(anchors)
    assert sorted(map(tuple, met.tolist())) == sorted(known)
    assert 10 < len(known) < 60
    assert distance.max() <= near_duplicates._MOST_PICTURE_DB


@pytest.mark.parametrize("room", [1 << 19, 5])
def test_pairs_do_not_depend_on_how_many_are_found_at_once(
    pictures: np.ndarray, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(near_duplicates, "_PAIRS_FOUND_AT_ONCE", room)
    met, _ = near_duplicates._met(anchors_of(np.zeros((12, 8), np.uint64), np.repeat(pictures[:1], 12, axis=0)))
    assert sorted(map(tuple, met.tolist())) == list(combinations(range(12), 2))


def test_signs_match_where_they_are_shifted_and_nowhere_else():
    random = np.random.default_rng(1)
    signs = random.random((3, SIGNS)) < 0.5
    signs[1] = np.roll(signs[0], 300)
    pairs = np.array([[0, 1], [0, 2], [1, 1]])
    highest, alone = near_duplicates._sign_match(signs, pairs)
    for (one, other), match, difference in zip(pairs, highest, alone, strict=True):
        full = np.correlate(*(np.where(signs[number], 1.0, -1.0) for number in (one, other)), "full")
        size = np.abs(full) / SIGNS
        places = np.abs(np.arange(size.size) - size.argmax())
        assert match == pytest.approx(size.max(), abs=1e-5)
        assert difference == pytest.approx(size.max() - size[places > near_duplicates._NEAR_SHIFT].max(), abs=1e-5)
    assert highest[0] > 0.8
    assert highest[2] == pytest.approx(1.0, abs=1e-5)
    assert highest[1] < 0.2


def test_every_pair_is_in_one_tile(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(near_duplicates, "_ANCHORS_AT_ONCE", 4)
    pairs = np.array(list(combinations(range(11), 2)))
    tiles = list(near_duplicates._tiles(pairs, 11))
    np.testing.assert_array_equal(np.sort(np.concatenate(tiles)), np.arange(len(pairs)))
    assert max(np.unique(pairs[tile] // 4).size for tile in tiles) == 2
    assert len(tiles) == 6
    assert list(near_duplicates._tiles(np.zeros((0, 2), np.int64), 0)) == []
