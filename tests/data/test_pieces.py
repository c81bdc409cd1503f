"""Pieces of a source: slices are parts of the whole to the bit, whether it is read at once or in parts."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from stereokit.audio import blocks, plain_wave
from stereokit.audio.blocks import Blocks, blocks_of, open_blocks
from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.audio.resample import resample
from stereokit.data import pieces
from stereokit.data.pieces import Piece, Slices, loud_span, sliced, whole
from stereokit.errors import BadInputError

RATE = 8000


def noise(frames: int, channels: int = 2) -> NDArray[np.int16]:
    return np.random.default_rng(frames).integers(-9000, 9000, (frames, channels), dtype=np.int16)


def held(samples: NDArray[np.integer] | NDArray[np.floating], rate: int = RATE) -> Blocks:
    samples = samples if samples.dtype == np.int16 else samples.astype(np.float32)
    return blocks_of(Recording(samples, rate, "PCM_16"))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is short enough to be kept, and parts are small."""
    monkeypatch.setattr(blocks, "_LONGEST_KEPT_FRAMES", 0)
    monkeypatch.setattr(plain_wave, "_LONGEST_BYTES", 0)
    monkeypatch.setattr(pieces, "_BLOCK_FRAMES", 777)


def of_file(tmp_path: Path, samples: NDArray[np.int16], suffix: str = ".wav") -> Blocks:
    soundfile.write(tmp_path / f"sound{suffix}", samples, RATE)
    return open_blocks(tmp_path / f"sound{suffix}")


def joined(found: list[Piece], hop: int) -> NDArray[np.float32]:
    """Lay clips hop by hop over each other."""
    sound = np.zeros((2, hop * (len(found) - 1) + found[-1].clip.frames), np.float32)
    for number, piece in enumerate(found):
        sound[:, number * hop : number * hop + piece.clip.frames] = piece.clip.samples
    return sound


@pytest.mark.usefixtures("in_parts")
class TestInParts:
    @pytest.mark.parametrize("suffix", [".wav", ".flac"])
    @pytest.mark.parametrize("rate", [RATE, 11_025, 4000])
    @pytest.mark.parametrize("overlap", [0.0, 0.5])
    def test_windows_are_the_resampled_whole_to_the_bit(
        self, tmp_path: Path, rate: int, overlap: float, suffix: str
    ) -> None:
        sound = of_file(tmp_path, noise(5005), suffix)
        assert sound.kept is None
        found = list(sliced(sound, rate, None, Slices(0.1, overlap)))
        expected = resample(read(tmp_path / f"sound{suffix}").to_clip(), rate)
        window = round(0.1 * rate)
        assert np.array_equal(joined(found, round(window * (1 - overlap))), expected.samples)
        assert all(piece.clip.frames == window for piece in found[:-1])
        assert [piece.name for piece in found[:2]] == ["-0001", "-0002"]
        assert found[-1].facts["slice"] == found[0].facts["slices"] == len(found)

    @pytest.mark.parametrize("rate", [RATE, 11_025])
    def test_each_comes_with_its_stretch_of_the_source(self, tmp_path: Path, rate: int) -> None:
        samples = noise(5005)
        for piece in sliced(of_file(tmp_path, samples), rate, None, Slices(0.1)):
            start = round(float(str(piece.facts["start_s"])) * RATE)
            stretch = piece.recording.samples
            assert np.array_equal(stretch, samples[start : start + len(stretch)])
            assert abs(len(stretch) / RATE - piece.clip.frames / rate) < 2 / RATE

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("slices", [Slices(0.25), Slices(None)])
    @pytest.mark.parametrize("trim_db", [None, -40.0])
    def test_a_file_in_parts_gives_what_it_gives_at_once(
        self, tmp_path: Path, slices: Slices, channels: int, trim_db: float | None
    ) -> None:
        samples = noise(9000, channels) // 100
        samples[2000:2400] *= 80
        samples[6000:6100] *= 80
        in_parts = list(sliced(of_file(tmp_path, samples), 11_025, trim_db, slices))
        at_once = list(sliced(held(samples), 11_025, trim_db, slices))
        assert len(in_parts) == len(at_once) > 1
        for one, other in zip(in_parts, at_once, strict=True):
            assert (one.name, one.facts) == (other.name, other.facts)
            assert np.array_equal(one.clip.samples, other.clip.samples)
            assert np.array_equal(one.recording.samples, other.recording.samples)


class TestOnsets:
    @staticmethod
    def hits(places: list[int], frames: int = 16_000) -> NDArray[np.float64]:
        sound = np.zeros((frames, 2))
        for place in places:
            length = min(2000, frames - place)
            sound[place : place + length] += noise(length) / 20_000 * np.exp(-np.arange(length)[:, None] / 300)
        return sound

    def test_a_slice_starts_at_each_attack_and_the_last_one_reaches_the_end(self) -> None:
        found = list(sliced(held(self.hits([3000, 7000, 12_000])), RATE, None, Slices(None)))
        starts = [float(str(piece.facts["start_s"])) * RATE for piece in found]
        assert starts == pytest.approx([2988, 6988, 11_988], abs=8)
        lengths = [piece.clip.frames for piece in found]
        assert np.cumsum(lengths[::-1]) == pytest.approx(16_000 - np.array(starts[::-1]))

    def test_what_is_heard_before_the_first_attack_is_a_slice(self) -> None:
        sound = self.hits([8000])
        sound[:6000] += 0.02 * np.sin(np.arange(6000) / 6000 * np.pi)[:, None] ** 2
        found = list(sliced(held(sound), RATE, None, Slices(None)))
        assert found[0].facts["start_s"] == 0.0
        assert sum(piece.clip.frames for piece in found) == 16_000

    def test_without_onsets_all_is_one_slice_and_30_seconds_are_the_longest(self) -> None:
        (silence,) = sliced(held(np.zeros((5000, 2))), RATE, None, Slices(None))
        assert silence.clip.frames == 5000
        found = list(sliced(held(np.zeros((65 * RATE, 2))), RATE, None, Slices(None)))
        assert [piece.clip.frames for piece in found] == [30 * RATE, 30 * RATE, 5 * RATE]

    def test_at_another_rate_slices_follow_each_other_without_a_gap(self) -> None:
        sound = self.hits([0, 5000, 9000])
        found = list(sliced(held(sound), 11_025, None, Slices(None)))
        expected = resample(held(sound).kept.to_clip(), 11_025)  # type: ignore[union-attr]
        assert np.array_equal(np.concatenate([piece.clip.samples for piece in found], axis=1), expected.samples)


class TestTrimming:
    @pytest.mark.parametrize("dtype", [np.int16, np.float32])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_what_is_over_the_level_in_either_channel_is_where_a_sound_starts_and_ends(
        self, dtype: type, sign: int
    ) -> None:
        scale = 32_768 if dtype is np.int16 else 1.0
        samples = np.zeros((100, 2))
        # -60 dB are 32.768 steps of 16 bit
        samples[10, 0], samples[20, 0], samples[70, 1], samples[80, 1] = (32.5 / 32_768, 33.5 / 32_768, 0.25, 0.0005)
        assert loud_span(held((sign * samples * scale).astype(dtype)), -60.0) == (20, 71)

    def test_the_lowest_16_bit_value_is_loud(self) -> None:
        samples = np.zeros((9, 1), np.int16)
        samples[4] = -32_768
        assert loud_span(held(samples), -1.0) == (4, 5)

    def test_of_silence_nothing_is_left(self) -> None:
        silence = held(np.zeros((50, 2)))
        assert loud_span(silence, -60.0) == (0, 0)
        assert list(sliced(silence, RATE, -60.0, Slices(0.1))) == []
        assert list(whole(Recording(np.zeros((50, 2), np.int16), RATE, "PCM_16"), RATE, -60.0)) == []

    def test_windows_are_counted_from_where_the_sound_starts(self) -> None:
        samples = noise(4000) | 1024
        samples[:1500] = 0
        found = list(sliced(held(samples), RATE, -60.0, Slices(0.1)))
        assert found[0].facts["start_s"] == pytest.approx(1500 / RATE)
        assert np.array_equal(joined(found, 800), held(samples[1500:]).kept.to_clip().samples)  # type: ignore[union-attr]


@pytest.mark.parametrize("channels", [3, 6])
def test_more_than_two_channels_are_refused(channels: int) -> None:
    with pytest.raises(BadInputError, match=f"has {channels} channels"):
        list(sliced(held(noise(100, channels)), RATE, None, Slices(0.1)))
