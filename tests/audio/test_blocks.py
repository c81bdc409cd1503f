"""Sounds in parts: the parts are the whole, and a long file is never held at once."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stereokit.audio import blocks as module
from stereokit.audio.blocks import blocks_of, open_blocks
from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.errors import BadInputError

RATE = 8000


@pytest.fixture(params=["kept", "long"])
def kind(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether a file of a thousand frames is kept, or read again each time."""
    monkeypatch.setattr(module, "_LONGEST_KEPT_FRAMES", 10_000 if request.param == "kept" else 99)
    return request.param


def written(path: Path, samples: np.ndarray, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, RATE, subtype)
    return path


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(frames).uniform(-0.9, 0.9, (frames, channels)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 300, 999, 1000, 1001])
@pytest.mark.parametrize(("name", "subtype"), [("a.wav", "FLOAT"), ("a.wav", "PCM_16"), ("a.flac", "PCM_24")])
def test_the_parts_are_the_whole_and_can_be_read_again(
    tmp_path: Path, kind: str, name: str, subtype: str, frames: int
) -> None:
    path = written(tmp_path / name, noise(1000), subtype)
    whole, sound = read(path), open_blocks(path)
    assert (sound.sample_rate, sound.channels, sound.frames) == (RATE, 2, 1000)
    for _ in range(2):
        parts = list(sound.read(frames))
        assert [len(part.samples) for part in parts[:-1]] == [frames] * ((1000 - 1) // frames)
        joined = np.concatenate([part.samples for part in parts])
        assert joined.dtype == whole.samples.dtype
        np.testing.assert_array_equal(joined, whole.samples)


def test_what_is_no_number_is_refused_with_its_place(tmp_path: Path, kind: str) -> None:
    samples = noise(1000)
    samples[700, 1] = np.nan
    with pytest.raises(BadInputError, match=r"holds NaN or infinity \(first in frame 700\)"):
        list(open_blocks(written(tmp_path / "a.wav", samples)).read(300))


def test_a_file_that_ends_early_is_refused(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / "a.flac", noise(1000), "PCM_24")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInputError):
        list(open_blocks(path).read(300))


def test_a_file_that_goes_away_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_KEPT_FRAMES", 99)
    path = written(tmp_path / "a.wav", noise(1000))
    sound = open_blocks(path)
    path.unlink()
    with pytest.raises(BadInputError, match="cannot be read"):
        list(sound.read(300))


def test_a_long_file_takes_the_memory_of_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_KEPT_FRAMES", 99)
    sound = open_blocks(written(tmp_path / "a.wav", np.zeros((400_000, 2), np.float32)))
    tracemalloc.start()
    for _ in sound.read(10_000):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # the whole is 3.2 MB


def test_what_is_there_already_is_read_likewise() -> None:
    recording = Recording(noise(7), RATE, "FLOAT")
    parts = list(blocks_of(recording).read(3))
    assert [part.frames for part in parts] == [3, 3, 1]
    assert {(part.sample_rate, part.subtype) for part in parts} == {(RATE, "FLOAT")}
