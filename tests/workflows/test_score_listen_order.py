"""Each listener hears every pair once, half of them A first, in an order of their own."""

from collections import Counter
from itertools import pairwise

import pytest

from stereokit.workflows.score_listen_order import turns


@pytest.mark.parametrize(("pairs", "controls"), [(1, 0), (2, 0), (7, 3), (20, 20), (101, 5)])
def test_each_pair_is_asked_once_and_each_control_once_more_with_the_sides_swapped(pairs: int, controls: int):
    drawn = turns(pairs, controls=controls, seed=3, name="Ann")
    first = {turn.pair: turn.is_a_first for turn in drawn if not turn.is_control}
    again = [turn for turn in drawn if turn.is_control]
    assert sorted(first) == list(range(pairs))
    assert len(again) == controls == len({turn.pair for turn in again})
    assert all(turn.is_a_first != first[turn.pair] for turn in again)
    # the first time comes first
    assert all(
        drawn.index(turn) > next(index for index, one in enumerate(drawn) if one.pair == turn.pair) for turn in again
    )
    assert abs(sum(first.values()) - pairs / 2) <= 0.5


def test_no_pair_follows_itself_where_there_are_enough():
    for name in "abcdefghij":
        pairs = [turn.pair for turn in turns(6, controls=6, seed=0, name=name)]
        assert all(one != other for one, other in pairwise(pairs))


def test_a_listener_always_has_the_same_order_and_others_have_theirs():
    orders = {name: tuple(turns(8, controls=2, seed=1, name=name)) for name in ("Ann", "Bob", "Cem", "ann")}
    assert len(set(orders.values())) == 4
    assert tuple(turns(8, controls=2, seed=1, name="Ann")) == orders["Ann"]
    assert tuple(turns(8, controls=2, seed=2, name="Ann")) != orders["Ann"]


def test_over_many_listeners_each_pair_comes_a_first_about_half_of_the_time():
    count = Counter(
        turn.pair for number in range(400) for turn in turns(5, controls=0, seed=0, name=str(number)) if turn.is_a_first
    )
    # four standard deviations of 400 coins
    assert all(160 <= count[pair] <= 240 for pair in range(5))
