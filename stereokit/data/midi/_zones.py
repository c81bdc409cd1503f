"""From a SoundFont's tables to regions: which sample sounds on which keys, and how."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError

_Records = NDArray[np.void]

RECORD_TYPES = {
    "phdr": np.dtype(
        [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3)]
    ),
    "pbag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "pgen": np.dtype([("kind", "<u2"), ("amount", "<i2")]),
    "inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    "ibag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "igen": np.dtype([("kind", "<u2"), ("amount", "<i2")]),
    "shdr": np.dtype(
        [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4"),
         ("rate", "<u4"), ("pitch", "u1"), ("correction", "i1"), ("link", "<u2"), ("type", "<u2")]
    ),
}  # fmt: skip

# Numbers of generators, by the specification of SoundFont 2.04, section 8.1.2.
START, END, LOOP_START, LOOP_END, START_COARSE = 0, 1, 2, 3, 4
MOD_LFO_PITCH, VIB_LFO_PITCH, MOD_ENV_PITCH, CUTOFF, RESONANCE = 5, 6, 7, 8, 9
MOD_LFO_CUTOFF, MOD_ENV_CUTOFF, END_COARSE, MOD_LFO_VOLUME, PAN = 10, 11, 12, 13, 17
MOD_LFO_DELAY, MOD_LFO_RATE, VIB_LFO_DELAY, VIB_LFO_RATE = 21, 22, 23, 24
MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN, MOD_RELEASE = range(25, 31)
MOD_HOLD_KEY, MOD_DECAY_KEY = 31, 32
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE, HOLD_KEY, DECAY_KEY = range(33, 41)
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, LOOP_START_COARSE, KEY, VELOCITY = 41, 43, 44, 45, 46, 47
ATTENUATION, LOOP_END_COARSE, COARSE_TUNE, FINE_TUNE, SAMPLE, SAMPLE_MODE = 48, 50, 51, 52, 53, 54
SCALE_TUNING, EXCLUSIVE_CLASS, ROOT_KEY = 56, 57, 58
_COUNT = 61

_NEVER = -12_000
_DEFAULTS = np.zeros(_COUNT, np.int64)
for _kind in (MOD_LFO_DELAY, VIB_LFO_DELAY, *range(25, 29), MOD_RELEASE, *range(33, 37), RELEASE):
    _DEFAULTS[_kind] = _NEVER
_DEFAULTS[[CUTOFF, KEY_RANGE, VELOCITY_RANGE, KEY, VELOCITY, SCALE_TUNING, ROOT_KEY]] = (
    13_500, 0x7F00, 0x7F00, -1, -1, 100, -1,
)  # fmt: skip
# What a preset adds to what an instrument says; addresses, modes and ranges it cannot change.
_ADDED = [
    *range(5, 12), *(13, 15, 16, 17), *range(21, 41), ATTENUATION, COARSE_TUNE, FINE_TUNE, SCALE_TUNING,
]  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """The seven tables of a SoundFont, the last record of each included."""

    phdr: _Records
    pbag: _Records
    pgen: _Records
    inst: _Records
    ibag: _Records
    igen: _Records
    shdr: _Records


@dataclass(frozen=True)
class Region:
    """A sample on a range of keys and velocities.

    Attributes
    ----------
    keys, velocities
        Lowest and highest, both included.
    start, end, loop_start, loop_end
        Places among the font's samples; a loop lies inside.
    is_looped
        Whether the loop goes on until the note has died away.
    rate
        Hz, of the sample.
    root_key
        The MIDI key that it was recorded at; -1 in ``generators`` means this.
    correction_cents
        Of the sample itself.
    generators
        All amounts by their numbers, defaults and the preset's share included.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    start: int
    end: int
    loop_start: int
    loop_end: int
    is_looped: bool
    rate: int
    root_key: int
    correction_cents: int
    generators: tuple[int, ...]

    def sounds(self, key: int, velocity: int) -> bool:
        """Tell whether a note belongs to it."""
        return self.keys[0] <= key <= self.keys[1] and self.velocities[0] <= velocity <= self.velocities[1]


def regions_of(tables: Tables, bank: int, program: int, samples: int) -> Iterator[Region]:
    """Yield the regions of a preset that is there.

    Raises
    ------
    BadInputError
        When an index leads out of a table.
    """
    matching = (tables.phdr["bank"][:-1] == bank) & (tables.phdr["program"][:-1] == program)
    number = int(np.flatnonzero(matching)[0])
    for shared, instrument in _zones(tables.phdr, tables.pbag, tables.pgen, number, INSTRUMENT, _preset_defaults()):
        if not 0 <= instrument < len(tables.inst) - 1:
            raise BadInputError(f"is damaged: it names instrument {instrument} of {len(tables.inst) - 1}")
        for own, sample in _zones(tables.inst, tables.ibag, tables.igen, instrument, SAMPLE, _DEFAULTS):
            if not 0 <= sample < len(tables.shdr) - 1:
                raise BadInputError(f"is damaged: it names sample {sample} of {len(tables.shdr) - 1}")
            region = _region(own, shared, tables.shdr[sample], samples)
            if region is not None:
                yield region


def _preset_defaults() -> NDArray[np.int64]:
    amounts = np.zeros(_COUNT, np.int64)
    amounts[[KEY_RANGE, VELOCITY_RANGE]] = 0x7F00
    return amounts


def _zones(  # noqa: PLR0917 - the tables of one level, then which zone
    heads: _Records,
    bags: _Records,
    generators: _Records,
    number: int,
    last_kind: int,
    defaults: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield the amounts of each zone and the instrument or sample that it ends with; a first zone without is shared."""
    common = defaults
    first, last = int(heads["bag"][number]), int(heads["bag"][number + 1])
    if not first <= last < len(bags):
        raise BadInputError(f"is damaged: zones {first} to {last} of {len(bags) - 1}")
    for zone in range(first, last):
        begin, end = int(bags["generator"][zone]), int(bags["generator"][zone + 1])
        if not begin <= end < len(generators):
            raise BadInputError(f"is damaged: generators {begin} to {end} of {len(generators) - 1}")
        amounts, target = common.copy(), None
        for kind, amount in zip(
            generators["kind"][begin:end].tolist(), generators["amount"][begin:end].tolist(), strict=True
        ):
            if kind == last_kind:
                target = amount & 0xFFFF
                break
            if kind < _COUNT:
                amounts[kind] = amount
        if target is not None:
            yield amounts, target
        elif zone == first:
            common = amounts


def _region(
    own: NDArray[np.int64],
    shared: NDArray[np.int64],
    sample: np.void,
    samples: int,
) -> Region | None:
    """Return a region, None where preset and instrument have no key in common or the sample lies in a chip."""
    keys, velocities = (_common(int(own[kind]), int(shared[kind])) for kind in (KEY_RANGE, VELOCITY_RANGE))
    if keys[0] > keys[1] or velocities[0] > velocities[1] or int(sample["type"]) & 0x8000:
        return None
    amounts = own.copy()
    amounts[_ADDED] += shared[_ADDED]
    offsets = amounts[[START, END, LOOP_START, LOOP_END]]
    coarse = amounts[[START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE]]
    named = np.array([int(sample[name]) for name in ("start", "end", "loop_start", "loop_end")])
    start, end, loop_start, loop_end = (int(place) for place in named + offsets + 32_768 * coarse)
    if not 0 <= start < end <= samples:
        raise BadInputError(f"is damaged: a sample from {start} to {end} of {samples}")
    rate = int(sample["rate"])
    if not 400 <= rate <= 192_000:
        raise BadInputError(f"is damaged: a sample of {rate} Hz: 400 to 192000 are read")
    is_looped = bool(amounts[SAMPLE_MODE] & 1) and start <= loop_start and loop_start + 1 < loop_end <= end
    root = int(amounts[ROOT_KEY])
    root = root if 0 <= root <= 127 else int(sample["pitch"])
    return Region(
        keys, velocities, start, end, loop_start, loop_end, is_looped, rate, root if root <= 127 else 60,
        int(sample["correction"]), tuple(int(amount) for amount in amounts),
    )  # fmt: skip


def _common(one: int, other: int) -> tuple[int, int]:
    """Return what two ranges of low and high byte share."""
    return max(one & 0xFF, other & 0xFF), min(one >> 8 & 0xFF, other >> 8 & 0xFF)
