"""Distances between whole distributions, for features of many values."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from stereokit.metrics import kernel_mmd as kernel_module
from stereokit.metrics.embedding import embedding_protocol
from stereokit.metrics.frechet import frechet_distance
from stereokit.metrics.kernel_mmd import kernel_mmd
from stereokit.metrics.protocol import protocol_with
from stereokit.metrics.vectors import clip_vectors
from stereokit.workflows.score_vectors import VECTOR_KEYS, vector_figures

LOGMEL = protocol_with("paper", feature="logmel")


def clips(count: int, width: int, *, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng([seed, count, width])
    return [random.normal(size=(int(random.integers(1, 9)), width)) for _ in range(count)]


def test_clips_enter_as_the_mean_and_deviation_of_their_frames() -> None:
    made, real = clips(30, 4), clips(20, 4, seed=1)
    fields = vector_figures(made, real, LOGMEL, seed=0).fields()
    frechet = frechet_distance(clip_vectors(made), clip_vectors(real))
    kernel = kernel_mmd(clip_vectors(made), clip_vectors(real))
    assert frechet is not None
    assert kernel is not None
    assert fields["frechet"] == {"value": frechet.value, "dimension": 8, "is_small": True}
    assert fields["kernel_mmd"] == {"value": kernel.value, "standard_error": kernel.standard_error, "share": 1.0}
    for key in VECTOR_KEYS:
        name, part = key.split(".")
        assert part in dict(fields[name])


def test_an_embedding_enters_as_it_is() -> None:
    made, real = ([np.array([row]) for row in np.random.default_rng(k).normal(size=(30, 4))] for k in (0, 1))
    figures = vector_figures(made, real, embedding_protocol(), seed=0)
    assert figures.frechet == frechet_distance(np.concatenate(made), np.concatenate(real))
    assert figures.kernel == kernel_mmd(np.concatenate(made), np.concatenate(real))


@pytest.mark.parametrize(("count", "feature"), [(30, "stsd"), (1, "logmel")])
def test_one_value_a_frame_or_one_clip_have_neither_figures_nor_notes(count: int, feature: str) -> None:
    figures = vector_figures(clips(count, 4), clips(9, 4, seed=1), protocol_with("paper", feature=feature), seed=0)
    assert figures.fields() == {"frechet": None, "kernel_mmd": None}
    assert list(figures.notes()) == []


def test_the_yardstick_is_told_and_small_sets_are_warned_of() -> None:
    small = list(vector_figures(clips(79, 4), clips(100, 4), LOGMEL, seed=0).notes())
    assert small[0].startswith("REF is the yardstick of kernel_mmd")
    assert "79 clips are few for 8 dimensions, 80 are needed" in small[1]
    assert len(list(vector_figures(clips(80, 4), clips(100, 4), LOGMEL, seed=0).notes())) == 1


def test_what_is_compared_in_blocks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_module, "_WORK", 2e5)
    figures = vector_figures(clips(80, 4), clips(100, 4), LOGMEL, seed=0)
    assert "compared in random blocks, 0.6 of all pairs" in list(figures.notes())[-1]
    assert figures.kernel is not None
    assert figures.kernel.share == pytest.approx((80**2 / 2 + 100**2 / 2 + 80 * 100 / 5) / (180**2 / 2))


def make_stereo_sets(folder: Path) -> tuple[Path, Path]:
    """Two sets of one source."""
    for name, seeds in (("one", range(30)), ("two", range(100, 130))):
        for k in seeds:
            samples = np.random.default_rng(k).normal(0, 0.05, (800, 2))
            (folder / name).mkdir(exist_ok=True)
            soundfile.write(folder / name / f"{k}.wav", samples, 8000)
    return folder / "one", folder / "two"


def test_a_score_of_a_vector_feature_has_both_and_says_which_set_is_the_yardstick(run, tmp_path: Path) -> None:
    one, two = make_stereo_sets(tmp_path)
    done = run(
        "score", one, two, "--feature", "mfcc", "--fail-if", "frechet.value>1e9", "--fail-if", "kernel_mmd.value>9"
    )
    row = done.rows[0]
    assert done.status == 0
    assert row["frechet"]["dimension"] == 52
    assert row["frechet"]["is_small"]
    assert abs(row["kernel_mmd"]["value"]) < 4 * row["kernel_mmd"]["standard_error"]
    assert sum("yardstick of kernel_mmd" in note or "are few for 52" in note for note in row["notes"]) == 2


def test_swapping_the_sets_leaves_frechet_and_moves_the_yardstick_of_the_kernel(run, tmp_path: Path) -> None:
    one, two = make_stereo_sets(tmp_path)
    here, there = (run("score", *sets, "--feature", "logmel").rows[0] for sets in ((one, two), (two, one)))
    assert here["frechet"]["value"] == pytest.approx(there["frechet"]["value"], rel=1e-9)
    assert here["kernel_mmd"]["value"] != there["kernel_mmd"]["value"]


def test_a_score_of_one_value_a_frame_has_neither(run, tmp_path: Path) -> None:
    row = run("score", *make_stereo_sets(tmp_path)).rows[0]
    assert row["frechet"] is row["kernel_mmd"] is None


def test_a_check_of_it_needs_such_a_feature(run, tmp_path: Path) -> None:
    done = run("score", *make_stereo_sets(tmp_path), "--fail-if", "frechet.value>1")
    assert done.status == 2
    assert "frechet.value needs --embedding or a --feature of several values a frame" in done.err
