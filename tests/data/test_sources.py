"""What is found in folders, lists, manifests and pipes, in which order, and what is refused by name."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.data.sources import Found, find_sources
from stereokit.errors import BadInputError, UsageError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")


def keys(found: Found) -> list[str]:
    return [source.key for source in found.sources]


def reasons(found: Found) -> dict[str, str]:
    return {Path(refusal.path).name: refusal.reason for refusal in found.refused}


def test_a_folder_is_searched_recursively_for_sounds_of_every_suffix_and_case(tmp_path: Path) -> None:
    touch(tmp_path, "a.WAV", "b/c.flac", "b/d/e.ogg", "b/d/f.Aiff", "notes.txt", "cover.png", "wav", "b/labels.csv")
    found = find_sources(str(tmp_path))
    assert keys(found) == ["a.WAV", "b/c.flac", "b/d/e.ogg", "b/d/f.Aiff"]
    assert {source.root for source in found.sources} == {tmp_path.name}
    assert all(source.path == tmp_path / source.key for source in found.sources)


def test_sources_come_in_the_order_of_their_path_bytes(tmp_path: Path) -> None:
    touch(tmp_path, "é.wav", "z.wav", "Z.wav", "a/x.wav", "a.wav", "a b.wav", "🥁.wav", "10.wav", "9.wav")
    # "/" is byte 0x2f: after the blank (0x20) and the dot (0x2e)
    assert keys(find_sources(str(tmp_path))) == [
        "10.wav",
        "9.wav",
        "Z.wav",
        "a b.wav",
        "a.wav",
        "a/x.wav",
        "z.wav",
        "é.wav",
        "🥁.wav",
    ]


def test_hidden_files_and_hidden_folders_are_not_sources_but_a_hidden_folder_can_be_given(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", ".b.wav", "._a.wav", ".git/c.wav", "x/.stereokit-new/train/d.wav")
    assert keys(find_sources(str(tmp_path))) == ["a.wav"]
    assert keys(find_sources(str(tmp_path / ".git"))) == ["c.wav"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.wav", "elsewhere/b.wav")
    (tmp_path / "set" / "out").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "set" / "circle").symlink_to(tmp_path / "set", target_is_directory=True)
    found = find_sources(str(tmp_path / "set"))
    assert keys(found) == ["a.wav"]
    assert not found.refused


def test_links_to_files_inside_are_kept_and_those_that_leave_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.wav", "secret.wav")
    (tmp_path / "set" / "inside.wav").symlink_to("a.wav")
    (tmp_path / "set" / "leaves.wav").symlink_to("../secret.wav")
    found = find_sources(str(tmp_path / "set"))
    assert keys(found) == ["a.wav", "inside.wav"]
    assert reasons(found) == {"leaves.wav": "is a link that ends outside the source"}


def test_a_source_that_is_itself_a_link_is_searched(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.wav")
    (tmp_path / "set" / "inside.wav").symlink_to("a.wav")
    (tmp_path / "link").symlink_to("set", target_is_directory=True)
    assert keys(find_sources(str(tmp_path / "link"))) == ["a.wav", "inside.wav"]


def test_pipes_and_dangling_and_circular_links_are_refused_without_waiting(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "dangling.wav").symlink_to("gone.wav")
    (tmp_path / "circle.wav").symlink_to("circle.wav")
    found = find_sources(str(tmp_path))
    assert keys(found) == ["a.wav"]
    refused = reasons(found)
    assert set(refused) == {"pipe.wav", "dangling.wav", "circle.wav"}
    assert refused["pipe.wav"] == "is no plain file"
    assert refused["dangling.wav"] == "cannot be read: No such file or directory"
    assert refused["circle.wav"].startswith("cannot be read: ")


def test_a_pipe_given_by_name_or_by_a_list_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "list.txt").write_text("pipe.wav\n")
    for given_ in ("pipe.wav", "list.txt"):
        assert reasons(find_sources(str(tmp_path / given_))) == {"pipe.wav": "is no plain file"}


def test_a_name_that_is_not_utf_8_is_refused_with_a_name_that_can_be_printed(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")).write_bytes(b"sound")
    found = find_sources(str(tmp_path))
    assert keys(found) == ["a.wav"]
    (refusal,) = found.refused
    assert refusal.path == f"{tmp_path}/caf\\udce9.wav"
    assert "not UTF-8" in refusal.reason


def test_sounds_in_a_folder_whose_own_name_is_not_utf_8_are_found(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff"))
    touch(folder, "a.wav")
    (source,) = find_sources(str(folder)).sources
    assert (source.key, source.root) == ("a.wav", "r\\udcff")


def test_a_refused_input_keeps_its_name_as_it_is(tmp_path: Path) -> None:
    for name in ("\x1b[31mred.wav", "rtl\u202egpj.wav", "new\nline.wav"):
        (tmp_path / name).symlink_to("gone")
    assert set(reasons(find_sources(str(tmp_path)))) == {"\x1b[31mred.wav", "new\nline.wav", "rtl\u202egpj.wav"}


def test_a_text_list_is_relative_to_itself_and_may_lead_anywhere(tmp_path: Path) -> None:
    touch(tmp_path, "lists/near.wav", "far.wav", "abs.wav")
    lines = f"near.wav\r\n\r\n../far.wav\r\n   \r\n{tmp_path}/abs.wav\r\nmissing.wav"
    (tmp_path / "lists" / "list.txt").write_bytes(lines.encode())
    found = find_sources(str(tmp_path / "lists" / "list.txt"))
    assert {source.path.resolve().name for source in found.sources} == {"near.wav", "far.wav", "abs.wav"}
    assert {source.root for source in found.sources} == {"list"}
    assert reasons(found) == {"missing.wav": "cannot be read: No such file or directory"}


def test_lists_with_a_byte_order_mark_lose_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.wav\nb.wav\n")
    (tmp_path / "rows.jsonl").write_bytes(b'\xef\xbb\xbf{"file_name": "a.wav"}\n{"file_name": "b.wav"}\n')
    for name in ("list.txt", "rows.jsonl"):
        found = find_sources(str(tmp_path / name))
        assert keys(found) == ["a.wav", "b.wav"]
        assert not found.refused


@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_a_list_that_is_not_utf_8_is_refused_as_a_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"list{suffix}"
    path.write_bytes(b"a.wav\n\xff\n")
    with pytest.raises(BadInputError, match=r"not UTF-8 text \(byte 6\)"):
        find_sources(str(path))


def test_a_manifest_gives_its_columns_to_the_sources(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "train/a.wav", "label": "kick", "tempo": 120.5}\n\n')
    (source,) = find_sources(str(tmp_path / "metadata.jsonl")).sources
    assert (source.key, source.root, source.path) == ("train/a.wav", "metadata", tmp_path / "train/a.wav")
    assert source.row == {"label": "kick", "tempo": 120.5}


HOSTILE_ROWS = [
    "not json",
    "[]",
    "7",
    '"a.wav"',
    "null",
    "{}",
    '{"file_name": null}',
    '{"file_name": ["a.wav"]}',
    '{"file_name": ""}',
    '{"file_name": "."}',
    '{"file_name": "/etc/passwd"}',
    '{"file_name": "../secret.wav"}',
    '{"file_name": "sub/../../secret.wav"}',
    '{"file_name": "sub/../a.wav"}',
    '{"file_name": "C:a.wav"}',
    '{"file_name": "C:\\\\a.wav"}',
    '{"file_name": "\\\\\\\\host\\\\share\\\\a.wav"}',
    '{"file_name": "a.wav\\u0000.txt"}',
    '{"file_name": "\\ud800.wav"}',
    '{"file_name": "circle/a.wav"}',
    '{"file_name": "leaves/passwd"}',
    '{"path": "/etc/passwd"}',
    '{"file_name": "a.wav", "tempo": NaN}',
    '{"file_name": "a.wav", "tempo": 1e999}',
    '{"file_name": "a.wav", "label": "\\ud800"}',
    '{"file_name": "a.wav", "size": ' + "9" * 5000 + "}",
    "[" * 100_000,
    '{"a":' * 50_000,
]


@pytest.mark.parametrize("row", HOSTILE_ROWS, ids=lambda row: row[:40])
def test_a_hostile_row_of_a_manifest_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    touch(tmp_path, "set/a.wav", "set/sub/b.wav", "secret.wav")
    (tmp_path / "set" / "circle").symlink_to("circle")
    (tmp_path / "set" / "leaves").symlink_to("/etc")
    manifest = tmp_path / "set" / "rows.jsonl"
    manifest.write_text(f'{{"file_name": "a.wav"}}\n\n{row}\n{{"file_name": "sub/b.wav"}}\n')
    found = find_sources(str(manifest))
    assert keys(found) == ["a.wav", "sub/b.wav"]
    (refusal,) = found.refused
    assert refusal.path == "rows.jsonl line 3"
    assert refusal.reason.isprintable()


def test_a_row_that_names_a_missing_file_or_a_folder_is_refused_by_that_name(tmp_path: Path) -> None:
    touch(tmp_path, "sub/b.wav")
    names = ["gone.wav", "sub", "x" * 5000]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"file_name": name}) + "\n" for name in names))
    refused = reasons(find_sources(str(tmp_path / "rows.jsonl")))
    assert refused["gone.wav"] == "cannot be read: No such file or directory"
    assert refused["sub"] == "is no plain file"
    assert refused["x" * 5000] == "cannot be read: File name too long"


def test_standard_input_gives_paths_relative_to_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "b.wav", "sub/a.wav")
    monkeypatch.chdir(tmp_path)
    found = find_sources("-", ["sub/a.wav\n", "\n", f"{tmp_path}/b.wav\r\n", "gone.wav\n"])
    assert {source.path.resolve() for source in found.sources} == {tmp_path / "sub/a.wav", tmp_path / "b.wav"}
    assert list(reasons(found)) == ["gone.wav"]


def test_rows_on_standard_input_are_sounds_only_when_they_are_done(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    rows: list[dict[str, object]] = [
        {"schema": "stereokit.prep.clip/1", "status": "done", "path": f"{tmp_path}/a.wav", "label": "kick"},
        {"file_name": f"{tmp_path}/b.wav"},
        {"schema": "stereokit.prep.clip/1", "status": "failed", "path": f"{tmp_path}/c.wav", "reason": "is empty"},
        {"schema": "stereokit.prep.clip/1", "status": "planned", "path": f"{tmp_path}/d.wav"},
        {"schema": "stereokit.prep/1", "status": "done", "dataset": str(tmp_path), "clips": 2},
    ]
    found = find_sources("-", [json.dumps(row) + "\n" for row in rows])
    assert [source.path.name for source in found.sources] == ["a.wav", "b.wav"]
    assert found.sources[0].row["label"] == "kick"
    assert not found.refused


def test_a_row_on_standard_input_without_a_name_is_refused_with_its_line() -> None:
    found = find_sources("-", ['{"label": "kick"}\n', "{broken\n", '{"path": 5}\n'])
    assert [refusal.path for refusal in found.refused] == ["stdin line 1", "stdin line 2", "stdin line 3"]


def test_names_of_no_encoding_on_standard_input_are_refused() -> None:
    found = find_sources("-", ["caf\udce9.wav\n", "nul\0byte.wav\n"])
    assert not found.sources
    assert [refusal.path for refusal in found.refused] == ["caf\\udce9.wav", "nul\0byte.wav"]


def test_nothing_on_standard_input_is_nothing_found() -> None:
    assert find_sources("-", None) == Found([], [])


def test_a_single_file_is_a_source_where_the_command_allows_it(tmp_path: Path) -> None:
    touch(tmp_path, "kicks/a.flac")
    (source,) = find_sources(str(tmp_path / "kicks/a.flac")).sources
    assert (source.key, source.root) == ("a.flac", "kicks")
    with pytest.raises(UsageError, match="give a folder"):
        find_sources(str(tmp_path / "kicks/a.flac"), single_file=False)


@pytest.mark.parametrize("name", ["gone", "x" * 300, "nul\0byte", "picture.png", "b\x1b[31m"])
def test_a_wrong_argument_says_what_may_be_given(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "picture.png")
    with pytest.raises(UsageError, match="give a folder"):
        find_sources(f"{tmp_path}/{name}")


def test_an_empty_argument_is_told_apart_from_a_missing_folder() -> None:
    with pytest.raises(UsageError, match="an unset variable"):
        find_sources("")


def test_a_file_that_a_list_names_twice_is_used_once_and_told(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "list.txt").write_text("a.wav\nb.wav\na.wav\n./a.wav\n")
    found = find_sources(str(tmp_path / "list.txt"))
    assert keys(found) == ["a.wav", "b.wav"]
    assert [(refusal.path, refusal.reason) for refusal in found.refused] == [
        (f"{tmp_path}/a.wav", "is listed twice"),
        (f"{tmp_path}/a.wav", "is listed twice"),
    ]


@given(lines=st.lists(st.text(max_size=40) | st.binary(max_size=20).map(os.fsdecode), max_size=6))
def test_no_line_of_standard_input_can_crash_or_vanish(lines: list[str]) -> None:
    one_liners = ["".join(line.split("\n")) for line in lines]
    found = find_sources("-", [f"{line}\n" for line in one_liners])
    named = [line for line in one_liners if line.strip()]
    assert len(found.sources) + len(found.refused) == len(named)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    st.lists,
    max_leaves=4,
)


@given(row=st.dictionaries(st.sampled_from(["file_name", "path", "label", "status", "schema"]), JSON_VALUES))
def test_no_row_of_a_manifest_can_crash_or_vanish(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, object]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    found = find_sources(str(folder / "rows.jsonl"))
    assert (len(found.sources), len(found.refused)) == (0, 1)
