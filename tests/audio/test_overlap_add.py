"""Windows changed one by one and faded into each other."""

import numpy as np
import pytest

from stereokit.audio.overlap_add import overlap_added


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((frames, 2)).astype(np.float32)


def changed(samples: np.ndarray, change, *, window: int = 16, batch: int = 3, part: int = 7) -> np.ndarray:
    blocks = (samples[start : start + part] for start in range(0, len(samples), part))
    return np.concatenate(list(overlap_added(blocks, change, window=window, batch=batch)))


@pytest.mark.parametrize("frames", [1, 2, 8, 15, 16, 17, 24, 25, 32, 100, 101])
def test_what_is_not_changed_comes_back_at_both_ends_too(frames: int):
    samples = noise(frames)
    made = changed(samples, lambda windows: windows)
    assert made.shape == samples.shape
    # 140 dB under the samples: the last bits of float32
    assert np.abs(made - samples).max() < 1e-7 * np.abs(samples).max() + 1e-7


@pytest.mark.parametrize("frames", [5, 16, 40, 101])
def test_a_change_of_each_sample_by_itself_is_that_of_the_whole(frames: int):
    samples = noise(frames)
    np.testing.assert_allclose(changed(samples, lambda windows: -0.5 * windows), -0.5 * samples, atol=1e-6)


def test_parts_and_batches_make_no_difference():
    samples = noise(301)
    wanted = changed(samples, np.tanh, part=301, batch=1)
    for part, batch in ((1, 1), (64, 2), (16, 50), (100, 3)):
        assert np.array_equal(changed(samples, np.tanh, part=part, batch=batch), wanted)


def test_windows_overlap_by_half_and_only_the_last_is_filled_up():
    seen: list[np.ndarray] = []

    def note(windows: np.ndarray) -> np.ndarray:
        seen.extend(windows.copy())
        return windows

    samples = noise(50)
    changed(samples, note)
    starts = range(0, 40, 8)
    assert len(seen) == 6
    for start, window in zip(starts, seen, strict=False):
        assert np.array_equal(window.T, samples[start : start + 16])
    assert np.array_equal(seen[-1][:, :10].T, samples[40:])
    assert not seen[-1][:, 10:].any()


def test_no_more_windows_are_held_than_a_batch_needs():
    drawn = 0

    def endless():
        nonlocal drawn
        while True:
            drawn += 8
            yield noise(8)

    made = overlap_added(endless(), lambda windows: windows, window=16, batch=4)
    for _ in range(50):
        next(made)
    assert drawn <= 50 * 4 * 8 + 16


def test_a_window_without_halves_is_a_mistake_in_the_program():
    with pytest.raises(ValueError, match="no halves"):
        changed(noise(5), lambda windows: windows, window=3)
