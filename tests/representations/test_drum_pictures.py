"""Pictures of drums over logarithmic pitch and time, and statistics of them."""

import math

import pytest
import torch

from stereokit.representations._drum_pictures import COLUMNS, ROWS, DrumPictures
from stereokit.representations._drum_statistics import DrumStatistics

RATE, FRAMES = 44_100, 22_050


@pytest.fixture(scope="module")
def axes() -> DrumPictures:
    return DrumPictures(sample_rate=RATE, frames=FRAMES)


def tone(hertz: float, *, decay_s: float = 0.2, frames: int = FRAMES) -> torch.Tensor:
    """Return a decaying tone, (1, 2, frames), alike on both sides."""
    time = torch.arange(frames) / RATE
    wave = torch.cos(2.0 * math.pi * hertz * time) * torch.exp(-time / decay_s)
    return wave.expand(1, 2, -1)


def picture(axes: DrumPictures, clips: torch.Tensor) -> torch.Tensor:
    return axes(axes.powers(axes.aligned(clips)))


@pytest.mark.parametrize("hertz", [110.0, 880.0, 7_040.0])
def test_a_tone_is_loudest_in_the_row_of_its_pitch(axes: DrumPictures, hertz: float) -> None:
    levels = picture(axes, tone(hertz))[0, -1]
    row = int(levels[:, 30].argmax())
    assert abs(32.0 * 2.0 ** float(axes.octaves[row]) / hertz - 1.0) < 0.05


def test_levels_lie_between_minus_80_db_and_0_and_fall_as_the_tone_does(axes: DrumPictures) -> None:
    levels = picture(axes, tone(1_000.0, decay_s=0.1))
    assert levels.shape == (1, 3, ROWS, COLUMNS)
    assert float(levels.max()) == 0.0
    assert float(levels.min()) >= -80.0
    row = levels[0, 1].amax(0)
    early, late = (int((axes.seconds - second).abs().argmin()) for second in (0.1, 0.3))
    fallen = float(row[early] - row[late])
    expected = float(axes.seconds[late] - axes.seconds[early]) / 0.1 * 20.0 / math.log(10.0)
    assert fallen == pytest.approx(expected, abs=1.0)


def test_neither_a_late_start_nor_sign_nor_sides_nor_gain_change_a_picture(axes: DrumPictures) -> None:
    clip = tone(300.0, decay_s=0.05)
    reference = picture(axes, clip)
    late = torch.nn.functional.pad(clip, (4_000, 0))[..., :FRAMES]
    opposite = clip * torch.tensor([1.0, -1.0])[:, None]
    for changed in (late, -0.1 * clip, opposite):
        assert (picture(axes, changed)[0, :, :, :40] - reference[0, :, :, :40]).abs().mean() < 0.5


def test_silence_lies_on_the_floor_and_its_statistics_are_finite(axes: DrumPictures) -> None:
    waves = axes.aligned(torch.zeros(2, 2, FRAMES))
    powers = axes.powers(waves)
    levels = axes(powers)
    assert torch.equal(levels, torch.full_like(levels, -80.0))
    assert DrumStatistics(axes)(waves, powers, levels).isfinite().all()


def test_statistics_have_the_widths_that_they_tell_of_for_any_rate_and_length(axes: DrumPictures) -> None:
    for rate, frames in ((RATE, FRAMES), (8_000, 800), (96_000, 9_600)):
        own = axes if rate == RATE else DrumPictures(sample_rate=rate, frames=frames)
        statistics = DrumStatistics(own)
        noise = torch.randn(2, 2, frames, generator=torch.Generator().manual_seed(0))
        waves = own.aligned(noise)
        powers = own.powers(waves)
        found = statistics(waves, powers, own(powers))
        assert found.shape == (2, sum(statistics.groups)) == (2, statistics.width)
        assert found.isfinite().all()


def test_a_longer_tone_has_later_decays_and_a_higher_one_more_crossings(axes: DrumPictures) -> None:
    statistics = DrumStatistics(axes)
    edges = [0, *torch.tensor(statistics.groups).cumsum(0).tolist()]

    def found(clip: torch.Tensor, group: int) -> torch.Tensor:
        waves = axes.aligned(clip)
        powers = axes.powers(waves)
        return statistics(waves, powers, axes(powers))[0, edges[group] : edges[group + 1]]

    # the decays of all bands together: every sixth number, from the last band's on
    short, long = (found(tone(1_000.0, decay_s=decay_s), 2)[5:36:6] for decay_s in (0.02, 0.06))
    assert torch.all(long > short)
    # -20 dB of energy that falls by 2 / decay: after decay x ln 10
    assert float(short[3].exp()) == pytest.approx(0.02 * math.log(10.0) + 0.004, abs=0.006)
    crossings = found(tone(1_000.0), 7).exp()
    assert crossings.tolist() == pytest.approx([2_000.0 / RATE + 1e-3] * 4, rel=0.15)
