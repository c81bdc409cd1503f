"""MIDI files and SoundFonts that tests write byte by byte."""

import struct
from collections.abc import Iterable

import numpy as np

Event = tuple[int, *tuple[int, ...]]


def quantity(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(groups[::-1])


def track(events: Iterable[Event]) -> bytes:
    """Return a track's chunk from (tick, byte, byte, ...), in order, with an end."""
    body, before = b"", 0
    for tick, *message in events:
        body += quantity(tick - before) + bytes(message)
        before = tick
    body += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def midi(*tracks: Iterable[Event], division: int = 480, kind: int = 1) -> bytes:
    """Return a file; 480 ticks a quarter at the usual 120 quarters a minute are 960 ticks a second."""
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division) + b"".join(map(track, tracks))


def note(tick: int, ticks: int, pitch: int, velocity: int = 100, channel: int = 0) -> list[Event]:
    return [(tick, 0x90 | channel, pitch, velocity), (tick + ticks, 0x80 | channel, pitch, 0)]


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


class FontWriter:
    """A SoundFont of one sample a preset: 0.1 s of a sine of 441 Hz (key 69) at 44.1 kHz, looped."""

    def __init__(self, harmonics: int = 1) -> None:
        random = np.random.default_rng(harmonics)
        phase = 2 * np.pi * 441 * np.arange(4_410) / 44_100
        # One sine starts at 0; of many every one starts anywhere, as in a struck string.
        offsets = random.uniform(0, 2 * np.pi, harmonics) * (np.arange(harmonics) > 0)
        wave = sum(np.sin((number + 1) * phase + offset) / (number + 1) for number, offset in enumerate(offsets))
        self.samples = np.concatenate([np.rint(20_000 * wave / np.abs(wave).max()).astype("<i2"), np.zeros(46, "<i2")])
        # generators (kind, amount) of each region of each preset, by (bank, program)
        self.presets: dict[tuple[int, int], list[list[tuple[int, int]]]] = {}

    def bytes(self) -> bytes:
        heads, preset_bags, preset_generators = b"", b"", b""
        instruments, bags, generators = b"", b"", b""
        for number, ((bank, program), regions) in enumerate(self.presets.items()):
            heads += struct.pack("<20sHHHIII", f"preset {program}".encode(), program, bank, number, 0, 0, 0)
            preset_bags += struct.pack("<HH", number, 0)
            preset_generators += struct.pack("<HH", 41, number)
            instruments += struct.pack("<20sH", b"instrument", len(bags) // 4)
            for region in regions:
                bags += struct.pack("<HH", len(generators) // 4, 0)
                generators += b"".join(struct.pack("<Hh", kind, amount) for kind, amount in (*region, (53, 0)))
        count = len(self.presets)
        heads += struct.pack("<20sHHHIII", b"EOP", 0, 0, count, 0, 0, 0)
        preset_bags += struct.pack("<HH", count, 0)
        instruments += struct.pack("<20sH", b"EOI", len(bags) // 4)
        bags += struct.pack("<HH", len(generators) // 4, 0)
        sample = struct.pack("<20sIIIIIBbHH", b"sine", 0, 4_410, 0, 4_400, 44_100, 69, 0, 0, 1)
        tables = (
            (b"phdr", heads),
            (b"pbag", preset_bags),
            (b"pmod", bytes(10)),
            (b"pgen", preset_generators + bytes(4)),
            (b"inst", instruments),
            (b"ibag", bags),
            (b"imod", bytes(10)),
            (b"igen", generators + bytes(4)),
            (b"shdr", sample + bytes(46)),
        )
        info = chunk(b"ifil", b"\2\0\1\0") + chunk(b"INAM", b"Test font\0") + chunk(b"ICOP", b"nobody's\0\0")
        lists = (
            chunk(b"LIST", b"INFO" + info),
            chunk(b"LIST", b"sdta" + chunk(b"smpl", self.samples.tobytes())),
            chunk(b"LIST", b"pdta" + b"".join(chunk(name, data) for name, data in tables)),
        )
        return chunk(b"RIFF", b"sfbk" + b"".join(lists))


LOOPED = (54, 1)
# Programs 0 (centre), 1 (left and right by themselves), 2 (keys 60 to 72 only), and a drum kit without a loop.
PRESETS = {
    (0, 0): [[LOOPED]],
    (0, 1): [[(17, -500), LOOPED], [(17, 500), (48, 250), LOOPED]],
    (0, 2): [[(43, 72 << 8 | 60), LOOPED]],
    (128, 0): [[(54, 0), (57, 1)]],
}


def font_bytes(presets: dict[tuple[int, int], list[list[tuple[int, int]]]] = PRESETS, harmonics: int = 1) -> bytes:
    """Return a SoundFont: each preset's regions as lists of (generator, amount)."""
    writer = FontWriter(harmonics)
    writer.presets = presets
    return writer.bytes()
