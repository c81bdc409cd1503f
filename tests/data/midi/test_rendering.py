"""Songs become files of one length, with one gain, cut where they are cut, and refused where they cannot be right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_midi import LOOPED, midi, note

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.levels import loudness_lufs
from stereokit.data.midi import rendering as module
from stereokit.data.midi._rounding import sixteen_bits
from stereokit.data.midi.performance import Side
from stereokit.data.midi.render_settings import Font, MidiTask, Rendering, Windows
from stereokit.data.midi.renderer import Renderer
from stereokit.data.midi.rendering import render_task
from stereokit.errors import BadInputError

SONG = midi([*note(96, 480, 69), *note(600, 900, 64, 60)])  # ends at 1.5625 s
PAIR = (Side(program=1), Side(program=0))


def rendering_of(font: Path, *sides: Side, **how) -> Rendering:
    how = {"sample_rate": 22_050, "tail": 0.5, **how}
    return Rendering(sides or PAIR, Font(font, "0" * 64, "Test", "none"), **how)


@pytest.fixture
def task(tmp_path: Path) -> MidiTask:
    (tmp_path / "song.mid").write_bytes(SONG)
    return MidiTask("songs/song.mid", tmp_path / "song.mid", tmp_path / "song.wav")


def sound(task: MidiTask, name: str) -> np.ndarray:
    samples, rate = soundfile.read(task.target.with_name(f"song{name}.wav"), dtype="float32", always_2d=True)
    assert rate == 22_050
    return samples.T


class TestAPair:
    def test_has_one_length_stereo_and_one_peak(self, task: MidiTask, font: Path):
        made = render_task(task, rendering_of(font))
        left_right, target = sound(task, ""), sound(task, ".target")
        assert left_right.shape == target.shape == (2, round(22_050 * 2.0625) + 1)
        assert max(np.abs(left_right).max(), np.abs(target).max()) == pytest.approx(10 ** (-1 / 20), abs=1e-4)
        assert not np.array_equal(*left_right)
        assert [output.name for output in made.outputs] == ["", ".target"]

    def test_starts_every_note_on_one_sample(self, task: MidiTask, font: Path):
        made = render_task(task, rendering_of(font, encoding="float"))
        assert len(made.outputs) == 2
        for name in ("", ".target"):
            assert not sound(task, name)[:, :2_205].any()
            assert np.abs(sound(task, name)[:, 2_205:2_230]).max() > 1e-3

    def test_is_proved_to_lie_on_its_notes(self, task: MidiTask, font_of):
        struck = [[LOOPED, (36, 0), (37, 1_000)]]
        font = font_of({(0, 0): struck, (0, 1): struck}, harmonics=30)
        made = render_task(task, rendering_of(font))
        assert [output.facts["lag_samples"] for output in made.outputs] == [0, 0]

    def test_says_in_its_rows_what_it_is(self, task: MidiTask, font: Path):
        first, second = (output.facts for output in render_task(task, rendering_of(font)).outputs)
        assert (first["role"], first["target"], first["program"]) == ("input", ".target", 1)
        assert (second["role"], "target" in second, second["program"]) == ("target", False, 0)
        assert first["programs"] == [1, 0]
        assert first["soundfont_licence"] == "none"
        assert first["midi_sha256"] == second["midi_sha256"]
        assert (first["has_side"], second["has_side"]) == (True, False)
        assert first["gain_db"] == second["gain_db"]

    def test_is_brought_to_one_loudness_where_asked_for(self, task: MidiTask, font: Path):
        made = render_task(task, rendering_of(font, match_level=True, encoding="float"))
        levels = [loudness_lufs(Clip(sound(task, name), 22_050)) for name in ("", ".target")]
        assert levels[0] == pytest.approx(levels[1], abs=1e-3)
        gains = [output.facts["level_gain_db"] for output in made.outputs]
        assert gains[1] == 0.0
        assert abs(gains[0]) > 0.3

    def test_has_the_same_bytes_again(self, task: MidiTask, font: Path):
        first, again = ([output.sha256 for output in render_task(task, rendering_of(font)).outputs] for _ in range(2))
        assert first == again


def test_more_sides_all_aim_at_the_last(task: MidiTask, font: Path):
    made = render_task(task, rendering_of(font, *PAIR, Side(program=0, transpose=12)))
    assert [output.name for output in made.outputs] == ["-1", "-2", ".target"]
    assert [output.facts.get("target") for output in made.outputs] == [".target", ".target", None]


def test_one_side_has_no_target(task: MidiTask, font: Path):
    (only,) = render_task(task, rendering_of(font, Side(program=0))).outputs
    assert (only.name, only.facts["role"], "target" in only.facts) == ("", "input", False)


@pytest.mark.parametrize(("encoding", "subtype"), [("16", "PCM_16"), ("24", "PCM_24"), ("float", "FLOAT")])
def test_every_encoding_holds_the_same_sound(task: MidiTask, font: Path, encoding, subtype: str):
    render_task(task, rendering_of(font, encoding="float"))
    exact = sound(task, "")
    render_task(task, rendering_of(font, encoding=encoding))
    assert soundfile.info(task.target).subtype == subtype
    np.testing.assert_allclose(sound(task, ""), exact, atol=2.0**-14)


class TestWindows:
    def test_hold_all_of_the_render_and_end_in_silence(self, task: MidiTask, font: Path):
        render_task(task, rendering_of(font, encoding="float"))
        whole = {name: sound(task, name) for name in ("", ".target")}
        made = render_task(task, rendering_of(font, encoding="float", windows=Windows(8_192, 0.5)))
        count = made.outputs[0].facts["windows"]
        assert len(made.outputs) == 2 * count
        assert (count - 1) * 4_096 + 8_192 >= whole[""].shape[1] > (count - 2) * 4_096 + 8_192
        for output in made.outputs:
            suffix = ".target" if output.facts["role"] == "target" else ""
            place = slice(output.facts["start_frame"], output.facts["start_frame"] + 8_192)
            expected = whole[suffix][:, place]
            found = sound(task, output.name)
            np.testing.assert_array_equal(found[:, : expected.shape[1]], expected)
            assert not found[:, expected.shape[1] :].any()
            assert output.facts["padded_frames"] == 8_192 - expected.shape[1]

    def test_name_the_window_that_they_should_become(self, task: MidiTask, font: Path):
        made = render_task(task, rendering_of(font, windows=Windows(8_192)))
        names = {output.name for output in made.outputs}
        inputs = [output for output in made.outputs if output.facts["role"] == "input"]
        assert inputs[1].name == "-0002"
        assert all(output.facts["target"] == f"{output.name}.target" for output in inputs)
        assert {str(output.facts["target"]) for output in inputs} <= names

    def test_longer_than_the_song_are_one(self):
        assert list(Windows(8_192, 0.5).starts(100)) == [0]
        assert list(Windows(100, 0.5).starts(150)) == [0, 50]
        assert list(Windows(100, 0.5).starts(151)) == [0, 50, 100]


class TestWhatCannotBeRight:
    def refused(self, task: MidiTask, rendering: Rendering, reason: str) -> None:
        with pytest.raises(BadInputError, match=reason):
            render_task(task, rendering)
        assert [path.name for path in task.target.parent.iterdir()] == ["song.mid"]

    def test_a_song_without_notes(self, task: MidiTask, font: Path):
        task.source.write_bytes(midi([(0, 0xB0, 7, 100)]))
        self.refused(task, rendering_of(font), "has no notes")

    def test_a_missing_preset(self, task: MidiTask, font: Path):
        self.refused(task, rendering_of(font, Side(program=77)), r"test.sf2 has no program 77")

    def test_a_silent_render(self, task: MidiTask, font_of):
        font = font_of({(0, 0): [[LOOPED]], (0, 1): [[LOOPED, (48, 1_440)]]})
        quiet = (Side(program=1, velocity=1), Side(program=0))
        self.refused(task, rendering_of(font, *quiet), r"is silent as program 1 \(largest sample")

    def test_a_renderer_that_is_late(self, task: MidiTask, font_of, monkeypatch: pytest.MonkeyPatch):
        font = font_of({(0, 0): [[LOOPED, (36, 0), (37, 1_000)]]}, harmonics=30)
        task.source.write_bytes(midi([one for tick in range(0, 4_000, 500) for one in note(tick, 400, 57 + tick % 13)]))
        true = catalog.load("renderer", "builtin")
        render_task(task, rendering_of(font, Side(program=0)))
        task.target.unlink()

        def late(performance, path):
            whole = true.render(performance, path)
            # Only the song itself: what is rendered for the check is right.
            return np.roll(whole, 3, axis=1) if performance.notes == 8 and performance.start[1] < 20_000 else whole

        monkeypatch.setattr(module.catalog, "load", lambda *_: Renderer("", str, late))
        self.refused(task, rendering_of(font, Side(program=0)), r"is not aligned: .* runs \(3, 3\) samples after")

    def test_a_song_longer_than_allowed_at_its_tempo(self, task: MidiTask, font: Path):
        rendering = rendering_of(font, tempo=0.5)
        limits = replace(rendering.limits, seconds=2.0)
        self.refused(task, replace(rendering, limits=limits), "lasts 3 s: at most 2 s are rendered")

    def test_more_than_memory_holds(self, task: MidiTask, font: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(module, "_LARGEST_BYTES", 1 << 19)
        self.refused(task, rendering_of(font), "needs 1 MiB for 2 renders of 2 s: at most 0 MiB")


class TestSixteenBits:
    def test_are_rounded_with_one_noise_for_both_channels(self):
        samples = np.repeat(np.random.default_rng(0).uniform(-0.9, 0.9, (1, 50_000)).astype(np.float32), 2, axis=0)
        out = np.zeros((50_000, 2), np.int16)
        sixteen_bits(samples, 1.0, 7, out)
        assert (out[:, 0] == out[:, 1]).all()
        error = out[:, 0] - samples[0].astype(np.float64) * 32_768
        assert np.abs(error).max() <= 1.5
        # a rectangle of one step and a triangle of two
        assert error.var() == pytest.approx(1 / 12 + 1 / 6, rel=0.03)
        assert abs(error.mean()) < 0.01

    def test_keep_silence_and_whole_steps_as_they_are(self):
        samples = np.array([[0.0, 5 / 32_768, -1.0], [0.0, -7 / 32_768, 0.0]], np.float32)
        out = np.zeros((3, 2), np.int16)
        sixteen_bits(samples, 1.0, 7, out)
        assert out.tolist() == [[0, 0], [5, -7], [-32_768, 0]]
