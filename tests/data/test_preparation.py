"""One clip on its way into a data set: length, channels, rate, level, encoding."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.levels import loudness_lufs
from stereokit.data import source_pieces
from stereokit.data.fitting import FADE_OUT_S
from stereokit.data.pieces import Piece, sliced
from stereokit.data.preparation import Preparation, Prepared, Task, output_path, prepare
from stereokit.errors import BadInputError

RATE = 44_100


def noise(frames: int, *, channels: int = 2, peak: int = 20_000, seed: int = 0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-peak, peak, (frames, channels), dtype=np.int16)


def tone(frames: int, *, left: float, right: float, rate: int = RATE) -> NDArray[np.float32]:
    wave = np.sin(2 * np.pi * 441 * np.arange(frames) / rate)
    return np.stack([left * wave, right * wave], axis=1).astype(np.float32)


class Workbench:
    """Writes a source, prepares it, and reads back what was written."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "source.wav", folder / "clip.wav"

    def make(
        self,
        samples: NDArray[Any],
        *,
        rate: int = RATE,
        subtype: str | None = None,
        key: str = "set/a.wav",
        **settings: Any,
    ) -> tuple[Prepared, NDArray[Any]]:
        if subtype is None:
            subtype = "PCM_16" if samples.dtype == np.int16 else "FLOAT"
        soundfile.write(self.source, samples, rate, subtype)
        prepared = prepare(Task(key, self.source, self.target), Preparation(**settings))
        integer = soundfile.info(self.target).subtype == "PCM_16"
        written, _ = soundfile.read(self.target, dtype="int16" if integer else "float64", always_2d=True)
        return prepared, written


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_a_16_bit_recording_at_the_same_rate_comes_back_bit_for_bit(bench: Workbench) -> None:
    samples = noise(5000)
    samples[:3] = [[-32768, 32767], [0, 0], [32767, -32768]]
    prepared, written = bench.make(samples)
    assert np.array_equal(written, samples)
    assert prepared.outputs[0].facts["gain_db"] == 0.0
    assert prepared.outputs[0].facts["is_limited"] is False


@pytest.mark.parametrize(
    ("length", "frames"), [(0.05, 2205), (0.6, 26460), (1 / RATE, 1), (0.0330, 1455), (0.5, 22050)]
)
@pytest.mark.parametrize("rate", [22_050, RATE, 48_000])
def test_a_length_in_seconds_is_met_to_the_sample(bench: Workbench, length: float, frames: int, rate: int) -> None:
    prepared, written = bench.make(noise(12_000), rate=rate, length=length)
    assert written.shape == (frames, 2)
    assert prepared.outputs[0].facts["frames"] == frames


def test_a_cut_clip_fades_out_to_nothing_over_ten_milliseconds(bench: Workbench) -> None:
    samples = np.full((RATE, 2), 16_000, np.int16)
    _, written = bench.make(samples, length=0.1)
    fading = round(FADE_OUT_S * RATE)
    assert fading == 441
    assert np.array_equal(written[:-fading], samples[: 4410 - fading])
    assert not written[-1].any()
    # an end without a click: no step is larger than that of a quarter of a cosine
    assert np.abs(np.diff(written[:, 0].astype(int))).max() <= 16_000 * np.pi / 2 / 440 + 3


def test_a_short_clip_is_padded_with_zeros_behind_what_it_was(bench: Workbench) -> None:
    samples = noise(1000)
    samples[-1] = 0
    _, written = bench.make(samples, length=0.1)
    assert np.array_equal(written[:1000], samples)
    assert not written[1000:].any()


def test_a_short_clip_that_ends_loudly_is_faded_before_the_zeros(bench: Workbench) -> None:
    _, written = bench.make(np.full((1000, 2), 9000, np.int16), length=0.1)
    assert (written[: 1000 - 441] == 9000).all()
    assert not written[999:].any()


def test_a_clip_of_the_length_asked_for_is_left_alone(bench: Workbench) -> None:
    samples = noise(4410)
    assert np.array_equal(bench.make(samples, length=0.1)[1], samples)


def test_a_mono_file_is_doubled_and_marked(bench: Workbench) -> None:
    samples = noise(500, channels=1)
    prepared, written = bench.make(samples)
    assert np.array_equal(written, np.repeat(samples, 2, axis=1))
    assert prepared.outputs[0].facts["is_mono_source"] is True
    assert prepared.outputs[0].facts["has_side"] is False


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_mono_stays_exactly_dual_mono_through_resampling_fading_gain_and_dither(bench: Workbench, rate: int) -> None:
    prepared, written = bench.make(noise(9000, channels=1), rate=rate, length=0.08, normalization="peak", target=-3.0)
    assert np.array_equal(written[:, 0], written[:, 1])
    assert written.max() > 20_000
    assert prepared.outputs[0].facts["has_side"] is False


def test_dual_mono_stereo_is_no_mono_source_but_has_no_side(bench: Workbench) -> None:
    prepared, _ = bench.make(np.repeat(noise(300, channels=1), 2, axis=1))
    assert (prepared.outputs[0].facts["is_mono_source"], prepared.outputs[0].facts["has_side"]) == (False, False)


@pytest.mark.parametrize("encoding", ["24", "float"])
def test_peak_normalisation_reaches_its_target_and_keeps_the_balance(bench: Workbench, encoding: str) -> None:
    prepared, written = bench.make(
        tone(4410, left=0.25, right=0.05), normalization="peak", target=-1.0, encoding=encoding
    )
    assert 20 * np.log10(np.abs(written).max()) == pytest.approx(-1.0, abs=1e-4)
    loud = np.abs(written[:, 0]) > 0.1
    np.testing.assert_allclose(written[loud, 1] / written[loud, 0], 0.2, atol=3e-6)
    assert prepared.outputs[0].facts["gain_db"] == pytest.approx(20 * np.log10(10 ** (-1 / 20) / 0.25), abs=1e-4)
    assert prepared.outputs[0].facts["peak"] == pytest.approx(10 ** (-1 / 20), rel=1e-5)


def test_peak_normalisation_to_full_scale_in_16_bit_reaches_the_highest_step(bench: Workbench) -> None:
    samples = np.zeros((50, 2), np.int16)
    samples[7], samples[9] = (-100, 50), (25, -75)
    prepared, written = bench.make(samples, normalization="peak", target=0.0)
    assert written[7].tolist() == [-32768, 16384]
    assert written[9].tolist() == [8192, -24576]
    assert prepared.outputs[0].facts["is_limited"] is False


@pytest.mark.parametrize("target", [-14.0, -23.0, -40.0])
def test_loudness_normalisation_reaches_its_target_and_keeps_the_balance(bench: Workbench, target: float) -> None:
    samples = tone(RATE, left=0.1, right=-0.02)
    _, written = bench.make(samples, normalization="loudness", target=target, encoding="float")
    assert loudness_lufs(Clip(written.T.astype(np.float32), RATE)) == pytest.approx(target, abs=0.01)
    loud = np.abs(samples[:, 0]) > 0.01
    np.testing.assert_allclose(written[loud, 1] / written[loud, 0], -0.2, rtol=1e-5)


def test_a_loudness_that_would_pass_full_scale_is_held_at_full_scale_and_recorded(bench: Workbench) -> None:
    samples = np.zeros((RATE, 2), np.float32)
    samples[100::4410] = (0.5, -0.25)
    prepared, written = bench.make(samples, normalization="loudness", target=-1.0)
    assert prepared.outputs[0].facts["is_limited"] is True
    assert np.abs(written.astype(int)).max() == 32767
    ratio = written[100::4410, 1] / written[100::4410, 0]
    np.testing.assert_allclose(ratio, -0.5, atol=1e-4)


@pytest.mark.parametrize("encoding", ["16", "24"])
@pytest.mark.parametrize("highest", [1.0001, 1.5, 100.0, 3e38])
def test_a_float_over_full_scale_is_turned_down_as_a_whole_and_recorded(
    bench: Workbench, encoding: str, highest: float
) -> None:
    prepared, written = bench.make(tone(441, left=highest, right=highest / 2), encoding=encoding)
    written = written / 32768 if encoding == "16" else written
    step = 2.0**-15 if encoding == "16" else 2.0**-23
    assert np.abs(written).max() == pytest.approx(1.0, abs=3e-5)
    assert np.abs(written[:, 0] - 2 * written[:, 1]).max() <= 6 * step
    # only the highest of a sine is at full scale: a clipped one would stay there
    assert (np.abs(written) > 0.999).sum() <= 20
    assert prepared.outputs[0].facts["is_limited"] is True
    assert prepared.outputs[0].facts["gain_db"] == pytest.approx(
        -20 * np.log10(np.abs(tone(441, left=highest, right=0)).max(), dtype=np.float64), abs=1e-3
    )


def test_a_float_over_full_scale_stays_as_it_is_in_float(bench: Workbench) -> None:
    samples = tone(441, left=1.5, right=-2.5)
    prepared, written = bench.make(samples, encoding="float")
    assert np.array_equal(written, samples)
    assert prepared.outputs[0].facts["is_limited"] is False
    assert prepared.outputs[0].facts["peak"] == pytest.approx(2.5, abs=1e-3)


def test_a_hardly_audible_float_is_raised_without_breaking(bench: Workbench) -> None:
    samples = np.zeros((100, 2), np.float32)
    samples[5] = (1e-42, -1e-42)
    _, written = bench.make(samples, normalization="peak", target=0.0)
    assert written[5].tolist() == [32767, -32768]
    assert not written[:5].any()


def test_a_float_near_the_end_of_its_range_is_refused_when_resampling_passes_it(bench: Workbench) -> None:
    samples = np.full((400, 2), 3.3e38, np.float32)
    with pytest.raises(BadInputError, match="passes the range"):
        bench.make(samples, rate=48_000)
    assert not bench.target.exists()


def test_24_bit_and_float_sources_come_back_exactly(bench: Workbench) -> None:
    whole = np.random.default_rng(3).integers(-(2**23), 2**23, (800, 2))
    _, written = bench.make((whole << 8).astype(np.int32), subtype="PCM_24", encoding="24")
    assert np.array_equal(np.rint(written * 2**23).astype(int), whole)
    fine = np.random.default_rng(4).uniform(-1, 1, (800, 2)).astype(np.float32)
    assert np.array_equal(bench.make(fine, encoding="float")[1].astype(np.float32), fine)


def test_another_rate_has_the_length_and_pitch_of_the_first(bench: Workbench) -> None:
    prepared, written = bench.make(tone(22_050, left=0.5, right=0.25, rate=22_050), rate=22_050, sample_rate=48_000)
    info = soundfile.info(bench.target)
    assert (info.samplerate, info.frames, info.channels, info.subtype) == (48_000, 48_000, 2, "PCM_16")
    assert int(np.argmax(np.abs(np.fft.rfft(written[:, 0])))) == 441
    facts = prepared.outputs[0].facts
    assert (facts["sample_rate_hz"], facts["source_rate_hz"], facts["source_frames"]) == (48_000, 22_050, 22_050)


def test_dither_differs_from_source_to_source_and_is_the_same_again(bench: Workbench) -> None:
    samples = tone(2000, left=0.3, right=0.2)
    first, again, other = (bench.make(samples, key=key)[1] for key in ("set/a.wav", "set/a.wav", "set/b.wav"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(first - np.rint(samples * 32768)).max() <= 2


def test_a_silent_clip_stays_silent_through_peak_normalisation(bench: Workbench) -> None:
    prepared, written = bench.make(np.zeros((400, 2), np.int16), rate=48_000, normalization="peak", target=-1.0)
    facts = prepared.outputs[0].facts
    assert not written.any()
    assert (facts["peak"], facts["gain_db"], facts["has_side"]) == (0.0, 0.0, False)


def test_a_very_quiet_clip_has_no_loudness_to_normalise_and_a_silent_one_needs_none(bench: Workbench) -> None:
    with pytest.raises(BadInputError, match="too quiet"):
        bench.make(np.full((4000, 2), 1, np.int16), normalization="loudness", target=-23.0)


@pytest.mark.parametrize("channels", [3, 6])
def test_more_than_two_channels_are_refused(bench: Workbench, channels: int) -> None:
    with pytest.raises(BadInputError, match=f"has {channels} channels"):
        bench.make(noise(100, channels=channels))
    assert not bench.target.exists()


@settings(deadline=None)
@given(
    frames=st.integers(1, 400),
    channels=st.integers(1, 2),
    rate=st.sampled_from([1_000, 8_000, 44_100, 192_000, 768_000]),
    sample_rate=st.sampled_from([1_000, 44_100, 96_000]),
    length=st.none() | st.floats(1e-3, 0.02),
    normalization=st.sampled_from(["none", "peak", "loudness"]),
    encoding=st.sampled_from(["16", "24", "float"]),
    peak=st.sampled_from([1, 300, 32_767]),
)
def test_every_clip_is_made_as_declared_or_refused(
    tmp_path_factory: pytest.TempPathFactory, frames: int, channels: int, rate: int, peak: int, **words: Any
) -> None:
    bench = Workbench(tmp_path_factory.getbasetemp())
    if words["normalization"] != "none":
        words["target"] = -20.0
    try:
        prepared, written = bench.make(noise(frames, channels=channels, peak=peak), rate=rate, **words)
    except BadInputError:
        assert words["normalization"] == "loudness"
        return
    length, sample_rate = words["length"], words["sample_rate"]
    expected = max(1, round(frames * sample_rate / rate)) if length is None else round(length * sample_rate)
    assert written.shape == (expected, 2) == (prepared.outputs[0].facts["frames"], 2)
    assert soundfile.info(bench.target).samplerate == sample_rate
    assert np.isfinite(written).all()
    assert (channels == 2) or np.array_equal(written[:, 0], written[:, 1])


class TestEnds:
    def test_silent_ends_are_left_out_before_anything_else(self, bench: Workbench) -> None:
        samples = np.zeros((5000, 2), np.int16)
        samples[1000:3000] = noise(2000) | 1024
        prepared, written = bench.make(samples, trim_silence=-60.0)
        assert np.array_equal(written, samples[1000:3000])
        assert prepared.outputs[0].facts["source_frames"] == 5000

    def test_a_silent_source_is_dropped_when_silence_is_trimmed(self, bench: Workbench) -> None:
        soundfile.write(bench.source, np.zeros((500, 2), np.int16), RATE)
        prepared = prepare(Task("a", bench.source, bench.target), Preparation(trim_silence=-60.0))
        assert (prepared.outputs, prepared.dropped) == ((), "has nothing over -60.0 dB (--trim-silence)")
        assert not bench.target.exists()

    def test_fades_rise_and_fall_along_a_quarter_of_a_cosine(self, bench: Workbench) -> None:
        samples = np.full((2000, 2), 0.5, np.float32)
        _, written = bench.make(samples, rate=1000, sample_rate=1000, fade_in=0.5, fade_out=0.25, encoding="float")
        assert written[:500, 0] == pytest.approx(0.5 * np.sin(np.arange(500) / 499 * np.pi / 2), abs=1e-6)
        assert written[-250:, 1] == pytest.approx(0.5 * np.cos(np.arange(250) / 249 * np.pi / 2), abs=1e-6)
        assert (written[500:1750] == 0.5).all()

    @pytest.mark.parametrize("frames", [1000, 3000])
    def test_a_fade_comes_before_the_end_of_the_sound_whether_cut_or_padded(
        self, bench: Workbench, frames: int
    ) -> None:
        samples = np.full((frames, 2), 0.5, np.float32)
        _, written = bench.make(samples, rate=1000, sample_rate=1000, fade_out=0.25, length=2.0, encoding="float")
        end = min(frames, 2000)
        assert written[end - 250 : end, 0] == pytest.approx(0.5 * np.cos(np.arange(250) / 249 * np.pi / 2), abs=1e-6)
        assert (written[: end - 250] == 0.5).all()
        assert not written[end:].any()


class TestSlices:
    def make(self, bench: Workbench, samples: NDArray[Any], **settings: Any) -> Prepared:
        soundfile.write(bench.source, samples, RATE)
        return prepare(Task("set/a.wav", bench.source, bench.target), Preparation(**settings))

    def test_each_is_a_file_with_its_place_and_its_own_audit(self, bench: Workbench) -> None:
        samples = noise(10_000)
        samples[4410:8820, 1] = samples[4410:8820, 0]
        prepared = self.make(bench, samples, slicing=0.1)
        assert [output.name for output in prepared.outputs] == ["-0001", "-0002", "-0003"]
        assert [output.facts["is_dual_mono"] for output in prepared.outputs] == [False, True, False]
        assert [output.facts["start_s"] for output in prepared.outputs] == [0.0, 0.1, 0.2]
        assert [output.facts["padded_frames"] for output in prepared.outputs] == [0, 0, 4410 - 1180]
        for number, output in enumerate(prepared.outputs):
            path = output_path(bench.target, output.name)
            written = soundfile.read(path, dtype="int16")[0]
            assert len(written) == 4410
            stretch = samples[number * 4410 :][:4410]
            intact = len(stretch) if number < 2 else len(stretch) - 441
            assert np.array_equal(written[:intact], stretch[:intact])
            assert not written[len(stretch) :].any()
            assert hashlib.sha256(path.read_bytes()).hexdigest() == output.sha256
            assert path.stat().st_size == output.size
        assert not bench.target.exists()

    def test_those_that_a_filter_leaves_out_are_counted(self, bench: Workbench) -> None:
        samples = noise(8820)
        samples[:4410, 1] = samples[:4410, 0]
        prepared = self.make(bench, samples, slicing=0.1, is_only_stereo=True)
        assert [output.name for output in prepared.outputs] == ["-0002"]
        assert (prepared.dropped, prepared.dropped_slices) == (None, 1)
        assert sorted(path.name for path in bench.target.parent.iterdir()) == ["clip-0002.wav", "source.wav"]

    def test_a_source_of_which_none_is_left_is_dropped(self, bench: Workbench) -> None:
        prepared = self.make(bench, noise(8820, channels=1), slicing=0.1, is_only_stereo=True)
        assert prepared.outputs == ()
        assert prepared.dropped == "all 2 slices were left out, the first because it is mono (--only-stereo)"

    def test_one_that_is_too_quiet_to_level_does_not_cost_the_others(self, bench: Workbench) -> None:
        samples = noise(8820)
        samples[:4410] = samples[:4410] > 0
        prepared = self.make(bench, samples, slicing=0.1, normalization="loudness", target=-23.0)
        assert [output.name for output in prepared.outputs] == ["-0002"]
        assert prepared.dropped_slices == 1

    def test_a_source_that_breaks_off_leaves_no_slices_behind(
        self, bench: Workbench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = []

        def breaking(*arguments: Any) -> Iterator[Piece]:
            for piece in sliced(*arguments):
                if len(made) == 2:
                    raise BadInputError("is truncated")
                yield piece
                made.append(output_path(bench.target, piece.name).exists())

        monkeypatch.setattr(source_pieces, "sliced", breaking)
        with pytest.raises(BadInputError, match="is truncated"):
            self.make(bench, noise(20_000), slicing=0.1)
        assert made == [True, True]
        assert [path.name for path in bench.target.parent.iterdir()] == ["source.wav"]


def test_a_filter_drops_a_clip_and_says_why(bench: Workbench) -> None:
    soundfile.write(bench.source, noise(4410), RATE)
    prepared = prepare(Task("a", bench.source, bench.target), Preparation(max_peak=-20.0))
    assert prepared.outputs == ()
    assert prepared.dropped is not None
    assert prepared.dropped.startswith("has a true peak of ")
    assert not bench.target.exists()


@pytest.mark.parametrize("encoding", ["16", "24"])
def test_flac_holds_the_same_samples_as_wav(bench: Workbench, encoding: Any) -> None:
    soundfile.write(bench.source, tone(4410, left=0.4, right=0.2), RATE, "FLOAT")
    found = []
    for container in ("wav", "flac"):
        target = bench.target.with_suffix(f".{container}")
        prepare(Task("a", bench.source, target), Preparation(encoding=encoding, container=container))  # type: ignore[arg-type]
        assert soundfile.info(target).format == container.upper()
        found.append(soundfile.read(target, dtype="int32")[0])
    assert np.array_equal(*found)
