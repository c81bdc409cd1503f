"""Windows of 40 ms every 10 ms, counted at the file's own rate."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.windows import map_stereo_windows, window_samples, windows_of


@pytest.mark.parametrize(
    ("rate", "window", "hop"),
    [
        (8_000, 320, 80),
        (11_025, 441, 110),
        (22_050, 882, 220),
        (44_100, 1764, 441),
        (48_000, 1920, 480),
        (96_000, 3840, 960),
    ],
)
def test_window_and_hop_are_rounded_half_to_even(rate: int, window: int, hop: int) -> None:
    assert window_samples(rate) == (window, hop)


@pytest.mark.parametrize(
    ("frames", "count"), [(1, 1), (319, 1), (320, 1), (399, 1), (400, 2), (479, 2), (480, 3), (8000, 97)]
)
def test_only_windows_wholly_inside_count_but_a_short_clip_is_one(frames: int, count: int) -> None:
    assert len(windows_of(np.zeros(frames), 8000)) == count


def test_a_short_clip_keeps_its_own_length() -> None:
    assert windows_of(np.arange(7), 8000).tolist() == [list(range(7))]


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100])
def test_windows_lie_where_the_definition_puts_them(rate: int, twin: SimpleNamespace) -> None:
    signal = np.arange(rate // 3, dtype=np.float64)
    np.testing.assert_array_equal(windows_of(signal, rate), twin.windows(signal, rate))


def test_stereo_windows_are_at_full_scale_one(excerpt: Callable[..., Excerpt]) -> None:
    clip = excerpt([-32768] * 3, [16384] * 3, dtype=np.int16)
    assert map_stereo_windows(lambda left, right: left[:, 0] + 10 * right[:, 0], clip).tolist() == [4.0]


def test_many_windows_are_mapped_some_at_a_time_and_in_order(excerpt: Callable[..., Excerpt]) -> None:
    ramp = np.arange(60_000, dtype=np.float32)
    sizes = []

    def first(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        sizes.append(len(left))
        return np.stack([left[:, 0], right[:, 0]])

    result = map_stereo_windows(first, excerpt(ramp, -ramp, 8000, dtype=np.float32))
    np.testing.assert_array_equal(result, np.stack([ramp[: 80 * 747 : 80], -ramp[: 80 * 747 : 80]]))
    assert max(sizes) == 256
