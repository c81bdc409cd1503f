"""``stereokit label audit``: words to rows."""

import shutil

import drum_folder
import numpy as np
import pytest
import soundfile


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    drum_folder.stay_here(monkeypatch)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Drums of which a kick is said to be a hat; a tom is there twice, once as a kick; and there is one clap."""
    folder = drum_folder.write_drums(
        tmp_path_factory.mktemp("audit") / "drums", labelled=6, kinds=("hat", "kick", "tom")
    )
    text = (folder / "labels.csv").read_text().replace("kick/kick-0.wav,kick", "kick/kick-0.wav,hat")
    shutil.copy(folder / "tom/tom-2.wav", folder / "copy.wav")
    soundfile.write(folder / "clap.wav", drum_folder.sound("hat", 90)[::-1], drum_folder.RATE)
    (folder / "labels.csv").write_text(text + "copy.wav,kick,a\nclap.wav,clap,a\n")
    return folder


def test_a_wrong_label_a_copy_with_another_label_and_a_small_class_are_found(run, mixed):
    result = run("label", "audit", mixed, "--labels", mixed / "labels.csv", "--least", "5")
    assert result.status == 0, result.err
    *findings, summary = result.rows
    suspects = [row for row in findings if row["finding"] == "suspect"]
    wrong = next(row for row in suspects if row["file_name"] == "kick/kick-0.wav")
    assert (wrong["label"], wrong["suggested"]) == ("hat", "kick")
    assert wrong["probability"] > 0.5 > wrong["label_probability"]
    (duplicate,) = [row for row in findings if row["finding"] == "duplicate"]
    assert {duplicate["label"], duplicate["other_label"]} == {"kick", "tom"}
    assert {duplicate["path"], duplicate["other_path"]} == {str(mixed / "copy.wav"), str(mixed / "tom/tom-2.wav")}
    assert next(row for row in findings if row["finding"] == "small_class")["label"] == "clap"
    assert (summary["duplicates"], summary["small_classes"], summary["labelled"]) == (1, 1, 20)
    assert summary["suspects"] == len(suspects) <= 4


def test_checks_decide_the_status_and_bad_sounds_are_told_beside(run, mixed):
    words = ["label", "audit", mixed, "--labels", mixed / "labels.csv"]
    failed = run(*words, "--fail-if", "duplicates>0", "--fail-if", "suspect_share>0.9")
    assert failed.status == 1
    assert "--fail-if duplicates>0: duplicates is 1" in failed.err
    assert failed.rows[-1]["status"] == "failed"
    assert failed.rows[-1]["failed_checks"] == ["duplicates>0"]
    assert "kick-0.wav" in run(*words, terminal=True).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-if", "errors>0"], "unknown key 'errors'"),
        (["--fail-if", "suspects>baseline.suspects"], "an audit has no baseline"),
        (["--features", "smell"], "--features 'smell'"),
        (["--label-column", "kind"], "has no column 'kind'"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(run, mixed, words, said):
    result = run("label", "audit", mixed, "--labels", mixed / "labels.csv", *words)
    assert result.status == 2
    assert said in result.err


def test_silence_alone_cannot_be_audited(run, tmp_path):
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros((500, 2)), 8_000)
    (tmp_path / "labels.csv").write_text("file_name,label\na.wav,x\nb.wav,y\n")
    result = run("label", "audit", tmp_path, "--labels", tmp_path / "labels.csv")
    assert result.status == 4
    assert "all are silent" in result.err
