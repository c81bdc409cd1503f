"""All figures of a pair: whole, window by window, and their mean over many."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from stereokit.audio.blocks import Blocks, blocks_of
from stereokit.audio.clip import Recording
from stereokit.metrics.paired import figures as module
from stereokit.metrics.paired import measure
from stereokit.metrics.paired.drift import Drift
from stereokit.metrics.paired.figures import FIGURES, WindowFigures
from stereokit.metrics.paired.measure import compare, pair_widths
from stereokit.metrics.paired.pair import Pair
from stereokit.metrics.paired.spread import spread_of, window_spreads
from stereokit.metrics.paired.views import VIEWS

RATE = 8000


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, frames]).normal(0, 0.1, (2, frames))


def sound(samples: np.ndarray) -> Blocks:
    return blocks_of(Recording(np.ascontiguousarray(np.asarray(samples, np.float32).T), RATE, "FLOAT"))


def pair(estimate: np.ndarray, target: np.ndarray) -> Pair:
    return Pair(sound(estimate), sound(target))


def whole_figures(one: Pair) -> dict[str, dict[str, float]]:
    return {
        view: {name: float(values[0]) for name, values in figures.values.items()}
        for view, figures in compare(one).figures.items()
    }


def window_figures(one: Pair, window: int) -> dict[str, WindowFigures]:
    return compare(one, window=window).figures


def width_drift(one: Pair) -> Drift:
    return compare(one).drift


def powers_twin(signal: np.ndarray, size: int, window: int, hop: int) -> np.ndarray:
    signal = np.concatenate([signal, np.zeros(max(0, window - len(signal)))])
    taper = np.hanning(window + 1)[:-1]
    starts = range(0, len(signal) - window + 1, hop)
    return np.array([np.abs(np.fft.fft(signal[k : k + window] * taper, size)[: size // 2 + 1]) ** 2 for k in starts])


def figures_twin(x: np.ndarray, t: np.ndarray, white: float) -> dict[str, float]:
    """All figures of one view, (channels, T) each, from their definitions and nothing else."""
    gain = (x * t).sum() / (t * t).sum()
    lsd = []
    for a, b in zip(x, t, strict=True):
        rows = np.log10((powers_twin(a, 512, 512, 128) + 1e-10) / (powers_twin(b, 512, 512, 128) + 1e-10))
        lsd += [np.sqrt(np.mean(row**2)) for row in rows]
    gaps = []
    for size, window, hop in ((1024, 600, 120), (2048, 1200, 240), (512, 240, 50)):
        a, b = (np.sqrt(np.maximum([powers_twin(c, size, window, hop) for c in both], 1e-7)) for both in (x, t))
        gaps.append(np.linalg.norm((b - a).ravel()) / np.linalg.norm(b.ravel()) + np.abs(np.log(b / a)).mean())
    pictures = [
        np.clip(1 + np.log10(np.array([mel_twin(channel) for channel in both]) / white) / 8, 0, 1) for both in (x, t)
    ]
    return {
        "snr_db": 10 * np.log10((t * t).sum() / ((t - x) ** 2).sum()),
        "si_sdr_db": 10 * np.log10((gain * t * gain * t).sum() / ((gain * t - x) ** 2).sum()),
        "lsd": np.mean(lsd),
        "mr_stft": np.mean(gaps),
        "mel_mse": np.mean((pictures[0] - pictures[1]) ** 2),
        "mel_mae": np.mean(np.abs(pictures[0] - pictures[1])),
    }


def mel_twin(signal: np.ndarray) -> np.ndarray:
    size, hop = round(2048 / 22_050 * RATE), round(512 / 22_050 * RATE)
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    edges = [200 * m / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27) for m in np.linspace(0, top, 258)]
    bins = np.arange(size // 2 + 1) * RATE / size
    filters = [
        np.interp(bins, edges[k : k + 3], [0, 2 / (edges[k + 2] - edges[k]), 0], left=0, right=0) for k in range(256)
    ]
    return powers_twin(signal, size, size, hop) @ np.transpose(filters)


def views_twin(x: np.ndarray, t: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    parts = {"left_right": (x, t)}
    for view, sign in (("mid", 1), ("side", -1)):
        parts[view] = tuple(((both[0] + sign * both[1]) / np.sqrt(2))[None] for both in (x, t))
    return parts


@pytest.mark.parametrize("frames", [300, 2000, 9001])
@pytest.mark.parametrize("section", [1300, 1 << 18])
def test_every_figure_of_every_view_is_as_defined_in_sections_or_not(
    monkeypatch: pytest.MonkeyPatch, frames: int, section: int
) -> None:
    monkeypatch.setattr(measure, "SECTION", section)
    one = pair(noise(frames) * 0.7 + noise(frames, 1), noise(frames))
    x, t = next(one.sections(frames, 0)).left_right()
    white = max(mel_twin(channel).max() for channel in t)
    found = whole_figures(one)
    for view, both in views_twin(x, t).items():
        assert found[view] == pytest.approx(figures_twin(*both, white), rel=1e-9)


def test_an_error_in_the_side_alone_leaves_the_mid_untouched() -> None:
    target = noise(4000)
    error = noise(4000, 1)[0] / 10
    figures = whole_figures(pair(target + np.stack([error, -error]), target))
    assert figures["mid"]["lsd"] == pytest.approx(0.0, abs=1e-4)
    assert figures["mid"]["snr_db"] > 100
    assert figures["side"]["snr_db"] == pytest.approx(17, abs=3)
    assert figures["side"]["mel_mae"] > 1e-3 > figures["mid"]["mel_mae"]


def test_swapping_left_and_right_of_both_clips_changes_no_figure() -> None:
    one = whole_figures(pair(noise(4000), noise(4000, 1)))
    other = whole_figures(pair(noise(4000)[::-1], noise(4000, 1)[::-1]))
    for view in VIEWS:
        assert other[view] == pytest.approx(one[view], rel=1e-9)


def test_a_silent_side_has_distances_but_no_ratio() -> None:
    mono = np.tile(noise(3000)[0], (2, 1))
    side = whole_figures(pair(mono, mono))["side"]
    ratios = {"snr_db": np.nan, "si_sdr_db": np.nan}
    distances = {"lsd": 0.0, "mr_stft": 0.0, "mel_mse": 0.0, "mel_mae": 0.0}
    assert side == pytest.approx(ratios | distances, nan_ok=True, abs=0.0)


def test_windows_are_those_that_follow_each_other_and_a_rest_is_left_out() -> None:
    estimate, target = noise(5 * 1024 + 700), noise(5 * 1024 + 700, 1)
    windows = window_figures(pair(estimate, target), 1024)
    for view in VIEWS:
        assert windows[view].quiet == 0
        for k in range(5):
            cut = slice(k * 1024, (k + 1) * 1024)
            alone = whole_figures(pair(estimate[:, cut], target[:, cut]))[view]
            assert {name: windows[view].values[name][k] for name in FIGURES} == pytest.approx(alone, rel=1e-9)
        assert all(len(values) == 5 for values in windows[view].values.values())


def test_blocks_of_windows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pair(noise(9 * 512), noise(9 * 512, 1))
    whole = window_figures(one, 512)
    monkeypatch.setattr(module, "_BATCH_SAMPLES", 1024)
    monkeypatch.setattr(measure, "SECTION", 1000)
    for view, figures in window_figures(one, 512).items():
        for name in FIGURES:
            np.testing.assert_allclose(figures.values[name], whole[view].values[name], rtol=1e-12)


@pytest.mark.parametrize(("level", "expected"), [(0.00101, 0), (0.00099, 2)])
def test_windows_of_the_target_under_minus_sixty_decibels_are_left_out_and_counted(level: float, expected: int) -> None:
    target = noise(4096)
    target[:, 1024:3072] = np.tile([level, -level], 1024)
    windows = window_figures(pair(target + noise(4096, 1), target), 1024)
    found = windows["left_right"]
    assert found.quiet == expected
    np.testing.assert_array_equal(found.is_quiet, [False, expected > 0, expected > 0, False])
    np.testing.assert_allclose(found.target_dbfs[1:3], 20 * np.log10(level), atol=1e-6)
    for name in FIGURES:
        np.testing.assert_array_equal(np.isnan(found.values[name]), found.is_quiet)


def test_whether_a_window_is_quiet_is_asked_of_each_view() -> None:
    mono = np.tile(noise(2048)[0], (2, 1))
    windows = window_figures(pair(mono + noise(2048, 1), mono), 1024)
    assert [windows[view].quiet for view in VIEWS] == [0, 0, 2]
    assert np.isnan(windows["side"].values["snr_db"]).all()
    assert np.isfinite(windows["mid"].values["snr_db"]).all()


def test_a_clip_of_quiet_windows_alone_has_no_figure() -> None:
    windows = window_figures(pair(noise(2048), np.zeros((2, 2048))), 1024)
    assert [windows[view].quiet for view in VIEWS] == [2, 2, 2]
    assert windows["mid"].target_dbfs.tolist() == [-200.0, -200.0]


def test_the_side_turned_round_is_an_error_twice_its_own_size_and_none_of_the_mid() -> None:
    target = noise(4000)
    found = whole_figures(pair(target[::-1], target))
    assert found["side"]["snr_db"] == pytest.approx(-20 * np.log10(2))
    assert found["side"]["si_sdr_db"] == 200.0
    assert found["side"]["lsd"] == pytest.approx(0.0, abs=1e-9)
    assert found["mid"]["snr_db"] == 200.0
    assert found["left_right"]["snr_db"] < 0


def test_short_windows_take_no_more_memory_than_long_ones() -> None:
    one = pair(noise(4_000), noise(4_000, 1))
    tracemalloc.start()
    found = compare(one, window=32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.figures["mid"].values["lsd"]) == 125
    assert peak < 15_000_000  # all of them at once take 40 MB


def test_a_long_clip_takes_no_more_memory_than_a_section(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = []
    monkeypatch.setattr(measure, "SECTION", 4000)
    for frames in (8_000, 80_000):
        one = pair(noise(frames), noise(frames, 1))
        for window in (None, 1000):
            tracemalloc.start()
            compare(one, window=window)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert max(peaks[2:]) < 1.3 * max(peaks[:2])


def test_a_clip_under_a_window_has_none() -> None:
    windows = window_figures(pair(noise(1000), noise(1000, 1)), 1024)
    assert all(len(windows[view].values[name]) == 0 for view in VIEWS for name in FIGURES)


def test_drift_is_the_difference_of_short_time_side_distances(twin: SimpleNamespace) -> None:
    one = pair(noise(3000), noise(3000, 1) * 0.5)
    section = next(one.sections(3000, 0))
    x, t = twin.stsd(section.estimate), twin.stsd(section.target)
    drift = width_drift(one)
    assert (drift.estimate, drift.target) == pytest.approx((x.mean(), t.mean()), abs=1e-9)
    assert drift.mean == pytest.approx((x - t).mean(), abs=1e-9)
    assert drift.l1 == pytest.approx(np.abs(x - t).mean(), abs=1e-9)
    assert drift.emd == pytest.approx(twin.distance("emd", x, t), abs=1e-9)
    assert drift.mean > 0


@pytest.mark.parametrize("section", [700, 801, 3000])
@pytest.mark.parametrize("frames", [100, 320, 2999])
def test_widths_in_sections_are_those_of_the_clip(monkeypatch: pytest.MonkeyPatch, frames: int, section: int) -> None:
    one = pair(noise(frames), noise(frames, 1))
    whole = pair_widths(one).courses()
    monkeypatch.setattr(measure, "reach", lambda rate: 320)
    monkeypatch.setattr(measure, "SECTION", section)
    for found, expected in zip(pair_widths(one).courses(), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_narrowed_image_drifts_down_and_a_shifted_one_only_in_time() -> None:
    target = noise(3000)
    mid = target.mean(axis=0)
    narrow = width_drift(pair(mid + (target - mid) / 2, target))
    assert narrow.mean == pytest.approx(-narrow.l1)
    turned = width_drift(pair(target[:, ::-1], target))
    assert turned.emd < turned.l1
    still = width_drift(pair(target[::-1], target))
    assert (still.mean, still.l1, still.emd) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_mean_and_deviation_leave_out_what_has_no_value() -> None:
    found = spread_of([1.0, None, float("nan"), 2.0, 6.0])
    assert (found.mean, found.count) == (3.0, 3)
    assert found.deviation == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert (spread_of([4.0]).mean, spread_of([4.0]).deviation) == (4.0, None)
    assert (spread_of([]).mean, spread_of([None]).count) == (None, 0)


def test_every_window_of_every_pair_weighs_the_same() -> None:
    pairs = [pair(noise(n), noise(n, 1)) for n in (1024, 5000)]
    windows = [window_figures(one, 1024) for one in pairs]
    spreads = window_spreads(windows)
    values = np.concatenate([one["mid"].values["lsd"] for one in windows])
    assert len(values) == 5
    assert spreads["mid"]["lsd"].mean == pytest.approx(values.mean())
    assert spreads["mid"]["lsd"].deviation == pytest.approx(values.std(ddof=1))
    assert window_spreads([])["side"]["snr_db"].count == 0
