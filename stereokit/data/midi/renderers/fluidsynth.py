"""FluidSynth's library, where the system has it: modulators too; chorus and reverb are off."""

import ctypes
import ctypes.util
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.performance import DEFAULTS, Performance
from stereokit.data.midi.renderer import Renderer
from stereokit.data.midi.song import BEND, DRUM_CHANNEL
from stereokit.data.midi.soundfont import DRUM_BANK
from stereokit.errors import BadInputError, MissingError

# It looks for new notes once in so many samples.
_GRID = 64
_POLYPHONY = 1_024
_LOG_LEVELS = 5
_NUMBERS = {b"synth.gain": 0.2}
_SWITCHES = {
    b"synth.reverb.active": 0,
    b"synth.chorus.active": 0,
    b"synth.cpu-cores": 1,
    # Of a large font only what is played is read.
    b"synth.dynamic-sample-loading": 1,
    b"synth.polyphony": _POLYPHONY,
}


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("fluidsynth")
    try:
        library = ctypes.CDLL(name or "libfluidsynth.so.3")
    except OSError as error:
        raise MissingError(
            "FluidSynth's library is not there: install libfluidsynth3 (Debian, Ubuntu) or fluid-synth (Homebrew)"
        ) from error
    for maker in ("new_fluid_settings", "new_fluid_synth"):
        getattr(library, maker).restype = ctypes.c_void_p
    library.fluid_version_str.restype = ctypes.c_char_p
    for level in range(_LOG_LEVELS):
        # What it would print says nothing that a status does not.
        library.fluid_set_log_function(level, None, None)
    return library


def _version() -> str:
    return f"FluidSynth {_library().fluid_version_str().decode()}"


class _Synth:
    """A synthesiser with one SoundFont, as new: one that has played before does not forget all of it."""

    def __init__(self, font: Path, sample_rate: int) -> None:
        library = _library()
        self._settings = ctypes.c_void_p(library.new_fluid_settings())
        for name, value in {**_NUMBERS, b"synth.sample-rate": float(sample_rate)}.items():
            library.fluid_settings_setnum(self._settings, name, ctypes.c_double(value))
        for name, switch in _SWITCHES.items():
            library.fluid_settings_setint(self._settings, name, switch)
        self._handle = ctypes.c_void_p(library.new_fluid_synth(self._settings))
        self._font = library.fluid_synth_sfload(self._handle, str(font).encode(), 0)

    def __enter__(self) -> Self:
        if self._font < 0:
            raise BadInputError("FluidSynth cannot load this SoundFont")
        return self

    def __exit__(self, *_: object) -> None:
        _library().delete_fluid_synth(self._handle)
        _library().delete_fluid_settings(self._settings)

    def call(self, name: str, *words: int) -> None:
        """Send something to the synthesiser."""
        getattr(_library(), f"fluid_synth_{name}")(self._handle, *words)

    def program(self, channel: int, bank: int, program: int) -> None:
        """Choose a preset, of our font and no other."""
        if _library().fluid_synth_program_select(self._handle, channel, self._font, bank, program):
            raise BadInputError(f"FluidSynth has no program {program} (bank {bank}) in this SoundFont")

    def write(self, out: NDArray[np.float32]) -> None:
        """Render what comes next into float32 of shape (2, T)."""
        left, right = (ctypes.c_void_p(side.ctypes.data) for side in out)
        status = _library().fluid_synth_write_float(self._handle, out.shape[1], left, 0, 1, right, 0, 1)
        if status:
            raise BadInputError("FluidSynth fails to render it")


def _render(performance: Performance, font: Path) -> NDArray[np.float32]:
    # Whole blocks, of which a render takes what it wants.
    frames = -(-performance.frames // _GRID) * _GRID
    out = np.zeros((2, frames), np.float32)
    done = 0
    with _Synth(font, performance.sample_rate) as synth:
        for frame, *event in sorted(_events(performance)):
            place = min(frame // _GRID * _GRID, frames)
            if place > done:
                synth.write(out[:, done:place])
                done = place
            _send(synth, event)
        if frames > done:
            synth.write(out[:, done:])
    return out[:, : performance.frames]


# Of what happens at one sample: keys are let go, channels change, keys are pressed.
_OFF, _CONTROL, _PROGRAM, _ON = range(4)


def _events(performance: Performance) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    programs: dict[int, int] = {}
    for note in range(performance.notes):
        start, stop, pitch, velocity, channel, program = (
            int(column[note])
            for column in (
                performance.start, performance.stop, performance.pitch,
                performance.velocity, performance.channel, performance.program,
            )
        )  # fmt: skip
        if programs.get(channel) != program:
            programs[channel] = program
            found.append((start, _PROGRAM, channel, DRUM_BANK if channel == DRUM_CHANNEL else 0, program))
        found += [(start, _ON, channel, pitch, velocity), (stop, _OFF, channel, pitch, 0)]
    for channel in programs:
        for control in DEFAULTS:
            curve = performance.curve(channel, control)
            for frame, value in zip(curve.frames.tolist(), curve.values.tolist(), strict=True):
                found.append((frame, _CONTROL, channel, control, int(value)))
    return found


def _send(synth: _Synth, event: list[int]) -> None:
    kind, channel, first, second = event
    if kind == _ON:
        synth.call("noteon", channel, first, second)
    elif kind == _OFF:
        synth.call("noteoff", channel, first)
    elif kind == _PROGRAM:
        synth.program(channel, first, second)
    elif first == BEND:
        synth.call("pitch_bend", channel, second + 8_192)
    else:
        synth.call("cc", channel, first, second)


RENDERER = Renderer("FluidSynth's library: the reference, if it is installed", _version, _render, grid=_GRID)
