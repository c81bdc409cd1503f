"""``stereokit label propagate``: words to rows."""

import csv
import io

import drum_folder
import numpy as np
import pytest
import soundfile

from stereokit.workflows import label_evaluate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    drum_folder.stay_here(monkeypatch)


@pytest.fixture
def drums(tmp_path):
    return drum_folder.write_drums(tmp_path / "drums")


def table(folder):
    return "--labels", folder / "labels.csv"


def quick_table(folder):
    """Return the words for labels, and for a feature that is quickly computed, where what is told does not matter."""
    return *table(folder), "--features", "mfcc"


def test_clips_without_labels_get_those_of_their_like_with_sources_and_confidence(run, drums):
    result = run("label", "propagate", drums, *table(drums))
    assert result.status == 0, result.err
    *rows, summary = result.rows
    assert [row["file_name"] for row in rows] == sorted(row["file_name"] for row in rows)
    assert len(rows) == 18
    for row in rows:
        kind, number = row["file_name"].split("/")[0], int(row["file_name"][-5])
        assert row["status"] == "done"
        assert row["label"] == kind
        assert row["provenance"] == ("human" if number < 4 else "propagated")
        if number >= 4:
            assert 0.5 < row["confidence"] <= 1.0
            assert 1 <= len(row["sources"]) <= 3
            assert all(f"/{kind}/" in source for source in row["sources"])
    assert (summary["human"], summary["propagated"], summary["abstained"]) == (12, 6, 0)
    assert summary["propagated_labels"] == {"hat": 2, "kick": 2, "tom": 2}
    assert summary["left_out_accuracy"] == 1.0


@pytest.mark.parametrize(
    ("method", "space"),
    [("among-nearest", "embedding"), ("nearest-labelled", "pca"), ("radius", "embedding"), ("spreading", "pca")],
)
def test_every_method_tells_the_kinds_apart_in_the_features_and_on_a_map(run, drums, method, space):
    words = ["--method", method, "--space", space, "--neighbours", "3", "--features", "mfcc"]
    result = run("label", "propagate", drums, *table(drums), *words)
    assert result.status == 0, result.err
    told = [row for row in result.rows[:-1] if row["provenance"] == "propagated"]
    assert told
    assert all(row["label"] == row["file_name"].split("/")[0] for row in told)


@pytest.mark.parametrize("features", ["mfcc", "logmel"])
def test_features_of_score_are_features_here(run, tmp_path, features):
    drums = drum_folder.write_drums(tmp_path / "two", kinds=("hat", "kick"))
    result = run("label", "propagate", drums, *table(drums), "--features", features)
    assert result.status == 0, result.err
    assert all(row["label"] == row["file_name"].split("/")[0] for row in result.rows[:-1])


def test_the_csv_is_a_table_of_labels_that_the_command_itself_reads(run, drums):
    text = run("label", "propagate", drums, *quick_table(drums), "--csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 18
    (drums / "all.csv").write_text(text)
    again = run("label", "audit", drums, "--labels", drums / "all.csv", "--least", "1", "--features", "mfcc")
    assert again.rows[-1]["labelled"] == 18


def test_what_is_less_sure_than_asked_for_is_not_told(run, drums):
    result = run("label", "propagate", drums, *table(drums), "--abstain", "1")
    told = [row for row in result.rows[:-1] if row["status"] == "abstained"]
    assert len(told) + result.rows[-1]["propagated"] == 6
    for row in told:
        assert row["label"] is None
        assert row["best"] == row["file_name"].split("/")[0]
        assert row["reason"] == "is less sure than 1"
    # no number of labels makes sure of the next clip
    assert len(told) == 6
    assert {row["provenance"] for row in result.rows[:-1] if row["confidence"] == 1.0} == {"human"}


def test_labels_of_rows_on_a_pipe_and_of_a_data_set_are_metadata(run, drums, data_set):
    rows = run("label", "propagate", drums, *quick_table(drums)).out
    result = run("label", "propagate", "-", "--labels", "metadata", "--features", "mfcc", stdin=rows)
    assert result.status == 0, result.err
    assert result.rows[-1]["human"] == 18
    folder = data_set(12, label=["left", "right", None], frames=[400, 800, 400])
    result = run("label", "propagate", folder, "--labels", "metadata", "--features", "mfcc")
    assert result.status == 0, result.err
    assert (result.rows[-1]["human"], result.rows[-1]["propagated"]) == (8, 4)


def test_bad_sounds_cost_themselves_and_silence_is_told_nothing(run, drums):
    (drums / "bad.wav").write_bytes(b"RIFF....no sound at all")
    (drums / "text.wav").write_text("hello")
    soundfile.write(drums / "silence.wav", np.zeros((800, 2)), 16_000)
    soundfile.write(drums / "one.wav", np.full((1, 2), 0.5), 16_000)
    result = run("label", "propagate", drums, *table(drums))
    assert result.status == 3
    summary = result.rows[-1]
    assert summary["refused"] == 2
    assert summary["human"] + summary["propagated"] + summary["abstained"] == len(result.rows) - 1
    assert "bad.wav" in result.err
    assert "text.wav" in result.err
    by_name = {row["file_name"]: row for row in result.rows[:-1]}
    assert by_name["silence.wav"]["status"] == "abstained"
    assert by_name["silence.wav"]["reason"] == "is silent"
    assert by_name["one.wav"]["label"] in ("hat", "kick", "tom", None)
    assert run("label", "propagate", drums, *quick_table(drums), "--strict").status == 4


def test_labels_of_files_that_are_not_there_are_told(run, drums):
    with (drums / "labels.csv").open("a") as file:
        file.write("kick/gone.wav,kick,a\n../outside.wav,kick,a\n")
    result = run("label", "propagate", drums, *quick_table(drums))
    assert result.status == 3
    assert "kick/gone.wav: is labelled and not there" in result.err
    assert "outside.wav" in result.err
    # those of other folders are nobody's fault
    assert run("label", "propagate", drums / "kick", drums / "hat", *quick_table(drums)).status == 3
    assert "tom" not in run("label", "propagate", drums / "kick", drums / "hat", *quick_table(drums)).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "nowhere.csv"], "nowhere.csv"),
        (["--labels", "{table}", "--label-column", "kind"], "has no column 'kind' (columns: label, machine)"),
        (["--labels", "{table}", "--label-column", "machines"], "has no column"),
        (["--labels", "{one}"], "gives the clips one label, 'kick': two or more are needed"),
        (["--labels", "metadata"], "has no column 'label'"),
        (["--labels", "{table}", "--method", "magic"], "unknown propagation 'magic'"),
        (["--labels", "{table}", "--space", "moon"], "--space 'moon': choose from embedding, pca, tsne, umap"),
        (["--labels", "{table}", "--features", "smell"], "--features 'smell': choose from portrait"),
        (["--labels", "{table}", "--dimensions", "2"], "--dimensions goes with --space"),
        (["--labels", "{table}", "--neighbours", "3"], "kernel-machine asks all clips"),
        (["--labels", "{table}", "--radius", "3"], "--radius goes with --method radius"),
        (["--labels", "{table}", "--method", "radius", "--radius", "0"], "--radius 0.0: must be above 0"),
        (["--labels", "{table}", "--method", "assisted"], "--method assisted needs --model RUN"),
        (["--labels", "{table}", "--model", "run"], "go with --method assisted"),
        (["--labels", "{table}", "--abstain", "2"], "--abstain 2.0: must be from 0 to 1"),
        (["--labels", "{table}", "--abstain", "nan"], "--abstain nan"),
        (["--labels", "{table}", "--share", "0.5"], "--share and --group go with --evaluate"),
        (["--labels", "{table}", "--evaluate", "--share", "1"], "--share 1.0: must be above 0 and under 1"),
        (["--labels", "{table}", "--evaluate", "--group", "maker"], "has no column 'maker'"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_in_one_line(run, drums, words, said):
    (drums / "one.csv").write_text("file_name,label\nkick/kick-0.wav,kick\nkick/kick-1.wav,kick\n")
    places = {"table": drums / "labels.csv", "one": drums / "one.csv"}
    result = run("label", "propagate", drums, *(word.format(**places) for word in words))
    assert result.status == 2
    assert said in result.err
    assert result.err.count("\n") == 1


def test_without_sources_sounds_or_a_table_nothing_is_done(run, tmp_path, drums):
    (tmp_path / "empty").mkdir()
    assert run("label", "propagate", *table(drums)).status == 2
    assert run("label", "propagate", tmp_path / "empty", *table(drums)).status == 4
    assert run("label", "propagate", drums).status == 2
    assert "choose from label predict, label propagate, label audit" in run("label", "guess").err


def test_evaluation_hides_labels_and_tells_how_often_they_are_told_right(run, drums, monkeypatch):
    monkeypatch.setattr(label_evaluate, "_REPEATS", 2)
    drum_folder.write_drums(drums, labelled=6)
    words = ["label", "propagate", drums, *table(drums), "--evaluate", "--share", "0.5", "--group", "machine"]
    result = run(*words, "--space", "embedding")
    assert result.status == 0, result.err
    rows = result.rows
    assert {(row["method"], row["neighbours"]) for row in rows} == {
        *((name, count) for name in ("among-nearest", "nearest-labelled", "spreading") for count in (3, 6, 12)),
        ("kernel-machine", None),
    }
    assert {row["by"] for row in rows} == {"file", "machine"}
    best = [row for row in rows if row["method"] == "kernel-machine"]
    assert all(row["accuracy"] == 1.0 and row["labelled"] == 9 for row in best)
    assert all(row["misaligned_accuracy"] < 0.8 for row in best)
    assert "labels and points in different orders" in result.err
    few = run(*words[:3], *table(drums), "--evaluate", "--share", "0.5", "--method", "radius", "--space", "pca")
    assert {(row["space"], row["dimensions"], row["method"]) for row in few.rows} == {("pca", 2, "radius")}


def test_a_tenth_of_ten_labels_is_too_few_to_evaluate(run, tmp_path):
    drums = drum_folder.write_drums(tmp_path / "few", each=3, labelled=3)
    result = run("label", "propagate", drums, *table(drums), "--evaluate")
    assert result.status == 4
    assert "9 labelled clips can be heard: 10 or more are needed" in result.err


def test_a_terminal_shows_a_table_of_labels_and_one_of_figures(run, drums):
    shown = run("label", "propagate", drums, *table(drums), terminal=True).out
    assert "kick-5.wav" in shown
    assert "left_out_accuracy" in shown
    words = ["--evaluate", "--share", "0.5", "--space", "embedding", "--method", "radius"]
    drum_folder.write_drums(drums, labelled=6)
    shown = run("label", "propagate", drums, *table(drums), *words, terminal=True).out
    assert "surest_accuracy by share of labels" in shown
    assert shown.count("radius") == 6
