"""What a training does when it collapses: warned of, stopped, taken back, and the same bytes after a kill."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import toy_family

from stereokit.training.checkpoint import CONFIG, LOG
from stereokit.workflows import train_curve, train_session, train_validation
from stereokit.writing import write_file

# Everything here trains something.
pytestmark = pytest.mark.slow

SHORT = ("--set", "validate_every=2", "--steps", 12)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Forty sounds of 0.1 s at 8 kHz, 16 of them for validation."""
    folder = tmp_path_factory.mktemp("data") / "ds"
    words = ["prep", "--synth", "drums", "--count", "40", "--rate", "8000", "--length", "0.1", "--split", "0.5,0.4,0.1"]
    subprocess.run([sys.executable, "-m", "stereokit", *words, "-o", folder, "-q"], check=True)
    return folder


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    monkeypatch.setattr(train_validation, "spectrogram_grid", lambda clips, *_, **__: clips[0].tobytes())
    monkeypatch.setattr(train_validation, "_SAMPLES", 32)
    monkeypatch.setattr(train_session, "write_curve", lambda run: None)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    with toy_family.installed():
        yield


@pytest.fixture
def train(run, dataset):
    """Train the toy on the data set: ``train(folder, "--steps", 4)``."""
    return lambda folder, *words: run("train", "toy", dataset, "-o", folder, "--device", "cpu", *words)


@pytest.fixture
def suspect(monkeypatch):
    """Let the judge find ``alike`` at these steps, until steps were undone, and nothing else."""

    def install(*steps, always=False):
        verdict = train_session.Session._verdict

        def spoken(self):
            is_found = self._trainer.step in steps and (always or not self._trainer.undone)
            return replace(verdict(self), signs=("alike",) if is_found else (), mixing=None)

        monkeypatch.setattr(train_session.Session, "_verdict", spoken)
        energies = iter(range(1000))
        monkeypatch.setattr(train_validation, "energy_distance", lambda *_: 1.0 + next(energies))

    return install


def log(folder):
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def alarms(folder):
    return [line for line in log(folder) if line["event"] == "alarm"]


def contents(folder):
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".stereokit-lock", LOG, "state.json"}
    }
    state = json.loads((folder / "training" / "state.json").read_text())
    return found | {"log": log(folder), "state": state | {"elapsed_s": None}}


def collapsed(clips, kind):
    """One clip for all, or all in the middle."""
    return clips[:1].expand(clips.shape) if kind == "one clip" else clips.mean(1, keepdim=True).expand(clips.shape)


@pytest.mark.parametrize(("kind", "signs"), [("one clip", {"few", "alike"}), ("mono", {"mono"})])
def test_a_generator_of_one_clip_or_of_mono_clips_rings_from_half_of_the_training_on(
    train, tmp_path, monkeypatch, kind, signs
):
    sample = toy_family.Model.sample

    def spoiled(self, draw, condition=None):
        made = sample(self, draw, condition)
        return made if made.requires_grad else collapsed(made, kind).contiguous()

    monkeypatch.setattr(toy_family.Model, "sample", spoiled)
    result = train(tmp_path / "run", *SHORT)
    assert (result.status, result.rows[0]["status"]) == (0, "done")
    # Steps 6 and 8 are the first two that count; it is said once.
    (alarm,) = [line for line in alarms(tmp_path / "run") if signs <= set(line["signs"])]
    assert (alarm["step"], alarm["action"], alarm["to"]) == (8, "warn", None)
    assert {(8, sign) for sign in signs} <= {(one["step"], one["sign"]) for one in result.rows[0]["alarms"]}
    (said,) = [line for line in result.err.splitlines() if line.endswith("it may have collapsed")]
    assert "step 8: " in said


def test_stop_ends_the_training_and_a_resumption_may_go_on_in_spite_of_it(train, run, tmp_path, suspect):
    suspect(4, 6)
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "stop")
    (row,) = result.rows
    assert (result.status, row["status"], row["steps"], row["chosen_step"]) == (0, "collapsed", 6, 2)
    assert row["alarms"] == [{"step": 6, "sign": "alike"}]
    assert "step 6: its clips are alike: collapsed, and stopped" in result.err
    again = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu")
    assert (again.rows[0]["status"], again.rows[0]["steps"]) == ("collapsed", 6)
    onward = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "--on-collapse", "warn")
    assert (onward.rows[0]["status"], onward.rows[0]["steps"]) == ("done", 12)
    assert json.loads((tmp_path / "run" / CONFIG).read_text())["training"]["on_collapse"] == "warn"


def test_off_says_and_does_nothing(train, tmp_path, suspect):
    suspect(*range(13))
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "off")
    assert (result.rows[0]["status"], result.rows[0]["alarms"]) == ("done", [])
    assert not alarms(tmp_path / "run")
    assert all(line["signs"] == [] for line in log(tmp_path / "run") if line["event"] == "validation")


def test_back_goes_on_from_the_best_healthy_state_with_other_numbers(train, tmp_path, suspect):
    suspect(6, 8)
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "back")
    (row,) = result.rows
    assert (result.status, row["status"], row["steps"], row["returns"]) == (0, "done", 12, 1)
    assert "step 8: its clips are alike: collapsed, and goes on from step 2 with other random numbers" in result.err
    (alarm,) = alarms(tmp_path / "run")
    assert (alarm["step"], alarm["undone"], alarm["action"], alarm["to"]) == (8, 0, "back", 2)
    steps = [(line["step"], line["undone"]) for line in log(tmp_path / "run") if line["event"] == "step"]
    # Six steps are given up, and none is taken twice.
    assert steps == [*((step, 0) for step in range(1, 9)), *((step, 7) for step in range(3, 13))]
    first, second = ([one["losses"] for one in log(tmp_path / "run") if one.get("losses") and one["undone"] == undone]
                     for undone in (0, 7))  # fmt: skip
    assert first[2] != second[0]


def test_a_run_that_is_killed_around_a_return_comes_to_the_same_end(train, run, tmp_path, suspect, monkeypatch):
    suspect(4, 6)
    monkeypatch.setattr(train_validation, "energy_distance", lambda *_: 1.0)
    words = ("--set", "validate_every=2", "--steps", 8, "--on-collapse", "back")
    train(tmp_path / "whole", *words)
    wanted = contents(tmp_path / "whole")
    assert wanted["state"]["undone"] == 5
    for number in range(0, 200, 4):
        folder = tmp_path / f"killed-{number}"
        left = [number]

        def write_or_die(path, data, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            write_file(path, data)

        with monkeypatch.context() as patched:
            for module in ("training.checkpoint", "training.journal", "workflows.train_validation"):
                patched.setattr(f"stereokit.{module}.write_file", write_or_die)
            is_whole = train(folder, *words).status == 0
        if is_whole:
            break
        more = ("--resume",) if (folder / CONFIG).exists() else ()
        assert train(folder, *words, *more).status == 0
        assert contents(folder) == wanted, number
    assert number > 20


def test_a_training_that_collapses_again_and_again_stops_after_three_returns(train, tmp_path, suspect):
    suspect(4, 6, always=True)
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "back")
    (row,) = result.rows
    assert (row["status"], row["steps"], row["returns"]) == ("collapsed", 6, 3)
    assert [line["action"] for line in alarms(tmp_path / "run")] == ["back"] * 3 + ["stop"]


def test_without_a_healthy_state_back_stops(train, tmp_path, suspect):
    suspect(*range(13))
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "back")
    assert (result.rows[0]["status"], result.rows[0]["steps"], result.rows[0]["returns"]) == ("collapsed", 8, 0)


def test_back_leaves_a_loss_that_is_not_finite_behind(train, tmp_path, suspect, monkeypatch):
    suspect()
    sample = toy_family.Model.sample

    def spoiled(self, draw, condition=None):
        made = sample(self, draw, condition)
        # The sixth step that is taken, whichever number it has.
        return made * float("nan") if draw._prefix.split("\0")[:2] == ["0", "5"] else made

    monkeypatch.setattr(toy_family.Model, "sample", spoiled)
    refused = train(tmp_path / "warned", *SHORT)
    assert (refused.status, "is nan in step 6; saved is step 4" in refused.err) == (4, True)
    result = train(tmp_path / "run", *SHORT, "--on-collapse", "back")
    assert (result.status, result.rows[0]["steps"], result.rows[0]["returns"]) == (0, 12, 1)
    assert result.rows[0]["alarms"] == [{"step": 5, "sign": "not finite"}]


def test_exploding_gradients_ring(train, tmp_path, suspect, monkeypatch):
    suspect()
    sample = toy_family.Model.sample

    def spoiled(self, draw, condition=None):
        made = sample(self, draw, condition)
        step = draw._prefix.split("\0")[1]
        return made * 1e3 if made.requires_grad and int(step) >= 6 else made

    monkeypatch.setattr(toy_family.Model, "sample", spoiled)
    result = train(tmp_path / "run", *SHORT)
    assert result.rows[0]["alarms"] == [{"step": 10, "sign": "exploding"}]


def test_another_word_is_refused(train, tmp_path):
    result = train(tmp_path / "run", "--on-collapse", "pray")
    assert result.status == 2
    assert "--on-collapse 'pray': choose from warn, stop, back, off" in result.err


PROGRAM = """
import sys
from dataclasses import replace
from stereokit.workflows import train_session, train_validation
train_validation._SAMPLES = 16
verdict = train_session.Session._verdict
def spoken(self):
    is_found = self._trainer.step in (4, 6) and not self._trainer.undone
    return replace(verdict(self), signs=("alike",) if is_found else (), mixing=None)
train_session.Session._verdict = spoken
events = train_session.Session.events
def checked(self, request):
    yield from events(self, request)
    trainer = self._trainer
    assert (trainer.step, trainer.undone) == (8, 5)
    own = sum(float(tensor.double().abs().sum()) for tensor in trainer.model.parameters())
    # Every rank has the same weights; statistics of its part of the batches are its own.
    assert train_session.sums_over_ranks([own], trainer.fabric) == [2.0 * own]
train_session.Session.events = checked
from stereokit.cli.app import main
main()
"""


def test_two_processes_go_back_together(dataset, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    words = ["train", "sample-gan", dataset, "--preset", "tiny", "--set", "sample_rate=8000", "--set", "seconds=0.1"]
    words += ["--set", "bank=8", "--devices", 2, "--device", "cpu", "--steps", 8, "--on-collapse", "back"]
    result = subprocess.run(
        [sys.executable, tmp_path / "program.py", *map(str, words), "-o", tmp_path / "run"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)
    assert (row["status"], row["steps"], row["returns"]) == ("done", 8, 1)
    assert result.stderr.count("goes on from step 2 with other random numbers") == 1


SCHEMA = json.loads(Path(train_session.__file__).parents[1].joinpath("schemas", "train_log.json").read_text("utf-8"))
TYPES = {"number": (int, float), "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def fits(value, form):
    """Whether a value has a form; knows the words of JSON Schema that this schema uses."""
    types = form.get("type", [])
    kinds = [types] if isinstance(types, str) else types
    return (
        (not kinds or any(isinstance(value, TYPES[kind]) for kind in kinds))
        and value == form.get("const", value)
        and value in form.get("enum", [value])
        and (value is None or "minimum" not in form or value >= form["minimum"])
        and (value is None or "maximum" not in form or value <= form["maximum"])
        and all(fits(one, form.get("items", {})) for one in (value if isinstance(value, list) else []))
        and all(fits(one, form.get("additionalProperties") or {}) for one in values_of(value, form))
        and (not isinstance(value, dict) or set(form.get("required", [])) <= set(value))
        and all(name in value and fits(value[name], own) for name, own in form.get("properties", {}).items())
    )


def values_of(value, form):
    """The values whose names a form does not list; none may be there where it allows none."""
    others = (
        [one for name, one in value.items() if name not in form.get("properties", {})] if type(value) is dict else []
    )
    assert not (others and form.get("additionalProperties") is False), value
    return others


def test_every_line_of_a_log_has_a_form_of_the_schema(train, tmp_path, suspect):
    suspect(6, 8)
    train(tmp_path / "run", *SHORT, "--on-collapse", "back")
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    others = {"label_validation", "pair_validation", "translation_validation"}
    assert {line["event"] for line in lines} == set(SCHEMA["$defs"]) - others
    assert all(fits(line, SCHEMA["$defs"][line["event"]]) for line in lines)
    assert not fits(lines[0] | {"step": -1}, SCHEMA["$defs"]["step"])
    assert not fits(lines[0] | {"losses": {"a": "b"}}, SCHEMA["$defs"]["step"])


def test_the_curve_is_drawn_from_the_log(tmp_path):
    assert not write_curve_of(tmp_path, [])
    healthy = dict.fromkeys(("energy", "mmd", "cov", "nna", "side"), 0.5)
    line = {"event": "validation", "seconds": 60.0, **healthy, "variety": None, "gradients": {"critic": 2.0}}
    line["expected"] = {"cov": 0.59, "variety": None}
    pictures = [
        write_curve_of(tmp_path, [line, {**line, "seconds": 120.0}]),
        write_curve_of(tmp_path, [line, {**line, "seconds": 120.0}]),
        write_curve_of(tmp_path, [line, {**line, "seconds": 120.0, "energy": 0.7}]),
        write_curve_of(tmp_path, [line, {"event": "alarm", "seconds": 90.0}, {**line, "seconds": 120.0}]),
    ]
    assert pictures[0][:8] == b"\x89PNG\r\n\x1a\n"
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 3


def write_curve_of(folder, lines):
    (folder / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines))
    train_curve.write_curve(folder)
    path = folder / train_curve.CURVE
    return path.read_bytes() if path.exists() else b""
