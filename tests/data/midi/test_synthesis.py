"""The built-in renderer plays what a SoundFont says: pitch, place, loudness and course, on the exact sample."""

from pathlib import Path

import numpy as np
import pytest

from stereokit.data.midi.performance import Curve, Performance
from stereokit.data.midi.song import BEND, EXPRESSION, PAN, VOLUME
from stereokit.data.midi.soundfont import read_soundfont
from stereokit.data.midi.synthesis import check_presets, render
from stereokit.errors import BadInputError

RATE = 44_100
LOOPED = (54, 1)


def played(font: Path, *notes, frames: int = 22_050, **curves):
    """Play (start, stop, pitch, velocity[, channel[, program]])."""
    columns = np.array([(*note, 0, 0)[:6] if len(note) < 6 else note for note in notes], np.int64).T
    courses = {(0, control): curve for control, curve in curves.pop("courses", {}).items()}
    performance = Performance(RATE, frames, *columns, courses)
    return render(performance, read_soundfont(font))


def level(sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def hertz(sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    return float(np.argmax(spectrum)) * RATE / (1 << 18)


class TestANote:
    def test_starts_on_its_sample_after_silence(self, font: Path):
        left, right = played(font, (1_001, 9_000, 69, 127))
        assert not left[:1_001].any()
        # The sine starts at 0, and so does the next sample not.
        assert np.argmax(left != 0.0) == 1_002
        np.testing.assert_allclose(left, right, rtol=1e-6)

    def test_sounds_at_the_pitch_of_its_key(self, font: Path):
        for key, expected in ((69, 441.0), (81, 882.0), (62, 441.0 * 2 ** (-7 / 12))):
            assert hertz(played(font, (0, 22_050, key, 127))[0]) == pytest.approx(expected, abs=0.3)

    def test_goes_on_beyond_the_end_of_a_looped_sample_and_no_further_without(self, font: Path):
        looped = played(font, (0, 22_050, 69, 127))[0]
        assert level(looped[20_000:22_000]) == pytest.approx(level(looped[:4_000]), rel=0.02)
        once = played(font, (0, 22_050, 69, 127, 9))[0]
        assert level(once[:4_000]) > 0.04
        assert not once[4_420:].any()

    def test_is_as_loud_as_the_square_of_its_velocity(self, font: Path):
        loud, soft = (played(font, (0, 20_000, 69, velocity)) for velocity in (127, 64))
        assert level(soft) / level(loud) == pytest.approx((64 / 127) ** 2, rel=1e-5)

    def test_adds_to_others(self, font: Path):
        one, other = played(font, (0, 9_000, 69, 90)), played(font, (500, 8_000, 76, 80))
        both = played(font, (0, 9_000, 69, 90), (500, 8_000, 76, 80))
        np.testing.assert_allclose(both, one + other, atol=1e-7)

    def test_may_last_beyond_the_end_of_the_render(self, font: Path):
        assert played(font, (0, 10**9, 69, 100), frames=5_000).shape == (2, 5_000)


class TestStereo:
    def test_regions_stand_where_they_are_panned(self, font: Path):
        left, right = played(font, (0, 20_000, 69, 127, 0, 1))
        # 25 dB of attenuation count for 10, as in E-mu's synthesisers
        assert 20 * np.log10(level(left) / level(right)) == pytest.approx(10.0, abs=0.01)

    def test_the_channels_pan_moves_them_with_equal_power(self, font: Path):
        centre = played(font, (0, 20_000, 69, 127))
        for value, is_left in ((0, True), (127, False)):
            moved = played(font, (0, 20_000, 69, 127), courses={PAN: Curve(np.zeros(1, int), np.array([value * 1.0]))})
            full, empty = moved if is_left else moved[::-1]
            assert level(full) == pytest.approx(level(centre) * np.sqrt(2.0), rel=0.01)
            assert level(empty) < 0.03 * level(full)


class TestCourses:
    def test_a_release_falls_by_100_db_in_its_time(self, font_of):
        font = font_of({(0, 0): [[LOOPED, (38, -1_200)]]})  # half a second
        left = played(font, (0, 11_025, 69, 127), frames=44_100)[0]
        before = level(left[9_000:11_000])
        for seconds, fall in ((0.1, 20.0), (0.25, 50.0)):
            middle = 11_025 + round(seconds * RATE)
            now = level(left[middle - 500 : middle + 500])
            assert 20 * np.log10(before / now) == pytest.approx(fall, abs=0.5)

    def test_an_attack_rises_evenly(self, font_of):
        font = font_of({(0, 0): [[LOOPED, (34, -1_200)]]})
        left = played(font, (0, 44_100, 69, 127), frames=44_100)[0]
        assert level(left[10_525:11_525]) / level(left[30_000:31_000]) == pytest.approx(0.5, abs=0.01)

    def test_a_decay_falls_to_its_sustain(self, font_of):
        font = font_of({(0, 0): [[LOOPED, (36, 0), (37, 200)]]})  # 100 dB a second down to -20 dB
        left = played(font, (0, 44_100, 69, 127), frames=44_100)[0]
        start = level(left[:400])
        assert 20 * np.log10(start / level(left[4_210:4_610])) == pytest.approx(10.0 - 0.45, abs=0.5)
        assert 20 * np.log10(start / level(left[30_000:40_000])) == pytest.approx(20.0 - 0.45, abs=0.5)

    def test_a_low_pass_takes_what_lies_above_its_cutoff(self, font_of):
        # 6900 cents are 440 Hz
        open_, closed = (font_of({(0, 0): [[LOOPED, *more]]}) for more in ([], [(8, 6_900)]))
        plain, low = (level(played(font, (0, 22_050, 69, 127))[0]) for font in (open_, closed))
        assert 20 * np.log10(plain / low) == pytest.approx(3.01, abs=0.2)
        plain, low = (level(played(font, (0, 22_050, 105, 127))[0]) for font in (open_, closed))
        assert 20 * np.log10(plain / low) == pytest.approx(36.0, abs=2.0)

    def test_a_filter_envelope_opens_it(self, font_of):
        font = font_of({(0, 0): [[LOOPED, (8, 4_500), (11, 6_000), (28, -1_200), (29, 1_000)]]})
        left = played(font, (0, 44_100, 69, 127), frames=44_100)[0]
        assert level(left[1_000:2_000]) > 4 * level(left[30_000:31_000])

    def test_vibrato_moves_the_pitch_and_tremolo_the_level(self, font_of):
        vibrato = font_of({(0, 0): [[LOOPED, (6, 100), (24, -1_200 * 2)]]})
        still = font_of({(0, 0): [[LOOPED]]})
        moving, fixed = (played(font, (0, 44_100, 69, 127), frames=44_100)[0] for font in (vibrato, still))
        assert np.abs(np.fft.rfft(moving)).max() < 0.9 * np.abs(np.fft.rfft(fixed)).max()
        tremolo = font_of({(0, 0): [[LOOPED, (13, 60), (22, -1_200 * 2)]]})
        left = played(tremolo, (0, 44_100, 69, 127), frames=44_100)[0]
        levels = [level(left[start : start + 1_000]) for start in range(0, 44_000, 1_000)]
        assert max(levels) / min(levels) == pytest.approx(10 ** (12 / 20), rel=0.1)

    def test_the_next_of_an_exclusive_class_ends_the_one_before(self, font: Path):
        alone = played(font, (0, 22_050, 57, 127, 9))
        choked = played(font, (0, 22_050, 57, 127, 9), (2_000, 22_050, 58, 1, 9))
        assert level(alone[:, 3_000:4_000]) > 100 * level(choked[:, 3_000:4_000])


class TestControls:
    def test_volume_and_expression_move_a_channel_while_it_sounds(self, font: Path):
        plain = played(font, (0, 22_050, 69, 127))[0]
        for control, before in ((VOLUME, 100.0), (EXPRESSION, 127.0)):
            course = Curve(np.array([0, 10_048]), np.array([before, before / 2]))
            moved = played(font, (0, 22_050, 69, 127), courses={control: course})[0]
            np.testing.assert_allclose(moved[:9_900], plain[:9_900], atol=1e-6)
            np.testing.assert_allclose(moved[10_200:], plain[10_200:] / 4, atol=1e-6)

    def test_a_volume_that_never_moves_counts(self, font: Path):
        half = Curve(np.zeros(1, int), np.array([50.0]))
        left = played(font, (0, 22_050, 69, 127), courses={VOLUME: half})[0]
        assert level(left) == pytest.approx(level(played(font, (0, 22_050, 69, 127))[0]) / 4, rel=1e-5)

    def test_the_wheel_bends_a_note_that_sounds(self, font: Path):
        course = Curve(np.array([0, 11_008]), np.array([0.0, 8_192.0]))
        left = played(font, (0, 22_050, 69, 127), courses={BEND: course})[0]
        assert hertz(left[:10_500]) == pytest.approx(441.0, abs=0.5)
        assert hertz(left[11_500:]) == pytest.approx(441.0 * 2 ** (2 / 12), abs=0.5)


class TestWhatAFontCannotPlay:
    def check(self, font: Path, *note):
        performance = Performance(RATE, 100, *np.array([note], np.int64).T)
        check_presets(performance, read_soundfont(font))

    def test_is_refused_by_program(self, font: Path):
        with pytest.raises(BadInputError, match=r"test.sf2 has no program 5 \(bank 0\)"):
            self.check(font, 0, 10, 60, 1, 0, 5)

    def test_is_refused_by_drum_kit(self, font: Path):
        with pytest.raises(BadInputError, match=r"test.sf2 has no drum kit 3"):
            self.check(font, 0, 10, 60, 1, 9, 3)

    def test_is_refused_by_key(self, font: Path):
        self.check(font, 0, 10, 60, 1, 0, 2)
        with pytest.raises(BadInputError, match=r"plays key 59, which program 2 of test.sf2 does not have"):
            self.check(font, 0, 10, 59, 1, 0, 2)


def test_bits_do_not_depend_on_what_was_rendered_before(font: Path):
    first = played(font, (0, 9_000, 71, 100))
    played(font, (0, 200_000, 71, 100), frames=200_000)
    np.testing.assert_array_equal(played(font, (0, 9_000, 71, 100)), first)
