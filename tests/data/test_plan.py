"""What a data set will hold, before anything is decoded: labels, groups, output names, splits."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.data.plan import Item, plan_files, plan_synth, with_splits
from stereokit.data.sources import Source
from stereokit.data.tables import FileTable
from stereokit.data.text import output_stem
from stereokit.errors import UsageError

SHARES = (0.8, 0.1, 0.1)


def source(key: str, root: str = "set", **row: object) -> Source:
    return Source(Path("/sounds") / root / key, key, root, row)


def labels(rows: dict[str, dict[str, object]], folder: str = "/sounds/set") -> FileTable:
    columns = tuple(dict.fromkeys(column for row in rows.values() for column in row))
    return FileTable(Path(folder), rows, columns, ())


def test_a_label_comes_from_the_table_then_the_row_then_the_folder() -> None:
    sources = [source("kicks/a.wav"), source("b.wav"), source("snares/c.wav", label="clap"), source("d.wav", label="")]
    by_itself = plan_files(sources, None, only=(), group=None)
    assert [item.label for item in by_itself.items] == ["kicks", None, "clap", None]
    table = labels({"kicks/a.wav": {"label": "tom"}, "b.wav": {"label": ""}})
    by_table = plan_files(sources, table, only=(), group=None)
    assert [item.label for item in by_table.items] == ["tom", None, None, None]
    assert "2 sources have no row in the labels: they stay unlabelled" in by_table.warnings


def test_labels_that_are_no_text_become_text_and_decomposed_ones_composed() -> None:
    plan = plan_files([source("a.wav", label=7), source("b.wav", label="Gö")], None, only=(), group=None)
    assert [item.label for item in plan.items] == ["7", "Gö"]


def test_rows_of_the_labels_that_name_no_source_are_counted() -> None:
    table = labels({"a.wav": {"label": "kick"}, "x.wav": {"label": "kick"}, "y.wav": {"label": "kick"}})
    assert plan_files([source("a.wav")], table, only=(), group=None).warnings == ["2 rows of the labels name no source"]


def test_only_keeps_its_labels_and_counts_the_others() -> None:
    sources = [source(f"{label}/{index}.wav") for label in ("kick", "snare", "hat") for index in range(3)]
    plan = plan_files(sources, None, only=("kick", "hat"), group=None)
    assert Counter(item.label for item in plan.items) == {"kick": 3, "hat": 3}
    assert plan.excluded == 3


def test_other_columns_travel_with_the_item() -> None:
    table = labels({"a.wav": {"label": "kick", "machine": "DMX", "tempo": 120}})
    (item,) = plan_files([source("a.wav")], table, only=(), group=None).items
    assert item.extra == {"machine": "DMX", "tempo": 120}


def test_a_group_is_a_column_or_the_first_folder_or_the_file_itself() -> None:
    sources = [source("x/deep/a.wav", machine="DMX"), source("x/b.wav", machine=808), source("y/c.wav", machine="DMX")]
    groups = {
        name: [item.group for item in plan_files(sources, None, only=(), group=name).items]
        for name in ("machine", "folder", None)
    }
    assert groups["machine"] == ["DMX", "808", "DMX"]
    assert groups["folder"] == ["x", "x", "y"]
    assert groups[None] == ["set/x/deep/a.wav", "set/x/b.wav", "set/y/c.wav"]


def test_a_source_without_the_group_is_one_by_itself_and_the_user_is_told() -> None:
    plan = plan_files([source("a.wav", machine="DMX"), source("b.wav", machine="")], None, only=(), group="machine")
    assert [item.group for item in plan.items] == ["DMX", "set/b.wav"]
    assert plan.warnings == ["1 sources have no machine: each is a group by itself"]


def test_a_group_that_no_source_has_is_refused_naming_the_columns() -> None:
    table = labels({"a.wav": {"label": "kick", "machine": "DMX"}})
    with pytest.raises(
        UsageError, match=r"--group maschine: no such column \(columns: label, machine\); or use folder"
    ):
        plan_files([source("a.wav")], table, only=(), group="maschine")


def test_files_in_folders_split_file_by_file_are_warned_about() -> None:
    assert "--group folder" in plan_files([source("x/a.wav")], None, only=(), group=None).warnings[0]
    assert not plan_files([source("a.wav")], None, only=(), group=None).warnings


def test_of_two_sources_of_one_name_the_second_is_refused_and_of_two_roots_none() -> None:
    twins = plan_files([source("a.wav"), source("a.wav"), source("b.wav")], None, only=(), group=None)
    assert [item.key for item in twins.items] == ["set/a.wav", "set/b.wav"]
    (refusal,) = twins.refused
    assert refusal.reason == "has the name of /sounds/set/a.wav: rename one, or its folder"
    plan = plan_files([source("a.wav"), source("a.wav", root="other")], None, only=(), group=None)
    assert len({output_stem(item.key) for item in plan.items}) == 2


@given(keys=st.sets(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1), max_size=20))
def test_output_names_are_portable_and_unique_ignoring_case(keys: set[str]) -> None:
    stems = [output_stem(f"set/{key}.wav") for key in keys]
    assert all(stem.isascii() and stem.replace("-", "").isalnum() and len(stem) <= 57 for stem in stems)
    # NFC-equal names are one name
    names = {output_stem(f"set/{key}.wav").lower() for key in keys}
    assert len(names) == len({stem.lower() for stem in stems}) >= len(keys) / 2


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        ("set/Bass Drum #1.wav", "bass-drum-1"),
        ("set/Café.wav", "cafe"),
        ("set/🥁.wav", "clip"),
        ("set/CON.wav", "clip-con"),
        ("set/-rf.wav", "rf"),
        ("set/" + "x" * 200 + ".wav", "x" * 48),
        ("set/no suffix", "no-suffix"),
    ],
)
def test_an_output_name_is_a_slug_and_a_hash(key: str, slug: str) -> None:
    stem = output_stem(key)
    assert stem[:-9] == slug
    assert len(bytes.fromhex(stem[-8:])) == 4


def test_procedural_sounds_are_numbered_and_a_larger_count_begins_with_the_smaller() -> None:
    few, many = (plan_synth("drums", count, sample_rate=44_100, only=()) for count in (3, 50))
    assert many.items[:3] == few.items
    assert [item.key for item in few.items] == [f"drums/drums-{index:06d}" for index in range(3)]


@pytest.mark.parametrize(
    ("voice", "sample_rate", "only", "said"),
    [
        ("bells", 44_100, (), "--synth bells: choose from drums, stabs"),
        ("drums", 1_000, (), "--rate 1000: drums need 8000 Hz or more"),
        ("drums", 44_100, ("kick", "bell"), "--only bell: drums have the labels .*kick"),
    ],
)
def test_what_a_voice_cannot_do_is_refused_with_what_it_can(
    voice: str, sample_rate: int, only: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        plan_synth(voice, 1, sample_rate=sample_rate, only=only)


def items(groups: list[str]) -> list[Item]:
    return [Item(f"set/{index}.wav", Path(f"{index}.wav"), None, group, {}) for index, group in enumerate(groups)]


@given(groups=st.lists(st.integers(0, 30).map(str), min_size=1))
def test_a_group_is_never_in_two_splits(groups: list[str]) -> None:
    placed, _ = with_splits(items(groups), SHARES, {}, is_grouped=False)
    splits: dict[str, set[str]] = {}
    for item in placed:
        splits.setdefault(item.group, set()).add(item.split)
        assert item.file_name.startswith(f"{item.split}/")
    assert all(len(one) == 1 for one in splits.values())


def test_groups_that_leave_a_split_empty_are_refused_and_files_only_warned_about() -> None:
    with pytest.raises(UsageError, match=r"1 groups leave .* empty: .*--split.*--assign"):
        with_splits(items(["DMX"] * 9), SHARES, {}, is_grouped=True)
    placed, warnings = with_splits(items(["DMX"] * 9), SHARES, {}, is_grouped=False)
    assert len(placed) == 9
    assert len(warnings) == 1


def test_a_split_without_a_share_may_stay_empty_and_by_hand_none_needs_to() -> None:
    with_splits(items(["DMX"]), (1.0, 0.0, 0.0), {}, is_grouped=True)
    by_hand = {"a": "train", "b": "validation", "c": "test"}
    placed, warnings = with_splits(items(["a", "b", "c"]), SHARES, by_hand, is_grouped=True)
    assert [item.split for item in placed] == ["train", "validation", "test"]
    assert not warnings


def test_groups_placed_by_hand_that_do_not_occur_are_told() -> None:
    _, warnings = with_splits(items(["a"]), (1.0, 0.0, 0.0), {"a": "train", "b\x1b": "test"}, is_grouped=False)
    assert warnings == ["--assign names 1 groups that do not occur, e.g. b\x1b"]
