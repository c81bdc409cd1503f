"""What an audit sees in files and counts in a set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.errors import BadInputError
from stereokit.metrics.audit import FINDINGS, ClipFacts, audit_set, clip_facts, clipped_frames

TONE = 0.5 * np.sin(2 * np.pi * 5 * np.arange(800) / 800)
OTHER = 0.5 * np.cos(2 * np.pi * 5 * np.arange(800) / 800)


def facts(*channels: Any, rate: int = 8000) -> ClipFacts:
    return clip_facts(Recording(np.ascontiguousarray(np.array(channels, np.float32).T), rate, "FLOAT"))


def found(one: ClipFacts) -> set[str]:
    return {name for name, holds in FINDINGS.items() if holds(one)}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ((TONE, OTHER), set()),
        ((TONE,), {"mono"}),
        ((TONE, TONE), {"dual_mono"}),
        ((TONE, -TONE), {"inverted"}),
        ((TONE, 0 * TONE), {"one_sided"}),
        ((0 * TONE, 0 * TONE), {"silent"}),
        ((0 * TONE,), {"silent", "mono"}),
        ((np.clip(4 * TONE, -1, 1), OTHER), {"clipped"}),
        ((np.clip(4 * TONE, -1, 1),) * 2, {"dual_mono", "clipped"}),
    ],
    ids=range(9),
)
def test_each_finding_is_seen_and_nothing_else(channels: Any, expected: set[str]) -> None:
    assert found(facts(*channels)) == expected


def runs(flags: np.ndarray) -> np.ndarray:
    """Flags of runs of three or more, by looking at each sample."""
    kept = np.zeros_like(flags)
    start = None
    for k, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = k
        elif not flag and start is not None:
            kept[start:k] = k - start >= 3
            start = None
    return kept


@given(
    samples=st.lists(st.tuples(*[st.sampled_from([-32768, -32767, 0, 32766, 32767])] * 2), min_size=1, max_size=40),
    kind=st.sampled_from(["int16", "float"]),
)
def test_clipped_frames_are_counted_as_by_looking_at_each(samples: list[tuple[int, int]], kind: str) -> None:
    array = np.array(samples, np.int16)
    expected = np.zeros(len(array), bool)
    for channel in array.T:
        expected |= runs(channel >= 32767) | runs(channel <= -32767)
    given_samples: Any = array / np.float32(32768) if kind == "float" else array
    assert clipped_frames(given_samples, 1.0 if kind == "float" else 32768.0) == expected.sum()


def test_one_sample_at_full_scale_is_a_peak_and_a_swing_from_end_to_end_no_run() -> None:
    assert clipped_frames(np.array([[0], [32767], [32767], [0]], np.int16), 32768.0) == 0
    assert clipped_frames(np.array([[32767], [-32768], [32767], [-32768]], np.int16), 32768.0) == 0
    assert clipped_frames(np.array([[1.5], [2.0], [1.1]], np.float32), 1.0) == 3


def test_a_set_is_counted_and_what_was_found_is_listed_in_order() -> None:
    clips = [
        ("b.wav", facts(TONE)),
        ("a.wav", facts(TONE, TONE, rate=44_100)),
        ("c.wav", facts(TONE[:400], OTHER[:400])),
        ("d.wav", facts(TONE)),
    ]
    audit = audit_set(clips)
    assert audit.clips == 4
    assert audit.sample_rates == {8000: 3, 44_100: 1}
    assert audit.channels == {1: 2, 2: 2}
    assert audit.lengths == {400: 1, 800: 3}
    assert (audit.shortest, audit.longest) == (800 / 44_100, 0.1)
    assert audit.findings["mono"] == ["b.wav", "d.wav"]
    assert audit.findings["dual_mono"] == ["a.wav"]
    assert audit.findings["clipped"] == []
    assert list(audit.findings) == ["silent", "mono", "dual_mono", "inverted", "one_sided", "clipped"]


def test_an_empty_set_has_no_length() -> None:
    audit = audit_set([])
    assert (audit.clips, audit.shortest, audit.longest) == (0, None, None)


def test_six_channels_are_refused() -> None:
    with pytest.raises(BadInputError, match="has 6 channels"):
        facts(*[TONE] * 6)


@pytest.mark.data
def test_broken_recordings_are_seen_for_what_they_are(test_data: Path) -> None:
    def seen(name: str) -> set[str]:
        return found(clip_facts(read(test_data / "broken" / name)))

    assert "mono" in seen("mono.wav")
    assert "dual_mono" in seen("dual_mono.wav")
    assert "inverted" in seen("inverted_right.wav")
    assert seen("silent.wav") == {"silent"}
    assert "clipped" in seen("over_full_scale_float.wav")
    assert seen("ok_stereo.wav") == set()
