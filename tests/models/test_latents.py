"""Vectors between vectors, and normal numbers kept within bounds."""

import math

import pytest
import torch
from scipy.stats import truncnorm

from stereokit.errors import UsageError
from stereokit.models._latents import between, truncated, within
from stereokit.training.draw import Draw

RIGHT, UP = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])


def test_numbers_stay_within_the_limit_and_keep_sign_and_order() -> None:
    numbers = Draw((0,), [0]).normal(4_000)[0].sort().values
    for limit in (0.01, 0.5, 2.0):
        kept = truncated(numbers, limit)
        assert kept.dtype == torch.float32
        assert kept.abs().max() <= limit
        assert torch.equal(kept.sign(), numbers.sign())
        assert (kept.diff() >= 0.0).all()


def test_numbers_follow_the_truncated_normal_distribution() -> None:
    numbers = Draw((0,), [0]).normal(20_000)[0]
    places = truncnorm(-0.7, 0.7).cdf(truncated(numbers, 0.7).numpy())
    expected = torch.special.ndtr(numbers.double()).numpy()
    assert abs(places - expected).max() < 1e-6


def test_a_wide_limit_changes_nothing_and_far_numbers_stay_finite() -> None:
    numbers = torch.tensor([-12.0, -3.0, 0.0, 1e-6, 3.0, 12.0])
    torch.testing.assert_close(truncated(numbers, 40.0), numbers)
    assert truncated(numbers, 2.0)[[0, -1]].tolist() == [-2.0, 2.0]


@pytest.mark.parametrize("curve", ["linear", "spherical"])
def test_a_way_starts_and_ends_exactly_at_its_ends(curve: str) -> None:
    first, second = Draw((0,), [0, 1]).normal(7)
    assert torch.equal(between(first, second, 0.0, curve), first)
    assert torch.equal(between(first, second, 1.0, curve), second)
    torch.testing.assert_close(between(first, first, 0.3, curve), first)


def test_a_line_is_the_weighted_mean() -> None:
    assert between(RIGHT, UP, 0.25, "linear").tolist() == [1.5, 1.0]


def test_an_arc_turns_evenly_and_its_length_grows_evenly() -> None:
    for share in (0.25, 0.5, 0.75):
        place = between(RIGHT, UP, share, "spherical")
        assert math.atan2(place[1], place[0]) == pytest.approx(share * math.pi / 2.0)
        assert float(place.norm()) == pytest.approx(2.0 + 2.0 * share)


def test_where_no_arc_leads_it_is_said() -> None:
    with pytest.raises(UsageError, match="opposite each other"):
        between(RIGHT, -RIGHT, 0.5, "spherical")
    with pytest.raises(UsageError, match="zero vector"):
        between(RIGHT, torch.zeros(2), 0.5, "spherical")


def test_a_square_has_its_corners_and_its_middle() -> None:
    corners = [RIGHT, UP, -UP, RIGHT + UP]
    places = [within(corners, right, down, "linear") for down in (0.0, 1.0) for right in (0.0, 1.0)]
    assert all(map(torch.equal, places, corners))
    assert within(corners, 0.5, 0.5, "linear").tolist() == [1.0, 1.0]
    edge = within(corners, 0.0, 0.5, "spherical")
    torch.testing.assert_close(edge, between(RIGHT, -UP, 0.5, "spherical"))
