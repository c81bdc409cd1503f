"""A WAV file in parts is the file that is written at once."""

import io

import numpy as np
import pytest
import soundfile

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.audio.stream import longest_frames, wav_header, wav_samples


@pytest.fixture
def clip() -> Clip:
    samples = np.random.default_rng(0).uniform(-1.0, 1.0, (2, 501)).astype(np.float32)
    samples[:, :3] = [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]
    return Clip(samples, 44_100)


@pytest.mark.parametrize(("encoding", "subtype"), [("16", "PCM_16"), ("24", "PCM_24"), ("float", "FLOAT")])
def test_header_and_samples_make_a_file_that_reads_as_the_one_written_at_once(
    clip: Clip, encoding: str, subtype: str
) -> None:
    data = wav_header(clip.frames, clip.sample_rate, encoding) + wav_samples(clip, encoding=encoding, dither_seed=3)
    whole = encode(clip, encoding=encoding, dither_seed=3)
    with soundfile.SoundFile(io.BytesIO(data)) as made, soundfile.SoundFile(io.BytesIO(whole)) as wanted:
        assert (made.frames, made.samplerate, made.channels, made.subtype) == (501, 44_100, 2, subtype)
        assert np.array_equal(made.read(dtype="float64"), wanted.read(dtype="float64"))
    assert int.from_bytes(data[4:8], "little") == len(data) - 8


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
