"""What CI relies on: documented JSON, the same bytes for the same inputs, baselines, files for CI pages, CSV."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
import toy_family

from stereokit import catalog
from stereokit.workflows import score_sets
from stereokit.workflows.score_schema import schema_line

Run = Callable[..., SimpleNamespace]
SCHEMA = json.loads(schema_line())
RATE = 8000


def make_set(folder: Path, count: int, *, seed: int, width: float = 1.0) -> Path:
    folder.mkdir(parents=True)
    for k in range(count):
        mid, side = np.random.default_rng([seed, k]).uniform(-0.4, 0.4, (2, 800))
        scale = width * np.random.default_rng([seed, k, 1]).uniform(0.1, 1.0)
        soundfile.write(folder / f"{k:02}.wav", np.stack([mid + scale * side, mid - scale * side], axis=1), RATE)
    return folder


@pytest.fixture
def gen(tmp_path: Path) -> Path:
    return make_set(tmp_path / "gen", 8, seed=1)


@pytest.fixture
def ref(tmp_path: Path) -> Path:
    return make_set(tmp_path / "ref", 8, seed=2)


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value: object, name: str) -> bool:
    if name in ("number", "integer"):
        return isinstance(value, int if name == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def faults(value: object, schema: dict, place: str = "$") -> list[str]:
    """List what JSON Schema has against a value; knows the words that the schema uses, and no others."""
    known = {"description", "title", "$schema", "$defs", "$ref", "oneOf", "type", "const", "enum", "required"}
    known |= {"properties", "additionalProperties", "items", "minimum", "maximum", "exclusiveMinimum", "pattern"}
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema:
        return faults(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], place)
    if "oneOf" in schema:
        fits = [one for one in schema["oneOf"] if not faults(value, one, place)]
        return [] if len(fits) == 1 else [f"{place}: fits {len(fits)} forms", *faults(value, schema["oneOf"][0], place)]
    types = schema.get("type", [])
    if types and not any(is_type(value, one) for one in ([types] if isinstance(types, str) else types)):
        return [f"{place}: is no {types}"]
    return [f"{place}: {fault}" for fault in own_faults(value, schema)] + inner_faults(value, schema, place)


def own_faults(value: object, schema: dict) -> list[str]:
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"is not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"is none of {schema['enum']}")
    if isinstance(value, int | float):
        found += ["too low"] * (value < schema.get("minimum", value))
        found += ["too high"] * (value > schema.get("maximum", value))
        found += ["too low"] * ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"is not like {schema['pattern']}")
    return found


def inner_faults(value: object, schema: dict, place: str) -> list[str]:
    found = []
    if isinstance(value, dict):
        found += [f"{place}: lacks {key}" for key in schema.get("required", []) if key not in value]
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            found += faults(item, inner, f"{place}.{key}") if inner else []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += faults(item, schema.get("items", {}), f"{place}[{index}]")
    return found


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--statistics", "--per-clip"],
        ["--per-label", "--sizes", "all", "--fail-if", "cov>0"],
        ["--feature", "logmel", "--length", "0.05"],
        ["--embedding", "RUN", "--per-label"],
        ["--shape", "--drop-silent", "--range", "full"],
        ["--audit", "--train", "TRAIN", "--per-clip"],
        ["--paired", "--per-clip"],
        ["--paired", "--per-clip", "--window", "200"],
        ["--paired", "--per-window", "--window", "200", "--per-clip"],
    ],
)
def test_every_line_is_as_the_schema_says(run: Run, gen: Path, ref: Path, options: list[str]) -> None:
    (gen / "07.wav").unlink()
    (gen / "text.wav").write_text("this is no sound")
    soundfile.write(ref / "mono.wav", np.zeros(100), RATE)
    places = {"TRAIN": make_set(gen.parent / "train", 8, seed=5), "RUN": toy_family.write_run(gen.parent / "run")}
    with toy_family.installed():
        rows = run("score", gen, ref, *[places.get(word, word) for word in options]).rows
    assert rows
    for row in rows:
        assert faults(row, SCHEMA) == []
        kind = row["schema"].removeprefix("stereokit.").removesuffix("/1").rpartition(".")[2]
        assert set(row) <= set(SCHEMA["$defs"][kind]["properties"]) | set(catalog.names("score"))


def test_the_schema_describes_what_is_there_and_refuses_what_is_not(run: Run, gen: Path, ref: Path) -> None:
    row = run("score", gen, ref).rows[0]
    for spoil in (
        {"cov": 1.5},
        {"cov": "0.4"},
        {"schema": "stereokit.score/2"},
        {"gen": {}},
        {"draws": 1.5},
        {"draws": -1},
    ):
        assert faults(row | spoil, SCHEMA), spoil
    assert faults({key: value for key, value in row.items() if key != "nna"}, SCHEMA)


def test_the_schema_is_printed(run: Run) -> None:
    done = run("score", "--schema")
    assert (done.status, json.loads(done.out)) == (0, SCHEMA)


def test_copied_folders_and_other_processes_change_no_byte_but_the_paths(
    run: Run, gen: Path, ref: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_sets, "_INLINE_CLIPS", 3)
    (ref / "07.wav").unlink()
    words = ("--statistics", "--per-clip", "--seed", 5)
    first = run("score", gen, ref, *words, "--jobs", 1)
    assert first.out == run("score", gen, ref, *words, "--jobs", 1).out
    assert first.out == run("score", gen, ref, *words, "--jobs", 2).out
    for folder in (gen, ref):
        copy = tmp_path / "elsewhere" / folder.name
        copy.mkdir(parents=True)
        for path in sorted(folder.iterdir(), reverse=True):
            shutil.copy(path, copy)
    moved = run("score", tmp_path / "elsewhere" / "gen", tmp_path / "elsewhere" / "ref", *words).out
    assert moved.replace(f"{tmp_path}/elsewhere/", f"{tmp_path}/") == first.out


def test_swapped_sets_have_one_1nna_and_the_yardstick_decides_the_rest(run: Run, gen: Path, tmp_path: Path) -> None:
    narrow = make_set(tmp_path / "narrow", 8, seed=3, width=0.2)
    one, other = run("score", gen, narrow).rows[0], run("score", narrow, gen).rows[0]
    assert (one["yardstick"], other["yardstick"]) == ("ref", "ref")
    assert one["nna"] == other["nna"]
    assert one["mmd"] < other["mmd"], "wide clips have no near neighbour among narrow ones"
    assert [row["notes"][0].startswith("REF is the yardstick") for row in (one, other)] == [True, True]


def test_small_sets_are_called_small_in_words(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    row = run("score", gen, ref).rows[0]
    assert any("8 + 8 clips are few" in note for note in row["notes"])
    assert row["verdict"].startswith("no difference was found")
    one, two = make_set(tmp_path / "one", 1, seed=1), make_set(tmp_path / "two", 1, seed=2)
    row = run("score", one, two).rows[0]
    assert any("1 + 1 clips are too few" in note for note in row["notes"])
    assert row["verdict"].startswith("too few clips")


def test_sets_that_differ_are_called_different_and_copies_copies(run: Run, gen: Path, tmp_path: Path) -> None:
    narrow = make_set(tmp_path / "narrow", 8, seed=3, width=0.01)
    row = run("score", gen, narrow).rows[0]
    assert row["verdict"].startswith("the sets differ")
    assert row["nna_p"] < 0.01
    row = run("score", gen, gen).rows[0]
    assert row["verdict"].startswith("the sets are more alike than chance allows")
    assert row["nna_p"] == 1.0


def test_a_result_is_kept_and_compared_with(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    done = run("score", gen, ref, "--save", kept)
    assert kept.read_text() == done.out
    narrow = make_set(tmp_path / "narrow", 8, seed=3, width=0.01)
    for folder, status in ((gen, 0), (narrow, 1)):
        words = ("score", folder, ref, "--baseline", kept, "--fail-if", "mmd>1.1*baseline.mmd")
        done = run(*words)
        assert done.status == status
        assert done.rows[0]["baseline"]["mmd"] == json.loads(kept.read_text())["mmd"]
    assert "mmd is " in done.err
    assert "1.1*baseline.mmd is " in done.err
    assert done.rows[0]["failed_checks"] == ["mmd>1.1*baseline.mmd"]


def test_the_baseline_may_be_the_file_that_is_written(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    run("score", gen, ref, "--save", kept)
    before = json.loads(kept.read_text())
    done = run("score", ref, gen, "--baseline", kept, "--save", kept, "--fail-if", "baseline.gen.used!=8")
    assert done.status == 0
    assert done.rows[0]["baseline"]["cov"] == before["cov"]
    assert json.loads(kept.read_text()) == done.rows[0]


def test_a_baseline_of_other_sizes_is_told_and_of_other_settings_refused(
    run: Run, gen: Path, ref: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    run("score", gen, ref, "--save", kept)
    (gen / "00.wav").unlink()
    notes = run("score", gen, ref, "--baseline", kept).rows[0]["notes"]
    assert any("the baseline has 8 + 8 clips, this result 7 + 7" in note for note in notes)
    done = run("score", gen, ref, "--baseline", kept, "--feature", "std")
    assert (done.status, done.out) == (4, "")
    assert 'feature "stsd"' in done.err
    assert '"std"' in done.err


@pytest.mark.parametrize(
    ("text", "status"),
    [(None, 2), ("", 4), ("{}", 4), ("[1]", 4), ("nonsense", 4), ('{"schema": "stereokit.score/9"}', 4)],
)
def test_what_is_no_baseline_stops_before_any_work(run: Run, tmp_path: Path, text: str | None, status: int) -> None:
    if text is not None:
        (tmp_path / "kept.json").write_text(text)
    done = run("score", tmp_path / "absent", tmp_path / "absent", "--baseline", tmp_path / "kept.json")
    assert (done.status, done.out) == (status, "")
    assert "kept.json" in done.err
    assert "absent" not in done.err


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("covv<1", "nna_p"),
        ("mmd>1.1*baseline.mmd", "--baseline FILE"),
        ("mmd_p<0.01", "--statistics"),
        ("interval.cov.high<0.5", "--statistics"),
        ("memorisation.z>3", "--train DIR"),
        ('__import__("os")', "KEY<NUMBER"),
    ],
)
def test_a_check_that_cannot_be_made_says_what_it_needs(run: Run, tmp_path: Path, check: str, told: str) -> None:
    done = run("score", tmp_path / "absent", tmp_path / "absent", "--fail-if", check)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_checks_reach_into_what_statistics_add(run: Run, gen: Path, ref: Path) -> None:
    words = ("--statistics", "--fail-if", "mmd_p<0", "--fail-if", "interval.cov.low>=cov", "--fail-if", "nna_p<0.0001")
    done = run("score", gen, ref, *words)
    assert (done.status, done.rows[0]["failed_checks"]) == (0, [])
    assert done.rows[0]["permutations"] == {"nna": 10_000, "mmd": 999}


def test_junit_has_a_case_a_check_and_escapes_what_it_quotes(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    (gen / "a<&\x01é.wav").write_text("this is no sound")
    place = tmp_path / "junit.xml"
    assert run("score", gen, ref, "--junit", place, "--fail-if", "cov>0", "--fail-if", "mmd<0").status == 1
    suite = ET.fromstring(place.read_text())[0]  # noqa: S314 - written a line above
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    cases = {case.get("name"): case.findall("failure") for case in suite}
    assert list(cases) == ["inputs", "--fail-if cov>0", "--fail-if mmd<0"]
    assert [len(found) for found in cases.values()] == [1, 1, 0]
    assert "a<&" in cases["inputs"][0].text
    assert cases["--fail-if cov>0"][0].get("message").startswith("cov is ")


def test_markdown_has_scores_checks_and_no_live_markup(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    folder = gen.rename(tmp_path / "g|<b>`x`")
    place = tmp_path / "summary.md"
    assert run("score", folder, ref, "--markdown", place, "--statistics", "--fail-if", "cov>0").status == 1
    text = place.read_text()
    assert text.startswith("### stereokit score: no difference was found")
    (cov,) = (line for line in text.splitlines() if line.startswith("| COV"))
    assert cov.count("|") == 7
    assert " to " in cov
    assert "| cov&gt;0 | fails | cov is " in text
    assert "<b>" not in text


def test_markdown_has_the_figures_of_vectors_and_the_labels(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    kept, place = tmp_path / "kept.json", tmp_path / "summary.md"
    for folder in (gen, ref):
        rows = [{"file_name": f"{k:02}.wav", "label": "a|b" if k < 4 else "c"} for k in range(8)]
        (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("score", gen, ref, "--feature", "mfcc")
    run(*words, "--save", kept)
    *labels, row = run(*words, "--per-label", "--baseline", kept, "--markdown", place).rows
    lines = {line.split(" | ")[0]: line for line in place.read_text().splitlines()}
    frechet, kernel = row["frechet"]["value"], row["kernel_mmd"]
    assert lines["| Frechet distance, squared"].endswith(f" | {frechet:.4g} |  |  |  | {frechet:.4g} |")
    told = f"{kernel['value']:.4g} | 0 |  | standard error {kernel['standard_error']:.4g} | {kernel['value']:.4g} |"
    assert lines["| kernel MMD"].endswith(told)
    assert "| label | n_gen | n_ref | COV | expected" in place.read_text().replace("\\", "")
    assert [label["label"] for label in labels] == ["a|b", "c"]
    assert f"| {labels[0]['n_gen']} | {labels[0]['n_ref']} | {labels[0]['cov']:.4g} |" in lines["| a\\|b"]


def test_two_outputs_in_one_file_are_refused_before_any_work(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.html").symlink_to(tmp_path / "page.html")
    for first, second in (
        (("--save", "page.html"), ("--report", "page.html")),
        (("--junit", "a"), ("--markdown", "sub/../a")),
        (("--report", "page.html"), ("--markdown", "link.html")),
        (("--plot", "p.png"), ("--save", "p.png")),
    ):
        words = [part for option, name in (first, second) for part in (option, tmp_path / name)]
        done = run("score", tmp_path / "absent", tmp_path / "absent", *words)
        assert (done.status, done.out) == (2, "")
        assert all(option in done.err for option, _ in (first, second))


def test_files_are_replaced_whole_and_a_missing_folder_stops_before_any_work(
    run: Run, gen: Path, ref: Path, tmp_path: Path
) -> None:
    for option in ("--save", "--junit", "--markdown"):
        place = tmp_path / f"file{option}"
        place.write_text("before")
        assert run("score", gen, ref, option, place).status == 0
        assert "before" not in place.read_text()
        done = run("score", gen / "absent", ref, option, tmp_path / "absent" / "file")
        assert (done.status, done.out) == (74, "")
        assert "its folder is missing" in done.err
        assert run("score", gen, ref, option, tmp_path).status == 74
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_csv_has_a_header_and_a_row_a_result_or_a_clip(run: Run, gen: Path, ref: Path) -> None:
    row = run("score", gen, ref).rows[0]
    (line,) = csv.DictReader(io.StringIO(run("score", gen, ref, "--csv").out))
    assert float(line["mmd"]) == row["mmd"]
    assert line["gen.used"] == "8"
    assert line["label"] == line["mmd_p"] == ""
    assert line["gen.given"] == str(gen)
    for terminal in (False, True):
        lines = list(csv.DictReader(io.StringIO(run("score", gen, ref, "--csv", "--per-clip", terminal=terminal).out)))
        assert [Path(one["path"]).name for one in lines if one["set"] == "ref"] == [f"{k:02}.wav" for k in range(8)]
        assert len(lines) == 16


def test_csv_and_json_at_once_are_a_usage_error(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--csv", "--json")
    assert (done.status, done.out) == (2, "")
    assert "--csv" in done.err


def test_a_terminal_is_told_the_verdict_and_the_statistics(run: Run, gen: Path, ref: Path) -> None:
    out = run("score", gen, ref, "--statistics", terminal=True).out
    assert "no difference was found" in out
    assert "95 % interval of COV" in out
    assert "REF is the yardstick" in out


def test_the_default_needs_no_compiled_code(gen: Path, ref: Path) -> None:
    code = (
        "import sys; sys.argv = ['stereokit', *sys.argv[1:]]\nfrom stereokit.cli.app import main\ntry:\n    main()\n"
        "finally:\n    print([name for name in ('numba', 'torch', 'scipy') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "score", str(gen), str(ref)], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_a_reader_that_leaves_is_no_fault(gen: Path, ref: Path) -> None:
    line = f"{sys.executable} -m stereokit score {gen} {ref} --per-clip | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) in ((141, ""), (0, ""))
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("options", [[], ["--window", "200"], ["--window", "900", "--fail-if", "pairs<1"]])
def test_every_line_of_pairs_is_as_the_schema_says(run: Run, gen: Path, ref: Path, options: list[str]) -> None:
    (gen / "07.wav").unlink()
    rows = run("score", gen, ref, "--paired", "--per-clip", *options).rows
    assert len(rows) == 8
    for row in rows:
        assert faults(row, SCHEMA) == []
        assert set(row) <= set(SCHEMA["$defs"]["pair" if "target" in row else "paired"]["properties"])


def test_an_audit_names_clips_that_are_not_what_they_seem(run: Run, gen: Path, ref: Path) -> None:
    mid = np.random.default_rng(9).uniform(-0.4, 0.4, 800)
    for name, left, right in (
        ("inverted", mid, -mid),
        ("dual", mid, mid),
        ("one", mid, 0 * mid),
        ("hot", mid * 9, mid),
    ):
        soundfile.write(gen / f"{name}.wav", np.clip(np.stack([left, right], axis=1), -1, 1), RATE)
    shutil.copy(gen / "00.wav", gen / "again.wav")
    shutil.copy(gen / "01.wav", ref / "stolen.wav")
    words = ("--audit", "--fail-if", "audit.gen.counts.inverted>0", "--fail-if", "audit.ref.counts.inverted>0")
    done = run("score", gen, ref, *words)
    audit = done.rows[0]["audit"]
    assert (done.status, done.rows[0]["failed_checks"]) == (1, ["audit.gen.counts.inverted>0"])
    names = {key: [Path(path).stem for path in paths] for key, paths in audit["gen"]["paths"].items()}
    assert [names[key] for key in ("inverted", "dual_mono", "one_sided", "clipped", "mono")] == [
        ["inverted"],
        ["dual"],
        ["one"],
        ["hot"],
        [],
    ]
    assert audit["gen"]["counts"]["duplicates"] == 1
    assert audit["gen"]["duplicates"][0]["path"] == str(gen / "again.wav")
    assert audit["duplicates_across"] == [{"path": str(gen / "01.wav"), "original": str(ref / "stolen.wav")}]
    assert sum(audit["gen"]["image_classes"].values()) == 13
    brief = run("score", gen, ref).rows[0]
    assert brief["audit"]["gen"] == {**audit["gen"], "paths": None, "duplicates": None}
    assert brief["audit"]["duplicates_across"] is None
    told = "gen holds 1 dual mono, 1 inverted, 1 one sided, 1 clipped, 1 duplicates"
    assert [note for note in brief["notes"] if "holds" in note] == [f"{told}: see --audit"]
    assert told in done.rows[0]["notes"]


def test_copied_training_clips_are_found_and_honest_clips_are_not(run: Run, ref: Path, tmp_path: Path) -> None:
    train, honest = make_set(tmp_path / "train", 30, seed=7), make_set(tmp_path / "honest", 8, seed=8)
    row = run("score", honest, ref, "--train", train).rows[0]["memorisation"]
    assert (row["copies"], row["reference_copies"], row["n_train"]) == (0, 0, 30)
    assert 0.2 < row["nearer"] < 0.8
    thief = tmp_path / "thief"
    thief.mkdir()
    for path in sorted(train.iterdir())[:8]:
        shutil.copy(path, thief)
    done = run("score", thief, ref, "--train", train, "--fail-if", "memorisation.z>3")
    row = done.rows[0]["memorisation"]
    assert (done.status, row["copies"], row["suspects"], row["nearer"]) == (1, 8, 8, 1.0)
    assert {Path(one["path"]).name for one in row["nearest"]} == {Path(one["train"]).name for one in row["nearest"]}
    assert "8 generated clips are exact copies of training clips" in done.err
    done = run("score", honest, train, "--train", train)
    assert "30 reference clips are training clips" in done.err


def test_a_refused_training_clip_is_told_and_an_empty_training_set_stops(run: Run, gen: Path, ref: Path) -> None:
    train = make_set(gen.parent / "train", 3, seed=7)
    (train / "text.wav").write_text("this is no sound")
    done = run("score", gen, ref, "--train", train)
    assert (done.status, [one["set"] for one in done.rows[0]["failed"]]) == (3, ["train"])
    empty = gen.parent / "empty"
    empty.mkdir()
    done = run("score", gen, ref, "--train", empty)
    assert (done.status, done.out) == (4, "")
    assert "no usable clip in the train set" in done.err


def test_a_device_that_is_not_there_stops_before_any_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = run("score", tmp_path / "absent", tmp_path / "absent", "--device", "cuda")
    assert (done.status, done.out) == (5, "")
    assert "--device cuda" in done.err
    monkeypatch.setitem(sys.modules, "stereokit.training.device", None)
    done = run("score", tmp_path / "absent", tmp_path / "absent", "--device", "cuda")
    assert (done.status, done.out) == (5, "")
    assert "stereokit[train]" in done.err


@pytest.mark.gpu
def test_an_accelerator_gives_the_same_figures(run: Run, gen: Path, ref: Path) -> None:
    one, two = (run("score", gen, ref, "--device", device).rows[0] for device in ("cpu", "cuda"))
    assert one.keys() == two.keys()
    for name in ("cov", "mmd", "nna", "nna_p"):
        assert two[name] == pytest.approx(one[name], rel=1e-12)
