"""The audit of a source: sounds whose faults are known, one by one."""

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.audio.clip import Recording
from stereokit.data.source_audit import Filters, source_audit, swap_suspects

RATE = 48_000
FAULTS = ("is_silent", "is_dual_mono", "is_nearly_mono", "is_inverted", "is_one_sided", "clipped_frames")


def sine(level: float = 0.5, *, phase: float = 0.0, frames: int = RATE) -> NDArray[np.float64]:
    return level * np.sin(2 * np.pi * 997 * np.arange(frames) / RATE + phase)


def audit(*channels: NDArray[np.floating], bits: int = 16) -> dict[str, Any]:
    samples = np.stack(channels, axis=1)
    whole = np.rint(samples * 32767).astype(np.int16) if bits == 16 else samples.astype(np.float32)
    recording = Recording(whole, RATE, "PCM_16" if bits == 16 else "FLOAT")
    return source_audit(recording, recording.to_clip())


def faults(facts: dict[str, Any]) -> list[str]:
    return [name for name in FAULTS if facts[name]]


@pytest.mark.parametrize("bits", [16, 32])
class TestFaults:
    def test_a_stereo_sound_has_none(self, bits: int) -> None:
        assert faults(audit(sine(), sine(phase=1.0), bits=bits)) == []

    def test_silence_is_silent_and_has_no_levels(self, bits: int) -> None:
        facts = audit(sine(0.0), sine(0.0), bits=bits)
        assert faults(facts) == ["is_silent"]
        for name in ("true_peak_db", "loudness_lufs", "balance_db", "side_mid_db", "mono_loss_db"):
            assert facts[name] is None
        assert (facts["side_distance"], facts["image_class"], facts["dc_left"]) == (0.0, "NNN", 0.0)

    def test_two_equal_channels_are_dual_mono_and_one_is_not(self, bits: int) -> None:
        both, one = audit(sine(), sine(), bits=bits), audit(sine(), bits=bits)
        assert (faults(both), faults(one)) == (["is_dual_mono", "is_nearly_mono"], ["is_nearly_mono"])
        assert both["side_distance"] == one["side_distance"] == 0.0
        assert both["side_mid_db"] == -200.0

    @pytest.mark.parametrize(("side_db", "found"), [(-41.0, ["is_nearly_mono"]), (-39.0, [])])
    def test_a_side_more_than_40_db_under_the_mid_is_nearly_mono(
        self, bits: int, side_db: float, found: list[str]
    ) -> None:
        mid, side = sine(), 10 ** (side_db / 20) * sine(phase=1.0)
        facts = audit(mid + side, mid - side, bits=bits)
        assert faults(facts) == found
        assert facts["side_mid_db"] == pytest.approx(side_db, abs=0.1)

    def test_a_channel_turned_over_is_inverted(self, bits: int) -> None:
        facts = audit(sine(), -sine(), bits=bits)
        assert faults(facts) == ["is_inverted"]
        assert (facts["correlation"], facts["mono_loss_db"]) == (-1.0, 200.0)

    @pytest.mark.parametrize("louder", ["left", "right"])
    def test_a_channel_60_db_under_the_other_makes_it_one_sided(self, bits: int, louder: str) -> None:
        pair = (sine(), sine(0.0005, phase=1.0))
        facts = audit(*(pair if louder == "left" else pair[::-1]), bits=bits)
        assert faults(facts) == ["is_one_sided"]
        assert facts["balance_db"] == pytest.approx(-60 if louder == "left" else 60, abs=0.3)

    def test_swapping_the_channels_turns_the_balance_and_dc_round_and_nothing_else(self, bits: int) -> None:
        left, right = sine(0.5) + 0.125, sine(0.25, phase=1.0)
        there, back = audit(left, right, bits=bits), audit(right, left, bits=bits)
        assert there["balance_db"] == -back["balance_db"]
        assert (there["dc_left"], there["dc_right"]) == (back["dc_right"], back["dc_left"])
        assert there["dc_left"] == pytest.approx(0.125, abs=1e-4)
        assert there["dc_right"] == pytest.approx(0.0, abs=1e-4)
        for name in there.keys() - {"balance_db", "dc_left", "dc_right"}:
            assert there[name] == back[name]

    def test_frames_that_stay_at_full_scale_are_counted(self, bits: int) -> None:
        left = sine()
        left[100:105], left[300:302] = 1.0, 1.0
        facts = audit(left, sine(phase=1.0), bits=bits)
        assert facts["clipped_frames"] == 5


def test_an_over_between_the_samples_is_the_true_peak() -> None:
    frames = np.arange(RATE)
    over = 0.99 * np.sin(np.pi * frames / RATE) ** 2 * np.sin(np.pi / 2 * frames + np.pi / 4)
    facts = audit(1.2 * over, over)
    assert facts["true_peak_db"] == pytest.approx(20 * np.log10(1.2 * 0.99), abs=0.02)
    assert facts["clipped_frames"] == 0


def test_a_full_scale_sine_of_997_hz_on_one_side_has_minus_3_01_lufs() -> None:
    assert audit(sine(1.0), sine(0.0))["loudness_lufs"] == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("frames", [40_001, 600_001])
def test_the_side_distance_is_the_spread_between_the_5_and_95_percent_quantiles_of_the_side(frames: int) -> None:
    ramp = np.linspace(-0.5, 0.5, frames)
    facts = audit(ramp, -ramp, bits=32)
    assert facts["side_distance"] == pytest.approx(0.9 * np.sqrt(2), abs=1e-6)


class TestFilters:
    STEREO: ClassVar[dict[str, object]] = {
        "is_silent": False,
        "is_mono_source": False,
        "is_dual_mono": False,
        "is_nearly_mono": False,
        "is_one_sided": False,
        "is_inverted": False,
        "side_distance": 0.2,
        "true_peak_db": -1.0,
    }

    def test_without_any_all_clips_are_kept(self) -> None:
        assert Filters().reason(dict.fromkeys(self.STEREO, True)) is None

    @pytest.mark.parametrize("name", [name for name in STEREO if name.startswith("is_")])
    def test_only_stereo_leaves_out_what_is_one_channel_or_none(self, name: str) -> None:
        reason = Filters(is_only_stereo=True).reason({**self.STEREO, name: True})
        assert reason is not None
        assert reason.endswith("(--only-stereo)")
        assert Filters(is_only_stereo=True).reason(self.STEREO) is None

    def test_a_limit_itself_is_kept_and_what_passes_it_is_named(self) -> None:
        assert Filters(min_side=0.2, max_peak_db=-1.0).reason(self.STEREO) is None
        assert Filters(min_side=0.21).reason(self.STEREO) == "has a side distance of 0.2 (--min-side 0.21)"
        assert Filters(max_peak_db=-1.5).reason(self.STEREO) == "has a true peak of -1.00 dB (--max-peak -1.5)"

    def test_silence_has_no_peak_that_could_be_too_high(self) -> None:
        assert Filters(max_peak_db=-60.0).reason({**self.STEREO, "true_peak_db": None}) is None


class TestSwapSuspects:
    @staticmethod
    def rows(*balances: float | None, label: str = "hat") -> list[dict[str, object]]:
        return [
            {"file_name": f"{label}-{place}", "label": label, "balance_db": one} for place, one in enumerate(balances)
        ]

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_the_one_that_leans_against_nine_others_of_its_label_is_suspected(self, sign: float) -> None:
        assert swap_suspects(self.rows(-3.0 * sign, *[4.0 * sign] * 9)) == {"hat-0"}

    def test_a_label_without_a_habit_or_with_few_leaning_clips_has_none(self) -> None:
        assert swap_suspects(self.rows(-3.0, -2.0, *[4.0] * 9)) == set()
        assert swap_suspects(self.rows(-3.0, *[4.0] * 8, 0.5, -0.9, None)) == set()

    def test_labels_are_judged_apart(self) -> None:
        rows = [*self.rows(*[4.0] * 10), *self.rows(*[-4.0] * 10, label="tom")]
        assert swap_suspects(rows) == set()
        assert swap_suspects([*rows, *self.rows(2.0, label="tom")]) == {"tom-0"}
