"""Slices: where they lie, and cutting them out of parts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.data.slicing import at_rate, between, cut, windows


@given(frames=st.integers(1, 500), window=st.integers(1, 200), overlap=st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.99]))
def test_windows_hold_every_frame_and_no_window_could_be_spared_at_the_end(
    frames: int, window: int, overlap: float
) -> None:
    spans = windows(frames, window=window, overlap=overlap)
    hop = max(1, round(window * (1 - overlap)))
    assert [start for start, _ in spans] == [place * hop for place in range(len(spans))]
    assert all(stop - start == window for start, stop in spans[:-1])
    assert spans[-1][1] == frames
    assert 0 < frames - spans[-1][0] <= window
    assert all(later <= stop for (_, stop), (later, _) in itertools.pairwise(spans))
    assert len(spans) == 1 or spans[-2][1] < frames


@given(
    cuts=st.lists(st.integers(0, 99), min_size=1, unique=True).map(sorted),
    frames=st.integers(100, 150),
    longest=st.integers(1, 60),
)
def test_spans_between_cuts_follow_each_other_and_none_is_too_long(cuts: list[int], frames: int, longest: int) -> None:
    spans = between(cuts, frames, longest=longest)
    assert (spans[0][0], spans[-1][1]) == (cuts[0], frames)
    assert all(first[1] == second[0] for first, second in itertools.pairwise(spans))
    assert all(0 < stop - start <= longest for start, stop in spans)
    assert {start for start, _ in spans} >= set(cuts)


@given(start=st.integers(0, 1000), length=st.integers(1, 500), new=st.sampled_from([8000, 44_100, 48_000, 192_000]))
def test_at_another_rate_a_span_holds_all_of_its_time_and_less_than_a_frame_more(
    start: int, length: int, new: int
) -> None:
    frames = -(-1500 * new // 44_100)
    first, last = at_rate((start, start + length), 44_100, new, frames)
    assert 0 <= first < last <= frames
    assert first / new <= start / 44_100 < (first + 1) / new
    assert (last - 1) / new < (start + length) / 44_100 <= last / new


@given(data=st.data(), frames=st.integers(1, 300))
def test_what_is_cut_out_of_parts_is_what_is_cut_out_of_the_whole(data: st.DataObject, frames: int) -> None:
    sound = np.arange(2 * frames).reshape(frames, 2)
    borders = sorted(data.draw(st.lists(st.integers(0, frames), max_size=8)))
    parts = [sound[start:stop] for start, stop in itertools.pairwise([0, *borders, frames])]
    starts = sorted(data.draw(st.lists(st.integers(0, frames - 1), max_size=8)))
    spans = [(start, data.draw(st.integers(start + 1, frames))) for start in starts]
    pieces = list(cut(parts, spans))
    assert len(pieces) == len(spans)
    for piece, (start, stop) in zip(pieces, spans, strict=True):
        assert np.array_equal(piece, sound[start:stop])


def test_no_more_parts_are_taken_than_a_slice_needs() -> None:
    taken = []

    def parts() -> itertools.chain[np.ndarray]:
        for place in range(10):
            taken.append(place)
            yield np.zeros((10, 2))

    pieces = cut(parts(), [(0, 10), (5, 15), (90, 100)])
    next(pieces)
    assert taken == [0]
    next(pieces)
    assert taken == [0, 1]


def test_a_sound_that_ends_too_early_is_an_error() -> None:
    with pytest.raises(ValueError, match="ends at frame 10, a slice at 11"):
        list(cut([np.zeros((10, 2))], [(0, 11)]))
