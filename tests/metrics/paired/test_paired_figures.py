"""All figures of a pair: whole, window by window, and their mean over many."""

from types import SimpleNamespace

import numpy as np
import pytest

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.paired import figures as module
from stereokit.metrics.paired.figures import (
    FIGURES,
    VIEWS,
    spread_of,
    whole_figures,
    width_drift,
    window_figures,
    window_spreads,
)
from stereokit.metrics.paired.levels import signal_to_noise_db
from stereokit.metrics.paired.pair import Pair

RATE = 8000


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, frames]).normal(0, 0.1, (2, frames))


def pair(estimate: np.ndarray, target: np.ndarray) -> Pair:
    return Pair(*(Excerpt(*np.array(channels, np.float32), RATE, 1.0) for channels in (estimate, target)))


def test_each_view_has_each_figure_of_its_own_signal() -> None:
    one = pair(noise(4000), noise(4000, 1))
    figures = whole_figures(one)
    assert list(figures) == list(VIEWS)
    estimate, target = one.left_right()
    signals = {
        "left_right": (estimate, target),
        "mid": tuple((both[:1] + both[1:]) / np.sqrt(2) for both in (estimate, target)),
        "side": tuple((both[:1] - both[1:]) / np.sqrt(2) for both in (estimate, target)),
    }
    for view, (x, t) in signals.items():
        assert list(figures[view]) == list(FIGURES)
        assert figures[view]["snr_db"] == pytest.approx(signal_to_noise_db(x[None], t[None])[0], abs=1e-12)


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
    assert side == {"snr_db": None, "si_sdr_db": None, "lsd": 0.0, "mr_stft": 0.0, "mel_mse": 0.0, "mel_mae": 0.0}


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
    monkeypatch.setattr(module, "_BLOCK_SAMPLES", 1024)
    for view, figures in window_figures(one, 512).items():
        for name in FIGURES:
            np.testing.assert_allclose(figures.values[name], whole[view].values[name], rtol=1e-12)


@pytest.mark.parametrize(("level", "expected"), [(0.00101, 0), (0.00099, 2)])
def test_windows_of_the_target_under_minus_sixty_decibels_are_left_out_and_counted(level: float, expected: int) -> None:
    target = noise(4096)
    target[:, 1024:3072] = np.tile([level, -level], 1024)
    windows = window_figures(pair(target + noise(4096, 1), target), 1024)
    assert windows["left_right"].quiet == expected
    assert len(windows["left_right"].values["lsd"]) == 4 - expected


def test_whether_a_window_is_quiet_is_asked_of_each_view() -> None:
    mono = np.tile(noise(2048)[0], (2, 1))
    windows = window_figures(pair(mono + noise(2048, 1), mono), 1024)
    assert [windows[view].quiet for view in VIEWS] == [0, 0, 2]
    assert len(windows["side"].values["snr_db"]) == 0


def test_a_clip_under_a_window_has_none() -> None:
    windows = window_figures(pair(noise(1000), noise(1000, 1)), 1024)
    assert all(len(windows[view].values[name]) == 0 for view in VIEWS for name in FIGURES)


def test_drift_is_the_difference_of_short_time_side_distances(twin: SimpleNamespace) -> None:
    one = pair(noise(3000), noise(3000, 1) * 0.5)
    x, t = twin.stsd(one.estimate), twin.stsd(one.target)
    drift = width_drift(one)
    assert drift.mean == pytest.approx((x - t).mean(), abs=1e-9)
    assert drift.l1 == pytest.approx(np.abs(x - t).mean(), abs=1e-9)
    assert drift.emd == pytest.approx(twin.distance("emd", x, t), abs=1e-9)
    assert drift.mean > 0


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
