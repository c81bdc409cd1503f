"""MIDI files are read to the tick, and hostile ones refused in one line before anything is rendered."""

import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_midi import midi, note, track

from stereokit.data.midi.reader import MidiLimits, parse_midi, read_bytes
from stereokit.data.midi.song import BEND
from stereokit.errors import BadInputError

LIMITS = MidiLimits()


def read(*tracks, limits=LIMITS, **how):
    return parse_midi(midi(*tracks, **how), limits)


class TestNotes:
    def test_start_and_end_where_the_tempo_puts_their_ticks(self):
        song = read(note(960, 480, 60, 77, channel=3))
        assert (song.start, song.end) == (pytest.approx([1.0]), pytest.approx([1.5]))
        assert [song.pitch[0], song.velocity[0], song.channel[0], song.program[0]] == [60, 77, 3, 0]

    def test_follow_every_change_of_tempo_of_any_track(self):
        twice_as_fast = [(960, 0xFF, 0x51, 3, *(250_000).to_bytes(3))]
        song = read(twice_as_fast, note(480, 960, 60))
        assert (song.start[0], song.end[0]) == (0.5, 1.0 + 480 * 250_000e-6 / 480)

    def test_are_counted_in_frames_of_time_code_where_the_header_says_so(self):
        song = read(note(0, 2_000, 60), division=(256 - 25) << 8 | 40)
        assert song.end[0] == pytest.approx(2.0)

    def test_may_share_a_status_byte(self):
        body = b"\0\x90\x3c\x64\0\x40\x64\x60\x3c\0\0\x40\0\0\xff\x2f\0"
        data = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(body)) + body
        song = parse_midi(data, LIMITS)
        assert song.pitch.tolist() == [60, 64]
        assert song.end == pytest.approx([0.1, 0.1])

    def test_pressed_again_end_the_one_that_sounds_and_last_until_released_as_often(self):
        song = read([(0, 0x90, 60, 1), (480, 0x90, 60, 2), (720, 0x80, 60, 0), (960, 0x80, 60, 0)])
        assert list(zip(song.start, song.end, strict=True)) == [(0.0, 0.5), (0.5, 1.0)]

    def test_that_never_end_last_as_long_as_the_file_and_are_counted(self):
        song = read([(0, 0x90, 60, 1), (960, 0xB0, 7, 1)])
        assert (song.end[0], song.unended) == (1.0, 1)

    def test_end_with_all_notes_off(self):
        assert read([(0, 0x90, 60, 1), (480, 0xB0, 123, 0), (960, 0x80, 60, 0)]).end[0] == 0.5

    def test_of_no_length_last_a_tick(self):
        assert read(note(480, 0, 60)).end[0] == pytest.approx(481 / 960)

    def test_have_the_program_that_was_set_before_them(self):
        song = read([(0, 0xC0, 5), *note(0, 480, 60), (480, 0xC0, 9), *note(480, 480, 60)])
        assert song.program.tolist() == [5, 9]


class TestControls:
    def test_and_the_pitch_wheel_keep_their_times_and_values(self):
        song = read([(480, 0xB2, 64, 127), (960, 0xE2, 0x7F, 0x7F), (960, 0xE2, 0, 0)])
        assert song.control_time == pytest.approx([0.5, 1.0, 1.0])
        assert song.control_channel.tolist() == [2, 2, 2]
        assert song.control_number.tolist() == [64, BEND, BEND]
        assert song.control_value.tolist() == [127, 8191, -8192]

    def test_are_found_behind_text_and_system_exclusive(self):
        song = read([(0, 0xFF, 1, 3, 65, 66, 67), (0, 0xF0, 2, 1, 0xF7), (0, 0xB0, 7, 9)])
        assert song.control_value.tolist() == [9]


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "is no MIDI file"),
            (b"RIFF" + bytes(20), "is no MIDI file"),
            (midi(note(0, 1, 60), kind=2), "has MIDI format 2: 0 and 1 are read"),
            (midi(note(0, 1, 60), division=0), "has 0 ticks a quarter note"),
            (midi(note(0, 1, 60), division=0x8000 | 40), "time code 128"),
            (midi(note(0, 1, 60))[:-3], "is truncated: a chunk declares"),
            (midi() + b"", "declares"),
            (midi([(0, 0xB0, 168, 1)]), "track 1 is damaged at byte 2: a value over 127 (168)"),
            (midi([(0, 0x3C, 64)]), "a value where an event must be"),
            (midi([(0, 0xF4, 1)]), "status 244 does not belong"),
            (midi([(0, 0xFF, 1, 100, 65)]), "declares 100 bytes"),
            (midi([(0, 0xFF, 0x51, 2, 1, 1)]), "a tempo of 2 bytes"),
            (midi([(0, 0xFF, 0x51, 3, 0, 0, 0)]), "a tempo of 0 at tick 0"),
            (midi([(0, 0xFF, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1)]), "more than 4 bytes"),
        ],
    )
    def test_are_refused_with_the_reason(self, data: bytes, reason: str):
        if reason == "declares":
            data = data[:10] + b"\0\5" + data[12:]
        with pytest.raises(BadInputError, match=re.escape(reason)):
            parse_midi(data, LIMITS)

    def test_are_refused_when_a_track_ends_inside_an_event(self):
        body = b"\0\x90\x3c"
        data = midi([])[:14] + b"MTrk" + struct.pack(">I", len(body)) + body
        with pytest.raises(BadInputError, match="ends inside an event"):
            parse_midi(data, LIMITS)

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [
            ({"events": 3}, "passes the limit of events"),
            ({"notes": 1}, "has more than 1 notes"),
            ({"ticks": 900}, "has more than 900 ticks"),
            ({"seconds": 0.9}, "lasts 1 s by its ticks and tempos: at most 0.9 s are rendered"),
        ],
    )
    def test_meet_a_limit_on_all_that_they_can_ask_for(self, limits: dict, reason: str):
        with pytest.raises(BadInputError, match=reason):
            read(note(0, 480, 60), note(480, 480, 62), limits=replace(LIMITS, **limits))

    def test_cannot_ask_for_years_by_slow_tempos_and_many_ticks(self):
        slow = [(0, 0xFF, 0x51, 3, 255, 255, 255)]
        with pytest.raises(BadInputError, match=r"lasts \d{8,} s"):
            read(slow, note(0, (1 << 28) - 1, 60), division=1)

    def test_larger_than_the_limit_are_not_read_to_their_end(self, tmp_path: Path):
        (tmp_path / "a.mid").write_bytes(bytes(100))
        with pytest.raises(BadInputError, match="has more than 50 bytes"):
            read_bytes(tmp_path / "a.mid", replace(LIMITS, file_bytes=50))

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_of_any_bytes_give_a_song_or_a_reason(self, data):
        whole = bytearray(midi([(0, 0xC0, 1), *note(0, 480, 60), (480, 0xE0, 1, 2)], note(0, 960, 64)))
        for _ in range(data.draw(st.integers(1, 5))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
        try:
            song = parse_midi(damaged, LIMITS)
        except BadInputError:
            return
        assert (song.end > song.start).all()
        assert ((song.pitch >= 0) & (song.pitch < 128) & (song.velocity > 0)).all()


def test_a_file_without_notes_gives_a_song_without_notes():
    assert read([]).notes == 0
    assert read([]).seconds == 0.0


@pytest.mark.data
class TestRealFiles:
    def test_one_is_refused_for_what_is_wrong_in_it_and_one_is_empty(self, test_data: Path):
        folder = test_data / "midi"
        with pytest.raises(BadInputError, match="a value over 127"):
            parse_midi((folder / "corrupted_control168.mid").read_bytes(), LIMITS)
        assert parse_midi((folder / "empty.mid").read_bytes(), LIMITS).notes == 0

    def test_are_read_as_pretty_midi_reads_them(self, test_data: Path):
        pretty_midi = pytest.importorskip("pretty_midi")
        for name in ("Maestro_1.mid", "POP909_191.mid", "multitrack_Funkytown.mid"):
            path = test_data / "midi" / name
            song = parse_midi(path.read_bytes(), LIMITS)
            theirs = [note for one in pretty_midi.PrettyMIDI(str(path)).instruments for note in one.notes]
            expected = np.array(sorted((note.start, note.pitch, note.velocity) for note in theirs))
            found = np.array(sorted(zip(song.start, song.pitch, song.velocity, strict=True)))
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_track_may_be_written_without_an_end():
    body = track(note(0, 480, 60))[8:-4]
    data = midi([])[:14] + b"MTrk" + struct.pack(">I", len(body)) + body
    assert parse_midi(data, LIMITS).notes == 1
