"""``--fail-if``: which conditions can be written, and what fails them."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.workflows.checks import parse_check
from stereokit.workflows.score_rows import check_keys

KEYS = ["cov", "expected.nna", "gen.refused", "side-x"]


@pytest.mark.parametrize(
    ("symbol", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
        (">=", False, True, True),
        (">", False, False, True),
    ],
)
def test_each_comparison_means_what_it_says(symbol: str, *, below: bool, equal: bool, above: bool) -> None:
    check = parse_check(f"cov{symbol}0.5", KEYS)
    assert [check.fails({"cov": value}) for value in (0.25, 0.5, 0.75)] == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("cov<0.4", 0.4),
        ("  cov  <  .4  ", 0.4),
        ("cov<-1", -1.0),
        ("cov<+2.", 2.0),
        ("cov<1e-3", 0.001),
        ("cov<2.5e+2", 250.0),
        ("side-x<1", 1.0),
    ],
)
def test_numbers_may_be_written_as_usual_and_spaces_are_free(text: str, bound: float) -> None:
    check = parse_check(text, KEYS)
    assert (check.bound, check.text) == (bound, text)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_is_written(bound: float) -> None:
    assert parse_check(f"cov<={bound!r}", KEYS).bound == bound


def test_a_key_may_lie_in_a_part_of_the_result() -> None:
    check = parse_check("expected.nna>0.4", KEYS)
    assert check.fails({"expected": {"nna": 0.5}})
    assert not check.fails({"expected": {"nna": 0.3}, "nna": 9})


@pytest.mark.parametrize("fields", [{"cov": None}, {}, {"cov": "0.1"}, {"cov": {"cov": 0.1}}])
@pytest.mark.parametrize("symbol", ["<", ">"])
def test_a_figure_that_could_not_be_computed_fails_any_check(fields: dict, symbol: str) -> None:
    assert parse_check(f"cov{symbol}0.5", KEYS).fails(fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cov",
        "cov<",
        "<0.4",
        "cov=0.4",
        "cov=<0.4",
        "cov<<0.4",
        "cov<0,4",
        "cov<0x10",
        "cov<1_000",
        "cov<0.4;cov<0.5",
        "cov<0.4 or 1",
        "0.4>cov",
        "COV<0.4",
        "cov<0.4\ncov<1",
        "cov < --1",
        '__import__("os")',
        '__import__("os").system("true")<1',
        "cov\x1b[31m<1",
        "cov<0.5*",
        "cov<*cov",
        "cov<cov*2",
        "cov<2*2",
        "cov<2*cov*2",
        "cov<2+cov",
        "cov<(cov)",
        "cov<2**cov",
        "cov()<1",
        ".<1",
    ],
)
def test_anything_else_is_no_condition_and_the_form_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"--fail-if .*KEY<NUMBER.*cov<0\.4") as refusal:
        parse_check(text, KEYS)
    assert "\x1b" not in str(refusal.value)


@pytest.mark.parametrize(
    "key", ["cof", "__class__", "expected", "expected.cof", "cov.real", "fields", "baseline.baseline.cov", "baseline"]
)
def test_an_unknown_key_is_refused_with_the_known_ones(key: str) -> None:
    with pytest.raises(UsageError, match="unknown key") as refusal:
        parse_check(f"{key}<1", KEYS)
    assert f"choose from {', '.join(sorted(KEYS))}" in str(refusal.value)


@pytest.mark.parametrize("text", ["cov<nan", "cov<inf", "cov<2*cof", "cov<baseline.cof", "cov<__class__"])
def test_an_unknown_key_on_the_right_is_refused_too(text: str) -> None:
    with pytest.raises(UsageError, match=r"unknown key .*choose from cov, .*baseline\.KEY"):
        parse_check(text, KEYS)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("cov<1.5*expected.nna", 0.75),
        ("cov < .5 * expected.nna", 0.25),
        ("cov<expected.nna", 0.5),
        ("cov<-2*baseline.cov", -0.5),
        ("cov<1e1*baseline.expected.nna", 40.0),
    ],
)
def test_a_figure_may_be_compared_with_another_times_a_number(text: str, limit: float) -> None:
    fields = {"cov": limit - 0.01, "expected": {"nna": 0.5}, "baseline": {"cov": 0.25, "expected": {"nna": 4}}}
    check = parse_check(text, KEYS)
    assert check.limit(fields) == limit
    assert check.fails(fields)
    assert not check.fails(fields | {"cov": limit + 0.01})


def test_a_figure_without_its_counterpart_fails_and_says_why() -> None:
    check = parse_check("cov<0.5*baseline.cov", KEYS)
    assert check.fails({"cov": 9.0, "baseline": {"cov": None}})
    assert check.told({"cov": 9.0, "baseline": {"cov": None}}) == "cov is 9, 0.5*baseline.cov could not be computed"
    assert check.told({"baseline": {"cov": 1.0}}) == "cov could not be computed, 0.5*baseline.cov is 0.5"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_fails_any_check(value: float) -> None:
    assert parse_check("cov<0.5", KEYS).fails({"cov": value})
    assert parse_check("cov>0.5", KEYS).fails({"cov": value})


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_check(text, KEYS).text == text


def test_the_nearest_key_is_suggested() -> None:
    with pytest.raises(UsageError, match=r"unknown key 'covv' \(cov\?\)"):
        parse_check("covv<1", KEYS)


def test_every_score_and_its_null_may_be_checked() -> None:
    for name in catalog.names("score"):
        assert parse_check(f"{name}<0.5", check_keys()).key == name
        assert parse_check(f"expected.{name}<0.5", check_keys()).key == f"expected.{name}"


def test_keys_are_listed_once() -> None:
    assert len(set(check_keys())) == len(check_keys())
