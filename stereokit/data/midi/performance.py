"""A song as one side of a pair plays it: notes on a grid of samples, and how loud and how bent its channels are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.song import BEND, DRUM_CHANNEL, EXPRESSION, PAN, SUSTAIN, VOLUME, Song
from stereokit.errors import BadInputError

Pedal = Literal["keep", "remove", "down"]
Controls = Literal["keep", "remove"]
Drums = Literal["keep", "remove"]
_FrameOf = Callable[[NDArray[np.float64]], NDArray[np.int64]]

# What a channel has before anything is sent to it.
DEFAULTS = {VOLUME: 100, PAN: 64, EXPRESSION: 127, BEND: 0}
_DOWN = 64  # from this value on a pedal is down
_RESET = 121
_BEND_RANGE_CENTS = 200.0  # for the whole way of the wheel, as General MIDI has it


@dataclass(frozen=True)
class Side:
    """How one side of a pair is played.

    Attributes
    ----------
    program
        0 to 127 for every channel but the drums'; None keeps the song's own.
    velocity
        1 to 127 for every note; None keeps the song's own.
    velocity_scale
        Velocities are multiplied by it, rounded, and kept within 1 to 127.
    pedal
        Of sustain: as it is, never down, or always down.
    controls
        Volume, pan, expression and the pitch wheel: as they are, or as a channel has them before anything is sent.
    fixed
        Control number -> the value that it has all the time, whatever ``controls`` says.
    transpose
        Semitones, of every channel but the drums'.
    drums
        Whether the drums' channel is played.
    """

    program: int | None = None
    velocity: int | None = None
    velocity_scale: float = 1.0
    pedal: Pedal = "keep"
    controls: Controls = "keep"
    fixed: Mapping[int, int] = field(default_factory=dict)
    transpose: int = 0
    drums: Drums = "keep"


@dataclass(frozen=True)
class Curve:
    """A control of a channel: its value from each sample on, the first from the start."""

    frames: NDArray[np.int64]
    values: NDArray[np.float64]

    def at(self, frame: int) -> float:
        """Return the value at a sample."""
        return float(self.values[np.searchsorted(self.frames, frame, side="right") - 1])

    @property
    def is_constant(self) -> bool:
        """Whether it has one value all the time."""
        return bool((self.values == self.values[0]).all())


@dataclass(frozen=True)
class Performance:
    """Notes in the order in which they start, on a grid of samples.

    Attributes
    ----------
    sample_rate
        Hz.
    frames
        Length of the render, with what rings out.
    start, stop
        Samples, int64 of shape (notes,); every stop is after its start.
    pitch, velocity, channel, program
        int64 of shape (notes,).
    curves
        (channel, control) -> its course; those that are not here have their default.
    """

    sample_rate: int
    frames: int
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    channel: NDArray[np.int64]
    program: NDArray[np.int64]
    curves: Mapping[tuple[int, int], Curve] = field(default_factory=dict)

    @property
    def notes(self) -> int:
        """How many there are."""
        return len(self.start)

    def curve(self, channel: int, control: int) -> Curve:
        """Return the course of a control; of the pitch wheel -8192 to 8191."""
        default = Curve(np.zeros(1, np.int64), np.array([float(DEFAULTS[control])]))
        return self.curves.get((channel, control), default)

    def bend_cents(self, channel: int) -> Curve:
        """Return the course of the pitch wheel in cents."""
        bend = self.curve(channel, BEND)
        return Curve(bend.frames, bend.values * (_BEND_RANGE_CENTS / 8192.0))


def perform(song: Song, side: Side, *, sample_rate: int, tempo: float, tail: float, grid: int = 1) -> Performance:
    """Return a song as a side plays it.

    Parameters
    ----------
    sample_rate
        Hz.
    tempo
        1 is the song's own, 2 twice as fast.
    tail
        Seconds after the last key is let go in the song, whatever a pedal holds: one length for all sides of a song.
    grid
        Notes start on whole multiples of so many samples.

    Raises
    ------
    BadInputError
        When a note is transposed out of 0 to 127, or nothing is left to be played.
    """
    is_drum = song.channel == DRUM_CHANNEL
    kept = ~is_drum if side.drums == "remove" else np.ones(song.notes, bool)
    if not kept.any():
        raise BadInputError("has no notes" if not song.notes else "has no notes but drums, which are left out")
    is_drum = is_drum[kept]
    pitch = song.pitch[kept] + np.where(is_drum, 0, side.transpose)
    if pitch.min() < 0 or pitch.max() > 127:
        raise BadInputError(f"has notes from {pitch.min()} to {pitch.max()} when transposed: 0 to 127 are keys")
    program = song.program[kept] if side.program is None else np.where(is_drum, song.program[kept], side.program)
    start, end, channel = song.start[kept], song.end[kept], song.channel[kept]
    ends = _held(start, end, song.pitch[kept], channel, _pedal(song, side))

    def frame_of(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(np.rint(seconds / tempo * sample_rate / grid).astype(np.int64) * grid)

    first = frame_of(start)
    order = np.argsort(first, kind="stable")
    frames = int(np.ceil((song.seconds / tempo + tail) * sample_rate))
    return Performance(
        sample_rate, frames, first[order], np.maximum(frame_of(ends), first + grid)[order], pitch[order],
        _velocity(song.velocity[kept], side)[order], channel[order], program[order],
        _curves(song, side, frame_of),
    )  # fmt: skip


def _velocity(velocity: NDArray[np.int64], side: Side) -> NDArray[np.int64]:
    if side.velocity is not None:
        velocity = np.full_like(velocity, side.velocity)
    return np.asarray(np.clip(np.rint(velocity * side.velocity_scale), 1, 127), np.int64)


def _pedal(song: Song, side: Side) -> dict[int, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return when each channel's pedal moves, and whether it is down from then on."""
    if side.pedal == "remove":
        return {}
    if side.pedal == "down":
        return {int(channel): (np.zeros(1), np.ones(1, bool)) for channel in np.unique(song.channel)}
    moves = {}
    for channel in np.unique(song.channel):
        of_pedal = np.isin(song.control_number, (SUSTAIN, _RESET)) & (song.control_channel == channel)
        down = (song.control_number[of_pedal] == SUSTAIN) & (song.control_value[of_pedal] >= _DOWN)
        if down.any():
            moves[int(channel)] = (song.control_time[of_pedal], down)
    return moves


def _held(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    pitch: NDArray[np.int64],
    channel: NDArray[np.int64],
    pedals: Mapping[int, tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> NDArray[np.float64]:
    """Return when each note ends with the pedal: when that goes up, or its key is pressed again."""
    ends = end.copy()
    last = end.max()
    for one, (times, down) in pedals.items():
        mine = np.flatnonzero(channel == one)
        place = np.searchsorted(times, end[mine], side="right") - 1
        is_held = (place >= 0) & down[np.maximum(place, 0)]
        ups = times[~down]
        after = np.searchsorted(ups, end[mine], side="right")
        released = np.append(ups, last)[after]
        ends[mine] = np.where(is_held, np.maximum(released, end[mine]), end[mine])
    # Keys of one channel, one after another: a pedal holds none beyond its next press.
    order = np.lexsort((start, pitch, channel))
    same = (np.diff(pitch[order]) == 0) & (np.diff(channel[order]) == 0)
    again = np.append(np.where(same, start[order][1:], np.inf), np.inf)
    limited = np.empty_like(ends)
    limited[order] = np.minimum(ends[order], np.maximum(again, end[order]))
    return limited


def _curves(song: Song, side: Side, frame_of: _FrameOf) -> dict[tuple[int, int], Curve]:
    curves = {}
    for channel in map(int, np.unique(song.channel)):
        for control, default in DEFAULTS.items():
            if control in side.fixed:
                curves[channel, control] = Curve(np.zeros(1, np.int64), np.array([float(side.fixed[control])]))
                continue
            if side.controls == "remove":
                continue
            sent = (song.control_channel == channel) & (song.control_number == control)
            reset = (song.control_channel == channel) & (song.control_number == _RESET)
            if control in (EXPRESSION, BEND) and sent.any():
                sent |= reset
            if not sent.any():
                continue
            values = np.where(song.control_number[sent] == _RESET, default, song.control_value[sent])
            frames = np.concatenate([[0], frame_of(song.control_time[sent])])
            curves[channel, control] = Curve(frames, np.concatenate([[default], values]).astype(np.float64))
    return curves
