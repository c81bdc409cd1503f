"""SoundFont 2 files: samples and what each preset plays on which key, read with every index checked."""

import hashlib
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi._zones import RECORD_TYPES, Region, Tables, regions_of
from stereokit.errors import BadInputError

DRUM_BANK = 128
_LARGEST_BYTES = 2 << 30
_RECORD_BYTES = {"phdr": 38, "pbag": 4, "pgen": 4, "inst": 22, "ibag": 4, "igen": 4, "shdr": 46}


@dataclass(frozen=True, eq=False)
class SoundFont:
    """A SoundFont in memory.

    Attributes
    ----------
    path
        Of its file.
    samples
        All of its sounds after one another, int16.
    name, copyright
        What the file says of itself; empty where it says nothing.
    presets
        (bank, program) -> the preset's name.
    """

    path: Path
    samples: NDArray[np.int16] = field(repr=False)
    name: str
    copyright: str
    presets: Mapping[tuple[int, int], str] = field(repr=False)
    _tables: Tables = field(repr=False)

    def regions(self, bank: int, program: int) -> tuple[Region, ...]:
        """Return what a preset plays.

        Raises
        ------
        BadInputError
            When there is no such preset, or it names what the file does not hold.
        """
        if (bank, program) not in self.presets:
            what = f"drum kit {program}" if bank == DRUM_BANK else f"program {program} (bank {bank})"
            raise BadInputError(f"the SoundFont {self.path.name} has no {what}")
        return _regions(self, bank, program)


@lru_cache(maxsize=64)
def _regions(font: SoundFont, bank: int, program: int) -> tuple[Region, ...]:
    return tuple(regions_of(font._tables, bank, program, len(font.samples)))  # noqa: SLF001 - of this module


def read_soundfont(path: Path) -> SoundFont:
    """Open a SoundFont; its samples are mapped, not copied.

    Raises
    ------
    BadInputError
        When it cannot be read, is no SoundFont 2 with 16 bit samples, or is damaged.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if not 12 <= size <= _LARGEST_BYTES:
                raise BadInputError(f"{path}: has {size} bytes: a SoundFont has 12 to {_LARGEST_BYTES}")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return _parsed(path, data)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


@lru_cache(maxsize=2)
def open_soundfont(path: Path) -> SoundFont:
    """Return what ``read_soundfont`` does, kept for the next time.

    Raises
    ------
    BadInputError
        As ``read_soundfont`` does.
    """
    return read_soundfont(path)


def _parsed(path: Path, data: mmap.mmap) -> SoundFont:
    chunks = _chunks(data)
    if "smpl" not in chunks:
        raise BadInputError("holds no samples (compressed SoundFonts, .sf3, are not read)")
    version = data[slice(*chunks["ifil"])] if "ifil" in chunks else b""
    if version[:2] != b"\2\0":
        raise BadInputError("is no SoundFont of version 2 (compressed ones, .sf3, are not read)")
    records = {name: _records(data, chunks, name, size) for name, size in _RECORD_BYTES.items()}
    tables = Tables(**records)
    begin, end = chunks["smpl"]
    samples = np.frombuffer(data, "<i2", (end - begin) // 2, begin)
    presets = {
        (int(preset["bank"]), int(preset["program"])): _text(bytes(preset["name"])) for preset in tables.phdr[:-1]
    }
    told = {name: _text(data[slice(*chunks[name])]) if name in chunks else "" for name in ("INAM", "ICOP")}
    return SoundFont(path, samples, told["INAM"], told["ICOP"], presets, tables)


def _chunks(data: mmap.mmap) -> dict[str, tuple[int, int]]:
    """Return where each chunk inside the lists begins and ends."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise BadInputError("is no SoundFont: it does not start as one")
    found: dict[str, tuple[int, int]] = {}
    for name, begin, end in _inside(data, 12, len(data)):
        if name == "LIST":
            found |= {inner: (first, last) for inner, first, last in _inside(data, begin + 4, end)}
    return found


def _inside(data: mmap.mmap, place: int, end: int) -> list[tuple[str, int, int]]:
    found = []
    while place + 8 <= end:
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        if place + 8 + size > end:
            raise BadInputError(f"is truncated: a chunk at byte {place} declares {size} bytes")
        found.append((data[place : place + 4].decode("latin-1"), place + 8, place + 8 + size))
        place += 8 + size + (size & 1)
    return found


def _records(data: mmap.mmap, chunks: Mapping[str, tuple[int, int]], name: str, size: int) -> NDArray[np.void]:
    begin, end = chunks.get(name, (0, 0))
    # The last record of each table only says where the one before it ends.
    if (end - begin) % size or end - begin < size:
        raise BadInputError(f"is damaged: its table {name} has {end - begin} bytes, not a number of {size}")
    return np.frombuffer(data, RECORD_TYPES[name], (end - begin) // size, begin)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1").strip()


@lru_cache(maxsize=8)
def file_hash(path: Path) -> str:
    """Return SHA-256 of a file's bytes.

    Raises
    ------
    BadInputError
        When it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
