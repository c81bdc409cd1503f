"""Proof that notes start where the list of notes says, to the sample.

A few notes of the song are rendered alone, each at a known sample, by the same renderer: that tells how the sound of
each begins, and that nothing is heard before its sample. Where the song has these notes, its render is divided by that
sound in the frequency domain, which leaves a pulse at the sample where the note really starts; other notes that sound
there are no multiple of it and spread out. The pulses of half of the notes add up to one whose place is the render's
lag, of the early and of the late half by themselves, so that a drift shows too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.performance import Performance

# Notes of each half, and how long each alone is held: more of both where a place does not stand out.
_ATTEMPTS = ((12, 0.2), (48, 0.2), (12, 1.0))
# In its slot each has to ring out.
_SLOT_S, _BEFORE_S = 0.8, 0.05
# So long a note may ring out beside others.
_RINGS_S = 0.5
_LARGEST_LAG_S = 0.05
# Under this share of a note's own peak it is not heard.
_HEARD = 1e-3
# What is added to the power that is divided by, as a share of its mean.
_REGULARISATION = 1e-2
# A pulse is so long on either side, and so much higher than all that is beside it.
_PULSE_S, _STANDS_OUT = 0.002, 1.25
# A sine's pulse hardly falls from one sample to the next, so that what rings from the note before may move it.
_AS_GOOD, _CLEARLY_LESS = 0.98, 0.8


@dataclass(frozen=True)
class Alignment:
    """What was found.

    Attributes
    ----------
    lags
        Samples by which the early and the late half of the notes start after their place in the list; None where the
        instrument rises too slowly for a place to stand out.
    is_early
        Whether anything is heard before the first note.
    attack
        Samples from a note's place to where it is heard: the instrument's own.
    """

    lags: tuple[int | None, int | None]
    is_early: bool
    attack: int

    @property
    def is_wrong(self) -> bool:
        """Whether notes do not start on their samples; what does not stand out says nothing."""
        return self.is_early or (None not in self.lags and self.lags != (0, 0))

    @property
    def is_proved(self) -> bool:
        """Whether they do."""
        return self.lags == (0, 0) and not self.is_early


def measure_alignment(
    rendered: NDArray[np.float32], performance: Performance, render: Callable[[Performance], NDArray[np.float32]]
) -> Alignment:
    """Measure by how much a render misses the notes of its performance.

    Parameters
    ----------
    rendered
        float32 of shape (2, T).
    performance
        What it was rendered from.
    render
        The renderer, once more for single notes.
    """
    for probes, held_s in _ATTEMPTS:
        notes = _chosen(performance, 2 * probes, round(held_s * performance.sample_rate))
        alone, before = _one_by_one(performance, notes, held_s)
        sounds = render(alone).reshape(2, len(notes), -1).transpose(1, 0, 2)
        held = alone.stop - alone.start
        halves = np.array_split(np.arange(len(notes)), 2) if len(notes) > 1 else [np.zeros(1, np.int64)] * 2
        early, late = (
            _lag(rendered, sounds[half, :, before:], performance.start[notes[half]], held[half], alone.sample_rate)
            for half in halves
        )
        if None not in (early, late):
            break
    # The first alone has nothing before it that could ring.
    heard = np.abs(sounds[0]).max(axis=0)
    attack = int(np.argmax(heard > _HEARD * heard.max())) - before
    silence = rendered[:, : int(performance.start[0])]
    is_early = attack < 0 or bool(np.abs(silence).max(initial=0.0) > _HEARD * heard.max())
    return Alignment((early, late), is_early, attack)


def _one_by_one(performance: Performance, notes: NDArray[np.int64], held_s: float) -> tuple[Performance, int]:
    """Return a performance of single notes, each in a slot of its own, and how far in its slot it starts."""
    rate = performance.sample_rate
    slot, before = _whole((held_s + _SLOT_S) * rate), _whole(_BEFORE_S * rate)
    starts = np.arange(len(notes)) * slot + before
    held = np.minimum(performance.stop[notes] - performance.start[notes], _whole(held_s * rate))
    columns = {name: getattr(performance, name)[notes] for name in ("pitch", "velocity", "channel", "program")}
    frames = len(notes) * slot
    return replace(performance, frames=frames, start=starts, stop=starts + held, curves={}, **columns), before


def _whole(frames: float) -> int:
    """Return samples as a multiple of 64, a grid that every renderer can start notes on."""
    return round(frames / 64) * 64


def _chosen(performance: Performance, probes: int, held: int) -> NDArray[np.int64]:
    """Return notes from all over the song: of each part a loud one that has few others beside it, and is not bent."""
    ends = np.sort(performance.stop + round(_RINGS_S * performance.sample_rate))
    began = np.searchsorted(performance.start, performance.start + held, side="right")
    crowd = began - np.searchsorted(ends, performance.start, side="right")
    lasts = np.minimum((performance.stop - performance.start) / held, 1.0)
    channels = np.unique(performance.channel)
    bent = [channel for channel in channels if not performance.bend_cents(int(channel)).is_constant]
    is_bent = np.isin(performance.channel, bent)
    worth = (performance.velocity / 127.0) ** 2 * lasts / np.maximum(crowd, 1) - is_bent
    parts = np.array_split(np.arange(performance.notes), min(probes, performance.notes))
    return np.array([part[np.argmax(worth[part])] for part in parts])


def _lag(
    rendered: NDArray[np.float32],
    sounds: NDArray[np.float32],
    starts: NDArray[np.int64],
    held: NDArray[np.int64],
    rate: int,
) -> int | None:
    """Return where the pulses of notes add up highest, in samples after their own; None where none stands out."""
    margin, width = round(_LARGEST_LAG_S * rate), round(_PULSE_S * rate)
    longest = int(held.max())
    size = 1 << int(np.ceil(np.log2(longest + 2 * margin)))
    pulses = np.zeros(size)
    for sound, start, length in zip(sounds, starts, held, strict=True):
        there = np.zeros((2, size))
        begin, end = max(int(start) - margin, 0), min(int(start) + int(length) + margin, rendered.shape[1])
        there[:, begin - int(start) + margin : end - int(start) + margin] = rendered[:, begin:end]
        alone = np.fft.rfft(sound[:, :length], size)
        power = np.sum(np.abs(alone) ** 2, axis=0)
        if power.any():
            whole = np.sum(np.fft.rfft(there, size) * np.conj(alone), axis=0)
            pulses += np.fft.irfft(whole / (power + _REGULARISATION * power.mean()), size)
    # A pulse at ``margin`` is a note on its sample.
    near = np.abs(pulses[: 2 * margin + 1])
    place = int(np.argmax(near))
    # A tone without an edge has a broad pulse: a place that is as good as the highest counts as that.
    if near[margin] >= _AS_GOOD * near[place]:
        place = margin
    elif near[margin] > _CLEARLY_LESS * near[place]:
        return None
    beside = np.concatenate([near[: max(place - width, 0)], near[place + width + 1 :]])
    return place - margin if near[place] > _STANDS_OUT * beside.max(initial=0.0) else None
