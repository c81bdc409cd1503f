"""A data set opened for training: what it gives, and the one line it says when a model cannot use it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stereokit.data.corpus import Corpus, open_corpus
from stereokit.data.dataset import DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.errors import BadInputError, UsageError

DataSet = Callable[..., Path]
STEP = 1 / 32768


def opened(folder: Path, split: str = "train", *, sample_rate: int = 8_000, frames: int = 8) -> Corpus:
    return open_corpus(folder, split, sample_rate=sample_rate, frames=frames)


def refusal(folder: Path, split: str = "train", *, sample_rate: int = 8_000, frames: int = 8) -> str:
    with pytest.raises(BadInputError) as caught:
        opened(folder, split, sample_rate=sample_rate, frames=frames)
    (line,) = str(caught.value).splitlines()
    return line.replace(str(folder), "ds")


def test_a_split_gives_its_clips_in_the_order_of_the_manifest(data_set: DataSet) -> None:
    corpus = opened(data_set(6, split=["train", "test"], label=["snare", "x", "kick"]))
    assert [clip.file_name for clip in corpus.clips] == ["train/0.wav", "train/2.wav", "train/4.wav"]
    assert [corpus.label_of(number) for number in range(len(corpus))] == ["snare", "kick", "x"]
    assert corpus.labels == ("kick", "snare", "x")
    assert corpus.fingerprint == "abc"


def test_a_clip_is_left_over_right_at_full_scale_one(data_set: DataSet) -> None:
    samples = opened(data_set(3)).read(2)
    assert samples.dtype == np.float32
    assert samples.tolist() == [[3 * STEP] * 8, [-3 * STEP] * 8]


def test_a_mono_file_is_doubled(data_set: DataSet) -> None:
    folder = data_set(1)
    soundfile.write(folder / "train/0.wav", np.arange(8, dtype=np.int16), 8_000)
    left, right = opened(folder).read(0)
    assert left.tolist() == right.tolist() == [value * STEP for value in range(8)]


def test_only_some_labels_can_be_kept(data_set: DataSet) -> None:
    corpus = opened(data_set(6, label=["kick", "snare", None])).only(["kick"])
    assert [clip.file_name for clip in corpus.clips] == ["train/0.wav", "train/3.wav"]
    assert corpus.labels == ("kick",)


def test_labels_come_from_any_column_and_are_counted(data_set: DataSet) -> None:
    folder = data_set(5, label=["kick", "snare"], room=["dry", "wet", None, "wet", 3])
    corpus = open_corpus(folder, "train", sample_rate=8_000, frames=8, label_column="room")
    assert [clip.label for clip in corpus.clips] == ["dry", "wet", None, "wet", "3"]
    assert corpus.label_counts == {"3": 1, "dry": 1, "wet": 2}


def test_labels_may_be_the_pitches_in_the_names_of_the_sources(data_set: DataSet) -> None:
    folder = data_set(3, source=["C stab.wav", "b/Stab Db.wav", "stab.wav"])
    corpus = open_corpus(folder, "train", sample_rate=8_000, frames=8, label_column="pitch-in-name")
    assert [clip.label for clip in corpus.clips] == ["C", "C#", None]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("room", "ds: --condition room: no clip of it has a 'room' (columns: frames, label, "),
        ("pitch-in-name", "ds: --condition pitch-in-name: no file name of it has a pitch, as in 'stab_F#.wav'"),
    ],
)
def test_a_column_that_is_asked_for_has_to_be_there(data_set: DataSet, column: str, told: str) -> None:
    folder = data_set(2)
    with pytest.raises(BadInputError) as caught:
        open_corpus(folder, "train", sample_rate=8_000, frames=8, label_column=column)
    assert str(caught.value).replace(str(folder), "ds").startswith(told)


def test_a_label_that_does_not_occur_is_refused_with_those_that_do(data_set: DataSet) -> None:
    corpus = opened(data_set(6, label=["kick", "snare", None]))
    with pytest.raises(UsageError, match=r"^--only 'hat': .* \(labels: kick, snare\)$"):
        corpus.only(["kick", "hat"])
    with pytest.raises(UsageError, match=r"\(labels: none\)$"):
        opened(data_set(1)).only(["hat"])


def test_another_length_is_refused_with_the_remedy(data_set: DataSet) -> None:
    line = refusal(data_set(3, frames=[17_640], sample_rate_hz=[44_100]), sample_rate=44_100, frames=26_460)
    assert line == (
        "ds: its clips have 17640 samples at 44100 Hz, the model makes 26460: "
        "prep with --length 0.6, or train with --set seconds=0.4"
    )


def test_another_rate_is_refused_with_the_remedy(data_set: DataSet) -> None:
    line = refusal(data_set(3, frames=[4_000]), sample_rate=16_000, frames=8_000)
    assert line == (
        "ds: its clips have 4000 samples at 8000 Hz, the model makes 8000 at 16000 Hz: "
        "prep with --rate 16000, or train with --set sample_rate=8000"
    )


def test_another_rate_and_length_are_refused_with_both_remedies(data_set: DataSet) -> None:
    line = refusal(data_set(3), sample_rate=16_000, frames=8_000)
    assert line.endswith(
        "prep with --rate 16000 --length 0.5, or train with --set sample_rate=8000 --set seconds=0.001"
    )


def test_clips_of_several_lengths_fit_no_model_as_they_are(data_set: DataSet) -> None:
    line = refusal(data_set(4, frames=[8, 12]))
    assert line == "ds: its clips have 8 to 12 samples at 8000 Hz, the model makes 8: prep with --length 0.001"


@pytest.mark.parametrize("frames", [1, 7, 999_999, 4_194_303])
@pytest.mark.parametrize("rate", [8_000, 44_100, 768_000])
def test_the_length_in_the_remedy_gives_the_samples_that_the_model_makes(
    data_set: DataSet, rate: int, frames: int
) -> None:
    line = refusal(data_set(1, sample_rate_hz=[rate]), sample_rate=rate, frames=frames)
    assert round(float(line.split("--length ")[1].split(",")[0]) * rate) == frames


def test_an_empty_split_names_those_with_clips(data_set: DataSet) -> None:
    folder = data_set(3, split=["train", "test", "test"])
    assert refusal(folder, "validation") == "ds: its split validation has no clips (splits with clips: train 1, test 2)"
    with pytest.raises(UsageError, match="split 'dev': use train, validation, test"):
        opened(folder, "dev")


def test_other_splits_may_have_what_this_one_must_not(data_set: DataSet) -> None:
    folder = data_set(4, split=["train", "test"], frames=[8, 9])
    assert len(opened(folder)) == 2


@pytest.mark.parametrize("value", [None, "8", 8.0, True, 0])
def test_a_row_without_its_length_is_refused(data_set: DataSet, value: object) -> None:
    folder = data_set(2)
    lines = [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]
    lines[1]["frames"] = value
    (folder / METADATA).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert refusal(folder).startswith("ds: metadata.jsonl gives train/1.wav no frames")


def test_a_damaged_row_is_refused_by_its_line(data_set: DataSet) -> None:
    folder = data_set(2)
    with (folder / METADATA).open("a") as file:
        file.write('{"file_name": "../x.wav"}\n')
    assert refusal(folder).startswith("ds: metadata.jsonl line 3 ")


@pytest.mark.parametrize("content", [None, "", "[]", '{"schema": "other"}'])
def test_a_folder_that_prep_did_not_finish_is_no_data_set(data_set: DataSet, content: str | None) -> None:
    folder = data_set(2)
    (folder / DESCRIPTION).unlink()
    if content is not None:
        (folder / DESCRIPTION).write_text(content)
    assert refusal(folder).startswith("ds: is no finished data set")


def test_a_folder_that_is_not_there_is_a_mistake_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        opened(tmp_path / "none")


def test_a_clip_that_is_gone_is_named(data_set: DataSet) -> None:
    folder = data_set(3)
    corpus = opened(folder)
    (folder / "train/1.wav").unlink()
    with pytest.raises(BadInputError, match=r"train/1\.wav: cannot be read: No such file"):
        corpus.read(1)


@pytest.mark.parametrize(
    ("frames", "rate", "channels", "reason"),
    [
        (7, 8_000, 2, r"has 7 samples at 8000 Hz, its row says 8 at 8000 Hz: it changed since prep"),
        (8, 16_000, 2, r"has 8 samples at 16000 Hz, its row says 8 at 8000 Hz: it changed since prep"),
        (8, 8_000, 3, r"has 3 channels"),
    ],
)
def test_a_clip_that_changed_is_named(data_set: DataSet, frames: int, rate: int, channels: int, reason: str) -> None:
    folder = data_set(3)
    soundfile.write(folder / "train/1.wav", np.zeros((frames, channels)), rate)
    with pytest.raises(BadInputError, match=rf"train/1\.wav: {reason}"):
        opened(folder).read(1)


def test_pairs_name_the_clip_that_each_should_become(data_set: DataSet) -> None:
    corpus = opened(data_set(4, target=["train/3.wav", "./train/2.wav", None, ""]))
    pairs = [(clip.file_name, target.file_name) for clip, target in corpus.pairs()]
    assert pairs == [("train/0.wav", "train/3.wav"), ("train/1.wav", "train/2.wav")]


def test_labels_that_are_left_out_may_still_be_aimed_at(data_set: DataSet) -> None:
    corpus = opened(data_set(2, label=["dull", "bright"], target=["train/1.wav", None])).only(["dull"])
    assert [target.file_name for _, target in corpus.pairs()] == ["train/1.wav"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("train/9.wav", r"the target of train/0\.wav, 'train/9\.wav', is no clip of its split train"),
        ("test/1.wav", r"the target of train/0\.wav, 'test/1\.wav', is no clip of its split train"),
        ("../other/1.wav", r"the target of train/0\.wav: .* leads out of its folder"),
        ("/etc/passwd", r"the target of train/0\.wav: .* is absolute"),
        (None, r"train/0\.wav has no target: its row in metadata\.jsonl must name"),
    ],
)
def test_a_target_lies_in_the_same_split_of_the_data_set(data_set: DataSet, target: str | None, reason: str) -> None:
    corpus = opened(data_set(2, split=["train", "test"], target=[target, None]))
    with pytest.raises(BadInputError, match=reason):
        list(corpus.pairs())


def test_what_prep_makes_can_be_opened(run: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "ds"
    made = run("prep", "--synth", "stabs", "--count", 6, "--length", 0.05, "--split", "1,0,0", "-o", folder)
    assert made.status == 0
    corpus = open_corpus(folder, "train", sample_rate=44_100, frames=2_205)
    assert len(corpus) == 6
    assert corpus.read(0).shape == (2, 2_205)
    assert corpus.fingerprint == json.loads((folder / DESCRIPTION).read_text())["fingerprint"]


def test_opening_a_data_set_needs_no_torch() -> None:
    code = "import sys, stereokit.data.corpus; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
