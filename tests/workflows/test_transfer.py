"""``stereokit transfer``: sounds of one genre as sounds of another."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from stereokit.models.genre_segnet.config import PRESETS
from stereokit.models.genre_segnet.model import Model
from stereokit.training.checkpoint import CONFIG, CONFIG_SCHEMA, MODEL, write_json, write_tensors

Run = Callable[..., SimpleNamespace]
RATE = 8_000


def write_run(folder: Path, *genres: str) -> Path:
    """Write a run whose weights are random, for these genres."""
    torch.manual_seed(0)
    config = replace(PRESETS["tiny"], labels=genres, label_counts=(1,) * len(genres))
    folder.mkdir()
    write_tensors(folder / MODEL, Model(config).state_dict())
    record = {"schema": CONFIG_SCHEMA, "family": "genre-segnet", "preset": "tiny", "config": asdict(config)}
    write_json(folder / CONFIG, record | {"data": {}, "training": {}})
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", "classical", "jazz")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A stereo noise that is not a whole number of windows."""
    samples = 0.1 * np.random.default_rng(0).standard_normal((7_001, 2))
    soundfile.write(tmp_path / "in.wav", samples.astype(np.float32), RATE, "FLOAT")
    return tmp_path / "in.wav"


def test_a_sound_becomes_another_of_its_length_and_rate(run: Run, model: Path, sound: Path, tmp_path: Path) -> None:
    done = run("transfer", model, sound, "--to", "jazz", "-o", tmp_path / "out.wav")
    assert done.status == 0, done.err
    made, rate = soundfile.read(tmp_path / "out.wav")
    assert (made.shape, rate) == ((7_001, 2), RATE)
    (row,) = done.rows
    assert row["schema"] == "stereokit.transfer.file/1"
    assert (row["to"], row["from"], row["family"]) == ("jazz", None, "genre-segnet")


def test_a_folder_is_translated_once_and_other_genres_are_another_folder(
    run: Run, model: Path, sound: Path, tmp_path: Path
) -> None:
    words = ("transfer", model, sound, "-o", tmp_path / "out")
    assert run(*words, "--to", "jazz").rows[-1]["files"] == 1
    again = run(*words, "--to", "jazz").rows[-1]
    assert (again["files"], again["unchanged"]) == (0, 1)
    other = run(*words, "--to", "classical")
    assert other.status == 2
    assert "--to was jazz, not classical" in other.err
    assert run(*words, "--to", "classical", "--force").rows[-1]["files"] == 1


@pytest.mark.parametrize(
    ("genres", "words", "said"),
    [
        (("classical", "jazz"), ("--to", "metal"), "--to 'metal': the run knows classical, jazz"),
        (("classical", "jazz"), ("--to", "jazz", "--from", "pop"), "--from 'pop': the run knows classical, jazz"),
        (
            ("classical", "jazz", "pop"),
            ("--to", "jazz"),
            "give --from: the run knows classical, jazz, pop, and sounds could be classical or pop",
        ),
    ],
)
def test_genres_that_are_unknown_or_not_told_are_refused_by_name(
    run: Run, sound: Path, tmp_path: Path, *, genres: tuple[str, ...], words: tuple[str, ...], said: str
) -> None:
    folder = write_run(tmp_path / "run", *genres)
    done = run("transfer", folder, sound, *words, "-o", tmp_path / "out")
    assert done.status == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_where_a_run_knows_more_than_two_the_source_is_told(run: Run, sound: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", "classical", "jazz", "pop")
    for source in ("classical", "pop"):
        words = ("--from", source, "--to", "jazz", "-o", tmp_path / f"{source}.wav")
        assert run("transfer", folder, sound, *words).status == 0
    one, other = ((tmp_path / f"{name}.wav").read_bytes() for name in ("classical", "pop"))
    assert one != other


def test_a_run_with_one_genre_is_no_run(run: Run, model: Path, sound: Path, tmp_path: Path) -> None:
    record = json.loads((model / CONFIG).read_text())
    record["config"] |= {"labels": ["jazz"], "label_counts": [1]}
    (model / CONFIG).write_text(json.dumps(record))
    done = run("transfer", model, sound, "--to", "jazz", "-o", tmp_path / "out")
    assert done.status == 4
    assert "give 2 or more" in done.err
