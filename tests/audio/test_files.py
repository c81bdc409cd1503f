"""Sound files: what is read is what was written, what is broken is refused, equal clips give equal bytes."""

import io
import signal
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from stereokit.audio import files
from stereokit.audio.clip import Clip
from stereokit.errors import BadInputError

RATE = 44100


def random_integers(bits: int, shape: tuple[int, ...], seed: int = 0) -> NDArray[np.int32]:
    """Return integers of this many bits, the extremes among them."""
    top = 1 << (bits - 1)
    values = np.random.default_rng(seed).integers(-top, top, shape, dtype=np.int32)
    values.flat[:4] = [-top, top - 1, 0, -1]
    return values


def written(path: Path, samples: NDArray[np.generic], *, rate: int = RATE, **settings: str) -> Path:
    soundfile.write(path, samples, rate, **settings)
    return path


def wav(data: bytes, *, bits: int = 16, channels: int = 2, rate: int = RATE, tag: int = 1, declared: int = -1) -> bytes:
    """Make a WAV file by hand."""
    frame = bits // 8 * channels
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * frame & 0xFFFFFFFF, frame, bits)
    size = len(data) if declared < 0 else declared
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", size) + data
    riff = len(body) if declared < 0 else min(declared + len(body), 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", riff) + body


@pytest.fixture
def file(tmp_path: Path):
    """Return a function that puts bytes into a file."""

    def put(data: bytes, name: str = "sound.wav") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return put


def refused(path: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        files.read(path)
    return str(caught.value)


class TestReading:
    @pytest.mark.parametrize(
        ("name", "settings"),
        [
            ("a.wav", {}),
            ("a.flac", {}),
            ("a.aiff", {}),
            ("a.caf", {}),
            ("a.w64", {}),
            ("a.au", {}),
            ("a.rf64", {"format": "RF64"}),
            ("x.wav", {"format": "WAVEX"}),
            ("le.aifc", {"format": "AIFF", "endian": "LITTLE"}),
        ],
    )
    def test_sixteen_bit_stays_sixteen_bit_in_every_format(self, tmp_path: Path, name: str, settings: dict[str, str]):
        samples = random_integers(16, (1000, 2)).astype(np.int16)
        recording = files.read(written(tmp_path / name, samples, subtype="PCM_16", **settings))
        assert recording.samples.dtype == np.int16
        assert np.array_equal(recording.samples, samples)
        assert (recording.sample_rate, recording.subtype, recording.full_scale) == (RATE, "PCM_16", 32768.0)

    @pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.caf"])
    def test_twenty_four_bit_is_exact_in_float32(self, tmp_path: Path, name: str):
        samples = random_integers(24, (1000, 2))
        recording = files.read(written(tmp_path / name, samples << 8, subtype="PCM_24"))
        assert recording.samples.dtype == np.float32
        assert np.array_equal(recording.samples.astype(np.float64) * 2**23, samples)
        assert recording.full_scale == 1.0

    def test_unsigned_eight_bit_is_centred_at_128(self, file):
        recording = files.read(file(wav(bytes([0, 127, 128, 255]), bits=8, channels=1)))
        assert recording.samples.dtype == np.int16
        assert recording.samples[:, 0].tolist() == [-32768, -256, 0, 32512]

    def test_float_files_come_as_they_are(self, tmp_path: Path):
        samples = np.array([[1e-30, -2.5], [0.1, 1.0]], np.float32)
        recording = files.read(written(tmp_path / "a.wav", samples, subtype="FLOAT"))
        assert np.array_equal(recording.samples, samples)

    def test_doubles_come_as_float32(self, tmp_path: Path):
        recording = files.read(written(tmp_path / "a.wav", np.full((3, 2), 0.1), subtype="DOUBLE"))
        assert recording.samples.dtype == np.float32
        assert (recording.samples == np.float32(0.1)).all()

    def test_ogg_vorbis_keeps_length_rate_and_sound(self, tmp_path: Path):
        sine = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
        recording = files.read(written(tmp_path / "a.ogg", np.stack([sine, -0.5 * sine], axis=1) * 0.5))
        assert recording.samples.shape == (RATE, 2)
        assert recording.samples.dtype == np.float32
        assert np.abs(recording.samples[2000:-2000, 0] - 0.5 * sine[2000:-2000]).max() < 0.02

    @pytest.mark.parametrize("channels", [1, 2, 8])
    def test_one_to_eight_channels_are_read(self, file, channels: int):
        assert files.read(file(wav(bytes(32 * channels), channels=channels))).channels == channels

    @pytest.mark.parametrize("rate", [1000, 768_000])
    def test_the_slowest_and_the_fastest_rate_are_read(self, file, rate: int):
        assert files.read(file(wav(bytes(8), rate=rate))).sample_rate == rate

    def test_one_frame_is_a_recording(self, file):
        assert files.read(file(wav(bytes(4)))).frames == 1

    @pytest.mark.parametrize(
        "frames", [files._BLOCK_FRAMES + shift for shift in (-1, 0, 1)] + [2 * files._BLOCK_FRAMES]
    )
    def test_the_borders_of_the_blocks_leave_no_trace(self, file, frames: int):
        samples = np.arange(frames, dtype=np.int64).astype(np.int16)
        assert np.array_equal(files.read(file(wav(samples.tobytes(), channels=1))).samples[:, 0], samples)

    def test_the_contents_decide_and_not_the_suffix(self, file):
        assert files.read(file(wav(bytes(400)), "sound.flac")).frames == 100

    def test_a_path_may_be_text(self, file):
        assert files.read(str(file(wav(bytes(4))))).frames == 1

    @pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFF000])
    def test_a_wav_that_was_streamed_into_a_pipe_is_read_to_its_end(self, file, declared: int):
        samples = random_integers(16, (777, 2)).astype(np.int16)
        recording = files.read(file(wav(samples.tobytes(), declared=declared)))
        assert np.array_equal(recording.samples, samples)

    def test_chunks_before_and_behind_the_sound_are_no_sound(self, file):
        data = bytearray(wav(bytes([1, 0, 2, 0])))
        data[12:12] = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"
        assert files.read(file(bytes(data) + b"id3 " + struct.pack("<I", 4) + b"ABCD")).samples.tolist() == [[1, 2]]


class TestRefusing:
    def test_nothing(self, file):
        assert refused(file(b"")) == "is empty"

    @pytest.mark.parametrize("data", [b"x", b"this is no sound\n" * 100, b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC"])
    def test_what_is_no_sound(self, file, data: bytes):
        assert refused(file(data)).startswith("cannot be decoded: ")

    @pytest.mark.parametrize("cut", [1, 100, 20_000])
    @pytest.mark.parametrize(
        "container", ["WAV", "WAVEX", "RF64", "W64", "AU", "AIFF", "CAF", "FLAC", "OGG/VORBIS", "OGG/OPUS"]
    )
    def test_a_file_of_any_container_that_lacks_its_end(self, tmp_path: Path, container: str, cut: int):
        kind, _, subtype = container.partition("/")
        path = tmp_path / "cut"
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, (30_000, 2))
        soundfile.write(path, noise, 48_000, format=kind, subtype=subtype or "PCM_16")
        assert files.read(path).frames == 30_000
        data = path.read_bytes()
        path.write_bytes(data[: max(len(data) // 2, len(data) - cut)])
        assert "truncated" in refused(path) or "cannot be decoded" in refused(path)

    def test_an_ogg_page_without_its_stream(self, file):
        assert refused(file(b"OggS")).startswith("is truncated: ")

    def test_a_file_that_is_not_there_or_is_a_folder(self, tmp_path: Path):
        assert refused(tmp_path / "nothing.wav") == "cannot be read: No such file or directory"
        assert refused(tmp_path) == "cannot be read: Is a directory"

    @pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.flac", "a.caf"])
    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.999])
    def test_a_cut_file(self, tmp_path: Path, name: str, kept: float):
        path = written(tmp_path / name, random_integers(16, (20_000, 2)).astype(np.int16), subtype="PCM_16")
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * kept)])
        reason = refused(path)
        assert ("cannot be decoded" if name == "a.flac" else "truncated") in reason

    def test_a_cut_mp3_by_the_length_in_its_first_frame(self, tmp_path: Path):
        path = written(tmp_path / "a.mp3", noise(RATE).T)
        whole = path.read_bytes()
        assert files.read(path).frames == RATE
        path.write_bytes(whole[: len(whole) * 2 // 3])
        assert f"truncated: declares {RATE} frames" in refused(path)

    def test_a_wav_cut_within_its_header(self, file):
        whole = wav(bytes(400))
        for length in (1, 11, 12, 20, 36, 43):
            refused(file(whole[:length]))

    def test_sound_without_a_frame(self, tmp_path: Path):
        assert refused(written(tmp_path / "a.wav", np.zeros((0, 2)))) == "holds no samples"

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("frame", [0, 7, 99])
    def test_what_is_not_finite_with_the_first_frame_of_it(self, tmp_path: Path, bad: float, frame: int):
        samples = np.zeros((100, 2), np.float32)
        samples[frame:, 1] = bad
        path = written(tmp_path / "a.wav", samples, subtype="FLOAT")
        assert f"NaN or infinity (first in frame {frame})" in refused(path)

    def test_a_double_too_large_for_a_float(self, tmp_path: Path):
        path = written(tmp_path / "a.wav", np.full((4, 1), 1e300), subtype="DOUBLE")
        assert "NaN or infinity" in refused(path)

    def test_nine_channels(self, file):
        assert refused(file(wav(bytes(36), channels=9))) == "has 9 channels: 1 to 8 are read"

    @pytest.mark.parametrize("rate", [500, 999, 768_001, 1_000_000])
    def test_an_impossible_rate(self, file, rate: int):
        assert refused(file(wav(bytes(8), rate=rate))).startswith(f"has a sample rate of {rate} Hz")


def au(declared: int) -> bytes:
    return b".snd" + struct.pack(">IIIII", 24, declared, 3, RATE, 2) + bytes(400)


def caf(declared: int) -> bytes:
    description = struct.pack(">d4sIIIII", RATE, b"lpcm", 0, 4, 1, 2, 16)
    head = b"caff" + struct.pack(">HH", 1, 0) + b"desc" + struct.pack(">q", 32) + description
    return head + b"data" + struct.pack(">qI", declared, 0) + bytes(400)


def flac(declared: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((100, 2), np.int16), RATE, format="FLAC", subtype="PCM_16")
    data = bytearray(buffer.getvalue())
    # STREAMINFO's count of frames has 36 bits, the lower 32 of them here
    data[22:26] = struct.pack(">I", declared)
    return bytes(data)


def aiff(declared: int) -> bytes:
    # 44100 as an 80 bit float
    common = struct.pack(">HIH", 2, declared // 4, 16) + b"\x40\x0e\xac\x44\0\0\0\0\0\0"
    body = b"AIFFCOMM" + struct.pack(">I", 18) + common + b"SSND" + struct.pack(">III", declared, 0, 0) + bytes(400)
    return b"FORM" + struct.pack(">I", declared) + body


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("wav", wav(bytes(400), declared=0xFFFFFFF0)),
        ("streamed wav", wav(bytes(400), declared=0xFFFFFFFF)),
        ("wav of 8 channels", wav(bytes(400), channels=8, declared=0xFFFFFFFF)),
        ("aiff", aiff(0xFFFFFFF0)),
        ("au", au(0xFFFFFFF0)),
        ("caf", caf(1 << 32)),
        ("flac", flac(0xFFFFFFFF)),
    ],
)
def test_a_declared_size_of_four_gigabytes_allocates_no_more_than_a_block(file, name: str, data: bytes):
    path = file(data)
    files.read(file(wav(bytes(4)), "warm.wav"))
    tracemalloc.start()
    try:
        frames = files.read(path).frames
    except BadInputError:
        frames = 0
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert frames <= 100
    # NumPy's arrays are traced: one block of eight channels of 16 bit has 4 MiB.
    assert most < 5 << 20


def clip_of(samples: NDArray[np.floating], rate: int = RATE) -> Clip:
    return Clip(np.asarray(samples, np.float32), rate)


def decoded(data: bytes) -> tuple[NDArray[np.float64], soundfile.SoundFile]:
    with soundfile.SoundFile(io.BytesIO(data)) as sound:
        return sound.read(always_2d=True).T, sound


def noise(frames: int = 5000, *, level: float = 0.5, seed: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-level, level, (2, frames)).astype(np.float32)


class TestWriting:
    @pytest.mark.parametrize("bits", [16, 24])
    def test_integers_come_back_bit_for_bit(self, file, bits: int):
        integers = random_integers(bits, (2, 3000))
        clip = clip_of(integers / 2.0 ** (bits - 1))
        data = files.encode(clip, encoding=str(bits))
        samples, sound = decoded(data)
        assert np.array_equal(samples * 2.0 ** (bits - 1), integers)
        assert (sound.subtype, sound.samplerate, sound.format) == (f"PCM_{bits}", RATE, "WAV")
        assert np.array_equal(files.read(file(data)).to_clip().samples, clip.samples)

    def test_floats_come_back_bit_for_bit_beyond_full_scale_too(self, file):
        clip = clip_of(noise(level=4.0), rate=48_000)
        recording = files.read(file(files.encode(clip, encoding="float")))
        assert np.array_equal(recording.to_clip().samples, clip.samples)
        assert (recording.subtype, recording.sample_rate) == ("FLOAT", 48_000)

    @pytest.mark.parametrize("encoding", ["16", "24"])
    def test_rounding_goes_to_the_nearest_step(self, encoding: str):
        clip = clip_of(noise())
        samples, _ = decoded(files.encode(clip, encoding=encoding))
        assert np.abs(samples - clip.samples).max() <= 0.5 / 2.0 ** (int(encoding) - 1)

    @pytest.mark.parametrize("encoding", ["16", "24"])
    def test_plus_one_is_the_highest_step_and_minus_one_the_lowest(self, encoding: str):
        samples, _ = decoded(files.encode(clip_of([[1.0, -1.0], [1.0, -1.0]]), encoding=encoding))
        steps = 2.0 ** (int(encoding) - 1)
        assert (samples * steps).tolist() == [[steps - 1, -steps]] * 2

    @pytest.mark.parametrize("bad", [1.0001, -1.0001, np.inf, np.nan])
    @pytest.mark.parametrize("encoding", ["16", "24"])
    def test_what_no_integer_can_hold_is_refused_and_not_clipped(self, encoding: str, bad: float):
        with pytest.raises(ValueError, match="outside ±1"):
            files.encode(clip_of([[0.0, bad], [0.0, 0.0]]), encoding=encoding, dither_seed=1)

    @pytest.mark.parametrize("encoding", ["16", "24", "float"])
    def test_equal_clips_give_equal_bytes(self, encoding: str):
        first = files.encode(clip_of(noise()), encoding=encoding, dither_seed=5)
        assert first == files.encode(clip_of(noise()), encoding=encoding, dither_seed=5)

    def test_the_clock_is_not_in_the_bytes_of_a_float_file(self):
        data = files.encode(clip_of(noise()), encoding="float")
        chunk = data.index(b"PEAK")
        version, stamp = struct.unpack("<II", data[chunk + 8 : chunk + 16])
        assert (version, stamp) == (1, 0)
        assert struct.unpack("<f", data[chunk + 16 : chunk + 20])[0] == np.abs(noise()[0]).max()

    def test_a_clip_without_frames_is_a_header(self):
        assert decoded(files.encode(clip_of(np.zeros((2, 0)))))[0].shape == (2, 0)


class TestDither:
    def test_the_error_has_no_mean_and_the_rms_of_triangular_noise_with_rounding(self):
        clip = clip_of(noise(200_000))
        samples, _ = decoded(files.encode(clip, dither_seed=1))
        error = (samples - clip.samples)[0] * 32768
        # Triangular noise of ±1 step has a variance of 1/6, the rounding adds 1/12: together an rms of half a step.
        assert error.mean() == pytest.approx(0.0, abs=0.005)
        assert np.sqrt(np.mean(error**2)) == pytest.approx(0.5, rel=0.01)
        assert np.abs(error).max() <= 1.5

    def test_the_error_no_longer_follows_the_sound(self):
        # A level between two steps: plain rounding loses it, dither keeps its mean.
        clip = clip_of(np.full((2, 100_000), 0.3 / 32768))
        plain, _ = decoded(files.encode(clip))
        dithered, _ = decoded(files.encode(clip, dither_seed=1))
        assert not plain.any()
        assert dithered.mean() * 32768 == pytest.approx(0.3, abs=0.01)

    def test_both_channels_carry_the_same_noise(self):
        # The same fraction of a step on both sides, whole steps apart
        left = noise(10_000, level=0.3)[0].astype(np.float64)
        left = np.rint(left * 32768 * 4) / 4 / 32768
        clip = clip_of(np.stack([left, left + 100 / 32768]))
        samples, _ = decoded(files.encode(clip, dither_seed=9))
        error = (samples - clip.samples) * 32768
        assert np.abs(error).max() > 0.6
        assert np.array_equal(error[0], error[1])

    def test_dual_mono_stays_dual_mono(self):
        samples, _ = decoded(files.encode(clip_of(np.tile(noise()[:1], (2, 1))), dither_seed=2))
        assert np.array_equal(samples[0], samples[1])

    def test_a_sixteen_bit_recording_comes_back_untouched(self):
        integers = random_integers(16, (2, 5000))
        samples, _ = decoded(files.encode(clip_of(integers / 32768), dither_seed=3))
        assert np.array_equal(samples * 32768, integers)

    def test_whole_frames_among_others_are_untouched(self):
        values = noise()
        values[:, ::2] = np.rint(values[:, ::2] * 32768) / 32768
        samples, _ = decoded(files.encode(clip_of(values), dither_seed=3))
        assert np.array_equal(samples[:, ::2], values[:, ::2].astype(np.float64))
        assert np.abs(samples[:, 1::2] - values[:, 1::2]).max() > 1 / 32768

    def test_a_frame_that_is_whole_on_one_side_only_gets_the_noise_on_both(self):
        steps = np.stack([np.full(50_000, 0.25), np.full(50_000, 7.0)])
        samples, _ = decoded(files.encode(clip_of(steps / 32768), dither_seed=3))
        left, right = samples * 32768
        assert left.mean() == pytest.approx(0.25, abs=0.02)
        assert right.mean() == pytest.approx(7.0, abs=0.02)
        assert set(right) == {6.0, 7.0, 8.0}

    def test_silence_stays_silent(self):
        assert not decoded(files.encode(clip_of(np.zeros((2, 1000))), dither_seed=4))[0].any()

    def test_full_scale_stays_within_the_steps(self):
        loud = np.full((2, 10_000), 1.0 - 0.4 / 32768)
        samples, _ = decoded(files.encode(clip_of(np.concatenate([loud, -loud], axis=1)), dither_seed=4))
        assert samples[:, :10_000].min() > 0.99
        assert samples[:, 10_000:].max() < -0.99

    def test_another_seed_is_another_noise_and_no_seed_none(self):
        clip = clip_of(noise())
        assert files.encode(clip, dither_seed=1) != files.encode(clip, dither_seed=2)
        plain, _ = decoded(files.encode(clip))
        assert np.array_equal(plain * 32768, np.rint(clip.samples.astype(np.float64) * 32768))

    @pytest.mark.parametrize("encoding", ["24", "float"])
    def test_finer_encodings_get_none(self, encoding: str):
        clip = clip_of(noise())
        assert files.encode(clip, encoding=encoding, dither_seed=1) == files.encode(clip, encoding=encoding)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.wav", True),
        ("A.WAV", True),
        ("a.b.Flac", True),
        ("a.aifc", True),
        ("a.txt", False),
        ("wav", False),
        ("a.wav.part", False),
    ],
)
def test_a_suffix_tells_whether_a_file_claims_to_be_sound(name: str, *, expected: bool):
    assert files.is_audio_name(name) is expected


def test_a_signal_while_a_file_is_encoded_is_not_lost(monkeypatch: pytest.MonkeyPatch):
    class Interrupting(io.BytesIO):
        def write(self, data: bytes) -> int:
            signal.raise_signal(signal.SIGINT)
            return super().write(data)

    monkeypatch.setattr(files.io, "BytesIO", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        files.encode(Clip(np.zeros((2, 10), np.float32), 8000), container="flac")
