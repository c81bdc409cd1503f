"""A translator's training is judged by what it gives back, and tells how much another label changes."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_train_collapse import SCHEMA, fits

from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.training.checkpoint import LOG

pytestmark = pytest.mark.slow
FRAMES = 2_000


@pytest.fixture
def genres(tmp_path: Path) -> Path:
    """Bright and dark noises: eight of each to learn from, four to be judged by."""
    folder = tmp_path / "genres"
    rows = []
    for split, count in (("train", 16), ("validation", 8)):
        (folder / split).mkdir(parents=True)
        for number in range(count):
            samples = 0.2 * np.random.default_rng(number).standard_normal((FRAMES, 2))
            label = ("bright", "dark")[number % 2]
            if label == "dark":
                samples = np.cumsum(samples, axis=0) * 0.05
            name = f"{split}/{number}.wav"
            soundfile.write(folder / name, np.clip(samples, -1.0, 1.0), 8_000, "FLOAT")
            row = {"file_name": name, "split": split, "label": label, "sample_rate_hz": 8_000, "frames": FRAMES}
            rows.append(json.dumps(row) + "\n")
    (folder / METADATA).write_text("".join(rows))
    (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
    return folder


@pytest.mark.parametrize("family", ["genre-segnet", "genre-unet"])
def test_sounds_are_given_back_better_than_by_the_mean_picture_and_the_last_model_is_kept(
    run, genres: Path, tmp_path: Path, family: str
) -> None:
    words = ("--preset", "tiny", "--set", "validate_every=15", "--set", "rate=0.005", "--steps", 30, "--device", "cpu")
    result = run("train", family, genres, "-o", tmp_path / "run", *words)
    assert result.status == 0, result.err
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    found = [line for line in lines if line["event"] == "translation_validation"]
    assert len(found) == 2
    assert all(fits(line, SCHEMA["$defs"]["translation_validation"]) for line in found)
    assert found[-1]["clips"] == 8
    assert found[-1]["mae"] < found[0]["mae"]
    assert found[-1]["change_mae"] > found[-1]["mae"] / 4.0
    assert result.rows[-1]["chosen_step"] == 30
    assert (tmp_path / "run" / "curve.png").exists()
