"""Reading and writing sound files."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from stereokit.audio import stream
from stereokit.audio.clip import Clip, Recording
from stereokit.audio.headers import check_declared_size, is_mpeg
from stereokit.audio.plain_wave import read_plain_wave
from stereokit.errors import BadInputError
from stereokit.writing import uninterrupted

SUFFIXES = frozenset(
    {
        ".wav",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".caf",
        ".w64",
        ".rf64",
        ".au",
    }
)
MAX_CHANNELS = 8
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000

# Decoded at most at once, so that memory follows the samples that exist and not those declared.
_BLOCK_FRAMES = 1 << 18
_INT16_SUBTYPES = frozenset({"PCM_16", "PCM_S8", "PCM_U8"})
# Their decoder prints what our own line says better.
_NOISY_FORMATS = frozenset({"MP3"})

Encoding = stream.Encoding
Container = Literal["wav", "flac"]
_SUBTYPES: dict[Encoding, str] = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


def read(path: str | os.PathLike[str]) -> Recording:
    """Decode a file, block by block.

    Parameters
    ----------
    path
        Any format that libsndfile decodes.

    Returns
    -------
    Recording
        1 to 8 channels at 1 kHz to 768 kHz, at least one frame.

    Raises
    ------
    BadInputError
        When it cannot be opened or decoded, is empty, holds less than it declares, has too many channels or
        an impossible rate, or holds a NaN or an infinity.
    """
    with opened(path) as sound:
        if isinstance(sound, Recording):
            return sound
        blocks = list(decoded(sound, _BLOCK_FRAMES))
        samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        return Recording(samples, sound.samplerate, sound.subtype)


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Recording | soundfile.SoundFile]:
    """Open a file: the commonest and short ones are read at once, of others the header.

    Raises
    ------
    BadInputError
        As ``read`` does, for what the header tells; and for what the decoder raises while the file is open.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise BadInputError("is empty")
            plain = read_plain_wave(file, size, max_channels=MAX_CHANNELS)
            if plain is not None:
                _check_rate(plain.sample_rate)
                yield plain
                return
            file.seek(0)
            check_declared_size(file, size)
            file.seek(0)
            hushed = _hushed(is_noisy=is_mpeg(file.read(4)))
            file.seek(0)
            with hushed:
                sound = soundfile.SoundFile(file.fileno(), closefd=False)
            with sound:
                if not 1 <= sound.channels <= MAX_CHANNELS:
                    raise BadInputError(f"has {sound.channels} channels: 1 to {MAX_CHANNELS} are read")
                _check_rate(sound.samplerate)
                yield sound
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}") from error
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise BadInputError(f"cannot be decoded: {_reason(error)}") from error


def _hushed(*, is_noisy: bool) -> contextlib.AbstractContextManager[None]:
    return _without_stderr() if is_noisy else contextlib.nullcontext()


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    """Point the process's stderr elsewhere."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def decoded(sound: soundfile.SoundFile, frames: int) -> Iterator[NDArray[Any]]:
    """Yield the samples of an open file, so many frames at a time, shape (frames, channels); the last are fewer.

    Int16 for files of 16 bit or less, else float32.

    Raises
    ------
    BadInputError
        When it holds another number of frames than it declares, or none, or a NaN or an infinity.
    """
    dtype = "int16" if sound.subtype in _INT16_SUBTYPES else "float32"
    declared, found = sound.frames, 0
    while True:
        with _hushed(is_noisy=sound.format in _NOISY_FORMATS):
            block = sound.read(min(frames, max(declared, 1)), dtype=dtype, always_2d=True)
        if dtype == "float32" and not np.isfinite(block).all():
            frame = found + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise BadInputError(f"holds NaN or infinity (first in frame {frame}): samples must be finite")
        found += len(block)
        is_last = len(block) < frames
        if is_last and found != declared:
            raise BadInputError(f"is truncated: declares {declared} frames, holds {found}")
        if is_last and not found:
            raise BadInputError("holds no samples")
        if len(block):
            yield block
        if is_last:
            return


def _check_rate(sample_rate: int) -> None:
    if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise BadInputError(f"has a sample rate of {sample_rate} Hz: {MIN_RATE_HZ} to {MAX_RATE_HZ} are read")


def _reason(error: Exception) -> str:
    """Return libsndfile's own words, without its prefix and the path, which the caller names."""
    text = getattr(error, "error_string", "") or str(error)
    return text.removeprefix("Error : ").strip().rstrip(".")


def encode(
    clip: Clip,
    *,
    encoding: Encoding = "16",
    dither_seed: int | None = None,
    container: Container = "wav",
) -> bytes:
    """Return the bytes of a WAV or FLAC file.

    Equal clips give equal bytes: the time stamp that libsndfile puts into the PEAK chunk of float files is
    set to zero.

    Parameters
    ----------
    clip
        What to write. For 16 and 24 bit its samples lie in [-1, 1].
    encoding
        16 or 24 bit integers, or 32 bit float.
    dither_seed
        With a seed, triangular noise of ±1 step is added before rounding to 16 bit: the same for left and
        right, so that dual mono stays dual mono, and only in frames that are not whole steps already, so
        that a 16 bit recording comes back bit for bit and silence stays silent.
    container
        ``wav``, or ``flac``, which holds integers at up to 655,350 Hz.

    Raises
    ------
    ValueError
        For float samples in FLAC; for samples outside [-1, 1], or NaN, with an integer encoding: nothing is clipped
        silently.
    """
    if encoding == "float" and container == "flac":
        raise ValueError("FLAC holds integers only")
    if encoding != "float" and container == "wav":
        samples_as_written = stream.wav_samples(clip, encoding=encoding, dither_seed=dither_seed)
        return b"".join([stream.wav_header(clip.frames, clip.sample_rate, encoding), samples_as_written])
    samples: NDArray[Any] = clip.samples.T
    if encoding != "float":
        samples = stream.quantise(clip.samples, 16 if encoding == "16" else 24, dither_seed).T
    buffer = io.BytesIO()
    # libsndfile calls back into Python here, and an exception of a signal would be lost on its way out.
    with uninterrupted():
        soundfile.write(buffer, samples, clip.sample_rate, _SUBTYPES[encoding], format=container.upper())
    data = bytearray(buffer.getvalue())
    if encoding == "float":
        peak = data.find(b"PEAK", 12, 256)
        if peak >= 0:
            data[peak + 12 : peak + 16] = bytes(4)
    return bytes(data)


def is_audio_name(name: str) -> bool:
    """Tell by its suffix whether a file claims to be sound."""
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 - a name, asked for each of many files
