"""What ``stereokit train`` tells and leaves behind, on a toy family: runs, resuming, signals, kills, refusals."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch
import toy_family

from stereokit.errors import OutputError
from stereokit.models._run import load_run
from stereokit.training.checkpoint import CONFIG, LOG, MODEL, read_tensors
from stereokit.workflows import train_session, train_validation
from stereokit.workflows.events import Progress
from stereokit.workflows.train import train as workflow
from stereokit.workflows.train_settings import TrainSettings
from stereokit.writing import locked, write_file

# Everything here trains something.
pytestmark = pytest.mark.slow

Run = Callable[..., SimpleNamespace]
LOCK = ".stereokit-lock"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty sounds of 0.1 s at 8 kHz, eight or more of them for validation."""
    folder = tmp_path_factory.mktemp("data") / "ds"
    words = ["prep", "--synth", "drums", "--count", "40", "--rate", "8000", "--length", "0.1", "--split", "0.5,0.4,0.1"]
    subprocess.run([sys.executable, "-m", "stereokit", *words, "-o", folder, "-q"], check=True)
    return folder


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy family is in the catalogue; pictures, which take long, are not drawn; no power fails."""
    monkeypatch.setattr(train_validation, "spectrogram_grid", lambda clips, *_, **__: clips[0].tobytes())
    monkeypatch.setattr(train_validation, "_SAMPLES", 16)
    monkeypatch.setattr(train_session, "write_curve", lambda run: None)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    threads = torch.get_num_threads()
    with toy_family.installed():
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def train(run: Run, dataset: Path) -> Run:
    """Train the toy on the data set: ``train(folder, "--steps", 4)``."""
    return lambda folder, *words: run("train", "toy", dataset, "-o", folder, "--device", "cpu", *words)


def log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log, without what the clock gives."""
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def state(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "training" / "state.json").read_text())


def contents(folder: Path) -> dict[str, Any]:
    """Everything in a run but the clock's figures and the lock."""
    found: dict[str, Any] = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (LOCK, LOG, "state.json")
    }
    return found | {"log": log(folder), "state": state(folder) | {"elapsed_s": None}}


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], object]) -> None:
    """Do something once, while a step is being logged."""
    append = train_session.append_line
    pending = [act]

    def append_and_act(run: Path, fields: dict[str, Any]) -> None:
        append(run, fields)
        if fields["step"] == step and pending:
            pending.pop()()

    monkeypatch.setattr(train_session, "append_line", append_and_act)


def test_a_run_holds_the_model_its_record_a_log_previews_and_the_way_on(train: Run, tmp_path: Path) -> None:
    result = train(tmp_path / "run", "--steps", 5, "--set", "validate_every=2", "--seed", 7)
    assert result.status == 0, result.err
    (row,) = result.rows
    assert row["schema"] == "stereokit.train/1"
    assert (row["status"], row["steps"], row["family"], row["seed"]) == ("done", 5, "toy", 7)
    assert set(row["losses"]) == {"layers/level", "layers/width"}
    assert row["fingerprint"] == load_run(tmp_path / "run").fingerprint
    names = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    kept = {f"training/{kind}-000005.safetensors" for kind in ("live", "average", "optimisers")}
    kept.add(f"training/average-{row['chosen_step']:06d}.safetensors")
    previews = {f"previews/step-{step:06d}.{suffix}" for step in (2, 4, 5) for suffix in ("wav", "png")}
    assert names == kept | previews | {CONFIG, MODEL, LOG, LOCK, "training/state.json"}
    sound = soundfile.info(tmp_path / "run" / "previews" / "step-000005.wav")
    assert (sound.frames, sound.channels, sound.samplerate, sound.subtype) == (8 * 800, 2, 8000, "PCM_16")


def test_every_step_and_validation_has_a_line(train: Run, tmp_path: Path) -> None:
    train(tmp_path / "run", "--steps", 5, "--set", "validate_every=2", "--on-collapse", "off")
    lines = log(tmp_path / "run")
    assert [(line["event"], line["step"]) for line in lines] == [
        *(("step", 1), ("step", 2), ("validation", 2), ("step", 3), ("step", 4)),
        *(("validation", 4), ("step", 5), ("validation", 5)),
    ]
    places = {"event", "step", "undone"}
    assert set(lines[0]) == places | {"losses", "gradients"}
    scores = {"cov", "mmd", "nna", "energy", "variety", "side"}
    assert set(lines[2]) == places | scores | {"expected", "clips", "gradients", "signs", "is_chosen"}
    raw = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert all(line["items_per_second"] > 0 for line in raw if line["event"] == "step")
    assert [line["seconds"] for line in raw] == sorted(line["seconds"] for line in raw)


def test_the_model_is_the_average_with_the_lowest_distance(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distances = iter([3.0, 1.0, 2.0, 1.0])
    monkeypatch.setattr(train_validation, "energy_distance", lambda *_: next(distances))
    (row,) = train(tmp_path / "run", "--steps", 8, "--set", "validate_every=2").rows
    assert row["chosen_step"] == row["validation"]["step"] == 4
    assert row["validation"]["energy"] == 1.0
    chosen = tmp_path / "run" / "training" / "average-000004.safetensors"
    assert (tmp_path / "run" / MODEL).read_bytes() == chosen.read_bytes()


def test_a_model_that_is_not_chosen_by_score_keeps_its_last_average(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy_family.Model, "is_chosen_by_score", False, raising=False)
    (row,) = train(tmp_path / "run", "--steps", 6).rows
    assert (row["chosen_step"], row["validation"]) == (6, None)
    last = tmp_path / "run" / "training" / "average-000006.safetensors"
    assert (tmp_path / "run" / MODEL).read_bytes() == last.read_bytes()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ten_steps_are_five_a_signal_and_five_resumed_bit_for_bit(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    train(tmp_path / "whole", "--steps", 10)
    with monkeypatch.context() as patched:
        at_step(patched, 5, lambda: signal.raise_signal(number))
        stopped = train(tmp_path / "parts", "--steps", 10)
    assert stopped.status == status
    assert stopped.err.splitlines()[-1].endswith(
        f"after step 5: stereokit train --resume -o {tmp_path / 'parts'} goes on"
    )
    assert stopped.rows[0]["steps"] == 5
    assert load_run(tmp_path / "parts").fingerprint == stopped.rows[0]["fingerprint"]
    resumed = train(tmp_path / "parts", "--resume")
    assert resumed.status == 0, resumed.err
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_signal_that_was_to_be_ignored_is(train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        at_step(monkeypatch, 1, lambda: signal.raise_signal(signal.SIGINT))
        assert train(tmp_path / "run", "--steps", 3).status == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_signal_ends_at_once(train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    at_step(monkeypatch, 3, twice)
    assert train(tmp_path / "run", "--steps", 9).status == 130
    assert state(tmp_path / "run")["step"] == 2


class KilledError(BaseException):
    """The process is gone: nothing is tidied up."""


def test_a_kill_at_any_write_leaves_a_run_that_resumes_to_the_same_end(
    train: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole", "--steps", 4)
    wanted = contents(tmp_path / "whole")
    for number in range(100):
        folder = tmp_path / f"killed-{number}"
        left = [number]

        def write_or_die(path: Path, data: bytes, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                path.with_name(f".{path.name}.{12 * 'a'}.tmp").write_bytes(data[:9])
                raise KilledError
            write_file(path, data)

        with monkeypatch.context() as patched:
            for module in ("training.checkpoint", "training.journal", "workflows.train_validation"):
                patched.setattr(f"stereokit.{module}.write_file", write_or_die)
            try:
                assert train(folder, "--steps", 4).status == 0
            except KilledError:
                pass
            else:
                break
        words = ("--resume",) if (folder / CONFIG).exists() else ()
        assert train(folder, "--steps", 4, *words).status == 0
        assert contents(folder) == wanted, number
    assert number > 10


@pytest.mark.parametrize("part", ["live", "average", "optimisers", "state", "previews"])
def test_a_full_disk_is_status_74_and_the_checkpoint_before_stays(
    train: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def write_while_there_is_room(path: Path, data: bytes) -> None:
        is_late = json.loads(data)["step"] == 4 if path.name == "state.json" else "000004" in path.name
        if is_late and part in str(path.relative_to(tmp_path)):
            raise OutputError(f"cannot write {path}: No space left on device")
        write_file(path, data)

    train(tmp_path / "whole", "--steps", 6)
    with monkeypatch.context() as patched:
        for module in ("training.checkpoint", "workflows.train_validation"):
            patched.setattr(f"stereokit.{module}.write_file", write_while_there_is_room)
        result = train(tmp_path / "run", "--steps", 6)
    assert result.status == 74
    assert result.err.count("No space left") == 1
    assert state(tmp_path / "run")["step"] == 2
    assert not list((tmp_path / "run" / "training").glob("*000004*"))
    assert run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu").status == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_loss_that_is_not_finite_stops_with_its_name_and_leaves_the_checkpoint(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = toy_family.Model.sample

    def spoiled(self: torch.nn.Module, draw: Any, condition: Any = None) -> torch.Tensor:
        made = sample(self, draw, condition)
        # The fourth step; what is judged has no gradient.
        is_late = made.requires_grad and state_exists()
        return made * float("nan") if is_late and steps.pop() == 4 else made

    steps = [4, 3]
    state_exists = (tmp_path / "run" / "training" / "state.json").exists
    monkeypatch.setattr(toy_family.Model, "sample", spoiled)
    result = train(tmp_path / "run", "--steps", 6)
    assert result.status == 4
    assert result.err.splitlines()[-1].endswith("the loss layers/level is nan in step 4; saved is step 2")
    assert state(tmp_path / "run")["step"] == 2
    assert load_run(tmp_path / "run")


def test_patience_ends_a_training_that_gets_no_better_and_can_be_lengthened(
    train: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = iter(range(99))
    monkeypatch.setattr(train_validation, "energy_distance", lambda *_: float(next(count)))
    (row,) = train(tmp_path / "run", "--steps", 20, "--patience", 2).rows
    assert (row["status"], row["steps"], row["chosen_step"]) == ("stopped early", 6, 2)
    again = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu")
    assert (again.status, again.rows[0]["steps"]) == (0, 6)
    (longer,) = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "--patience", 4).rows
    assert (longer["status"], longer["steps"]) == ("stopped early", 10)


def test_minutes_are_counted_on_over_a_resumption(
    train: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("stereokit.training.trainer.time.monotonic", lambda: now[0])

    def pass_time(run: Path, fields: dict[str, Any]) -> None:
        now[0] += 10.0

    monkeypatch.setattr(train_session, "append_line", pass_time)
    words = ("--set", "validate_every=99", "--minutes", 1, "--on-collapse", "off")
    (row,) = train(tmp_path / "run", *words, "--set", "batch=2").rows
    # The last validation is a line, too.
    assert (row["steps"], row["seconds"]) == (6, 70.0)
    now[0] += 1e6
    (row,) = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "--minutes", 2).rows
    assert (row["steps"], row["seconds"]) == (11, 130.0)


def test_epochs_are_steps_by_the_clips_and_the_items_of_a_step(train: Run, tmp_path: Path) -> None:
    result = train(tmp_path / "run", "--epochs", 2.5, "--set", "batch=4")
    clips = json.loads((tmp_path / "run" / CONFIG).read_text())["data"]["clips"]
    assert result.rows[0]["steps"] == -(-5 * clips // 8)
    assert f"2.5 epochs are {result.rows[0]['steps']} steps of 4 clips" in result.err


def test_a_longer_run_goes_on_from_its_end(train: Run, run: Run, tmp_path: Path) -> None:
    train(tmp_path / "run", "--steps", 3)
    done = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu")
    assert (done.status, done.rows[0]["steps"]) == (0, 3)
    assert "nothing is left to do" in done.err
    before = log(tmp_path / "run")
    longer = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "--steps", 5)
    assert (longer.status, longer.rows[0]["steps"]) == (0, 5)
    assert log(tmp_path / "run")[: len(before)] == before
    assert json.loads((tmp_path / "run" / CONFIG).read_text())["training"]["steps"] == 5
    shorter = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "--steps", 2)
    assert (shorter.status, "done 5 already" in shorter.err) == (2, True)


def test_the_seed_decides_everything_and_another_gives_another_model(train: Run, tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("second", 1), ("third", 2)):
        train(tmp_path / name, "--steps", 3, "--seed", seed)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    first, third = (read_tensors(tmp_path / name / MODEL) for name in ("first", "third"))
    assert not any(torch.equal(first[name], third[name]) for name in first)


def test_few_validation_clips_are_told_and_the_last_average_is_kept(run: Run, tmp_path: Path, dataset: Path) -> None:
    label = json.loads((dataset / "metadata.jsonl").read_text().splitlines()[0])["label"]
    words = ("-o", tmp_path / "run", "--device", "cpu", "--steps", 3)
    result = run("train", "toy", dataset, *words, "--only", label)
    assert result.status == 0
    assert "fewer than 8: the last averaged model is kept" in result.err
    assert result.rows[0]["validation"] is None
    assert [line["event"] for line in log(tmp_path / "run")] == ["step"] * 3
    assert json.loads((tmp_path / "run" / CONFIG).read_text())["data"]["only"] == [label]
    assert len(list((tmp_path / "run" / "previews").iterdir())) == 4


def test_labels_of_another_column_are_kept_in_the_record_and_when_it_goes_on(train: Run, tmp_path: Path) -> None:
    words = ("--condition", "split", "--only", "train")
    assert train(tmp_path / "run", *words, "--steps", 2).status == 0
    data = json.loads((tmp_path / "run" / CONFIG).read_text())["data"]
    assert (data["condition"], data["labels"]) == ("split", ["train"])
    assert train(tmp_path / "run", "--resume", "--steps", 3).status == 0
    result = train(tmp_path / "run", "--resume", "--steps", 4, "--condition", "label")
    assert result.status == 2
    assert "--resume: --condition label: this run has split; leave it out" in result.err
    result = train(tmp_path / "other", "--condition", "pitch")
    assert result.status == 4
    assert "--condition pitch: no clip of it has a 'pitch' (columns: " in result.err


def test_a_dry_run_tells_size_memory_and_time_and_writes_nothing(train: Run, tmp_path: Path) -> None:
    result = train(tmp_path / "run", "--dry-run", "--steps", 100)
    assert result.status == 0, result.err
    player, phase, plan = result.rows
    weights = 4 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3
    assert (player["player"], player["parameters"], player["turns"]) == ("layers", weights, ["layers"])
    assert (phase["from"], phase["to"], phase["turns"]) == (0.0, 1.0, ["layers"])
    assert 0 < phase["step_s"] < 10
    # Weights, average, gradients, two moments, and Adam's own six counters.
    assert plan["training_bytes"] == 4 * (5 * weights + 6)
    assert (plan["status"], plan["steps"], plan["parameters"]) == ("planned", 100, weights)
    assert not (tmp_path / "run").exists()


def test_force_replaces_a_run_and_leaves_what_is_not_its_own(train: Run, tmp_path: Path) -> None:
    train(tmp_path / "run", "--steps", 4)
    (tmp_path / "run" / "notes.txt").write_text("mine")
    refused = train(tmp_path / "run", "--steps", 2)
    assert (refused.status, "--resume goes on with it, --force starts anew" in refused.err) == (2, True)
    assert train(tmp_path / "run", "--steps", 2, "--force").status == 0
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert {path.stem for path in (tmp_path / "run" / "previews").iterdir()} == {"step-000002"}


def test_a_folder_of_another_kind_is_refused_and_left_alone(train: Run, tmp_path: Path, dataset: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("a")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / CONFIG).write_text("{}")
    for folder in (tmp_path / "other", tmp_path / "foreign", tmp_path / "other" / "a.txt", dataset):
        before = sorted(folder.rglob("*"))
        assert train(folder, "--force").status == 2
        assert sorted(folder.rglob("*")) == before


def test_a_second_process_finds_the_run_locked(train: Run, run: Run, tmp_path: Path) -> None:
    train(tmp_path / "run", "--steps", 2)
    before = contents(tmp_path / "run")
    with locked(tmp_path / "run" / LOCK):
        for words in (("--force",), ("--resume",)):
            assert train(tmp_path / "run", "--steps", 3, *words).status == 75
    assert contents(tmp_path / "run") == before


def test_another_data_set_than_the_recorded_one_is_refused(run: Run, train: Run, tmp_path: Path, dataset: Path) -> None:
    train(tmp_path / "run", "--steps", 2)
    shutil.copytree(dataset, tmp_path / "moved")
    moved = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", "toy", tmp_path / "moved")
    assert moved.status == 0, moved.err
    description = json.loads((dataset / "dataset.json").read_text()) | {"fingerprint": "another"}
    (tmp_path / "moved" / "dataset.json").write_text(json.dumps(description))
    for words in ((), ("toy", tmp_path / "moved")):
        changed = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", *words)
        assert changed.status == 4
        assert "its fingerprint is another" in changed.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--steps", 3, "--epochs", 1), 2, "--steps and --epochs: give one of them"),
        (("--minutes", "nan"), 2, "--minutes nan: must be more than 0"),
        (("--epochs", -1), 2, "--epochs -1: must be more than 0"),
        (("--resume", "--force"), 2, "--resume and --force"),
        (("--resume",), 2, "holds no run"),
        (("--preset", "huge"), 2, "choose from published, default, tiny"),
        (("--set", "depth=3"), 2, "sample_rate, seconds"),
        (("--set", "seconds=0.2"), 4, "train with --set seconds=0.1"),
        (("--only", "bell"), 2, "no clip of split train has this label"),
        (("--precision", "16-mixed"), 2, "float16 loses small gradients"),
        (("--precision", "8"), 2, "choose from 32-true, bf16-mixed, 64-true"),
        (("--devices", 0), 2, "--devices"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_no_folder(
    train: Run, tmp_path: Path, words: tuple[object, ...], status: int, said: str
) -> None:
    result = train(tmp_path / "run", *words)
    assert (result.status, said in result.err) == (status, True), result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deaf",), "FAMILY deaf: this run has toy"),
        (("--preset", "published"), "--preset published: this run has default"),
        (("--set", "latent=5"), "--set latent=5: this run has latent=4"),
        (("--seed", 3), "--seed 3: this run has 0"),
        (("--devices", 2), "--devices 2: this run has 1"),
        (("--precision", "64-true"), "this run has 32-true"),
        (("--only", "kick"), "--only kick: this run has none"),
        (("--minutes", 3), "counted in steps"),
    ],
)
def test_a_resumed_run_keeps_its_own_settings(
    train: Run, run: Run, tmp_path: Path, words: tuple[object, ...], said: str
) -> None:
    train(tmp_path / "run", "--steps", 2)
    result = run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", *words)
    assert (result.status, said in result.err) == (2, True), result.err
    same = ("toy", "--preset", "default", "--set", "latent=4", "--seed", 0, "--devices", 1)
    assert run("train", "--resume", "-o", tmp_path / "run", "--device", "cpu", *same).status == 0


def test_a_patience_that_nothing_would_end_is_refused(run: Run, tmp_path: Path, dataset: Path) -> None:
    result = run("train", "deaf", dataset, "-o", tmp_path / "run", "--patience", 3)
    assert (result.status, "not judged by validation clips" in result.err) == (2, True)


def test_a_model_that_makes_no_sounds_trains_without_previews(run: Run, tmp_path: Path, dataset: Path) -> None:
    result = run("train", "deaf", dataset, "-o", tmp_path / "run", "--steps", 3, "--device", "cpu")
    assert result.status == 0, result.err
    assert not (tmp_path / "run" / "previews").exists()
    assert result.rows[0]["chosen_step"] == 3


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_a_run_of_another_precision_is_read_as_any_other(train: Run, tmp_path: Path, precision: str) -> None:
    whole = train(tmp_path / "run", "--steps", 4, "--precision", precision)
    assert whole.status == 0, whole.err
    live = read_tensors(tmp_path / "run" / "training" / "live-000004.safetensors")
    assert live["layers.0.weight"].dtype is (torch.float64 if precision == "64-true" else torch.float32)
    assert load_run(tmp_path / "run").model.layers[0].weight.dtype is torch.float32


def test_without_the_extra_the_one_line_says_how_to_install_it() -> None:
    program = "import sys; sys.modules['torch'] = None; from stereokit.cli.app import main; main()"
    words = [sys.executable, "-c", program, "train", "toy", "ds", "-o", "run"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 5
    assert result.stderr == "stereokit: torch is not installed: pip install 'stereokit[train]'\n"


@pytest.mark.parametrize(
    ("length", "step", "total"), [({"steps": 3}, "training", 3), ({"minutes": 0.002}, "training (s)", 1)]
)
def test_progress_tells_the_losses_by_turn_and_counts_what_limits_it(
    tmp_path: Path, dataset: Path, length: dict[str, Any], step: str, total: int
) -> None:
    settings = TrainSettings(run=tmp_path / "run", family="toy", dataset=dataset, device="cpu", **length)
    told = [event for event in workflow(settings) if isinstance(event, Progress)]
    assert {(event.step, event.total) for event in told} == {(step, total)}
    assert all(event.text.startswith("layers 0.") for event in told)
    assert [event.done for event in told] == sorted(event.done for event in told)


def test_a_terminal_shows_the_run_as_a_table(run: Run, tmp_path: Path, dataset: Path) -> None:
    words = ("toy", dataset, "-o", tmp_path / "run", "--steps", 3, "--device", "cpu")
    shown = [run("train", *words, *more, terminal=True) for more in (("--dry-run",), ())]
    assert [result.status for result in shown] == [0, 0]
    assert "layers" in shown[0].out
    assert "chosen_step" in shown[1].out
