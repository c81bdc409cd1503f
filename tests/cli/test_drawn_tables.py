"""Rows as a person reads them."""

from pathlib import Path


def make_set(run, folder: Path) -> Path:
    assert run("prep", "--synth", "drums", "--count", 40, "-o", folder, "--split", "0.5,0,0.5").status == 0
    return folder


def test_a_score_by_label_tells_the_unlabelled_from_all(run, tmp_path: Path) -> None:
    folder = make_set(run, tmp_path / "ds")
    lines = (folder / "metadata.jsonl").read_text().replace('"label": "kick"', '"label": null')
    (folder / "metadata.jsonl").write_text(lines)
    out = run("score", folder / "train", folder / "test", "--per-label", terminal=True).out.splitlines()
    titles, *rows = [line for line in out if line][:10]
    assert titles.split()[:4] == ["label", "n_gen", "n_ref", "COV"]
    names = [row.split("  ")[0].strip() for row in rows]
    assert names[0] == "(no label)"
    assert names[-1] == "all"
    assert "kick" not in names


def test_figures_of_vectors_have_a_table_of_their_own_where_there_are_any(run, tmp_path: Path) -> None:
    folder = make_set(run, tmp_path / "ds")
    words = ("score", folder / "train", folder / "test", "--per-label")
    lines = run(*words, "--feature", "mfcc", terminal=True).out.splitlines()
    (title,) = (number for number, line in enumerate(lines) if "Frechet distance" in line)
    assert "kernel MMD  expected  standard error" in lines[title]
    rows = run(*words, "--feature", "mfcc").rows
    # A label with one clip on a side has no such figures.
    names = [row["label"] or "all" for row in rows if row["frechet"]]
    drawn = {line.split()[0]: line.split()[1:] for line in lines[title + 1 : title + 1 + len(names)]}
    assert list(drawn) == names
    frechet, kernel = rows[-1]["frechet"], rows[-1]["kernel_mmd"]
    assert drawn["all"] == [f"{one:.4g}" for one in (frechet["value"], kernel["value"], 0, kernel["standard_error"])]
    assert "Frechet" not in run(*words, terminal=True).out


def test_a_data_set_is_drawn_as_counts_by_label_and_split(run, tmp_path: Path) -> None:
    out = run("prep", "--synth", "drums", "--count", 40, "-o", tmp_path / "ds", terminal=True).out.splitlines()
    assert out[0].split() == ["label", "train", "validation", "test", "total"]
    totals = next(line.split() for line in out if line.startswith("all"))
    assert totals[-1] == "40"
    assert sum(map(int, totals[1:-1])) == 40
    assert any(line.startswith("done: ") for line in out)
