"""``stereokit enhance``: any sound through any converter, and back where it was, sample by sample."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import toy_converter
import toy_family

from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.workflows import enhance_sound


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toy_converter.installed():
        yield


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return toy_converter.write_run(tmp_path / "run")


def noise(frames: int, channels: int = 2, *, seed: int = 0) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(seed).standard_normal((frames, channels))
    return samples.astype(np.float32)


def tone(frames: int, rate: int) -> np.ndarray:
    """Return a stereo tone far under the band's end, which every rate here holds."""
    times = np.arange(frames) / rate
    fade = np.minimum(1.0, np.minimum(times, times[::-1]) / 0.02)
    return (0.3 * fade[:, None] * np.sin(2.0 * np.pi * 440.0 * times[:, None] + [0.0, 1.0])).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = 8_000, subtype: str = "FLOAT") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype)
    return path


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def level_db(samples: np.ndarray) -> float:
    return float(20.0 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-30))


def piped(*words: object, given: bytes = b"") -> tuple[int, bytes, str]:
    """Run the command line with bytes on both pipes."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    streams = Streams(io.TextIOWrapper(io.BytesIO(given)), out, err, {})
    status = run_command_line([str(word) for word in words], streams)
    return int(status), out.buffer.getvalue(), err.getvalue()


class TestTheIdentity:
    @pytest.mark.parametrize("frames", [1, 2, 399, 800, 801, 1_200, 5_003])
    def test_it_gives_its_input_back_within_120_db_at_any_length(self, run, model: Path, tmp_path: Path, frames: int):
        source = write(tmp_path / "in.wav", noise(frames))
        for bits, far_db in (("float", level_db(read(source))), ("24", 0.0)):
            target = tmp_path / f"{bits}.wav"
            assert run("enhance", model, source, "-o", target, "--bits", bits).status == 0
            made = read(target)
            assert made.shape == (frames, 2)
            assert level_db(made - read(source)) - far_db < -120.0

    @pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 192_000])
    def test_at_another_rate_length_and_place_stay_to_the_sample(self, run, model: Path, tmp_path: Path, rate: int):
        samples = tone(rate // 4 + 3, rate)
        source = write(tmp_path / "in.wav", samples, rate)
        assert run("enhance", model, source, "-o", tmp_path / "out.wav", "--bits", "float").status == 0
        made, found = soundfile.read(tmp_path / "out.wav", dtype="float32")
        assert found == rate
        assert made.shape == samples.shape
        # a shift of one sample at 192 kHz would leave -37 dB
        assert level_db(made - samples) - level_db(samples) < -70.0

    def test_it_is_the_same_however_the_sound_is_read(self, run, model: Path, tmp_path: Path, monkeypatch):
        source = write(tmp_path / "in.wav", noise(5_003), 11_025)
        files = []
        for part in (1 << 16, 700):
            monkeypatch.setattr(enhance_sound, "_PART", part)
            files.append(tmp_path / f"{part}.wav")
            assert run("enhance", model, source, "-o", files[-1], "--bits", "float", "--loudness", "free").status == 0
        assert np.array_equal(read(files[0]), read(files[1]))

    def test_sixteen_bits_come_back_to_the_bit(self, run, model: Path, tmp_path: Path):
        samples = np.random.default_rng(0).integers(-9_000, 9_000, (3_000, 2)).astype(np.int16)
        soundfile.write(tmp_path / "in.wav", samples, 8_000)
        assert run("enhance", model, tmp_path / "in.wav", "-o", tmp_path / "out.wav", "--bits", "16").status == 0
        assert np.array_equal(soundfile.read(tmp_path / "out.wav", dtype="int16")[0], samples)


class TestLevelsAndImage:
    def test_loudness_is_kept_by_one_gain_and_left_free_on_demand(self, run, tmp_path: Path):
        model = toy_converter.write_run(tmp_path / "quiet", gain=0.125)
        samples = noise(4_000) * [1.0, 0.3]
        source = write(tmp_path / "in.wav", samples)
        (kept,) = run("enhance", model, source, "-o", tmp_path / "kept.wav", "--bits", "float").rows
        assert kept["gain_db"] == pytest.approx(20.0 * np.log10(8.0), abs=1e-3)
        np.testing.assert_allclose(read(tmp_path / "kept.wav"), samples, atol=1e-5)
        (free,) = run("enhance", model, source, "-o", tmp_path / "f.wav", "--bits", "float", "--loudness", "free").rows
        assert free["gain_db"] == 0.0
        np.testing.assert_allclose(read(tmp_path / "f.wav"), 0.125 * samples, atol=1e-6)

    @pytest.mark.parametrize("wet", [0.0, 0.25, 1.0])
    def test_wet_is_a_share_and_0_gives_the_input_back_to_the_bit(self, run, tmp_path: Path, wet: float):
        model = toy_converter.write_run(tmp_path / "turned", gain=-1.0)
        source = write(tmp_path / "in.wav", noise(3_000))
        words = ("enhance", model, source, "-o", tmp_path / "out.wav", "--bits", "float", "--wet", wet)
        assert run(*words).status == 0
        made = read(tmp_path / "out.wav")
        np.testing.assert_allclose(made, (1.0 - 2.0 * wet) * read(source), atol=1e-5)
        if wet == 0.0:
            assert np.array_equal(made, read(source))

    def test_silence_stays_silent_and_a_mono_sound_mono(self, run, tmp_path: Path):
        model = toy_converter.write_run(tmp_path / "wide", kind="wide")
        write(tmp_path / "in" / "silent.wav", np.zeros((2_000, 2), np.float32))
        write(tmp_path / "in" / "mono.wav", noise(2_000, 1))
        assert run("enhance", model, tmp_path / "in", "-o", tmp_path / "out").status == 0
        assert not read(tmp_path / "out" / "silent.wav").any()
        mono = read(tmp_path / "out" / "mono.wav")
        assert np.array_equal(mono[:, 0], mono[:, 1])

    def test_what_would_pass_full_scale_is_turned_down_as_a_whole_and_said(self, run, tmp_path: Path):
        model = toy_converter.write_run(tmp_path / "loud", gain=4.0)
        samples = noise(3_000)
        source = write(tmp_path / "in.wav", samples / np.abs(samples).max())
        (row,) = run("enhance", model, source, "-o", tmp_path / "out.wav", "--loudness", "free").rows
        assert row["turned_down_db"] == pytest.approx(-20.0 * np.log10(4.0), abs=1e-3)
        np.testing.assert_allclose(read(tmp_path / "out.wav"), read(source), atol=1e-5)

    def test_each_row_tells_how_far_the_width_moved(self, run, tmp_path: Path):
        model = toy_converter.write_run(tmp_path / "wide", kind="wide")
        samples = noise(4_000)
        # nearly mono: with one channel turned over it is nearly all side
        samples[:, 1] = samples[:, 0] + 0.01 * samples[:, 1]
        source = write(tmp_path / "in.wav", samples)
        (wide,) = run("enhance", model, source, "-o", tmp_path / "wide.wav").rows
        assert wide["stsd_out"] > 50.0 * wide["stsd_in"]
        assert wide["stsd_drift"] == pytest.approx(wide["stsd_out"] - wide["stsd_in"])
        words = ("enhance", model, source, "-o", tmp_path / "mid.wav", "--channels", "mid", "--loudness", "free")
        (kept,) = run(*words).rows
        assert abs(kept["stsd_drift"]) < 1e-6


class TestAFolder:
    def test_results_lie_where_their_sources_did_under_names_that_every_system_knows(self, run, model, tmp_path: Path):
        for name in ("a.wav", "deep/b c.flac", "ü.wav", "CON:.wav"):
            write(tmp_path / "in" / name, noise(900), subtype="PCM_16")
        result = run("enhance", model, tmp_path / "in", "-o", tmp_path / "out")
        assert result.status == 0
        names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav"))
        assert {"a.wav", "deep/b c.wav"} < set(names)
        assert len(names) == 4
        assert all(name.isascii() and ":" not in name for name in names)
        rows = [json.loads(line) for line in (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()]
        assert [row["file_name"] for row in rows] == names
        assert {row["source"] for row in rows} == {"a.wav", "deep/b c.flac", "ü.wav", "CON:.wav"}

    def test_names_that_differ_in_their_case_or_suffix_alone_get_names_of_their_own(self, run, model, tmp_path: Path):
        for name in ("a.wav", "A.flac"):
            write(tmp_path / "in" / name, noise(900), subtype="PCM_16")
        assert run("enhance", model, tmp_path / "in", "-o", tmp_path / "out").status == 0
        names = {path.name.lower() for path in (tmp_path / "out").glob("*.wav")}
        assert len(names) == 2

    def test_what_cannot_be_used_is_told_in_a_line_each_and_the_rest_is_done(self, run, model, tmp_path: Path):
        write(tmp_path / "in" / "good.wav", noise(900))
        write(tmp_path / "in" / "six.wav", noise(900, 6))
        (tmp_path / "in" / "empty.wav").write_bytes(b"")
        (tmp_path / "in" / "text.wav").write_bytes(b"no sound at all")
        result = run("enhance", model, tmp_path / "in", "-o", tmp_path / "out")
        assert result.status == 3
        told = [line for line in result.err.splitlines() if "warning" in line]
        assert len(told) == 3
        for name, reason in (("six", "has 6 channels: 1 or 2"), ("empty", "is empty"), ("text", "cannot be decoded")):
            assert any(name in line and reason in line for line in told)
        assert [path.name for path in (tmp_path / "out").glob("*.wav")] == ["good.wav"]
        assert {row["status"] for row in result.rows} == {"done", "failed"}
        assert result.rows[-1]["files"] == 1
        assert result.rows[-1]["failed"] == 3

    def test_with_strict_or_nothing_usable_nothing_is_done(self, run, model, tmp_path: Path):
        write(tmp_path / "in" / "good.wav", noise(900))
        write(tmp_path / "in" / "six.wav", noise(900, 6))
        assert run("enhance", model, tmp_path / "in", "-o", tmp_path / "out", "--strict").status == 4
        assert run("enhance", model, tmp_path / "in" / "six.wav", "-o", tmp_path / "out").status == 4
        assert not (tmp_path / "out").exists()

    def test_a_second_run_does_only_what_changed(self, run, model, tmp_path: Path):
        for name in ("a.wav", "b.wav", "c.wav"):
            write(tmp_path / "in" / name, noise(900, seed=ord(name[0])))
        words = ("enhance", model, tmp_path / "in", "-o", tmp_path / "out")
        assert run(*words).rows[-1]["files"] == 3
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("[!.]*")}
        again = run(*words)
        assert (again.rows[-1]["files"], again.rows[-1]["unchanged"]) == (0, 3)
        assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("[!.]*")}
        write(tmp_path / "in" / "b.wav", noise(700))
        (tmp_path / "out" / "c.wav").write_bytes(b"damaged")
        changed = run(*words)
        assert {Path(row["path"]).name for row in changed.rows if "source" in row} == {"b.wav", "c.wav"}
        assert len(read(tmp_path / "out" / "b.wav")) == 700
        assert len((tmp_path / "out" / "metadata.jsonl").read_text().splitlines()) == 3

    def test_a_run_that_was_cut_off_is_finished_by_the_next_with_the_same_bytes(
        self, run, model, tmp_path: Path, monkeypatch
    ):
        for name in ("a.wav", "b.wav", "c.wav"):
            write(tmp_path / "in" / name, noise(900, seed=ord(name[0])))
        words = ("enhance", model, tmp_path / "in", "-o")
        run(*words, tmp_path / "whole")
        converted = enhance_sound.Enhanced.convert

        def cut_off(self, machine):
            if self._sound.path.endswith("b.wav"):
                raise KeyboardInterrupt
            yield from converted(self, machine)

        with monkeypatch.context() as context:
            context.setattr(enhance_sound.Enhanced, "convert", cut_off)
            assert run(*words, tmp_path / "out").status == 130
        left = {path.name for path in (tmp_path / "out").iterdir()}
        assert left == {".stereokit-lock", "enhanced.json", "metadata.jsonl", "a.wav"}
        again = run(*words, tmp_path / "out")
        assert (again.rows[-1]["files"], again.rows[-1]["unchanged"]) == (2, 1)
        for path in (tmp_path / "whole").iterdir():
            assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes() or path.name.startswith(".")

    def test_other_settings_and_foreign_folders_are_refused_unless_made_anew(self, run, model, tmp_path: Path):
        source = write(tmp_path / "in" / "a.wav", noise(900))
        words = ("enhance", model, source, "-o", tmp_path / "out")
        run(*words)
        other = run(*words, "--wet", 0.5)
        assert other.status == 2
        assert "--wet was 1.0, not 0.5" in other.err
        assert run(*words, "--wet", 0.5, "--force").status == 0
        assert "holds other files" in run("enhance", model, source, "-o", tmp_path / "in").err

    def test_its_own_results_are_no_sources_and_no_input_is_overwritten(self, run, model, tmp_path: Path):
        source = write(tmp_path / "a.wav", noise(900))
        words = ("enhance", model, tmp_path, "-o", tmp_path / "out")
        assert run(*words).rows[-1]["files"] == 1
        assert run(*words).rows[-1]["unchanged"] == 1
        before = source.read_bytes()
        os.link(source, tmp_path / "same.wav")
        for target in (source, tmp_path / "same.wav"):
            result = run("enhance", model, source, "-o", target, "--force")
            assert result.status == 2
            assert "is the input" in result.err
        assert source.read_bytes() == before
        other = write(tmp_path / "b" / "b.wav", noise(300))
        assert "--force replaces it" in run("enhance", model, source, "-o", other).err

    def test_a_terminal_gets_a_table_of_the_sounds_and_of_all(self, run, model, tmp_path: Path):
        write(tmp_path / "in" / "a.wav", noise(900))
        result = run("enhance", model, tmp_path / "in", "-o", tmp_path / "out", terminal=True)
        assert result.status == 0
        lines = [line.split() for line in result.out.splitlines()]
        assert ["path", "gain_db", "stsd_in", "stsd_out"] in lines
        assert ["family", "echo"] in lines
        assert any(line and line[0].endswith("a.wav") for line in lines)

    def test_a_dry_run_writes_nothing(self, run, model, tmp_path: Path):
        write(tmp_path / "in" / "a.wav", noise(800))
        result = run("enhance", model, tmp_path / "in", "-o", tmp_path / "out", "--dry-run")
        assert [row["status"] for row in result.rows] == ["planned", "planned"]
        assert result.rows[0]["seconds"] == pytest.approx(0.1)
        assert not (tmp_path / "out").exists()


class TestAPipe:
    def test_a_sound_goes_from_pipe_to_pipe(self, model: Path, tmp_path: Path):
        source = write(tmp_path / "in.wav", noise(3_001))
        status, out, err = piped("enhance", model, "-", "-o", "-", given=source.read_bytes())
        assert status == 0
        assert "width (STSD)" in err
        samples, rate = soundfile.read(io.BytesIO(out), dtype="float32")
        assert rate == 8_000
        assert level_db(samples - read(source)) - level_db(read(source)) < -120.0

    def test_nothing_or_no_sound_on_the_pipe_is_said_in_one_line(self, model: Path):
        for given, told in ((b"", "standard input: is empty"), (b"text", "standard input: cannot be decoded")):
            status, out, err = piped("enhance", model, "-", "-o", "-", given=given)
            assert (status, out) == (4, b"")
            assert told in err
            assert len(err.splitlines()) == 1

    def test_a_list_on_the_pipe_names_sounds(self, run, model: Path, tmp_path: Path):
        source = write(tmp_path / "in.wav", noise(900))
        assert run("enhance", model, "-", "-o", tmp_path / "out", stdin=f"{source}\n").status == 0

    def test_a_pipe_takes_one_sound(self, run, model: Path, tmp_path: Path):
        for name in ("a.wav", "b.wav"):
            write(tmp_path / "in" / name, noise(900))
        assert "holds 2 sounds" in run("enhance", model, tmp_path / "in", "-o", tmp_path / "one.wav").err


def test_only_converters_are_taken(run, tmp_path: Path):
    source = write(tmp_path / "in.wav", noise(900))
    with toy_family.installed():
        result = run("enhance", toy_family.write_run(tmp_path / "toy"), source, "-o", tmp_path / "out")
    assert result.status == 2
    assert "enhance needs a converter, and toy is none" in result.err


def test_useless_weights_stop_it_with_nothing_half_written(run, tmp_path: Path):
    model = toy_converter.write_run(tmp_path / "run", kind="broken")
    result = run("enhance", model, write(tmp_path / "in.wav", noise(900)), "-o", tmp_path / "out.wav")
    assert result.status == 4
    assert "NaN" in result.err
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--wet", "1.5"), "--wet 1.5"), (("--wet", "nan"), "--wet nan"), (("--dry-run", "-o", "-"), "one use")],
)
def test_words_that_do_not_go_together_are_refused(run, model: Path, tmp_path: Path, words, told: str):
    result = run("enhance", model, tmp_path, "-o", tmp_path / "out", *words)
    assert result.status == 2
    assert told in result.err
