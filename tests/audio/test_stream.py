"""A WAV file in parts is the file that is written at once."""

import io

import numpy as np
import pytest
import soundfile

from stereokit.audio import stream
from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.audio.stream import longest_frames, quantise, wav_header, wav_samples


@pytest.fixture
def clip() -> Clip:
    samples = np.random.default_rng(0).uniform(-1.0, 1.0, (2, 501)).astype(np.float32)
    samples[:, :3] = [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]
    return Clip(samples, 44_100)


@pytest.mark.parametrize(("encoding", "subtype"), [("16", "PCM_16"), ("24", "PCM_24")])
def test_header_and_samples_are_the_bytes_that_libsndfile_writes(clip: Clip, encoding: str, subtype: str) -> None:
    steps = quantise(clip.samples, int(encoding), 3).T
    written = io.BytesIO()
    soundfile.write(written, steps, clip.sample_rate, subtype, format="WAV")
    data = wav_header(clip.frames, clip.sample_rate, encoding) + wav_samples(clip, encoding=encoding, dither_seed=3)
    assert data == written.getvalue() == encode(clip, encoding=encoding, dither_seed=3)


def test_header_and_samples_of_floats_read_as_the_file_written_at_once(clip: Clip) -> None:
    data = wav_header(clip.frames, clip.sample_rate, "float") + wav_samples(clip, encoding="float")
    with soundfile.SoundFile(io.BytesIO(data)) as made:
        assert (made.frames, made.samplerate, made.channels, made.subtype) == (501, 44_100, 2, "FLOAT")
        assert np.array_equal(made.read(dtype="float32").T, clip.samples)
    assert int.from_bytes(data[4:8], "little") == len(data) - 8


@pytest.mark.parametrize("frames_at_once", [1, 7, 500, 501, 1 << 20])
def test_dither_is_one_noise_whatever_is_quantised_at_once(
    clip: Clip, monkeypatch: pytest.MonkeyPatch, frames_at_once: int
) -> None:
    monkeypatch.setattr(stream, "_FRAMES_AT_ONCE", frames_at_once)
    # Whole steps in the middle get none, and what follows them gets its own all the same.
    samples = clip.samples.copy()
    samples[:, 100:300] = np.rint(samples[:, 100:300] * 32768) / 32768
    first, second = np.random.default_rng(3).random((2, 501))
    scaled = samples.astype(np.float64) * 32768
    noise = np.where((np.rint(scaled) == scaled).all(axis=0), 0.0, first - second)
    wanted = np.clip(np.rint(scaled + noise), -32768, 32767)
    assert np.array_equal(quantise(samples, 16, 3), wanted)


def test_parts_follow_each_other_without_a_seam(clip: Clip) -> None:
    parts = [Clip(clip.samples[:, :100], 44_100), Clip(clip.samples[:, 100:], 44_100)]
    assert b"".join(wav_samples(part, encoding="24") for part in parts) == wav_samples(clip, encoding="24")


@pytest.mark.parametrize("encoding", ["16", "24"])
def test_what_passes_full_scale_is_never_clipped_silently(clip: Clip, encoding: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        wav_samples(Clip(clip.samples * 2, 44_100), encoding=encoding)


@pytest.mark.parametrize("encoding", ["16", "24", "float"])
def test_a_file_of_more_than_4_gib_is_refused(encoding: str) -> None:
    frames = longest_frames(encoding)
    assert int.from_bytes(wav_header(frames, 44_100, encoding)[4:8], "little") < 2**32
    with pytest.raises(ValueError, match="more than a WAV file can hold"):
        wav_header(frames + 1, 44_100, encoding)
