"""``stereokit score --embedding``: clips compared as a trained model places them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
import toy_family

from stereokit.errors import BadInputError
from stereokit.metrics.embedding import embedding_protocol
from stereokit.workflows import score_shown
from stereokit.workflows.score_embedding import SetEmbedder, load_embedder
from stereokit.workflows.score_sets import ScoredSet, measure_set

Run = Callable[..., SimpleNamespace]
RATE = 8_000


@pytest.fixture(autouse=True)
def _toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with toy_family.installed():
        yield


def write(path: str, seed: int, *, frames: int = 400, width: float = 1.0, rate: int = RATE) -> np.ndarray:
    """Write float noise of a width; return what was written, shape (2, frames)."""
    mid, side = np.random.default_rng(seed).uniform(-0.4, 0.4, (2, frames))
    samples = np.float32([mid + width * side, mid - width * side])
    Path(path).parent.mkdir(exist_ok=True)
    soundfile.write(path, samples.T, rate, "FLOAT")
    return samples


@pytest.fixture
def sets() -> dict[str, list[np.ndarray]]:
    """Two sets in ``gen`` and ``ref``, and a run in ``run``."""
    toy_family.write_run(Path("run"))
    return {
        name: [write(f"{name}/{k}.wav", first + k, width=0.2 + 0.1 * k) for k in range(6)]
        for name, first in (("gen", 0), ("ref", 100))
    }


def vectors(clips: list[np.ndarray], gain: float = 0.5) -> np.ndarray:
    """What the toy makes of clips, in double precision."""
    rows = []
    for clip in np.float64(clips):
        parts = (clip[0], clip[1], clip[0] - clip[1], np.diff(clip))
        rows.append([np.sqrt((part**2).mean()) for part in parts])
    return gain * np.array(rows)


def measured(folder: str) -> ScoredSet:
    return returned(
        measure_set(folder, folder, (), embedding_protocol(), only=(), with_labels=False, drop_silent=False, jobs=1)
    )


def returned(events: Iterator[object]) -> ScoredSet:
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


def embedder(**changes: object) -> SetEmbedder:
    if not Path("run").exists():
        toy_family.write_run(Path("run"))
    return load_embedder(Path("run"), embedding_protocol(**changes), "cpu")


def sequences(scored: ScoredSet) -> np.ndarray:
    return np.concatenate([clip.sequence for _, clip in scored.clips])


@pytest.mark.parametrize(("distance", "power"), [("l2", 2), ("l1", 1), (None, 2)])
def test_scores_are_of_the_models_vectors(run: Run, sets: dict, distance: str | None, power: int) -> None:
    done = run("score", "gen", "ref", "--embedding", "run", *(["--distance", distance] if distance else []))
    row = done.rows[0]
    gaps = np.abs(vectors(sets["gen"])[:, None] - vectors(sets["ref"])[None]) ** power
    distances = gaps.mean(axis=2) ** (1 / power)
    assert (done.status, row["feature"], row["distance"]) == (0, "embedding", distance or "l2")
    assert row["mmd"] == pytest.approx(distances.min(axis=0).mean(), rel=1e-5)
    assert row["cov"] == len(set(distances.argmin(axis=1))) / 6


def test_the_row_names_the_model_and_the_notes_its_reach(run: Run, sets: dict) -> None:
    row = run("score", "gen", "ref", "--embedding", "run").rows[0]
    fingerprint = embedder().protocol.run
    assert row["embedding"] == {
        "run": fingerprint, "family": "toy", "preset": "tiny", "width": 4, "sample_rate_hz": RATE, "device": "cpu"
    }  # fmt: skip
    (note,) = (note for note in row["notes"] if note.startswith("embedding"))
    assert fingerprint in note
    assert "toy" in note
    assert "comparable only within the same run" in note
    assert (row["frechet"]["dimension"], row["protocol"]) == (4, "paper+")


def test_frechet_and_kernel_can_be_checked(run: Run, sets: dict) -> None:
    done = run(
        "score", "gen", "ref", "--embedding", "run", "--fail-if", "frechet.value>9", "--fail-if", "kernel_mmd.value<99"
    )
    assert (done.status, done.rows[0]["failed_checks"]) == (1, ["kernel_mmd.value<99"])


def test_a_vector_sees_the_first_seconds_alone_at_the_models_rate() -> None:
    samples = write("gen/a.wav", 1, frames=800)
    write("gen/b.wav", 2, frames=100)
    long, short = sequences(returned(embedder(length=0.05).embedded(measured("gen"))))
    assert long == pytest.approx(vectors([samples[:, :400]])[0], rel=1e-5)
    padded = np.zeros((2, 400), np.float32)
    padded[:, :100] = soundfile.read("gen/b.wav")[0].T
    assert short == pytest.approx(vectors([padded])[0], rel=1e-5)


def test_other_rates_are_resampled_and_counted(run: Run) -> None:
    toy_family.write_run(Path("run"))
    times = np.arange(16_000) / 16_000
    sine = 0.5 * np.stack([np.sin(2 * np.pi * 500 * times), np.cos(2 * np.pi * 500 * times)], axis=1)
    for name in ("gen", "ref"):
        Path(name).mkdir()
        soundfile.write(f"{name}/low.wav", sine[::2], RATE, "FLOAT")
        soundfile.write(f"{name}/high.wav", sine, 16_000, "FLOAT")
    row = run("score", "gen", "ref", "--embedding", "run").rows[0]
    assert f"2 clips were resampled to the {RATE} Hz of the model" in row["notes"]
    assert not any("sample rates are mixed" in note for note in row["notes"])
    high, low = sequences(returned(embedder().embedded(measured("gen"))))
    assert high == pytest.approx(low, rel=0.01)


def test_a_mono_file_is_both_channels() -> None:
    Path("gen").mkdir()
    mono = np.random.default_rng(0).uniform(-0.5, 0.5, 400).astype(np.float32)
    soundfile.write("gen/mono.wav", mono, RATE, "FLOAT")
    (found,) = sequences(returned(embedder().embedded(measured("gen"))))
    assert found == pytest.approx(vectors([np.stack([mono, mono])])[0], rel=1e-5)


def test_a_vector_depends_on_its_clip_alone(sets: dict) -> None:
    whole = sequences(returned(embedder().embedded(measured("gen"))))
    write("gen/5b.wav", 7, frames=90)
    Path("gen/3.wav").unlink()
    Path("gen/text.wav").write_text("this is no sound")
    part = sequences(returned(embedder().embedded(measured("gen"))))
    np.testing.assert_array_equal(part[:-1], np.delete(whole, 3, axis=0))


def test_on_an_accelerator_clips_of_one_length_go_in_batches_of_one_size(
    sets: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = sequences(returned(embedder().embedded(measured("gen"))))
    shapes = []
    whole = toy_family.Model.embed
    monkeypatch.setattr(
        toy_family.Model, "embed", lambda self, wave: shapes.append(tuple(wave.shape)) or whole(self, wave)
    )
    monkeypatch.setattr(SetEmbedder, "_batch_size", lambda self, frames: 4 if frames < 500 else 1)
    write("gen/long.wav", 9, frames=600)
    batched = returned(embedder().embedded(measured("gen")))
    assert shapes[1:] == [(4, 2, 400), (4, 2, 400), (1, 2, 600)]
    assert sequences(batched)[:6] == pytest.approx(one_by_one, rel=1e-6)


def test_batches_hold_so_many_samples_at_most() -> None:
    one = embedder()
    assert one._batch_size(1) == 1, "the processor gains nothing from more"
    there = SetEmbedder(one.model, SimpleNamespace(device="cuda"))
    sizes = {frames: there._batch_size(frames) for frames in (1, 26_460, 1 << 19, 1 << 23)}
    assert sizes == {1: 32, 26_460: 32, 1 << 19: 4, 1 << 23: 1}


def test_what_cannot_be_used_is_refused_by_name_and_the_rest_is_scored(
    run: Run, sets: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy_family.Model.embed

    def picky(self: toy_family.Model, wave: torch.Tensor) -> torch.Tensor:
        if wave.shape[2] < 100:
            raise BadInputError("is shorter than the model's 100 samples")
        return whole(self, wave) / (wave.abs().amax((1, 2)) != 0).float()[:, None]

    monkeypatch.setattr(toy_family.Model, "embed", picky)
    write("gen/short.wav", 1, frames=50)
    soundfile.write("gen/silent.wav", np.zeros((400, 2)), RATE)
    Path("gen/text.wav").write_text("this is no sound")
    done = run("score", "gen", "ref", "--embedding", "run")
    reasons = {Path(one["path"]).name: one["reason"] for one in done.rows[0]["failed"]}
    assert done.status == 3
    assert list(reasons) == ["text.wav", "short.wav", "silent.wav"]
    assert "shorter than the model's 100 samples" in reasons["short.wav"]
    assert "NaN" in reasons["silent.wav"]
    assert (done.rows[0]["gen"]["used"], done.rows[0]["gen"]["refused"], done.rows[0]["gen"]["found"]) == (6, 3, 9)
    assert run("score", "gen", "ref", "--embedding", "run", "--strict").status == 4


@pytest.mark.parametrize("change", ["longer", "gone"])
def test_a_file_that_changes_between_two_looks_is_refused(sets: dict, change: str) -> None:
    clips = measured("gen")
    Path("gen/2.wav").unlink()
    if change == "longer":
        write("gen/2.wav", 1, frames=500)
    found = returned(embedder().embedded(clips))
    assert [Path(refusal.path).name for refusal in found.refused] == ["2.wav"]
    assert len(found.clips) == 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--feature", "logmel"], "--feature"),
        (["--protocol", "ml2020"], "--protocol ml2020"),
        (["--shape"], "--shape"),
        (["--range", "full"], "--range"),
        (["--distance", "emd"], "--distance emd"),
        (["--paired"], "--embedding"),
    ],
)
def test_what_does_not_go_with_it_is_refused_before_any_work(run: Run, options: list[str], told: str) -> None:
    done = run("score", "absent", "absent", "--embedding", "absent", *options)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_a_family_that_embeds_nothing_and_what_is_no_run_are_refused(run: Run, sets: dict) -> None:
    toy_family.write_run(Path("deaf"), family="deaf")
    done = run("score", "gen", "ref", "--embedding", "deaf")
    assert (done.status, done.out) == (2, "")
    assert "score --embedding needs an embedder, and deaf is none: train one of " in done.err
    assert "toy" in done.err.rpartition("one of ")[2]
    done = run("score", "gen", "ref", "--embedding", "gen")
    assert (done.status, done.out) == (4, "")
    assert "config.json" in done.err


def test_a_baseline_of_another_model_is_refused(run: Run, sets: dict) -> None:
    words = ("score", "gen", "ref", "--embedding")
    run(*words, "run", "--save", "kept.json")
    same = run(*words, "run", "--baseline", "kept.json", "--fail-if", "frechet.value>baseline.frechet.value")
    assert same.status == 0
    assert same.rows[0]["baseline"]["frechet"] == json.loads(Path("kept.json").read_text())["frechet"]
    toy_family.write_run(Path("other"), seed=1)
    done = run(*words, "other", "--baseline", "kept.json")
    assert (done.status, done.out) == (4, "")
    assert "embedding.run" in done.err
    done = run("score", "gen", "ref", "--baseline", "kept.json")
    assert (done.status, done.out) == (4, "")


def test_labels_clips_training_clips_and_pages_work_with_it(
    run: Run, sets: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing takes most of the time here.
    monkeypatch.setattr(score_shown, "PAIRS", 1)
    for name in ("gen", "ref"):
        rows = [{"file_name": f"{k}.wav", "label": "kick" if k < 3 else "hat"} for k in range(6)]
        Path(name, "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run(
        "score", "gen", "ref", "--embedding", "run", "--train", "gen", "--per-label", "--per-clip",
        "--report", "r.html", "--plot", "p.png", "--markdown", "m.md",
    )  # fmt: skip
    *details, last = done.rows
    assert done.status == 0
    assert [row["label"] for row in details if "cov" in row] == ["hat", "kick"]
    means = [row["feature_mean"] for row in details if row.get("set") == "gen"]
    assert means == pytest.approx(vectors(sets["gen"]).mean(axis=1), rel=1e-5)
    assert last["memorisation"]["copies"] == last["memorisation"]["n_train"] == 6
    assert "embedding" in Path("r.html").read_text("utf-8")
    assert Path("p.png").stat().st_size > 10_000


def test_without_torch_one_line_names_the_extra(run: Run, sets: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.endswith("score_embedding")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = run("score", "gen", "ref", "--embedding", "run")
    assert (done.status, done.out) == (5, "")
    assert "--embedding needs torch: pip install 'stereokit[train]'" in done.err
    assert run("score", "gen", "ref").status == 0


def test_a_model_that_breaks_its_word_is_an_error_of_ours(sets: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy_family.Model, "embed", lambda self, wave: wave[:, 0, 0])
    with pytest.raises(TypeError, match=r"embed made \(1,\)"):
        embedder()


@pytest.mark.gpu
def test_a_gpu_gives_the_same_scores(run: Run, sets: dict) -> None:
    here, there = (
        run("score", "gen", "ref", "--embedding", "run", "--device", name).rows[0] for name in ("cpu", "cuda")
    )
    assert there["embedding"]["device"] == there["device"] == "cuda"
    assert there["mmd"] == pytest.approx(here["mmd"], rel=1e-4)
