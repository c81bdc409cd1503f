"""Standard MIDI files, read with a cap on everything that a file can ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi._tracks import Event, track_events
from stereokit.data.midi.song import BEND, Song
from stereokit.errors import BadInputError

_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM, _BEND = 0x8, 0x9, 0xB, 0xC, 0xE
TEMPO = 0x51
_DEFAULT_TEMPO_US = 500_000
_HEADER_BYTES = 14
# Frames a second of the time codes that a division can name.
_TIME_CODES = {24: 24.0, 25: 25.0, 29: 30_000 / 1_001, 30: 30.0}
_ALL_SOUND_OFF, _ALL_NOTES_OFF = 120, 123


@dataclass(frozen=True)
class MidiLimits:
    """What a file may ask for at most, checked before anything is rendered.

    Attributes
    ----------
    file_bytes, events, notes
        Of the file.
    ticks
        Of a track.
    seconds
        That the notes last, by the file's tempos.
    """

    file_bytes: int = 16 << 20
    events: int = 2_000_000
    notes: int = 200_000
    ticks: int = 1 << 31
    seconds: float = 1_800.0


def read_bytes(path: Path, limits: MidiLimits) -> bytes:
    """Return what a file holds.

    Raises
    ------
    BadInputError
        When it cannot be read, or is too large.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}") from error
    if len(data) > limits.file_bytes:
        raise BadInputError(f"has more than {limits.file_bytes} bytes, the limit for a MIDI file")
    return data


def parse_midi(data: bytes, limits: MidiLimits) -> Song:
    """Read the bytes of a file.

    Raises
    ------
    BadInputError
        When they are no MIDI file of format 0 or 1, are damaged, or pass a limit.
    """
    division, tracks = _tracks(data)
    events: list[Event] = []
    for number, track in enumerate(tracks, start=1):
        try:
            events += track_events(track, most=limits.events - len(events), ticks=limits.ticks)
        except BadInputError as error:
            raise BadInputError(f"track {number} {error}") from error
    # Stable: what happens at one tick stays in the order of the tracks and of the file.
    events.sort(key=lambda event: event[0])
    return _song(events, _Clock(events, division), limits)


def _tracks(data: bytes) -> tuple[float, list[memoryview]]:
    """Return the division (ticks a quarter, or as a float ticks a second), and each track's bytes."""
    if data[:4] != b"MThd" or len(data) < _HEADER_BYTES:
        raise BadInputError("is no MIDI file: it does not start with a whole MThd header")
    size = int.from_bytes(data[4:8])
    kind, count = int.from_bytes(data[8:10]), int.from_bytes(data[10:12])
    if size < 6:
        raise BadInputError(f"has a header of {size} bytes: 6 are needed")
    if kind not in (0, 1):
        raise BadInputError(f"has MIDI format {kind}: 0 and 1 are read")
    division = _division(data[12], data[13])
    view, place = memoryview(data), 8 + size
    tracks: list[memoryview] = []
    while len(tracks) < count:
        if place + 8 > len(data):
            raise BadInputError(f"is truncated: declares {count} tracks, holds {len(tracks)}")
        name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8])
        if place + 8 + length > len(data):
            raise BadInputError(f"is truncated: a chunk declares {length} bytes, {len(data) - place - 8} are left")
        if name == b"MTrk":
            tracks.append(view[place + 8 : place + 8 + length])
        place += 8 + length
    return division, tracks


def _division(high: int, low: int) -> float:
    if high < 0x80:
        if high == low == 0:
            raise BadInputError("has 0 ticks a quarter note: 1 to 32767 are read")
        return high << 8 | low
    code = 256 - high
    if code not in _TIME_CODES or not low:
        raise BadInputError(f"counts {low} ticks in frames of time code {code}: 24, 25, 29 and 30 are read")
    return _TIME_CODES[code] * low


class _Clock:
    """When a tick comes, by the tempos of all tracks."""

    def __init__(self, events: Sequence[Event], division: float) -> None:
        tempos = {0: _DEFAULT_TEMPO_US}
        for tick, status, _, value in events:
            if status == TEMPO:
                if value == 0:
                    raise BadInputError(f"has a tempo of 0 at tick {tick}: a quarter note must last")
                tempos[tick] = value
        if isinstance(division, float):
            tempos = {0: round(1e6 / division)}
            per_tick = [1.0 / division]
        else:
            per_tick = [tempo * 1e-6 / division for tempo in tempos.values()]
        self._ticks = np.array(list(tempos), np.float64)
        self._per_tick = np.array(per_tick)
        lasting = [(after - before) * each for (before, after), each in zip(pairwise(tempos), per_tick, strict=False)]
        self._seconds = np.concatenate([[0.0], np.cumsum(lasting)])

    def seconds(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the seconds of ticks."""
        wanted = np.asarray(ticks, np.float64)
        piece = np.searchsorted(self._ticks, wanted, side="right") - 1
        return np.asarray(self._seconds[piece] + (wanted - self._ticks[piece]) * self._per_tick[piece])


class _Notes:
    """Notes as they are played: who sounds, and what has ended."""

    def __init__(self, most: int) -> None:
        self._most = most
        # (channel, pitch) -> the number of the note that sounds there, and how many times it must be released
        self._sounding: dict[tuple[int, int], list[int]] = {}
        self.rows: list[list[int]] = []  # start, end (-1 while it sounds), pitch, velocity, channel, program

    def press(self, tick: int, channel: int, pitch: int, velocity: int, program: int) -> None:
        """Start a note; one that sounds on the same key ends here, as on a piano."""
        if len(self.rows) == self._most:
            raise BadInputError(f"has more than {self._most} notes, the limit")
        held = self._sounding.get((channel, pitch))
        if held is not None:
            self.rows[held[0]][1] = tick
        self._sounding[channel, pitch] = [len(self.rows), 1 if held is None else held[1] + 1]
        self.rows.append([tick, -1, pitch, velocity, channel, program])

    def release(self, tick: int, channel: int, pitch: int) -> None:
        """End a note when it is released as often as it was pressed."""
        held = self._sounding.get((channel, pitch))
        if held is None:
            return
        held[1] -= 1
        if held[1] == 0:
            self.rows[held[0]][1] = tick
            del self._sounding[channel, pitch]

    def release_all(self, tick: int, channel: int | None = None) -> int:
        """End all notes (of a channel), and return how many sounded."""
        ended = [key for key in self._sounding if channel in (None, key[0])]
        for key in ended:
            self.rows[self._sounding.pop(key)[0]][1] = tick
        return len(ended)


def _song(events: Sequence[Event], clock: _Clock, limits: MidiLimits) -> Song:
    notes, programs = _Notes(limits.notes), [0] * 16
    controls: list[tuple[int, int, int, int]] = []
    for tick, status, first, second in events:
        kind, channel = status >> 4, status & 15
        if kind == _NOTE_ON and second:
            notes.press(tick, channel, first, second, programs[channel])
        elif kind in (_NOTE_ON, _NOTE_OFF):
            notes.release(tick, channel, first)
        elif kind == _CONTROL:
            if first in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
                notes.release_all(tick, channel)
            controls.append((tick, channel, first, second))
        elif kind == _BEND:
            controls.append((tick, channel, BEND, (second << 7 | first) - 8192))
        elif kind == _PROGRAM:
            programs[channel] = first
    last = events[-1][0] if events else 0
    unended = notes.release_all(last)
    rows = np.array(notes.rows, np.int64).reshape(-1, 6)
    start, end = clock.seconds(rows[:, 0]), clock.seconds(np.maximum(rows[:, 1], rows[:, 0] + 1))
    if len(rows) and end.max() > limits.seconds:
        lasts = f"lasts {end.max():.0f} s by its ticks and tempos"
        raise BadInputError(f"{lasts}: at most {limits.seconds:g} s are rendered")
    changes = np.array(controls, np.int64).reshape(-1, 4)
    pitch, velocity, channel, program = rows[:, 2:].T
    return Song(
        start, end, pitch, velocity, channel, program,
        clock.seconds(changes[:, 0]), changes[:, 1], changes[:, 2], changes[:, 3], unended,
    )  # fmt: skip
