"""A converter's training is judged by how near it brings the inputs of the validation pairs to their targets."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import toy_converter
from test_train_collapse import SCHEMA, fits

from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.training.checkpoint import LOG


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toy_converter.installed():
        yield


@pytest.fixture
def pairs(tmp_path: Path) -> Callable[..., Path]:
    """Write pairs of noise and the same at a quarter of its level."""

    def write(train: int, validation: int, *, frames: int = 2_400) -> Path:
        folder = tmp_path / f"pairs-{validation}"
        rows = []
        for split, count in (("train", train), ("validation", validation)):
            (folder / split).mkdir(parents=True)
            for number in range(count):
                samples = 0.2 * np.random.default_rng(number).standard_normal((frames, 2))
                for name, gain, target in (("in", 1.0, "out"), ("out", 0.25, None)):
                    path = f"{split}/{number}-{name}.wav"
                    soundfile.write(folder / path, gain * samples, 8_000, "FLOAT")
                    aim = None if target is None else f"{split}/{number}-{target}.wav"
                    row = {"file_name": path, "split": split, "label": None, "sample_rate_hz": 8_000}
                    rows.append(json.dumps({**row, "frames": frames, "target": aim}) + "\n")
        (folder / METADATA).write_text("".join(rows))
        (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
        return folder

    return write


WORDS = ("--set", "seconds=0.3", "--steps", 4, "--device", "cpu")


def test_the_log_tells_of_each_validation_and_of_the_inputs_as_they_are(run, pairs, tmp_path: Path):
    result = run("train", "echo", pairs(4, 4), "-o", tmp_path / "run", *WORDS)
    assert result.status == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    found = [line for line in lines if line["event"] == "pair_validation"]
    assert len(found) == 2
    assert all(fits(line, SCHEMA["$defs"]["pair_validation"]) for line in found)
    # |t| / |t - 4 t|, and a gain is no error to the scale-invariant one
    assert found[0]["input"]["snr_db"] == pytest.approx(-20.0 * np.log10(3.0), abs=1e-3)
    assert found[0]["input"]["si_sdr_db"] > 100.0
    assert found[0]["input"]["lsd"] == pytest.approx(2.0 * np.log10(4.0), abs=0.01)
    assert found[0]["clips"] == 4
    # the gain is learned: what is made comes nearer than the inputs, and nearer each time
    snr = [line["snr_db"] for line in found]
    assert snr == sorted(snr)
    assert snr[0] > found[0]["input"]["snr_db"]
    assert result.rows[-1]["chosen_step"] == 4
    assert (tmp_path / "run" / "curve.png").exists()


def test_too_few_pairs_to_judge_by_are_said_and_the_last_model_is_kept(run, pairs, tmp_path: Path):
    result = run("train", "echo", pairs(4, 2), "-o", tmp_path / "run", *WORDS)
    assert result.status == 0
    assert "has 4 validation clips, fewer than 8: the last averaged model is kept" in result.err
    assert "pair_validation" not in (tmp_path / "run" / LOG).read_text()
