"""The built-in renderer: a performance through a SoundFont, without a system library.

Every note starts exactly on its sample. What sounds alike (one key of one region) is made once and laid down for all
notes that play it, so that a piano costs little more than adding up. Volume envelopes, filters with their envelopes,
vibrato, tremolo, layers, loops and exclusive classes are played; modulators, chorus and reverb are not.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi import _zones as zones
from stereokit.data.midi._sounds import Sounds, held_sound
from stereokit.data.midi._timbre import gain_of, pan_gains, release_frames
from stereokit.data.midi._voices import BLOCK, laid_over
from stereokit.data.midi._zones import Region
from stereokit.data.midi.performance import Performance
from stereokit.data.midi.song import DRUM_CHANNEL, EXPRESSION, PAN, VOLUME
from stereokit.data.midi.soundfont import DRUM_BANK, SoundFont
from stereokit.errors import BadInputError

# So loud is a voice at full velocity: a dozen of them stay under full scale.
_VOICE_GAIN = 0.25
# How fast an open hi-hat ends when the closed one is hit.
_CHOKE_S = 0.010

_SOUNDS = Sounds()


@dataclass(frozen=True)
class _Part:
    """A region as one note plays it."""

    note: int
    region: Region
    stop: int
    is_choked: bool


def render(performance: Performance, font: SoundFont) -> NDArray[np.float32]:
    """Return left and right, float32 of shape (2, T); what passes full scale is not cut.

    Raises
    ------
    BadInputError
        When the font lacks a preset that is played, or a key that sounds in none of its regions.
    """
    out = np.zeros((2, performance.frames), np.float32)
    curves = {int(channel): _gain_curve(performance, int(channel)) for channel in np.unique(performance.channel)}
    bent = {channel for channel in curves if not performance.bend_cents(channel).is_constant}
    groups: dict[tuple[int, ...], list[_Part]] = defaultdict(list)
    numbers: dict[int, int] = {}
    for part in _parts(performance, font):
        note = part.note
        channel = int(performance.channel[note])
        region = numbers.setdefault(id(part.region), len(numbers))
        # A note that may be bent while it sounds shares its sound with no other.
        groups[region, int(performance.pitch[note]), channel, note if channel in bent else -1].append(part)
    for (_, _, channel, _), parts in groups.items():
        _lay(out, performance, font, parts, curves[channel])
    return out


def _parts(performance: Performance, font: SoundFont) -> Iterator[_Part]:
    """Yield the regions of every note; those of an exclusive class end when the next of their class starts."""
    on_key: dict[tuple[int, int, int], list[Region]] = {}
    sounding: dict[tuple[int, int, int, int], list[Region]] = {}
    found: list[list[Region]] = []
    banks = np.where(performance.channel == DRUM_CHANNEL, DRUM_BANK, 0)
    played = zip(*(column.tolist() for column in (
        banks, performance.program, performance.pitch, performance.velocity,
    )), strict=True)  # fmt: skip
    for bank, program, pitch, velocity in played:
        key = (bank, program, pitch, velocity)
        if key not in sounding:
            if key[:3] not in on_key:
                on_key[key[:3]] = [one for one in font.regions(bank, program) if one.keys[0] <= pitch <= one.keys[1]]
            sounding[key] = [one for one in on_key[key[:3]] if one.sounds(pitch, velocity)]
        found.append(sounding[key])
    ends = _choked(performance, found)
    stops = performance.stop.tolist()
    for note, regions in enumerate(found):
        stop = ends.get(note, stops[note])
        for region in regions:
            yield _Part(note, region, stop, is_choked=note in ends)


def _choked(performance: Performance, found: list[list[Region]]) -> Mapping[int, int]:
    """Return where notes end because another of their exclusive class starts."""
    ends: dict[int, int] = {}
    before: dict[tuple[int, int], int] = {}
    exclusive = {id(regions): {one.generators[zones.EXCLUSIVE_CLASS] for one in regions} - {0} for regions in found}
    for note, regions in enumerate(found):
        if not exclusive[id(regions)]:
            continue
        start, channel = int(performance.start[note]), int(performance.channel[note])
        for group in exclusive[id(regions)]:
            earlier = before.get((channel, group))
            if earlier is not None and performance.start[earlier] < start:
                ends[earlier] = start
            before[channel, group] = note
    return ends


def _lay(
    out: NDArray[np.float32],
    performance: Performance,
    font: SoundFont,
    parts: list[_Part],
    curve: NDArray[np.float32],
) -> None:
    """Make the sound of one key of one region, and lay it down for each of its notes."""
    region, rate = parts[0].region, performance.sample_rate
    notes = np.array([part.note for part in parts])
    starts = performance.start[notes]
    lengths = np.maximum(np.array([part.stop for part in parts]) - starts, 1)
    release = release_frames(region, rate)
    releases = np.array([round(_CHOKE_S * rate) if part.is_choked else release for part in parts])
    longest = int(min((lengths + releases).max(), performance.frames))
    channel, key = int(performance.channel[notes[0]]), int(performance.pitch[notes[0]])
    bend = performance.bend_cents(channel)
    if bend.is_constant and bend.values[0] == 0.0:
        sound = _SOUNDS.of(font, region, key, longest, rate)
    else:
        blocks = starts[0] + np.arange(-(-longest // BLOCK)) * BLOCK
        cents = bend.values[np.searchsorted(bend.frames, blocks, side="right") - 1]
        sound = held_sound(font, region, key, longest, rate, bend_cents=cents)
    pan, own = performance.curve(channel, PAN), gain_of(region) * _VOICE_GAIN
    pans = [pan.values[0]] if pan.is_constant else [pan.at(int(start)) for start in starts]
    gains = np.array([pan_gains(region, one) for one in pans]) * own
    loudness = (performance.velocity[notes] / 127.0) ** 2
    if curve.size == 1:
        # a gain that never changes is the notes' own
        loudness, curve = loudness * curve[0], curve[:0]
    laid_over(out, sound, starts, lengths, releases, (gains * loudness[:, None]).astype(np.float32), curve)


def _gain_curve(performance: Performance, channel: int) -> NDArray[np.float32]:
    """Return the gain of a channel at the start of every block, float32; one number where it never changes."""
    starts = np.arange(-(-performance.frames // BLOCK) + 1) * BLOCK
    gain = np.ones(len(starts))
    for control in (VOLUME, EXPRESSION):
        course = performance.curve(channel, control)
        level = (course.values / 127.0) ** 2
        gain *= level[np.searchsorted(course.frames, starts, side="right") - 1]
    return (gain if np.ptp(gain) else gain[:1]).astype(np.float32)


def check_presets(performance: Performance, font: SoundFont) -> None:
    """Refuse a performance that a font cannot play.

    Raises
    ------
    BadInputError
        Naming the preset that is missing, or the key that it does not have.
    """
    banks = np.where(performance.channel == DRUM_CHANNEL, DRUM_BANK, 0)
    for bank, program, pitch in np.unique(np.stack([banks, performance.program, performance.pitch], axis=1), axis=0):
        keys = [region.keys for region in font.regions(int(bank), int(program))]
        if not any(low <= pitch <= high for low, high in keys) and bank != DRUM_BANK:
            raise BadInputError(f"plays key {pitch}, which program {program} of {font.path.name} does not have")
