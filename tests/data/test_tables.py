"""Labels from CSV and JSONL: what is read, what is refused with its line, and which row a file gets."""

import unicodedata
from pathlib import Path

import pytest

from stereokit.data.sources import find_sources
from stereokit.data.tables import FileTable, manifest_of, read_table
from stereokit.errors import BadInputError, UsageError


def table_of(folder: Path, text: str | bytes, name: str = "labels.csv") -> FileTable:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


def test_columns_are_kept_in_order_and_looked_up_by_file(tmp_path: Path) -> None:
    table = table_of(tmp_path, "machine,file_name,label\nTR-808,a/kick.wav,kick\nDMX,b.wav,\n")
    assert table.columns == ("machine", "label")
    assert table.rows == {
        "a/kick.wav": {"machine": "TR-808", "label": "kick"},
        "b.wav": {"machine": "DMX", "label": ""},
    }
    assert not table.refused


def test_a_byte_order_mark_quotes_and_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    text = '\ufefffile_name,label\r\n"comma,name.wav","say ""hi"""\r\n"new\nline.wav",snare\r\n'
    table = table_of(tmp_path, text)
    assert table.rows == {"comma,name.wav": {"label": 'say "hi"'}, "new\nline.wav": {"label": "snare"}}


def test_a_row_with_more_cells_than_the_header_is_refused_and_a_shorter_one_is_filled_up(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file_name,label\na.wav,kick,oops\nb.wav\nc.wav,snare\n")
    assert table.rows == {"b.wav": {"label": ""}, "c.wav": {"label": "snare"}}
    assert [(one.path, one.reason) for one in table.refused] == [
        ("labels.csv line 2", "has more cells than the header")
    ]


def test_the_nameless_column_that_pandas_writes_is_left_out(tmp_path: Path) -> None:
    table = table_of(tmp_path, ",file_name,label\n0,a.wav,kick\n1,b.wav,snare\n")
    assert table.columns == ("label",)
    assert table.rows["b.wav"] == {"label": "snare"}
    assert not table.refused


@pytest.mark.parametrize(("text", "shown"), [("path,label\na.wav,kick\n", "path, label"), ("", "none")])
def test_a_table_without_file_names_is_refused_naming_its_columns(tmp_path: Path, text: str, shown: str) -> None:
    with pytest.raises(UsageError, match=rf"no column file_name \(columns: {shown}\)"):
        table_of(tmp_path, text)


def test_a_second_row_for_a_file_and_a_cell_with_a_nul_byte_are_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file_name,label\na.wav,kick\n./a.wav,snare\nb.wav,ha\0t\n")
    assert table.rows == {"a.wav": {"label": "kick"}}
    assert [(one.path, one.reason) for one in table.refused] == [
        ("labels.csv line 3", "is a second row for 'a.wav': one file has one row"),
        ("labels.csv line 4", "holds a NUL byte"),
    ]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has the column label twice"):
        table_of(tmp_path, "file_name,label,label\na.wav,kick,snare\n")


def test_a_missing_table_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize("text", [b"file_name,label\n\xff.wav,kick\n", b'file_name\n"a.wav', b'file_name\n"a"b\n'])
def test_what_is_no_text_or_no_csv_is_refused_as_a_whole(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(BadInputError, match=r"is not (UTF-8 text|CSV)"):
        table_of(tmp_path, text)


@pytest.mark.parametrize("name", ["../a.wav", "/etc/passwd", "x/../../a.wav", "C:a.wav", "\\\\host\\a.wav", ""])
def test_names_that_lead_out_of_the_folder_are_refused_with_their_line(tmp_path: Path, name: str) -> None:
    table = table_of(tmp_path, f'file_name,label\nb.wav,snare\n"{name}",kick\n')
    assert list(table.rows) == ["b.wav"]
    assert [one.path for one in table.refused] == ["labels.csv line 3"]


def test_composed_and_decomposed_names_are_one_name(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Café/Gö.wav") for form in ("NFC", "NFD"))
    assert composed != decomposed
    for on_disk, in_table in ((composed, decomposed), (decomposed, composed)):
        folder = tmp_path / ("composed" if on_disk == composed else "decomposed")
        (folder / on_disk).parent.mkdir(parents=True)
        (folder / on_disk).write_bytes(b"sound")
        table = table_of(folder, f"file_name,label\n{in_table},kick\n")
        (source,) = find_sources(str(folder)).sources
        key = table.key_of(source)
        assert key is not None
        assert table.rows[key] == {"label": "kick"}


def test_a_file_is_found_by_its_place_below_the_table_before_its_place_in_what_was_given(tmp_path: Path) -> None:
    for name in ("set/sub/a.wav", "set/a.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    beside = table_of(tmp_path / "set", "file_name,label\na.wav,upper\nsub/a.wav,lower\n")
    (source,) = find_sources(str(tmp_path / "set" / "sub")).sources
    assert source.key == "a.wav"
    assert beside.key_of(source) == "sub/a.wav"
    (tmp_path / "tables").mkdir()
    elsewhere = table_of(tmp_path / "tables", "file_name,label\na.wav,kick\n")
    assert elsewhere.key_of(source) == "a.wav"
    assert table_of(tmp_path / "tables", "file_name,label\nother.wav,kick\n").key_of(source) is None


def test_a_jsonl_table_keeps_types_and_refuses_bad_rows_with_their_line(tmp_path: Path) -> None:
    text = '{"file_name": "a.wav", "label": "kick", "tempo": 120}\n\nnot json\n[1]\n{"label": "x"}\n' + "[" * 100_000
    text += '\n{"file_name": "b.wav", "tempo": NaN}\n{"file_name": "../b.wav"}\n'
    table = table_of(tmp_path, text, "metadata.jsonl")
    assert table.rows == {"a.wav": {"label": "kick", "tempo": 120}}
    assert [one.path for one in table.refused] == [f"metadata.jsonl line {line}" for line in (3, 4, 5, 6, 7, 8)]


def test_the_manifest_of_a_data_set_is_found_from_the_set_and_from_its_splits(tmp_path: Path) -> None:
    (tmp_path / "ds" / "train").mkdir(parents=True)
    assert manifest_of(tmp_path / "ds" / "train", or_above=True) is None
    table_of(tmp_path / "ds", '{"file_name": "train/a.wav", "label": "kick"}\n', "metadata.jsonl")
    for folder in ("ds", "ds/train"):
        table = manifest_of(tmp_path / folder, or_above=True)
        assert table is not None
        assert table.rows == {"train/a.wav": {"label": "kick"}}
