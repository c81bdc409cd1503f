"""A side plays a song by its own program, velocities, pedal, controls and keys, on one grid of samples."""

from dataclasses import replace

import pytest
from toy_midi import midi, note

from stereokit.data.midi.performance import Side, perform
from stereokit.data.midi.reader import MidiLimits, parse_midi
from stereokit.data.midi.song import BEND, EXPRESSION, PAN, VOLUME
from stereokit.errors import BadInputError

AS_IT_IS = Side()


def played(*events, side: Side = AS_IT_IS, tempo: float = 1.0, grid: int = 1, tail: float = 0.0):
    song = parse_midi(midi(*events), MidiLimits())
    return perform(song, side, sample_rate=9_600, tempo=tempo, tail=tail, grid=grid)


DRUM = note(0, 480, 36, 50, channel=9)


def test_ticks_become_samples_and_a_tail_is_added():
    result = played(note(960, 480, 60), tail=2.0)
    assert (result.start[0], result.stop[0], result.frames) == (9_600, 14_400, 14_400 + 19_200)


def test_a_tempo_of_two_plays_twice_as_fast():
    result = played(note(960, 480, 60), tempo=2.0)
    assert (result.start[0], result.stop[0], result.frames) == (4_800, 7_200, 7_200)


def test_notes_start_on_a_renderers_grid():
    result = played(note(7, 480, 60), grid=64)
    assert (result.start[0] % 64, result.stop[0] % 64) == (0, 0)
    assert abs(result.start[0] - 70) <= 32


def test_a_program_is_every_channels_but_the_drums():
    result = played([(0, 0xC0, 7), *note(0, 480, 60)], DRUM, side=Side(program=4))
    assert sorted(zip(result.channel, result.program, strict=True)) == [(0, 4), (9, 0)]
    assert played([(0, 0xC0, 7), *note(0, 480, 60)]).program.tolist() == [7]


def test_velocities_are_kept_fixed_or_scaled_within_bounds():
    notes = [*note(0, 480, 60, 100), *note(480, 480, 60, 20)]
    assert played(notes).velocity.tolist() == [100, 20]
    assert played(notes, side=Side(velocity=64)).velocity.tolist() == [64, 64]
    assert played(notes, side=Side(velocity_scale=2.0)).velocity.tolist() == [127, 40]
    assert played(notes, side=Side(velocity_scale=0.01)).velocity.tolist() == [1, 1]


def test_keys_are_transposed_but_not_the_drums():
    result = played(note(0, 480, 60), DRUM, side=Side(transpose=-12))
    assert sorted(result.pitch.tolist()) == [36, 48]
    with pytest.raises(BadInputError, match="has notes from 128 to 128 when transposed"):
        played(note(0, 480, 120), side=Side(transpose=8))


def test_drums_are_left_out_where_they_are_not_wanted():
    assert played(note(0, 480, 60), DRUM, side=Side(drums="remove")).channel.tolist() == [0]
    with pytest.raises(BadInputError, match="has no notes but drums"):
        played(DRUM, side=Side(drums="remove"))


class TestThePedal:
    PEDAL = ((0, 0xB0, 64, 127), (1_920, 0xB0, 64, 0))

    def test_holds_a_note_until_it_goes_up(self):
        assert played([*note(0, 480, 60), *note(2_000, 10, 62)], self.PEDAL).stop[0] == 19_200

    def test_holds_a_note_no_longer_than_until_its_key_is_pressed_again(self):
        result = played([*note(0, 480, 60), *note(960, 480, 60)], self.PEDAL)
        assert result.stop.tolist() == [9_600, 19_200]

    def test_of_one_channel_does_not_hold_another(self):
        assert played(note(0, 480, 60, channel=1), self.PEDAL).stop[0] == 4_800

    def test_is_ignored_or_always_down_where_a_side_says_so(self):
        song = [*note(0, 480, 60), *note(960, 960, 62)]
        assert played(song, self.PEDAL, side=Side(pedal="remove")).stop[0] == 4_800
        assert played(song, side=Side(pedal="down")).stop[0] == 19_200

    def test_lets_go_when_controls_are_reset(self):
        reset = [(0, 0xB0, 64, 127), (960, 0xB0, 121, 0)]
        assert played([*note(0, 480, 60), *note(2_000, 10, 62)], reset).stop[0] == 9_600


class TestControls:
    SENT = ((480, 0xB0, 7, 30), (480, 0xE0, 0, 0), (960, 0xB0, 121, 0))

    def test_have_their_defaults_until_they_are_sent(self):
        result = played(note(0, 1_920, 60), self.SENT)
        volume = result.curve(0, VOLUME)
        assert [volume.at(frame) for frame in (0, 4_799, 4_800, 19_000)] == [100.0, 100.0, 30.0, 30.0]
        assert [result.curve(0, control).at(0) for control in (PAN, EXPRESSION)] == [64.0, 127.0]

    def test_of_the_wheel_are_two_semitones_and_are_reset(self):
        bend = played(note(0, 1_920, 60), self.SENT).bend_cents(0)
        assert [bend.at(frame) for frame in (0, 4_800, 9_600)] == [0.0, -200.0, 0.0]

    def test_are_removed_or_fixed_where_a_side_says_so(self):
        removed = played(note(0, 1_920, 60), self.SENT, side=Side(controls="remove"))
        assert removed.curve(0, VOLUME).at(10_000) == 100.0
        assert removed.curve(0, BEND).is_constant
        fixed = played(note(0, 1_920, 60), self.SENT, side=replace(Side(), fixed={VOLUME: 90}))
        assert [fixed.curve(0, VOLUME).at(frame) for frame in (0, 10_000)] == [90.0, 90.0]


def test_notes_that_start_together_keep_the_order_of_the_file():
    result = played([(0, 0x90, 72, 9), (0, 0x90, 60, 9), (480, 0x80, 60, 0), (480, 0x80, 72, 0)])
    assert result.pitch.tolist() == [72, 60]
