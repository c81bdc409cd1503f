"""16 bit WAV without a decoder: what the decoder gives, or nothing."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.audio.files import read
from stereokit.audio.plain_wave import read_plain_wave
from stereokit.errors import BadInputError


def wave_bytes(samples: np.ndarray, rate: int = 8000, subtype: str = "PCM_16", container: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, subtype, format=container)
    return buffer.getvalue()


def plainly(data: bytes, max_channels: int = 8):
    return read_plain_wave(io.BytesIO(data), len(data), max_channels=max_channels)


NOISE = np.random.default_rng(0).integers(-32768, 32768, (501, 2)).astype(np.int16)
PLAIN = wave_bytes(NOISE)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [1_000, 44_100, 768_000])
def test_it_reads_what_the_decoder_reads(channels: int, rate: int):
    samples = np.random.default_rng(channels).integers(-32768, 32768, (77, channels)).astype(np.int16)
    data = bytearray(wave_bytes(samples[:, :1], rate))
    # The library's own files of many channels carry a longer header.
    data[22:24], data[32:34] = struct.pack("<H", channels), struct.pack("<H", 2 * channels)
    data[40:44] = struct.pack("<I", samples.nbytes)
    recording = plainly(bytes(data[:44]) + samples.tobytes())
    assert recording.samples.tolist() == samples.tolist()
    assert (recording.samples.dtype, recording.sample_rate, recording.subtype) == (np.int16, rate, "PCM_16")
    assert recording.samples.flags.writeable


def test_what_follows_the_samples_is_no_sound():
    assert plainly(PLAIN + b"LIST\x04\x00\x00\x00abcd").samples.tolist() == NOISE.tolist()


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (0, b"RIFX"),
        (8, b"WAVX"),
        (12, b"JUNK"),
        (16, struct.pack("<I", 18)),
        (20, struct.pack("<H", 3)),
        (22, struct.pack("<H", 0)),
        (22, struct.pack("<H", 9)),
        (24, struct.pack("<I", 0)),
        (32, struct.pack("<H", 3)),
        (34, struct.pack("<H", 24)),
        (36, b"fact"),
        (40, struct.pack("<I", 0)),
        (40, struct.pack("<I", 2002)),
        (40, struct.pack("<I", 2008)),
        (40, b"\xff\xff\xff\xff"),
    ],
)
def test_any_other_header_is_the_decoders(where: int, what: bytes):
    assert plainly(PLAIN[:where] + what + PLAIN[where + len(what) :]) is None


@pytest.mark.parametrize("length", [0, 12, 43, 44, 60, len(PLAIN) - 1])
def test_a_file_cut_short_is_the_decoders(length: int):
    assert plainly(PLAIN[:length]) is None


@pytest.mark.parametrize(("subtype", "container"), [("PCM_24", "WAV"), ("FLOAT", "WAV"), ("PCM_16", "AIFF")])
def test_other_formats_are_the_decoders(subtype: str, container: str):
    assert plainly(wave_bytes(NOISE / 32768.0, 8000, subtype, container)) is None


def test_a_large_file_is_the_decoders(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("stereokit.audio.plain_wave._LONGEST_BYTES", len(PLAIN) - 1)
    assert plainly(PLAIN) is None


@pytest.mark.parametrize("rate", [999, 768_001])
def test_an_impossible_rate_is_refused_here_too(tmp_path: Path, rate: int):
    path = tmp_path / "a.wav"
    path.write_bytes(PLAIN[:24] + struct.pack("<I", rate) + PLAIN[28:])
    with pytest.raises(BadInputError, match=f"{rate} Hz"):
        read(path)


@settings(max_examples=200, deadline=None)
@given(where=st.integers(0, 60), what=st.binary(min_size=1, max_size=8), length=st.integers(0, len(PLAIN)))
def test_whatever_it_takes_the_decoder_takes_alike(where: int, what: bytes, length: int):
    data = (PLAIN[:where] + what + PLAIN[where + len(what) :])[: max(length, 44)]
    recording = plainly(data)
    if recording is not None:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            assert (sound.samplerate, sound.channels, sound.subtype) == (
                recording.sample_rate,
                recording.channels,
                "PCM_16",
            )
            assert sound.read(dtype="int16", always_2d=True).tolist() == recording.samples.tolist()
