"""Degradations: each does what physics or its number says, none shifts a sound in time, a seed decides all."""

import json

import numpy as np
import pytest

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.data.degradation._form import Chain
from stereokit.data.degradation._plan import apply_steps, parse_degradation
from stereokit.data.degradation._strength import draw_unevenness, strength
from stereokit.errors import UsageError

RATE = 44_100
SINGLE = [name for name in catalog.names("degradation") if not isinstance(catalog.load("degradation", name), Chain)]


def noise(frames: int = 22_050, seed: int = 0):
    return 0.1 * np.random.default_rng(seed).standard_normal((2, frames))


def tone(hertz: float, *, frames: int = RATE, level: float = 1.0):
    wave = level * np.cos(2 * np.pi * hertz * np.arange(frames) / RATE)
    return np.stack([wave, wave])


def level_at(signal, hertz: float) -> float:
    """Return a component's amplitude, for a whole number of periods."""
    turning = np.exp(-2j * np.pi * hertz * np.arange(signal.size) / RATE)
    return 2 * abs(np.mean(signal * turning))


def degraded(name: str, samples, value: float | None = None, seed: int = 0, **replaced):
    degradation = catalog.load("degradation", name)
    facts = degradation.draw(np.random.default_rng(seed), value) | replaced
    return degradation.apply(samples, RATE, facts)


def lag(clean, changed) -> int:
    """Return by how many samples the cross-correlation says that a signal comes later."""
    size = 1 << (2 * clean.size).bit_length()
    match = np.fft.irfft(np.fft.rfft(changed, size) * np.fft.rfft(clean, size).conj(), size)
    return (int(np.abs(match).argmax()) + size // 2) % size - size // 2


@pytest.mark.parametrize("name", SINGLE)
class TestEveryDegradation:
    def value(self, name: str) -> float | None:
        # a short room keeps the test fast
        return 0.15 if name == "room" else None

    @pytest.mark.parametrize("seed", range(4))
    def test_delays_neither_channel(self, name: str, seed: int):
        clean = noise(seed=seed)
        changed = degraded(name, clean, self.value(name), seed)
        assert changed.shape == clean.shape
        assert [lag(*pair) for pair in zip(clean, changed, strict=True)] == [0, 0]

    def test_changes_something_and_leaves_what_it_was_given(self, name: str):
        clean = noise()
        before = clean.copy()
        assert np.abs(degraded(name, clean, self.value(name)) - clean).max() > 1e-4
        np.testing.assert_array_equal(clean, before)

    def test_draws_json_that_alone_decides(self, name: str):
        degradation = catalog.load("degradation", name)
        facts = degradation.draw(np.random.default_rng(3), self.value(name))
        again = json.loads(json.dumps(facts))
        assert again == facts
        clean = noise(3000)
        np.testing.assert_array_equal(degradation.apply(clean, RATE, facts), degradation.apply(clean, RATE, again))

    def test_leaves_silence_silent_and_takes_any_length(self, name: str):
        for frames in (1, 2, 9, 1000):
            assert not degraded(name, np.zeros((2, frames)), self.value(name)).any()
            made = degraded(name, noise(frames), self.value(name))
            assert made.shape == (2, frames)
            assert np.isfinite(made).all()

    @pytest.mark.parametrize("rate", [8_000, 96_000])
    def test_works_at_other_rates(self, name: str, rate: int):
        degradation = catalog.load("degradation", name)
        facts = degradation.draw(np.random.default_rng(0), self.value(name))
        clean = noise(4000)
        made = degradation.apply(clean, rate, facts)
        assert [lag(*pair) for pair in zip(clean, made, strict=True)] == [0, 0]


class TestRoom:
    def test_adds_what_comes_after_and_nothing_before(self):
        clean = np.zeros((2, 20_000))
        clean[0, 5000] = 1.0
        made = degraded("room", clean, 0.2, seed=1)
        assert np.abs(made[:, :5000]).max() < 1e-6
        assert made[0, 5000] == pytest.approx(1.0, abs=0.02)
        assert (made[:, 5100:] ** 2).sum() > 0.01
        # the other ear hears it, too, and softer
        assert 0 < (made[1] ** 2).sum() < (made[0] ** 2).sum()


class TestMicrophone:
    @pytest.mark.parametrize("seed", range(3))
    def test_the_band_has_the_response_that_was_told(self, seed: int):
        degradation = catalog.load("degradation", "microphone")
        facts = degradation.draw(np.random.default_rng(seed), None)
        points = facts["response_hz_db"]
        assert [hertz for hertz, _ in points] == sorted(hertz for hertz, _ in points)
        for hertz, wanted in points[2:6]:
            whole = round(hertz)
            made = degradation.apply(tone(whole), RATE, facts)[0]
            middle = slice(RATE // 4, RATE // 4 + RATE // 2)
            level = np.sqrt(2 * np.mean(made[middle] ** 2))
            assert 20 * np.log10(level) == pytest.approx(wanted, abs=1.2)

    def test_little_is_left_outside_of_the_band(self):
        for hertz in (20.0, 20_000.0):
            assert 20 * np.log10(np.abs(degraded("microphone", tone(hertz))[0, 10_000:-10_000]).max()) < -15


class TestDistort:
    def test_a_full_tone_gets_harmonics_of_the_told_levels_and_keeps_its_own(self):
        made = degraded("distort", tone(1000.0, level=0.3), third_db=-30.0, second_db=-37.0)[0][4410:-4410]
        fundamental = level_at(made, 1000.0)
        assert fundamental == pytest.approx(0.3, rel=1e-3)
        assert 20 * np.log10(level_at(made, 3000.0) / fundamental) == pytest.approx(-30.0, abs=0.05)
        assert 20 * np.log10(level_at(made, 2000.0) / fundamental) == pytest.approx(-37.0, abs=0.05)
        assert 20 * np.log10(level_at(made, 4000.0) / fundamental) < -100

    def test_a_tone_of_half_the_peak_gets_a_third_harmonic_12_db_less_below_it(self):
        samples = tone(1000.0, level=0.5)
        samples[:, 0] = 1.0
        made = degraded("distort", samples, third_db=-30.0, second_db=-200.0)[0][4410:-4410]
        third = 20 * np.log10(level_at(made, 3000.0) / level_at(made, 1000.0))
        # h (4 u^3 - 3 u) of u = cos / 2 is h / 8 cos 3 less h 9 / 8 cos
        ratio = 10 ** (-30 / 20)
        assert third == pytest.approx(20 * np.log10(ratio / 8 / (0.5 + ratio * 9 / 8)), abs=0.05)

    def test_a_high_tone_folds_back_onto_nothing(self):
        made = degraded("distort", tone(9000.0), third_db=-25.0, second_db=-200.0)[0][4410:-4410]
        # three times 9 kHz would come out at 17.1 kHz
        assert 20 * np.log10(level_at(made, RATE - 27_000.0)) < -90

    @pytest.mark.parametrize("value", [20.0, 40.0])
    def test_louder_in_is_louder_out(self, value: float):
        ramp = np.linspace(-1, 1, 20_001)
        made = degraded("distort", np.stack([ramp, ramp]), value, second_db=-200.0)[0][200:-200]
        assert np.all(np.diff(made) > 0)


class TestNoise:
    @pytest.mark.parametrize("value", [10.0, 30.0])
    def test_the_level_is_as_far_below_as_was_said(self, value: float):
        clean = noise()
        rest = degraded("noise", clean, value) - clean
        assert 10 * np.log10(np.mean(clean**2) / np.mean(rest**2)) == pytest.approx(value, abs=1e-9)

    def test_each_channel_has_its_own(self):
        clean = tone(100.0)
        rest = degraded("noise", clean, 20.0) - clean
        assert abs(np.corrcoef(rest)[0, 1]) < 0.03

    @pytest.mark.parametrize("slope", [0.0, -3.0])
    def test_it_falls_with_frequency_as_was_drawn(self, slope: float):
        clean = noise(1 << 17)
        rest = (degraded("noise", clean, 20.0, slope_db_per_octave=slope) - clean)[0]
        power = np.abs(np.fft.rfft(rest)) ** 2
        hertz = np.arange(power.size) * RATE / rest.size
        octaves = [
            10 * np.log10(power[(hertz >= low) & (hertz < 2 * low)].mean()) for low in (500, 1000, 2000, 4000, 8000)
        ]
        assert np.polyfit(np.arange(5), octaves, 1)[0] == pytest.approx(slope, abs=0.15)


class TestBandsAndSteps:
    @pytest.mark.parametrize("bits", [2, 8, 12])
    def test_quantised_values_lie_on_steps_and_at_most_half_of_one_away(self, bits: int):
        clean = noise()
        made = degraded("quantise", clean, bits)
        step = 2.0 ** (1 - bits)
        np.testing.assert_array_equal(made / step, np.rint(made / step))
        assert np.abs(made - clean).max() <= step / 2
        if bits > 2:
            assert np.std(made - clean) == pytest.approx(step / np.sqrt(12), rel=0.02)

    def test_downsampling_by_four_keeps_a_quarter_of_the_band_and_loses_the_rest(self):
        clean = noise(1 << 16)
        made = degraded("downsample", clean, 4)
        before, after = (np.abs(np.fft.rfft(one[0])) ** 2 for one in (clean, made))
        hertz = np.arange(before.size) * RATE / (1 << 16)
        nyquist = RATE / 8
        kept, lost = hertz < 0.88 * nyquist, hertz > 1.05 * nyquist
        assert 10 * np.log10(after[kept].sum() / before[kept].sum()) == pytest.approx(0.0, abs=0.02)
        assert 10 * np.log10(after[lost].sum() / before[lost].sum()) < -55

    @pytest.mark.parametrize("factor", [2, 3, 7])
    @pytest.mark.parametrize("frames", [10_000, 10_001, 10_003])
    def test_what_is_below_the_new_band_comes_back_sample_by_sample(self, factor: int, frames: int):
        clean = tone(400.0, frames=frames)
        made = degraded("downsample", clean, factor)
        inner = slice(2000, -2000)
        assert np.abs(made[:, inner] - clean[:, inner]).max() < 1e-4

    def test_nothing_is_left_above_the_frequency_and_below_it_all(self):
        clean = noise(1 << 16)
        made = degraded("band", clean, 3400.0)
        before, after = (np.abs(np.fft.rfft(one[0])) ** 2 for one in (clean, made))
        hertz = np.arange(before.size) * RATE / (1 << 16)
        kept, lost = hertz < 0.95 * 3400, hertz > 1.2 * 3400
        assert 10 * np.log10(after[kept].sum() / before[kept].sum()) == pytest.approx(0.0, abs=0.02)
        assert 10 * np.log10(after[lost].sum() / before[lost].sum()) < -60


class TestStrength:
    @pytest.mark.parametrize("seconds", [0.001, 0.4, 20.0])
    def test_it_stays_within_its_depth_goes_up_and_down_and_has_no_steps(self, seconds: float):
        frames = max(1, round(seconds * RATE))
        for seed in range(8):
            curve = strength(draw_unevenness(np.random.default_rng(seed), 0.6), frames=frames, sample_rate=RATE)
            assert curve.shape == (frames,)
            assert curve.min() >= 0.4 - 1e-12
            assert curve.max() <= 1.0
            if frames > 1000:
                assert np.ptp(curve) > 0.05
                # a glide over at least a third of the track or 0.5 s is at most pi / 2 times as steep as a straight one
                assert np.abs(np.diff(curve)).max() < 0.6 * np.pi / 2 / min(frames / 3, 0.5 * RATE) + 1e-12

    def test_the_noise_of_an_uneven_chain_follows_the_curve(self):
        frames = 8 * RATE
        clip = Clip(np.full((2, frames), 0.25, np.float32), RATE)
        made, (facts,) = parse_degradation("noise:20", 0.9).degrade(clip, seed=0, key="a")
        rest = made.samples - clip.samples
        levels = np.sqrt(np.mean(rest.reshape(2, 80, -1) ** 2, axis=(0, 2)))
        curve = strength(facts["uneven"], frames=frames, sample_rate=RATE).reshape(80, -1).mean(axis=1)
        assert np.corrcoef(levels, curve)[0, 1] > 0.98
        assert levels.max() / levels.min() > 3

    def test_evenness_is_exact_and_what_cannot_vary_never_does(self):
        clip = Clip(noise(4000).astype(np.float32), RATE)
        made, (facts,) = parse_degradation("quantise:6", 1.0).degrade(clip, seed=0, key="a")
        assert "uneven" not in facts
        np.testing.assert_array_equal(made.samples * 32, np.rint(made.samples * 32))
        even, (facts,) = parse_degradation("noise:10", 0.0).degrade(clip, seed=0, key="a")
        assert "uneven" not in facts
        snr = np.mean(clip.samples**2) / np.mean((even.samples - clip.samples) ** 2)
        assert 10 * np.log10(snr) == pytest.approx(10.0, abs=1e-3)


class TestPlan:
    @pytest.mark.parametrize("seed", range(3))
    def test_a_telephone_leaves_the_sound_where_it_was_in_time(self, seed: int):
        clip = Clip(noise(RATE, seed).astype(np.float32), RATE)
        made, steps = parse_degradation("phone").degrade(clip, seed=seed, key="a")
        assert [step["name"] for step in steps] == ["room", "microphone", "distort", "noise", "quantise"]
        assert made.samples.dtype == np.float32
        assert made.frames == clip.frames
        assert [lag(*pair) for pair in zip(clip.samples, made.samples, strict=True)] == [0, 0]

    def test_what_was_told_makes_the_clip_again(self):
        clip = Clip(noise(8000).astype(np.float32), RATE)
        made, steps = parse_degradation("room:0.1,distort,noise,band").degrade(clip, seed=5, key="x")
        again = apply_steps(clip, json.loads(json.dumps(steps)))
        np.testing.assert_array_equal(again.samples, made.samples)

    def test_seed_and_key_decide_and_each_clip_has_its_own(self):
        plan = parse_degradation("phone")
        assert plan.draw(seed=1, key="a") == plan.draw(seed=1, key="a")
        others = [plan.draw(seed=seed, key=key) for seed, key in ((1, "a"), (2, "a"), (1, "b"))]
        assert len({json.dumps(one) for one in others}) == 3

    def test_steps_are_done_in_the_order_of_their_words(self):
        clip = Clip(noise(4000).astype(np.float32), RATE)
        last, _ = parse_degradation("band:2000,quantise:5", 0).degrade(clip, seed=0, key="")
        np.testing.assert_array_equal(last.samples * 16, np.rint(last.samples * 16))

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ("nonsense", "unknown degradation 'nonsense': choose from band, distort"),
            ("", "unknown degradation ''"),
            ("phone:3", "phone:3: takes no value"),
            ("microphone:3", "microphone:3: takes no value"),
            ("noise:", "must be from -20 to 120 dB"),
            ("noise:inf", "must be from -20 to 120 dB"),
            ("room:9", "must be from 0.05 to 1.5 s"),
            ("quantise:8.5", "must be a whole number from 2 to 24 bits"),
            ("downsample:1", "must be a whole number from 2 to 64 times"),
        ],
    )
    def test_bad_words_are_refused_naming_what_is_allowed(self, words: str, told: str):
        with pytest.raises(UsageError, match=told):
            parse_degradation(words)

    @pytest.mark.parametrize("unevenness", [-0.1, 1.1, float("nan")])
    def test_unevenness_is_a_share(self, unevenness: float):
        with pytest.raises(UsageError, match="must be from 0"):
            parse_degradation("noise", unevenness)
