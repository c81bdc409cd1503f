"""Maps of what a trained model says of clips: another run is not taken for the one that made them."""

import shutil

import drum_folder
import pytest
import toy_family

from stereokit.workflows import label_model


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    drum_folder.stay_here(monkeypatch)
    monkeypatch.setattr(label_model, "map_isolated", drum_folder.in_this_process)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two labellers that embed, the second of other classes."""
    folder = tmp_path_factory.mktemp("runs")
    with toy_family.installed():
        for name, labels in (("first", ("low", "high")), ("second", ("soft", "loud", "none"))):
            counts = {"labels": labels, "label_counts": (3,) * len(labels)}
            toy_family.write_run(folder / name, family="teller", **counts)
        yield folder


def test_a_map_of_a_run_takes_clips_of_that_run_wherever_it_lies_and_of_no_other(run, runs, tmp_path):
    drums, path = drum_folder.write_drums(tmp_path / "drums", each=2), tmp_path / "map.npz"
    first = run("label", "map", drums, "--layout", "pca", "--features", runs / "first", "--save", path)
    assert first.status == 0, first.err
    again = run("label", "map", drums, "--into", path)
    assert [(row["x"], row["y"]) for row in again.rows[:-1]] == [(row["x"], row["y"]) for row in first.rows[:-1]]
    moved = shutil.copytree(runs / "first", tmp_path / "moved")
    assert run("label", "map", drums, "--into", path, "--features", moved).status == 0
    other = run("label", "map", drums, "--into", path, "--features", runs / "second")
    assert (other.status, other.out) == (2, "")
    assert "is another run than the one that this map was made with" in other.err
    named = run("label", "map", drums, "--into", path, "--features", "mfcc")
    assert (named.status, named.out) == (2, "")


def test_on_a_terminal_a_map_is_a_table_of_the_first_clips_and_how_it_was_made(run, runs, tmp_path):
    drums = drum_folder.write_drums(tmp_path / "drums", each=2)
    words = ("--layout", "pca", "--features", runs / "first", "--labels", drums / "labels.csv")
    told = run("label", "map", drums, *words, terminal=True)
    assert told.status == 0
    assert told.out.split()[:4] == ["path", "label", "x", "y"]
    assert "hat-0.wav" in told.out
    assert "layout" in told.out
