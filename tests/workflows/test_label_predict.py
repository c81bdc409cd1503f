"""``stereokit label predict``: words to rows, and clips into folders."""

import csv
import io
import json

import drum_folder
import numpy as np
import pytest
import soundfile
import torch
import toy_family

from stereokit.workflows import label_model


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    drum_folder.stay_here(monkeypatch)
    monkeypatch.setattr(label_model, "map_isolated", drum_folder.in_this_process)


@pytest.fixture
def drums(tmp_path):
    return drum_folder.write_drums(tmp_path / "drums", each=2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A labeller of two classes, and a family that tells no labels."""
    folder = tmp_path_factory.mktemp("runs")
    with toy_family.installed():
        labels = {"labels": ("low", "high"), "label_counts": (3, 3)}
        toy_family.write_run(folder / "teller", family="teller", **labels)
        toy_family.write_run(folder / "toy")
        yield folder


def test_a_row_a_clip_says_label_probability_margin_and_second_choice(run, runs, drums):
    result = run("label", "predict", runs / "teller", drums)
    assert result.status == 0, result.err
    *rows, summary = result.rows
    assert [row["file_name"] for row in rows] == [
        f"{kind}/{kind}-{n}.wav" for kind in ("hat", "kick", "tom") for n in (0, 1)
    ]
    for row in rows:
        assert {row["label"], row["second"]} == {"low", "high"}
        assert row["probability"] + row["second_probability"] == pytest.approx(1.0)
        assert row["margin"] == pytest.approx(row["probability"] - row["second_probability"])
    assert summary["clips"] == 6
    assert sum(summary["labels"].values()) == 6
    assert summary["classes"] == ["low", "high"]
    assert summary["family"] == "teller"


def test_what_is_told_of_a_clip_does_not_depend_on_the_others(run, runs, drums):
    together = {
        row["file_name"]: row["probability"] for row in run("label", "predict", runs / "teller", drums).rows[:-1]
    }
    alone = run("label", "predict", runs / "teller", drums / "kick" / "kick-1.wav").rows[0]
    assert alone["probability"] == together["kick/kick-1.wav"]


def test_unsure_and_silent_clips_get_no_label(run, runs, drums):
    soundfile.write(drums / "silence.wav", np.zeros((800, 2)), 16_000)
    result = run("label", "predict", runs / "teller", drums, "--abstain", "1")
    rows = {row["file_name"]: row for row in result.rows[:-1]}
    assert result.rows[-1]["abstained"] == 7
    assert rows["silence.wav"]["reason"] == "is silent"
    assert rows["kick/kick-0.wav"]["label"] is None
    assert rows["kick/kick-0.wav"]["best"] in ("low", "high")
    assert rows["kick/kick-0.wav"]["status"] == "abstained"


def test_bad_sounds_are_a_line_each_and_a_mono_click_is_a_clip(run, runs, drums):
    (drums / "bad.wav").write_bytes(b"no sound")
    soundfile.write(drums / "six.wav", np.full((100, 6), 0.5), 16_000)
    soundfile.write(drums / "click.wav", np.array([0.5, 0.0, 0.0, 0.0]), 16_000)
    result = run("label", "predict", runs / "teller", drums)
    assert result.status == 3
    assert "bad.wav" in result.err
    assert "six.wav: has 6 channels" in result.err
    assert result.rows[-1]["refused"] == 2
    assert any(row["file_name"] == "click.wav" for row in result.rows[:-1])
    assert run("label", "predict", runs / "teller", drums, "--strict").status == 4
    assert run("label", "predict", runs / "teller", drums / "bad.wav").status == 4


def test_clips_are_sorted_into_a_folder_a_label_with_metadata_that_says_so(run, runs, drums, tmp_path):
    words = ["label", "predict", runs / "teller", drums, "--sort-into", tmp_path / "sorted"]
    dry = run(*words, "--dry-run")
    assert dry.rows[-1]["status"] == "dry run"
    assert not (tmp_path / "sorted").exists()
    result = run(*words)
    assert result.status == 0, result.err
    lines = [json.loads(line) for line in (tmp_path / "sorted" / "metadata.jsonl").read_text().splitlines()]
    assert len(lines) == 6
    for row in result.rows[:-1]:
        copy = tmp_path / "sorted" / row["label"]
        assert row["sorted_path"].startswith(str(copy))
        assert (tmp_path / row["sorted_path"]).read_bytes() == (drums / row["file_name"]).read_bytes()
    assert all((tmp_path / "sorted" / line["file_name"]).parent.name == line["label"] for line in lines)
    assert {line["source"] for line in lines} == {row["file_name"] for row in result.rows[:-1]}
    again = run(*words)
    assert again.status == 2
    assert "is not empty; --force adds to it" in again.err
    more = drum_folder.write_drums(tmp_path / "more", each=1, kinds=("ride",))
    added = run("label", "predict", more, "--from-names", "--sort-into", tmp_path / "sorted", "--force")
    assert added.status == 0, added.err
    assert len((tmp_path / "sorted" / "metadata.jsonl").read_text().splitlines()) == 7


def test_links_lead_to_the_sounds_themselves(run, drums, tmp_path):
    result = run("label", "predict", "--from-names", drums, "--sort-into", tmp_path / "links", "--link")
    assert result.status == 0, result.err
    links = sorted((tmp_path / "links").rglob("*.wav"))
    assert len(links) == 6
    assert all(link.is_symlink() and link.resolve().is_relative_to(drums.resolve()) for link in links)


def test_names_are_weak_labels_without_a_model(run, drums, tmp_path):
    soundfile.write(drums / "Cowbell.wav", np.full((100, 2), 0.1), 16_000)
    result = run("label", "predict", "--from-names", drums)
    assert result.status == 0, result.err
    rows = {row["file_name"]: row for row in result.rows[:-1]}
    assert rows["kick/kick-0.wav"]["label"] == "kick"
    assert rows["kick/kick-0.wav"]["word"] == "kick"
    assert rows["Cowbell.wav"]["status"] == "abstained"
    assert rows["Cowbell.wav"]["reason"] == "its name names no label"
    (tmp_path / "words.csv").write_text("word,label\ncowbell,bell\n")
    own = run("label", "predict", "--from-names", drums, "--synonyms", tmp_path / "words.csv", "--csv")
    labels = {row["file_name"]: row["label"] for row in csv.DictReader(io.StringIO(own.out))}
    assert labels["Cowbell.wav"] == "bell"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{drums}"], "give RUN and SRC"),
        (["{runs}/toy", "{drums}"], "label predict needs a labeller, and toy is none"),
        (["{runs}/teller", "{drums}", "--abstain", "1.5"], "--abstain 1.5: must be from 0 to 1"),
        (["{runs}/teller", "{drums}", "--link"], "go with --sort-into"),
        (["{runs}/teller", "{drums}", "--sort-into", "{drums}/sorted"], "whose sounds are read"),
        (["{runs}/teller", "{drums}", "--sort-into", "{drums}/labels.csv"], "whose sounds are read"),
        (["{runs}/teller", "{drums}", "--synonyms", "x.csv"], "--synonyms goes with --from-names"),
        (["--from-names", "{drums}", "--abstain", "0.5"], "a name says no probability"),
        (["{runs}/teller", "{drums}/nowhere"], "nowhere"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(run, runs, drums, words, said):
    result = run("label", "predict", *(word.format(drums=drums, runs=runs) for word in words))
    assert result.status == 2
    assert said in result.err


def test_what_is_no_run_is_refused(run, drums, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("label", "predict", tmp_path / "empty", drums)
    assert result.status == 4
    assert "is no run" in result.err


def test_the_model_assists_a_propagation_and_embeds_for_it(run, runs, tmp_path):
    drums = drum_folder.write_drums(tmp_path / "two", kinds=("hat", "kick"))
    text = (drums / "labels.csv").read_text()
    (drums / "labels.csv").write_text(text.replace(",hat,", ",high,").replace(",kick,", ",low,"))
    words = ["label", "propagate", drums, "--labels", drums / "labels.csv"]
    assisted = run(*words, "--method", "assisted", "--model", runs / "teller", "--predicted-weight", "0.1")
    assert assisted.status == 0, assisted.err
    assert assisted.rows[-1]["propagated"] == 4
    embedded = run(*words, "--features", runs / "teller")
    assert embedded.status == 0, embedded.err
    (drums / "labels.csv").write_text(text)
    unknown = run(*words, "--method", "assisted", "--model", runs / "teller")
    assert unknown.status == 2
    assert "does not know hat, kick, only low, high" in unknown.err


def test_a_model_that_says_how_it_cuts_and_pads_takes_clips_of_any_length_together(run, runs, drums, monkeypatch):
    soundfile.write(drums / "long.wav", np.full((9_000, 2), 0.25), 16_000)
    sizes = []

    def fitted(self, wave):
        cut = wave[..., : self.frames]
        return torch.nn.functional.pad(cut, (0, self.frames - cut.shape[-1]))

    def label(self, wave):
        sizes.append(tuple(wave.shape))
        return told(self, wave)

    told = toy_family.Teller.label
    monkeypatch.setattr(toy_family.Teller, "fitted", fitted, raising=False)
    monkeypatch.setattr(toy_family.Teller, "label", label)
    together = {row["path"]: row["probability"] for row in run("label", "predict", runs / "teller", drums).rows[:-1]}
    assert sizes == [(32, 2, 800)]
    alone = run("label", "predict", runs / "teller", drums / "long.wav").rows[0]
    assert alone["probability"] == together[str(drums / "long.wav")]
