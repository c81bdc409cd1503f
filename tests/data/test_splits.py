"""Splits: decided by a group's name alone, in the shares asked for, and by hand where --assign says so."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.data.splits import SPLITS, assign_splits, parse_fractions, read_assignment, split_of
from stereokit.errors import BadInputError, UsageError

NAMES = [f"machine {index}" for index in range(10_000)]


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("0.8,0.1,0.1", (0.8, 0.1, 0.1)),
        ("1,0,0", (1.0, 0.0, 0.0)),
        (" 0.5 , .25 , 25e-2 ", (0.5, 0.25, 0.25)),
        ("0.7,0.2,0.1", (0.7, 0.2, 0.1)),
    ],
)
def test_shares_are_read_as_train_validation_test(text: str, shares: tuple[float, ...]) -> None:
    assert parse_fractions(text) == shares


@pytest.mark.parametrize(
    "text",
    ["", "0.8", "0.8,0.2", "0.5,0.5,0,0", "a,b,c", "0.8,0.1,0.2", "-0.1,1,0.1", "nan,0.5,0.5", "inf,0,0", "80,10,10"],
)
def test_shares_that_are_not_three_numbers_adding_up_to_one_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_fractions(text)


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (0.34, 0.33, 0.33), (0.5, 0.0, 0.5), (0.05, 0.05, 0.9)])
def test_ten_thousand_names_fall_into_the_shares(shares: tuple[float, float, float]) -> None:
    counts = Counter(split_of(name, shares) for name in NAMES)
    for split, share in zip(SPLITS, shares, strict=True):
        # 5 standard deviations of a binomial
        assert abs(counts[split] - 10_000 * share) <= 5 * (10_000 * share * (1 - share)) ** 0.5


@pytest.mark.parametrize(
    "shares", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5)]
)
def test_a_share_of_zero_gets_nothing(shares: tuple[float, float, float]) -> None:
    given_shares = {split for split, share in zip(SPLITS, shares, strict=True) if share}
    assert {split_of(name, shares) for name in NAMES[:2000]} == given_shares


def test_a_larger_share_of_train_takes_from_the_others_and_gives_nothing_back() -> None:
    for name in NAMES[:2000]:
        if split_of(name, (0.5, 0.25, 0.25)) == "train":
            assert split_of(name, (0.8, 0.1, 0.1)) == "train"


@given(
    groups=st.lists(st.text(st.characters(codec="utf-8"), max_size=12), unique=True),
    more=st.sets(st.text(st.characters(codec="utf-8"), max_size=12)),
)
def test_adding_or_removing_groups_moves_no_other(groups: list[str], more: set[str]) -> None:
    shares = (0.6, 0.2, 0.2)
    alone = assign_splits(groups, shares, {})
    together = assign_splits([*more, *reversed(groups)], shares, {})
    assert {group: together[group] for group in groups} == alone


@given(name=st.text(st.characters(codec="utf-8"), max_size=20))
def test_composed_and_decomposed_names_share_a_split(name: str) -> None:
    shares = (0.34, 0.33, 0.33)
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert split_of(composed, shares) == split_of(decomposed, shares)


def test_names_keep_the_split_that_they_had_in_the_first_release() -> None:
    # BLAKE2b of the name, 8 bytes big endian, over 2^64: reckoned by hand, so that no release moves a file.
    shares = (0.8, 0.1, 0.1)
    expected = {
        "TR-808": "train",
        "TR-909": "train",
        "machine 0": "validation",
        "machine 20": "validation",
        "machine 3": "test",
        "machine 21": "test",
    }
    assert {name: split_of(name, shares) for name in expected} == expected


def test_a_hand_given_split_wins_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "assign.csv"
    decomposed = unicodedata.normalize("NFD", "Gö")
    path.write_text(f"\ufeffsplit,note,group\nvalidation,x,machine 1\ntest,,{decomposed}\n")
    assignment = read_assignment(path)
    splits = assign_splits(["machine 1", "Gö", decomposed, "machine 2"], (1.0, 0.0, 0.0), assignment)
    assert splits == {"machine 1": "validation", "Gö": "test", decomposed: "test", "machine 2": "train"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"group,part\na,train\n", r"has no column split \(columns: group, part\)"),
        (b"", r"has no column group \(columns: none\)"),
        (b"group,split\na,train\nb,dev\n", "line 3: split 'dev': use train, validation, test"),
        (b"group,split\na\n", "line 2: split '': use train, validation, test"),
        (b"group,split\na,x\n", "split 'x'"),
        (b"group,split\na,test\na,train\n", "line 3: 'a' is already in test"),
        (b"group,split\na,train,x\n", "line 2: has more cells than the header"),
        (b"group,split\na,train\na,test\n", "line 3: 'a' is already in train"),
        (b"group,split\n\xff,train\n", "is not UTF-8 text"),
        (b'group,split\n"a"b,train\n', "is not CSV"),
        (b"group,split\n" + b"a" * 200_000 + b",train\n", "is not CSV"),
    ],
)
def test_a_wrong_assignment_is_refused_with_the_reason(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "assign.csv").write_bytes(text)
    with pytest.raises((UsageError, BadInputError), match=f"assign.csv.*{said}"):
        read_assignment(tmp_path / "assign.csv")


def test_a_missing_assignment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_assignment(tmp_path / "gone.csv")
