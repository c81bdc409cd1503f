"""Renderers agree where they can, and say what is missing where they cannot."""

import ctypes.util
from pathlib import Path

import numpy as np
import pytest
from toy_midi import midi, note

from stereokit import catalog
from stereokit.data.midi.alignment import measure_alignment
from stereokit.data.midi.performance import Performance, Side, perform
from stereokit.data.midi.reader import MidiLimits, parse_midi
from stereokit.data.midi.renderers import fluidsynth, symusic
from stereokit.errors import MissingError

needs_fluidsynth = pytest.mark.skipif(
    ctypes.util.find_library("fluidsynth") is None, reason="FluidSynth's library is not installed"
)


def performance_of(grid: int, *, pedal: bool = True) -> Performance:
    events = [*note(100, 300, 60, 100), *note(480, 400, 67, 60), *note(900, 200, 72, 120)]
    controls = [(0, 0xB0, 7, 90), (0, 0xB0, 10, 20)] + [(700, 0xB0, 64, 127), (1_400, 0xB0, 64, 0)] * pedal
    song = parse_midi(midi(events, controls), MidiLimits())
    return perform(song, Side(program=1), sample_rate=44_100, tempo=1.0, tail=0.5, grid=grid)


@needs_fluidsynth
class TestFluidSynth:
    def test_plays_what_the_builtin_renderer_plays(self, font: Path):
        performance = performance_of(grid=64)
        ours = catalog.load("renderer", "builtin").render(performance, font)
        theirs = catalog.load("renderer", "fluidsynth").render(performance, font)
        assert ours.shape == theirs.shape
        likeness = np.sum(ours * theirs) / np.sqrt(np.sum(ours**2) * np.sum(theirs**2))
        assert likeness > 0.99
        assert 20 * np.log10(ours.std() / theirs.std()) == pytest.approx(0.0, abs=1.0)

    def test_gives_the_same_samples_again(self, font: Path):
        renderer = catalog.load("renderer", "fluidsynth")
        first, again = (renderer.render(performance_of(grid=64), font) for _ in range(2))
        np.testing.assert_array_equal(first, again)

    def test_starts_notes_on_its_grid(self, font_of):
        font = font_of({(0, 1): [[(54, 1), (36, 0), (37, 1_000)]]}, harmonics=30)
        renderer, performance = catalog.load("renderer", "fluidsynth"), performance_of(grid=64, pedal=False)
        found = measure_alignment(
            renderer.render(performance, font), performance, lambda one: renderer.render(one, font)
        )
        assert found.is_proved

    def test_names_its_version(self):
        assert fluidsynth.RENDERER.version().startswith("FluidSynth ")


def test_fluidsynth_that_is_not_there_names_the_package(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str):
        raise OSError(name)

    monkeypatch.setattr(fluidsynth.ctypes, "CDLL", missing)
    fluidsynth._library.cache_clear()
    with pytest.raises(MissingError, match=r"install libfluidsynth3 \(Debian"):
        fluidsynth.RENDERER.version()
    fluidsynth._library.cache_clear()


class TestSymusic:
    def test_starts_notes_on_their_samples_however_late(self, font: Path):
        pytest.importorskip("symusic")
        performance = performance_of(grid=1)
        late = Performance(
            performance.sample_rate, performance.frames + 44_100 * 900, performance.start + 44_100 * 900 + 1,
            performance.stop + 44_100 * 900 + 1, performance.pitch, performance.velocity, performance.channel,
            performance.program,
        )  # fmt: skip
        soon, later = (symusic.RENDERER.render(one, font) for one in (performance, late))
        first = [int(np.argmax(np.abs(sound).max(axis=0) > 0)) for sound in (soon, later)]
        assert first[1] - first[0] == 44_100 * 900 + 1

    def test_that_is_not_there_names_the_extra(self, monkeypatch: pytest.MonkeyPatch):
        def missing(name: str):
            raise ModuleNotFoundError(name)

        monkeypatch.setattr(symusic, "import_module", missing)
        with pytest.raises(MissingError, match=r"pip install 'stereokit\[midi\]'"):
            symusic.RENDERER.version()


def test_the_builtin_renderer_is_always_there():
    assert catalog.load("renderer", "builtin").version() == ""


@needs_fluidsynth
@pytest.mark.skipif(not Path("/usr/share/sounds/sf2/FluidR3_GM.sf2").exists(), reason="fluid-soundfont-gm is missing")
@pytest.mark.parametrize(("program", "least"), [(0, 0.99), (4, 0.95), (40, 0.99), (48, 0.95)])
def test_a_large_stereo_font_sounds_as_fluidsynth_plays_it(program: int, least: float):
    path = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
    drum = note(300, 400, 38, 100, channel=9) if program == 0 else []
    song = parse_midi(midi(note(100, 500, 60, 90), note(480, 400, 67, 60), drum), MidiLimits())
    performance = perform(song, Side(program=program), sample_rate=44_100, tempo=1.0, tail=0.5, grid=64)
    ours, theirs = (catalog.load("renderer", name).render(performance, path) for name in ("builtin", "fluidsynth"))
    likeness = np.sum(ours * theirs) / np.sqrt(np.sum(ours**2) * np.sum(theirs**2))
    assert likeness > least
