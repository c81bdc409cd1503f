"""Commands of two words: when the first two words of a command line are one, and how shells complete them."""

import pytest

from stereokit.cli.app import app
from stereokit.cli.two_words import join_for_completion, joined


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["prep", "verify", "ds"], ["prep verify", "ds"]),
        (["prep", "verify", "--help"], ["prep verify", "--help"]),
        (["prep", "verify", "ds", "--at-most=1h", "-q"], ["prep verify", "ds", "--at-most=1h", "-q"]),
        (["prep", "verify", "ds", "--catalog", "file"], ["prep verify", "ds", "--catalog", "file"]),
        (["prep", "verify", "-o", "ds"], ["prep", "verify", "-o", "ds"]),
        (["prep", "verify", "-ods"], ["prep", "verify", "-ods"]),
        (["prep", "verify", "--output=ds"], ["prep", "verify", "--output=ds"]),
        (["prep", "./verify"], ["prep", "./verify"]),
        (["prep", "sounds", "verify"], ["prep", "sounds", "verify"]),
        (["score", "verify"], ["score", "verify"]),
        (["score", "listen", "a", "b", "-o", "s"], ["score listen", "a", "b", "-o", "s"]),
        (["score", "listen", "ref", "--sizes", "all"], ["score", "listen", "ref", "--sizes", "all"]),
        (["score", "./listen", "ref"], ["score", "./listen", "ref"]),
        (["prep"], ["prep"]),
        ([], []),
    ],
)
def test_two_words_are_one_unless_an_option_says_that_the_second_is_a_source(
    words: list[str], expected: list[str]
) -> None:
    assert joined(words, app) == expected


@pytest.mark.parametrize(
    ("typed", "number", "expected", "place"),
    [
        ("stereokit\nprep\nverify\n--at", 3, "stereokit\n'prep verify'\n--at", 2),
        ("stereokit\nprep\nver", 2, "stereokit\nprep\nver", 2),
        ("stereokit\nprep\nverify", 2, "stereokit\nprep\nverify", 2),
        ("stereokit\nprep\nx\n--at", 3, "stereokit\nprep\nx\n--at", 3),
    ],
)
def test_bash_completes_behind_the_second_word(typed: str, number: int, expected: str, place: int) -> None:
    environment = {"COMP_WORDS": typed, "COMP_CWORD": str(number)}
    join_for_completion(environment, app)
    assert environment == {"COMP_WORDS": expected, "COMP_CWORD": str(place)}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("stereokit prep verify --at", "stereokit 'prep verify' --at"), ("stereokit prep ver", "stereokit prep ver")],
)
def test_other_shells_complete_behind_the_second_word(typed: str, expected: str) -> None:
    environment = {"_TYPER_COMPLETE_ARGS": typed}
    join_for_completion(environment, app)
    assert environment == {"_TYPER_COMPLETE_ARGS": expected}
