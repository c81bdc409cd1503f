"""SoundFonts are believed nothing: every index is checked."""

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import toy_midi

from stereokit.data.midi import soundfont
from stereokit.data.midi.soundfont import read_soundfont
from stereokit.errors import BadInputError


def test_tells_its_name_its_copyright_and_its_presets(font: Path):
    found = read_soundfont(font)
    assert (found.name, found.copyright, len(found.samples)) == ("Test font", "nobody's", 4_456)
    assert found.presets[128, 0] == "preset 0"
    assert sorted(found.presets) == [(0, 0), (0, 1), (0, 2), (128, 0)]


def test_regions_have_the_instruments_amounts_and_defaults(font: Path):
    (region,) = read_soundfont(font).regions(0, 2)
    assert region.keys == (60, 72)
    assert [region.sounds(key, 1) for key in (59, 60, 72, 73)] == [False, True, True, False]
    assert (region.start, region.end, region.loop_end, region.is_looped) == (0, 4_410, 4_400, True)
    assert (region.root_key, region.rate, region.generators[8]) == (69, 44_100, 13_500)
    (drum,) = read_soundfont(font).regions(128, 0)
    assert not drum.is_looped


def test_loops_that_lie_outside_their_sample_are_none(font_of: Callable[..., Path]):
    path = font_of({(0, 0): [[(54, 1), (3, 20_000)]]})
    (region,) = read_soundfont(path).regions(0, 0)
    assert not region.is_looped


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "has 0 bytes"),
        (lambda data: b"RIFX" + data[4:], "is no SoundFont"),
        (lambda data: data[:-20], "is truncated"),
        (lambda data: data.replace(b"ifil\4\0\0\0\2", b"ifil\4\0\0\0\3"), "is no SoundFont of version 2"),
        (lambda data: data.replace(b"smpl", b"nope"), "holds no samples"),
        (lambda data: data.replace(b"shdr", b"nope"), "is damaged: its table shdr has 0 bytes"),
    ],
)
def test_damaged_ones_are_refused_with_the_reason(font: Path, tmp_path: Path, change, reason: str):
    path = tmp_path / "damaged.sf2"
    path.write_bytes(change(font.read_bytes()))
    with pytest.raises(BadInputError, match=f"damaged.sf2: {reason}"):
        read_soundfont(path)


@pytest.mark.parametrize(
    ("generator", "reason"),
    [((0, -5), "a sample from -5 to"), ((1, 32_000), "to 36410 of 4456"), ((12, 1), "to 37178 of 4456")],
)
def test_samples_outside_the_file_are_refused(font_of: Callable[..., Path], generator: tuple[int, int], reason: str):
    found = read_soundfont(font_of({(0, 0): [[generator]]}))
    with pytest.raises(BadInputError, match=reason):
        found.regions(0, 0)


def test_any_damaged_table_gives_regions_inside_the_samples_or_a_reason(tmp_path: Path):
    whole = toy_midi.font_bytes()
    tables = whole.index(b"phdr") + 8
    random = np.random.default_rng(5)
    refused = 0
    for number in range(300):
        data = bytearray(whole)
        for place in random.integers(tables, len(data), 3):
            data[place] = random.integers(256)
        path = tmp_path / f"{number}.sf2"
        path.write_bytes(data)
        try:
            font = read_soundfont(path)
            regions = [region for preset in font.presets for region in font.regions(*preset)]
        except BadInputError:
            refused += 1
            continue
        for region in regions:
            assert 0 <= region.start < region.end <= len(font.samples)
            assert not region.is_looped or region.start <= region.loop_start < region.loop_end <= region.end
    assert 20 < refused < 280


def test_a_file_is_known_by_its_hash(font: Path):
    assert soundfont.file_hash(font) == hashlib.sha256(font.read_bytes()).hexdigest()
    assert struct.calcsize("<20sIIIIIBbHH") == soundfont._RECORD_BYTES["shdr"]
    assert np.dtype(soundfont.RECORD_TYPES["phdr"]).itemsize == soundfont._RECORD_BYTES["phdr"]
