"""From a file to its figures."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.errors import BadInputError
from stereokit.metrics import measure
from stereokit.metrics.excerpt import excerpt_of
from stereokit.metrics.measure import measure_file, measure_files
from stereokit.metrics.protocol import PROTOCOLS, protocol_with

PAPER = PROTOCOLS["paper"]


def write(path: Path, samples: object, rate: int = 8000, subtype: str = "PCM_16") -> str:
    soundfile.write(path, np.asarray(samples, np.float64), rate, subtype)
    return str(path)


def noise(frames: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.7, 0.7, (frames, 2))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "PCM_U8"])
@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000])
def test_a_file_is_reduced_to_its_definitions(tmp_path: Path, twin: SimpleNamespace, subtype: str, rate: int) -> None:
    path = write(tmp_path / "a.wav", noise(rate // 4), rate, subtype)
    measured = measure_file(path, PAPER)
    clip = excerpt_of(read(path))
    np.testing.assert_allclose(measured.sequence[:, 0], twin.stsd(clip), atol=1e-12)
    assert measured.side_distance == pytest.approx(twin.side_distance(clip)[0], abs=1e-12)
    assert measured.image_class == twin.image_class(clip)
    assert (measured.sample_rate, measured.frames, measured.channels) == (rate, rate // 4, 2)
    assert measured.has_side
    assert not measured.is_silent
    assert measured.clamped == 0


def test_a_mono_file_has_no_side_and_its_one_channel_is_told(tmp_path: Path) -> None:
    measured = measure_file(write(tmp_path / "mono.wav", noise(900)[:, 0]), PAPER)
    assert (measured.channels, measured.has_side, measured.is_silent) == (1, False, False)
    assert not measured.sequence.any()
    assert measured.side_distance == 0.0
    assert measured.image_class == "NNN"


@pytest.mark.parametrize("feature", ["stsd", "std"])
def test_files_measured_together_are_measured_as_each_alone(
    tmp_path: Path, feature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_FRAMES_AT_ONCE", 3000)
    sounds = [noise(frames, seed=frames) for frames in (400, 800, 1511, 100, 900, 2200)]
    paths = [write(tmp_path / f"{number}.wav", sound) for number, sound in enumerate(sounds)]
    paths.append(write(tmp_path / "mono.wav", sounds[0][:, 0]))
    paths.append(write(tmp_path / "float.wav", sounds[1], subtype="FLOAT"))
    paths.append(write(tmp_path / "faster.wav", sounds[5], rate=16_000))
    # The difference of full scale leaves 16 bits.
    paths.append(write(tmp_path / "wide.wav", np.sign(sounds[2]) * [1.0, -1.0] * 0.99))
    paths.insert(3, str(tmp_path / "absent.wav"))
    protocol = protocol_with("paper", feature=feature)
    together = measure_files(paths, protocol)
    assert isinstance(together[3], BadInputError)
    for path, found in zip(paths, together, strict=True):
        if not isinstance(found, BadInputError):
            alone = measure_file(path, protocol)
            np.testing.assert_array_equal(found.sequence, alone.sequence)
            assert dataclasses.replace(found, sequence=alone.sequence) == alone


def test_a_clip_that_memory_is_too_small_for_is_told_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str) -> Recording:
        if path.endswith("huge.wav"):
            raise MemoryError
        return read(path)

    monkeypatch.setattr(measure, "read", full)
    paths = [write(tmp_path / name, noise(500)) for name in ("a.wav", "huge.wav", "b.wav")]
    first, second, third = measure_files(paths, PAPER)
    assert "more memory" in str(second)
    assert first.sequence.tolist() == third.sequence.tolist()


def test_silence_is_told(tmp_path: Path) -> None:
    measured = measure_file(write(tmp_path / "silent.wav", np.zeros((900, 2))), PAPER)
    assert (measured.has_side, measured.is_silent) == (False, True)


def test_only_the_judged_part_counts_but_the_whole_length_is_told(tmp_path: Path) -> None:
    samples = noise(8000)
    samples[:4000] = 0.0
    path = write(tmp_path / "late.wav", samples)
    measured = measure_file(path, protocol_with("paper", length=0.5))
    assert (measured.frames, measured.is_silent, measured.has_side) == (8000, True, False)
    assert len(measured.sequence) == (4000 - 320) // 80 + 1
    padded = measure_file(path, protocol_with("paper", length=2.0))
    assert len(padded.sequence) == (16_000 - 320) // 80 + 1
    assert padded.sequence[:90].tolist() == measure_file(path, PAPER).sequence[:90].tolist()


def test_windows_at_the_limit_of_the_pca_ratio_are_counted(tmp_path: Path) -> None:
    samples = noise(800)
    samples[:480, 1] = 0.0
    measured = measure_file(write(tmp_path / "hard.wav", samples), protocol_with("paper", feature="pca-ratio"))
    # Windows from 0, 80 and 160 hold the left channel alone.
    assert (np.abs(measured.sequence[:, 0]) == 40.0).tolist() == [True] * 3 + [False] * 4
    assert measured.clamped == 3


def test_ml2020_judges_32_windows_of_the_beginning(tmp_path: Path, twin: SimpleNamespace) -> None:
    path = write(tmp_path / "stab.wav", noise(20_000), 44_100)
    measured = measure_file(path, PROTOCOLS["ml2020"])
    assert measured.sequence.shape == (32, 1)
    np.testing.assert_allclose(measured.sequence[:, 0], twin.std(excerpt_of(read(path)))[:32], rtol=1e-12)


@pytest.mark.parametrize(
    ("frames", "rate", "words"),
    [(20_000, 48_000, "48000 Hz.*44100 Hz"), (15_871, 44_100, "15871 samples.*15872")],
)
def test_ml2020_refuses_what_it_is_not_defined_for(tmp_path: Path, frames: int, rate: int, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        measure_file(write(tmp_path / "other.wav", noise(frames), rate), PROTOCOLS["ml2020"])


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="6 channels"):
        measure_file(write(tmp_path / "surround.wav", np.zeros((50, 6))), PAPER)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(tmp_path: Path, bad: float) -> None:
    samples = noise(500)
    samples[123, 1] = bad
    with pytest.raises(BadInputError, match="frame 123"):
        measure_file(write(tmp_path / "bad.wav", samples, subtype="FLOAT"), PAPER)


def test_equal_samples_have_equal_fingerprints_in_any_container(tmp_path: Path) -> None:
    samples = np.rint(noise(500) * 32767) / 32768
    paths = [write(tmp_path / name, samples) for name in ("a.wav", "b.wav", "c.flac", "d.aiff")]
    other = samples.copy()
    other[7, 0] += 1 / 32768
    prints = [measure_file(path, PAPER).fingerprint for path in [*paths, write(tmp_path / "e.wav", other)]]
    assert prints[0] == prints[1] == prints[2] == prints[3] != prints[4]
