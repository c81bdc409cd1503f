"""Which clips belong together, and which pairs are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from stereokit.errors import BadInputError
from stereokit.metrics.paired.pair import match_names, open_pair


def write(path: Path, samples: object, rate: int = 8000, subtype: str = "PCM_16") -> str:
    soundfile.write(path, np.asarray(samples, np.float64), rate, subtype)
    return str(path)


def test_names_match_whatever_their_suffix() -> None:
    found = match_names(["b.wav", "x/a.flac"], ["x/a.wav", "b.ogg"])
    assert found.pairs == [("b.wav", "b.ogg"), ("x/a.flac", "x/a.wav")]
    assert found.without_target == found.without_estimate == []


def test_missing_partners_are_listed_sorted() -> None:
    found = match_names(["z.wav", "a.wav", "both.wav"], ["both.wav", "t2.wav", "t1.wav"])
    assert found.pairs == [("both.wav", "both.wav")]
    assert found.without_target == ["a.wav", "z.wav"]
    assert found.without_estimate == ["t1.wav", "t2.wav"]


def test_folders_tell_equal_names_apart() -> None:
    names = ["one/kick.wav", "two/kick.wav"]
    assert match_names(names, names[::-1]).pairs == [(name, name) for name in names]


def test_a_name_of_its_own_matches_across_folders() -> None:
    assert match_names(["out/kick.wav"], ["in/kick.wav"]).pairs == [("out/kick.wav", "in/kick.wav")]


def test_a_name_that_several_share_has_no_partner() -> None:
    found = match_names(["one/kick.wav", "two/kick.wav"], ["kick.wav"])
    assert (found.pairs, found.without_target) == ([], ["one/kick.wav", "two/kick.wav"])
    assert found.without_estimate == ["kick.wav"]
    assert match_names(["kick.wav", "kick.flac"], ["kick.ogg"]).pairs == []


def test_the_same_name_goes_before_another_suffix() -> None:
    found = match_names(["kick.wav", "kick.flac"], ["kick.wav"])
    assert (found.pairs, found.without_target) == ([("kick.wav", "kick.wav")], ["kick.flac"])


def test_a_dot_in_a_name_is_no_suffix_of_its_folder() -> None:
    assert match_names(["v1.0/a.b.wav"], ["v1.0/a.b.flac"]).pairs == [("v1.0/a.b.wav", "v1.0/a.b.flac")]


def test_the_order_given_does_not_matter() -> None:
    left, right = [f"{k}.wav" for k in range(9)], [f"x/{k}.wav" for k in range(3, 12)]
    assert match_names(left, right) == match_names(left[::-1], right[::-1])


def test_a_pair_is_read_in_full_scale_whatever_its_formats(tmp_path: Path) -> None:
    wave = np.random.default_rng(1).integers(-9000, 9000, (50, 2)) / 32768
    pair = open_pair(write(tmp_path / "a.wav", wave), write(tmp_path / "b.wav", wave, subtype="FLOAT"))
    (section,) = pair.sections(100, 0)
    for channels in section.left_right():
        np.testing.assert_array_equal(channels, wave.T)


def test_a_mono_file_has_the_same_left_and_right(tmp_path: Path) -> None:
    pair = open_pair(write(tmp_path / "a.wav", [0.5, 0.25]), write(tmp_path / "b.wav", [0.5, 0.25]))
    estimate, target = next(pair.sections(100, 0)).left_right()
    np.testing.assert_array_equal(estimate, [[0.5, 0.25]] * 2)
    np.testing.assert_array_equal(target, estimate)


@pytest.mark.parametrize(("own", "reach"), [(30, 0), (30, 7), (30, 30), (99, 99), (100, 5), (500, 500)])
def test_sections_hold_each_sample_once_and_what_their_windows_reach(tmp_path: Path, own: int, reach: int) -> None:
    waves = [np.random.default_rng(seed).integers(-9000, 9000, (100, 2)) / 32768 for seed in (1, 2)]
    pair = open_pair(*(write(tmp_path / f"{k}.wav", wave) for k, wave in enumerate(waves)))
    sections = list(pair.sections(own, reach))
    assert [section.start for section in sections] == list(range(0, 100, own))
    assert [section.own for section in sections] == [min(own, 100 - start) for start in range(0, 100, own)]
    for section in sections:
        end = min(section.start + own + reach, 100)
        for found, wave in zip(section.left_right(), waves, strict=True):
            np.testing.assert_array_equal(found, wave.T[:, section.start : end])


def test_other_lengths_rates_and_channels_are_refused_with_both_values(tmp_path: Path) -> None:
    target = write(tmp_path / "t.wav", np.zeros((100, 2)))
    with pytest.raises(BadInputError, match="has 99 frames, its target 100"):
        open_pair(write(tmp_path / "short.wav", np.zeros((99, 2))), target)
    with pytest.raises(BadInputError, match="has 16000 Hz, its target 8000 Hz"):
        open_pair(write(tmp_path / "fast.wav", np.zeros((100, 2)), 16_000), target)
    with pytest.raises(BadInputError, match="the estimate has 6 channels"):
        list(open_pair(write(tmp_path / "six.wav", np.zeros((100, 6))), target).sections(100, 0))


def test_of_an_unreadable_pair_the_side_is_named(tmp_path: Path) -> None:
    clip = write(tmp_path / "a.wav", np.zeros((10, 2)))
    with pytest.raises(BadInputError, match="the target cannot be read"):
        open_pair(clip, str(tmp_path / "none.wav"))
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(BadInputError, match="the estimate is empty"):
        open_pair(str(tmp_path / "empty.wav"), clip)
