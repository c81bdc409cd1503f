"""Variants of training clips: what each augmentation does, that channels stay linked, that a seed decides all."""

import json

import numpy as np
import pytest

from stereokit import catalog
from stereokit.audio.clip import Clip, Recording
from stereokit.data.augmentation._form import Grid
from stereokit.data.augmentation._plan import parse_augmentation
from stereokit.data.augmentation._vocoder import attacks, stretched, time_map
from stereokit.data.synth._voice import make_sound
from stereokit.errors import UsageError
from stereokit.metrics.distance import pair_distance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distance

RATE = 44_100
SINGLE = [name for name in catalog.names("augmentation") if not isinstance(catalog.load("augmentation", name), Grid)]


def tone(hertz: float, *, frames: int = 22_050, rate: int = RATE, angle: float = 1.0) -> Clip:
    time = np.arange(frames) / rate
    left, right = np.sin(2 * np.pi * hertz * time), 0.5 * np.sin(2 * np.pi * hertz * time + angle)
    return Clip(np.stack([left, right]).astype(np.float32), rate)


def strongest_hz(signal, rate: int = RATE) -> float:
    """Place the largest peak by a parabola through its logarithms."""
    spectrum = np.log(np.abs(np.fft.rfft(signal * np.hanning(signal.size), 1 << 19)) + 1e-12)
    peak = int(spectrum.argmax())
    low, middle, high = spectrum[peak - 1 : peak + 2]
    return (peak + 0.5 * (low - high) / (low - 2 * middle + high)) * rate / (1 << 19)


def excerpt(samples) -> Excerpt:
    return Excerpt(samples[0].astype(np.float32), samples[1].astype(np.float32), RATE, 1.0)


@pytest.fixture(scope="module")
def stabs():
    voice = catalog.load("synth", "stabs")
    return [make_sound(voice, seed=1, index=index, sample_rate=RATE).clip.samples for index in range(4)]


@pytest.mark.parametrize("name", SINGLE)
class TestEveryAugmentation:
    def drawn(self, name, seed=0):
        augmentation = catalog.load("augmentation", name)
        reach = augmentation.reach.default if augmentation.reach else 0.0
        return augmentation, augmentation.draw(np.random.default_rng(seed), reach)

    def test_draws_json_that_alone_decides_what_it_does(self, name: str):
        augmentation, facts = self.drawn(name)
        assert json.loads(json.dumps(facts)) == facts
        clip = tone(440.0, frames=8000)
        np.testing.assert_array_equal(
            augmentation.apply(clip, facts).samples, augmentation.apply(clip, json.loads(json.dumps(facts))).samples
        )

    def test_gives_a_clip_of_the_same_rate_and_form_and_leaves_the_given_one(self, name: str):
        augmentation, facts = self.drawn(name)
        for frames in (1, 7, 300, 6000):
            clip = tone(300.0, frames=frames)
            before = clip.samples.copy()
            made = augmentation.apply(clip, facts)
            assert made.sample_rate == RATE
            assert made.samples.dtype == np.float32
            assert made.samples.shape[0] == 2
            assert made.frames >= 1
            assert np.isfinite(made.samples).all()
            np.testing.assert_array_equal(clip.samples, before)

    def test_leaves_silence_silent_and_dual_mono_mono(self, name: str):
        augmentation, facts = self.drawn(name)
        assert not augmentation.apply(Clip(np.zeros((2, 4000), np.float32), RATE), facts).samples.any()
        mono = np.random.default_rng(1).standard_normal(9000).astype(np.float32)
        made = augmentation.apply(Clip(np.stack([mono, mono]), RATE), facts).samples
        np.testing.assert_array_equal(made[0], made[1])

    def test_treats_both_channels_alike(self, name: str):
        # channels in the other order give the result in the other order
        augmentation, facts = self.drawn(name)
        samples = np.random.default_rng(2).standard_normal((2, 9000)).astype(np.float32)
        one = augmentation.apply(Clip(samples, RATE), facts).samples
        other = augmentation.apply(Clip(samples[::-1].copy(), RATE), facts).samples
        np.testing.assert_allclose(other, one[::-1], atol=2e-6)

    def test_draws_no_farther_than_its_reach(self, name: str):
        augmentation = catalog.load("augmentation", name)
        if augmentation.reach is None:
            pytest.skip("there is nothing to choose")
        random = np.random.default_rng(0)
        for reach in (augmentation.reach.default, augmentation.reach.highest / 2):
            for _ in range(50):
                facts = augmentation.draw(random, reach)
                if name == "stretch":
                    assert 1 / (1 + reach) <= facts["factor"] <= 1 + reach
                elif name == "filter":
                    assert np.abs([gain for _, gain in facts["response_hz_db"]]).max() <= reach
                else:
                    assert abs(next(iter(facts.values()))) <= reach


class TestStretching:
    @pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
    def test_the_length_is_the_factor_and_a_tone_keeps_pitch_purity_and_image(self, factor: float):
        clip = tone(1000.0)
        made = stretched(clip.samples.astype(np.float64), sample_rate=RATE, factor=factor)
        assert made.shape == (2, round(clip.frames * factor))
        inner = made[:, 5000:-5000]
        assert strongest_hz(inner[0]) == pytest.approx(1000.0, abs=0.001)
        time = np.arange(inner.shape[1]) / RATE
        basis = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 1000 * time)], axis=1)
        parts = np.linalg.lstsq(basis, inner.T, rcond=None)[0]
        rest = inner.T - basis @ parts
        assert 20 * np.log10(rest.std(axis=0) / inner.std(axis=1)).max() < -80
        left, right = parts[0] + 1j * parts[1]
        assert abs(left) == pytest.approx(1.0, abs=1e-3)
        assert right / left == pytest.approx(0.5 * np.exp(1j), abs=1e-3)

    def test_each_partial_of_a_chord_keeps_its_pitch_and_its_place_between_the_channels(self):
        time = np.arange(RATE) / RATE
        hertz, pans = np.array([220.0, 277.2, 329.6, 440.0, 1320.0]), np.array([0.0, 0.25, 0.5, 0.75, 1.0])
        waves = np.sin(2 * np.pi * hertz[:, None] * time)
        made = stretched(np.stack([(1 - pans) @ waves, pans @ waves]), sample_rate=RATE, factor=1.3)[:, 4000:-4000]
        spectra = np.abs(np.fft.rfft(made * np.hanning(made.shape[1]), 1 << 18))
        for frequency, pan in zip(hertz, pans, strict=True):
            near = slice(round((frequency - 8) * (1 << 18) / RATE), round((frequency + 8) * (1 << 18) / RATE))
            peak = near.start + int(spectra[:, near].sum(axis=0).argmax())
            assert peak * RATE / (1 << 18) == pytest.approx(frequency, abs=0.5)
            left, right = spectra[:, peak]
            assert right / (left + right) == pytest.approx(pan, abs=0.03)

    def test_factor_one_gives_the_samples_back(self):
        samples = np.random.default_rng(0).standard_normal((2, 12_345))
        np.testing.assert_allclose(stretched(samples, sample_rate=RATE, factor=1.0), samples, atol=1e-12)

    def test_the_image_over_time_of_stabs_stays(self, stabs):
        # Stretched each on its own, the channels of stabs come out 0.13 apart; stabs among themselves are 0.27 apart.
        emd = catalog.load("distance", "emd")
        assert sum(np.ptp(samples, axis=0).max() > 0 for samples in stabs) >= 3, "the set has hardly any side"
        distances = []
        for samples in stabs:
            before = short_time_side_distance(excerpt(samples))
            for factor in (0.9, 1.1):
                made = stretched(samples.astype(np.float64), sample_rate=RATE, factor=factor)
                distances.append(pair_distance(before, short_time_side_distance(excerpt(made)), emd))
        assert np.mean(distances) < 0.02

    def test_an_attack_is_copied_and_not_smeared(self, stabs):
        for samples in stabs:
            made = stretched(samples.astype(np.float64), sample_rate=RATE, factor=1.1)
            attack = round(0.015 * RATE)
            rest = made[:, :attack] - samples[:, :attack]
            assert 10 * np.log10((rest**2).sum() / (samples[:, :attack] ** 2).sum()) < -50

    def test_what_ends_in_silence_ends_in_silence_and_what_does_not_does_not(self, stabs):
        for samples in stabs:
            made = stretched(samples.astype(np.float64), sample_rate=RATE, factor=0.9)
            assert np.abs(samples[:, -1]).max() < 1e-6
            assert np.abs(made[:, -1]).max() < 1e-12
            # no step before it either
            steps = np.abs(np.diff(made, axis=1))
            assert steps[:, -500:].max() < 0.5 * steps.max()
        steady = stretched(tone(1000.0).samples.astype(np.float64), sample_rate=RATE, factor=0.9)
        assert np.abs(steady[:, -100:]).max() > 0.3

    def test_clicks_in_a_tone_stay_clicks_at_their_stretched_times(self):
        samples = tone(300.0, frames=RATE).samples.astype(np.float64) * 0.05
        places = [8000, 25_000, 38_000]
        samples[:, places] += 1.0
        made = np.abs(stretched(samples, sample_rate=RATE, factor=1.2)).max(axis=0)
        loud = np.flatnonzero(made > 0.5)
        assert loud.size == 3
        np.testing.assert_allclose(loud, np.array(places) * 1.2, atol=64)

    def test_attacks_are_found_where_they_are(self):
        samples = np.zeros((2, RATE))
        random = np.random.default_rng(0)
        for place in (2000, 20_000, 33_000):
            samples[:, place:] += random.standard_normal(RATE - place) * np.exp(-np.arange(RATE - place) / 1500)
        np.testing.assert_allclose(attacks(samples, RATE), [2000, 20_000, 33_000], atol=0.008 * RATE)
        assert attacks(np.zeros((2, 1000)), RATE) == []

    @pytest.mark.parametrize("length", [10_000, 30_000, 40_000, 90_000])
    @pytest.mark.parametrize("places", [[0, 10_000], [500, 12_000, 39_000], list(range(0, 40_000, 1500)), [39_999], []])
    def test_time_never_runs_back_and_attacks_come_at_their_times_as_they_were(self, places, length: int):
        line = time_map(places, frames=40_000, length=length, reach=1024)
        assert np.all(np.diff(line.heard) > 0)
        assert np.all(np.diff(line.source) > 0)
        assert (line.heard[0], line.source[0]) == (0, 0)
        assert (line.heard[-1], line.source[-1]) == pytest.approx((length, 40_000))
        assert len(line.copied) == len(places)
        for place, (start, stop) in zip(places, line.copied, strict=True):
            came = place if place <= 1024 and place == places[0] else place * length / 40_000
            inside = np.interp([start, came, stop], line.heard, line.source)
            assert inside[1] == pytest.approx(place, abs=2)
            assert inside[2] - inside[0] == pytest.approx(stop - start)


class TestPitch:
    @pytest.mark.parametrize("semitones", [-5.0, -0.5, 3.0, 12.0])
    def test_a_tone_moves_by_so_many_semitones_and_keeps_its_length_and_level(self, semitones: float):
        made = catalog.load("augmentation", "pitch").apply(tone(1000.0), {"semitones": semitones})
        assert made.frames == 22_050
        inner = made.samples[0, 3000:-3000]
        assert strongest_hz(inner) == pytest.approx(1000.0 * 2 ** (semitones / 12), rel=1e-5)
        assert inner.std() == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_a_filter_has_the_drawn_gain_in_both_channels_and_sounds_at_once():
    augmentation = catalog.load("augmentation", "filter")
    facts = augmentation.draw(np.random.default_rng(5), 12.0)
    assert max(abs(gain) for _, gain in facts["response_hz_db"]) > 6.0
    for hertz, gain in facts["response_hz_db"][1:4]:
        clip = tone(hertz)
        made = augmentation.apply(clip, facts).samples[:, 6000:]
        for channel, original in zip(made, clip.samples[:, 6000:], strict=True):
            assert 20 * np.log10(channel.std() / original.std()) == pytest.approx(gain, abs=0.2)
    impulse = np.zeros((2, 9000), np.float32)
    impulse[:, 4000] = 1.0
    made = augmentation.apply(Clip(impulse, RATE), facts).samples
    # nothing sounds before its cause
    assert np.abs(made[:, :4000]).max() < 1e-6
    assert abs(made[0, 4000]) > 0.1


def test_a_gain_is_in_decibels_and_swap_exchanges_the_channels():
    clip = tone(500.0)
    louder = catalog.load("augmentation", "gain").apply(clip, {"gain_db": 6.0})
    np.testing.assert_allclose(louder.samples, clip.samples * 10 ** (6 / 20), rtol=1e-6)
    swap = catalog.load("augmentation", "swap")
    np.testing.assert_array_equal(swap.apply(clip, {"swapped": True}).samples, clip.samples[::-1])
    assert swap.apply(clip, {"swapped": False}) is clip


class TestPlan:
    def test_variants_are_the_same_for_one_seed_and_key_and_differ_otherwise(self):
        plan = parse_augmentation("gain,filter", 3)
        recipes = [plan.recipe(variant, seed=0, key="a.wav") for variant in (1, 2, 3)]
        assert [plan.recipe(variant, seed=0, key="a.wav") for variant in (3, 1)] == [recipes[2], recipes[0]]
        others = [plan.recipe(1, seed=1, key="a.wav"), plan.recipe(1, seed=0, key="b.wav")]
        assert len({json.dumps(recipe) for recipe in recipes + others}) == 5

    def test_more_variants_leave_the_first_as_they_were(self):
        few, many = parse_augmentation("gain", 2), parse_augmentation("gain", 9)
        assert [few.recipe(n, seed=4, key="k") for n in (1, 2)] == [many.recipe(n, seed=4, key="k") for n in (1, 2)]

    def test_stabs24_is_four_filters_three_lengths_two_orders_and_no_pitch(self):
        plan = parse_augmentation("stabs24")
        recipes = [dict(plan.recipe(variant, seed=0, key="")) for variant in range(1, 24)]
        assert len({json.dumps(recipe) for recipe in recipes}) == plan.count == 23
        assert not any({"pitch", "gain"} & set(recipe) for recipe in recipes)
        assert {json.dumps(recipe.get("filter")) for recipe in recipes}.__len__() == 4
        assert {recipe.get("stretch", {"factor": 1.0})["factor"] for recipe in recipes} == {0.9, 1.0, 1.1}
        assert sum("swap" in recipe for recipe in recipes) == 12

    def test_all_variants_of_stabs24_differ_and_keep_the_pitch(self, stabs):
        clip = Clip(stabs[0], RATE)
        made = list(parse_augmentation("stabs24").variants(clip, seed=0, key="a"))
        assert [facts["variant"] for _, facts in made] == list(range(1, 24))
        assert len({variant.samples.tobytes() for variant, _ in made} | {clip.samples.tobytes()}) == 24
        assert {variant.frames for variant, _ in made} == {17_640, 15_876, 19_404}
        for variant, facts in made:
            mid = variant.samples.sum(axis=0)
            before = clip.samples.sum(axis=0)
            power, power_before = (np.abs(np.fft.rfft(one, 1 << 16)) ** 2 for one in (mid, before))
            low = slice(round(60 * (1 << 16) / RATE), round(1000 * (1 << 16) / RATE))
            shift = np.argmax(power[low]) - np.argmax(power_before[low])
            assert "filter" in facts or abs(shift) <= 3

    def test_what_was_told_makes_the_variant_again(self):
        clip = tone(700.0, frames=6000)
        for made, facts in parse_augmentation("stretch:0.5,gain,swap,filter:3", 2).variants(clip, seed=9, key="x"):
            again = clip
            for name, drawn in json.loads(json.dumps(facts)).items():
                if name != "variant":
                    again = catalog.load("augmentation", name).apply(again, drawn)
            np.testing.assert_array_equal(again.samples, made.samples)

    def test_swap_alone_swaps_always(self):
        clip = tone(700.0, frames=600)
        for key in "abcdef":
            ((made, facts),) = parse_augmentation("swap").variants(clip, seed=0, key=key)
            np.testing.assert_array_equal(made.samples, clip.samples[::-1])
            assert facts == {"variant": 1, "swap": {"swapped": True}}

    @pytest.mark.parametrize(
        ("words", "variants", "told"),
        [
            ("nonsense", None, "unknown augmentation 'nonsense': choose from filter, gain"),
            ("", None, "unknown augmentation ''"),
            ("gain,gain", None, "gain is named twice"),
            ("swap:2", None, "swap:2: takes no value"),
            ("gain:", None, "must be from 0 to 40 dB"),
            ("gain:loud", None, "must be from 0 to 40 dB"),
            ("gain:nan", None, "must be from 0 to 40 dB"),
            ("stretch:-1", None, "must be from 0 to 1 of the length"),
            ("pitch:13", None, "must be from 0 to 12 semitones"),
            ("gain,stabs24", None, "stabs24 stands alone"),
            ("stabs24:3", None, "stabs24 stands alone"),
            ("stabs24", 5, "gives 23 variants"),
            ("gain", 0, "--variants 0: must be from 1 to 1000"),
            ("gain", 1001, "--variants 1001: must be from 1 to 1000"),
            ("swap", 2, "swap alone gives one variant"),
        ],
    )
    def test_bad_words_are_refused_naming_what_is_allowed(self, words: str, variants: int | None, told: str):
        with pytest.raises(UsageError, match=told.replace("(", r"\(")):
            parse_augmentation(words, variants)


def test_a_recording_of_one_channel_becomes_a_clip_that_can_be_varied():
    clip = Recording(np.ones((500, 1), np.float32), RATE, "FLOAT").to_clip()
    assert next(parse_augmentation("gain").variants(clip, seed=0, key=""))[0].frames == 500
