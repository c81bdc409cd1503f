"""Clips that a generator copied."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from stereokit.metrics.duplicates import duplicates_across, duplicates_within
from stereokit.metrics.measure import Measurement, measure_file
from stereokit.metrics.protocol import PROTOCOLS


def measured(path: Path, samples: object, rate: int = 8000) -> tuple[str, Measurement]:
    soundfile.write(path, np.asarray(samples, np.float64), rate, "PCM_16")
    return str(path), measure_file(str(path), PROTOCOLS["paper"])


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (700, 2))


def test_a_copy_is_found_under_another_name_with_the_first_clip_that_it_equals(tmp_path: Path) -> None:
    generated = [measured(tmp_path / "new.wav", noise(1)), measured(tmp_path / "copy.wav", noise(2))]
    reference = [measured(tmp_path / name, noise(2)) for name in ("first.wav", "second.flac")]
    assert duplicates_across(generated, reference) == [(str(tmp_path / "copy.wav"), str(tmp_path / "first.wav"))]


def test_every_copy_counts_once(tmp_path: Path) -> None:
    copies = [measured(tmp_path / f"copy{k}.wav", noise(1)) for k in range(3)]
    assert [pair[0] for pair in duplicates_across(copies, [measured(tmp_path / "r.wav", noise(1))])] == [
        path for path, _ in copies
    ]


def test_clips_that_only_measure_alike_are_none(tmp_path: Path) -> None:
    swapped = [measured(tmp_path / "turned.wav", -noise(1)), measured(tmp_path / "swapped.wav", noise(1)[:, ::-1])]
    assert duplicates_across(swapped, [measured(tmp_path / "plain.wav", noise(1))]) == []


def test_clips_with_one_fingerprint_by_accident_are_told_apart_by_their_samples(tmp_path: Path) -> None:
    # Mono clips all measure alike, and the wrapping sum of their bytes is made alike here.
    path, one = measured(tmp_path / "a.wav", noise(1)[:, 0])
    other_path, other = measured(tmp_path / "b.wav", noise(2)[:, 0])
    assert duplicates_across([(path, one)], [(other_path, replace(other, fingerprint=one.fingerprint))]) == []


def test_equal_samples_at_another_rate_are_another_clip(tmp_path: Path) -> None:
    pair = [[measured(tmp_path / f"{rate}.wav", np.zeros((100, 2)), rate)] for rate in (8000, 16_000)]
    assert duplicates_across(*pair) == []


def test_one_file_in_both_sets_is_a_duplicate_without_being_read_again(tmp_path: Path) -> None:
    clip = measured(tmp_path / "a.wav", noise(1))
    (tmp_path / "a.wav").unlink()
    assert duplicates_across([clip], [clip]) == [(clip[0], clip[0])]


def test_within_a_set_every_later_copy_names_the_first(tmp_path: Path) -> None:
    clips = [measured(tmp_path / f"{k}.wav", noise(seed)) for k, seed in enumerate([1, 2, 1, 1, 3])]
    paths = [path for path, _ in clips]
    assert duplicates_within(clips) == [(paths[2], paths[0]), (paths[3], paths[0])]


def test_within_a_set_clips_that_only_measure_alike_are_none(tmp_path: Path) -> None:
    assert duplicates_within([measured(tmp_path / "a.wav", noise(1)), measured(tmp_path / "b.wav", -noise(1))]) == []
