"""The sound of a key, made once for all notes and songs that play it."""

import math
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi._timbre import timbre
from stereokit.data.midi._voices import filtered, resampled, shaped
from stereokit.data.midi._zones import Region
from stereokit.data.midi.soundfont import SoundFont

_KEPT_BYTES = 192 << 20
_NO_BEND = np.zeros(1)


class Sounds:
    """Sounds that were made lately, up to so many bytes."""

    def __init__(self, most: int = _KEPT_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[tuple[object, ...], NDArray[np.float32]] = OrderedDict()

    def of(self, font: SoundFont, region: Region, key: int, frames: int, sample_rate: int) -> NDArray[np.float32]:
        """Return how a key sounds while it is held, float32 of at least so many samples, or until it has died away."""
        # Lengths have steps, so that a sound's bits never depend on what was asked for before.
        octaves = max(math.ceil(2.0 * math.log2(2.0 * frames / sample_rate)), 0)
        length = math.ceil(sample_rate * 0.5 * 2.0 ** (octaves / 2.0))
        name = (font, region, key, length, sample_rate)
        sound = self._kept.pop(name, None)
        if sound is None:
            # Not the whole of a long buffer that a short sound came from.
            sound = held_sound(font, region, key, length, sample_rate).copy()
            self._bytes += sound.nbytes
        self._kept[name] = sound
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return sound


def held_sound(
    font: SoundFont,
    region: Region,
    key: int,
    frames: int,
    sample_rate: int,
    *,
    bend_cents: NDArray[np.float64] = _NO_BEND,
) -> NDArray[np.float32]:
    """Return how a key sounds while it is held, float32 of at most so many samples: less where it dies away.

    Parameters
    ----------
    bend_cents
        A number a block of 64 samples, or one for all.
    """
    played = timbre(region, key, frames, sample_rate, bend_cents)
    sound = np.empty(frames, np.float32)
    sound = sound[: resampled(font.samples, played.bounds, played.steps, sound)]
    if len(played.cosines):
        filtered(sound, played.cosines, played.alphas, played.filter_gain)
    return sound[: shaped(sound, played.frames, played.sustain, played.fall, played.tremolo)]
