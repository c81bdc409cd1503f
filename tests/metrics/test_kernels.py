"""Compiled code: the same numbers as its Python, and compiled even where nothing can be kept."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import stereokit
from stereokit import catalog
from stereokit.metrics.distance import Pool, block_means, make_pool, pair_distance
from stereokit.metrics.searches import _branches, _leaves, _means, _tiles, tree
from stereokit.metrics.searches._leaves import AXES, LANES

Vector = NDArray[np.float64]
PACKAGE = Path(stereokit.__file__).parent
NOBODY = 65534

VALUES = st.floats(-10, 10, allow_subnormal=False)
EVEN = st.integers(1, 100).flatmap(lambda n: st.tuples(*[st.lists(VALUES, min_size=n, max_size=n)] * 2))
UNEVEN = st.tuples(*[st.lists(VALUES, min_size=1, max_size=40)] * 2)


def original(kernel: Any) -> Callable[..., Any]:
    """A kernel's Python; itself where numba is switched off."""
    function: Callable[..., Any] = getattr(kernel, "py_func", kernel)
    return function


@pytest.mark.parametrize("power", [1, 2])
@settings(max_examples=30, deadline=None)
@given(pair=EVEN, times=st.sampled_from([1, 9]), limit=st.sampled_from([np.inf, 0.0, 3.0]))
def test_even_mean_equals_its_python_and_a_plain_mean(
    power: int, pair: tuple[list[float], list[float]], times: int, limit: float
) -> None:
    a, b = (np.array([np.nan, *values * times]) for values in pair)
    a = np.concatenate([[np.nan], a])
    words = (a, 2, b, 1, len(b) - 1, power, limit)
    compiled = _means.even_mean(*words)
    assert compiled == pytest.approx(original(_means.even_mean)(*words), rel=1e-9, abs=1e-300)
    whole = (np.abs(a[2:] - b[1:]) ** power).mean()
    if whole <= limit:
        assert compiled == pytest.approx(whole, rel=1e-9, abs=1e-300)
    else:
        assert limit < compiled <= whole * (1 + 1e-9)


@pytest.mark.parametrize("power", [1, 2])
@settings(max_examples=30, deadline=None)
@given(pair=UNEVEN, limit=st.sampled_from([np.inf, 0.0, 1.0]))
def test_quantile_mean_equals_its_python_and_the_grid(
    power: int, pair: tuple[list[float], list[float]], limit: float
) -> None:
    a, b = (np.sort(np.array(values)) for values in pair)
    compiled = _means.quantile_mean(a, b, power, limit)
    assert compiled == pytest.approx(original(_means.quantile_mean)(a, b, power, limit), rel=1e-9, abs=1e-300)
    # Every value as often as the other clip has values: then the quantile functions are plain lists.
    whole = (np.abs(np.repeat(a, len(b)) - np.repeat(b, len(a))) ** power).mean()
    if whole <= limit:
        assert compiled == pytest.approx(whole, rel=1e-9, abs=1e-300)
    else:
        assert limit < compiled <= whole * (1 + 1e-9)


def grown(pool: Pool) -> list[_leaves.Branches]:
    points = block_means(pool, AXES).astype(np.float32)
    return [_branches.grow(pool, points, *ends) for ends in ((0, pool.generated), (pool.generated, len(pool)))]


@pytest.mark.parametrize("name", catalog.names("distance"))
@settings(max_examples=30, deadline=None)
@given(pair=UNEVEN | EVEN)
def test_the_gap_of_two_clips_equals_its_python_and_the_distance(
    name: str, pair: tuple[list[float], list[float]]
) -> None:
    distance = catalog.load("distance", name)
    pool = make_pool([np.array(pair[0])], [np.array(pair[1])], distance)
    exact = pair_distance(pool.sequence(0), pool.sequence(1), distance)
    one, other = grown(pool)
    words = (one, 0, other, 0, None if pool.is_even else pool.lengths, distance.is_sorted, distance.power)
    for limit in (np.inf, exact):
        compiled = _leaves.clip_gap(*words, limit)
        assert compiled == pytest.approx(exact, rel=1e-9, abs=1e-300)
        assert compiled == pytest.approx(original(_leaves.clip_gap)(*words, limit), rel=1e-9, abs=1e-300)
    if exact > 0:
        assert _leaves.clip_gap(*words, exact * 0.9) > exact * 0.9


@pytest.mark.parametrize("count", [1, 32, 33, 500, 1024, 1025, 2100])
@pytest.mark.parametrize("is_tied", [False, True])
def test_an_order_equals_its_python_and_holds_every_point_once(count: int, *, is_tied: bool) -> None:
    points = np.random.default_rng(count).random((count, 4)).astype(np.float32)
    if is_tied:
        points = np.rint(points)
    orders = []
    for arrange in (_branches.arrange, original(_branches.arrange)):
        order = np.arange(count)
        arrange(points, order, np.empty(count, np.float32), LANES)
        assert sorted(order) == list(range(count))
        orders.append(order)
    np.testing.assert_array_equal(*orders)


def test_each_leaf_and_group_takes_a_stretch_of_a_line() -> None:
    points = np.random.default_rng(0).permutation(3000).astype(np.float32)[:, None]
    order = np.arange(3000)
    _branches.arrange(points, order, np.empty(3000, np.float32), LANES)
    for size in (32, 1024):
        parts = [points[order[start : start + size], 0] for start in range(0, 3000, size)]
        assert all(np.ptp(part) == len(part) - 1 for part in parts)


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3) | st.floats(-10, 10, width=32), min_size=1, max_size=60), st.data())
def test_a_key_is_put_where_sorting_would_put_it(values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    for select in (_branches.select, original(_branches.select)):
        keys, order = np.array([99, *values, -99], np.float32), np.arange(-1, len(values) + 1)
        select(keys, order, 1, len(values) + 1, place + 1)
        assert [keys[0], keys[-1], order[0], order[-1]] == [99, -99, -1, len(values)]
        inside = keys[1:-1]
        assert inside[place] == sorted(values)[place]
        assert inside.tolist() == [values[number] for number in order[1:-1]]
        assert all(inside[:place] <= inside[place])
        assert all(inside[place:] >= inside[place])


def test_the_widest_axis_is_that_along_which_points_reach_furthest() -> None:
    points = np.array([[0, 9, 0], [1, 9, 3], [2, 9, 1], [50, 0, 0]], np.float32)
    order = np.array([3, 2, 1, 0])
    for widest_axis in (_branches.widest_axis, original(_branches.widest_axis)):
        assert [widest_axis(points, order, *ends) for ends in ((1, 4), (0, 4))] == [2, 0]


def test_boxes_hold_their_clips_and_groups_their_boxes() -> None:
    random = np.random.default_rng(2)
    pool = make_pool([np.zeros(3)], [*random.random((2100, 3))], catalog.load("distance", "emd"))
    points = random.random((2101, AXES)).astype(np.float32)
    tree = _branches.grow(pool, points, 1, 2101)
    inside = points[1 + tree.order]
    np.testing.assert_array_equal(tree.points.reshape(-1, AXES), inside)
    np.testing.assert_array_equal(tree.values.reshape(-1, 3)[5], pool.sequence(1 + tree.order[5]))
    columns = tree.columns.reshape(-1, AXES, 32)
    np.testing.assert_array_equal(columns.transpose(0, 2, 1).reshape(-1, AXES)[:2100], inside)
    assert np.isinf(columns[-1, :, 2100 % 32 :]).all()
    rows, middles = tree.boxes.rows.reshape(-1, 2, AXES), tree.boxes.middles.reshape(-1, 2, AXES)
    for leaf in range(66):
        part = slice(leaf * 32, leaf * 32 + 32)
        np.testing.assert_array_equal(rows[leaf], [inside[part].min(axis=0), inside[part].max(axis=0)])
        np.testing.assert_allclose(middles[leaf], [rows[leaf].mean(axis=0)] * 2, rtol=1e-6)
        assert tree.boxes.first[leaf] == tree.order[part].min()
    for side, pick in enumerate((np.min, np.max)):
        ends, groups = (
            one.reshape(-1, AXES, 32).transpose(0, 2, 1).reshape(-1, AXES)
            for one in (
                (tree.boxes.lows, tree.boxes.highs)[side],
                (tree.boxes.group_lows, tree.boxes.group_highs)[side],
            )
        )
        np.testing.assert_array_equal(ends[:66], rows[:, side])
        expected = [pick(ends[start : min(start + 32, 66)], axis=0) for start in (0, 32, 64)]
        np.testing.assert_array_equal(groups[:3], expected)
        assert np.isinf(ends[66:]).all()
        assert np.isinf(groups[3:]).all()


def boxes_and_points() -> tuple[Any, ...]:
    random = np.random.default_rng(1)
    ends = random.random((2, 3, 40, AXES)).astype(np.float32)
    lows, highs = ends.min(axis=0), ends.max(axis=0)
    return lows, highs, random.random((40, AXES)).astype(np.float32)


def test_the_gap_between_boxes_is_that_between_their_nearest_points() -> None:
    lows, highs, _ = boxes_and_points()
    rows = np.stack([lows[0], highs[0]], axis=1).ravel()
    beside = [
        np.concatenate([_branches.side_by_side(one[1] * 3), _branches.side_by_side(one[2] * 3)])
        for one in (lows, highs)
    ]
    gap = np.maximum(np.maximum(lows[2] * 3 - highs[0, 7], lows[0, 7] - highs[2] * 3), 0.0).sum(axis=1)
    for box_gaps in (_leaves.box_gaps, original(_leaves.box_gaps)):
        gaps = np.empty(32, np.float32)
        box_gaps(*beside, 2, rows, 7, gaps)
        np.testing.assert_allclose(gaps, gap[:32], rtol=1e-5)
        box_gaps(*beside, 3, rows, 7, gaps)
        np.testing.assert_allclose(gaps[:8], gap[32:], rtol=1e-5)
        assert np.isinf(gaps[8:]).all()


def test_the_gaps_of_a_leaf_are_its_points_distances() -> None:
    lows, _, points = boxes_and_points()
    columns = _branches.side_by_side(lows[0])
    expected = np.abs(lows[0, 32:] - points[3]).sum(axis=1)
    for point_gaps, are_within in (
        (_leaves.point_gaps, _leaves.are_within),
        (original(_leaves.point_gaps), original(_leaves.are_within)),
    ):
        gaps = np.empty(32, np.float32)
        point_gaps(columns, 1, points.ravel(), 3, gaps)
        np.testing.assert_allclose(gaps[:8], expected, rtol=1e-5)
        assert np.isinf(gaps[8:]).all()
        assert are_within(gaps, gaps.min())
        assert not are_within(gaps, np.nextafter(gaps.min(), np.float32(0)))


def test_leaves_within_reach_are_all_named_the_near_ones_first() -> None:
    random = np.random.default_rng(4)
    clips = random.random((2500, 4)) * random.random((2500, 1))
    pool = make_pool([*clips[:400]], [*clips[400:]], catalog.load("distance", "l1"))
    queries, tree = grown(pool)
    rows = tree.boxes.rows.reshape(-1, 2, AXES).astype(np.float64)
    for leaf, worst in ((0, 0.02), (5, 0.2), (12, np.inf)):
        box = queries.boxes.rows.reshape(-1, 2, AXES)[leaf].astype(np.float64)
        gaps = np.maximum(np.maximum(rows[:, 0] - box[1], box[0] - rows[:, 1]), 0.0).sum(axis=1)
        middle = np.maximum(np.maximum(rows[:, 0] - box.mean(axis=0), box.mean(axis=0) - rows[:, 1]), 0.0).sum(axis=1)
        for leaves_within, leaf_around in (
            (_leaves.leaves_within, _leaves.leaf_around),
            (original(_leaves.leaves_within), original(_leaves.leaf_around)),
        ):
            near, order = np.full(66, -1, np.float32), np.full(66, -1)
            working = (np.empty(66, np.int64), np.empty(17, np.int64), *np.empty((2, 32), np.float32))
            count = leaves_within(tree.boxes, queries.boxes.rows, leaf, np.float32(worst), near, order, working)
            assert sorted(order[:count]) == np.flatnonzero(gaps <= worst).tolist()
            np.testing.assert_allclose(near[order[:count]], gaps[order[:count]], rtol=1e-5, atol=1e-6)
            if worst < np.inf:
                assert (np.diff(near[order[:count]]) >= -worst / 16).all()
            seed = leaf_around(tree.boxes, queries.boxes.middles, leaf, np.empty(32, np.float32))
            # Nearest within the nearest group, if not of all.
            assert middle[seed] == pytest.approx(middle[seed // 32 * 32 : seed // 32 * 32 + 32].min(), abs=1e-6)


@pytest.mark.parametrize("kind", ["random", "tied duplicated", "unequal"])
@pytest.mark.parametrize("name", catalog.names("distance"))
def test_queries_equal_their_python(sequences: Callable[..., list[Vector]], name: str, kind: str) -> None:
    distance = catalog.load("distance", name)
    pool = make_pool(sequences(40, kind, seed=5), sequences(90, kind, seed=6), distance)
    sets = grown(pool)
    lengths = None if pool.is_even else pool.lengths
    for queries in sets:
        for other in sets:
            words = (queries, other, lengths, queries is other, distance.is_sorted, distance.power, 1.0 + 1e-5, 1e-5)
            results = []
            for query_leaves in (_leaves.query_leaves, original(_leaves.query_leaves)):
                found, which = np.full(len(queries.order), np.inf), np.full(len(queries.order), -1)
                counts = query_leaves((1, len(queries.boxes.first)), *words, found, which)
                assert np.isinf(found[:32]).all()
                assert (which[:32] == -1).all()
                results.append((found, which, counts))
            np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-9)
            np.testing.assert_array_equal(results[0][1], results[1][1])
            np.testing.assert_allclose(results[0][2], results[1][2], atol=2)


def tiles_of(values: NDArray[np.float64], split: int) -> _tiles.Tiles:
    return _tiles._in_tiles(values, split)


@pytest.mark.parametrize("power", [1, 2])
def test_the_totals_of_a_tile_equal_their_python_and_a_plain_sum(power: int) -> None:
    values = np.random.default_rng(power).random((200, 13))
    tiles = tiles_of(values, 10)
    assert tiles.first.tolist() == [0, 10, 138, 200]
    expected = (np.abs(values[138:] - values[3]) ** power).sum(axis=1)
    for tile_totals in (_tiles.tile_totals, original(_tiles.tile_totals)):
        totals = np.empty(_tiles.TILE, np.float32)
        tile_totals(tiles.singles, 3, tiles.columns, 2, 16, power, totals)
        np.testing.assert_allclose(totals[:62], expected, rtol=1e-5)
        assert np.isinf(totals[62:]).all()
    for row_total in (_tiles.row_total, original(_tiles.row_total)):
        assert row_total(tiles.values, 3, 140, 13, power) == pytest.approx(expected[2], rel=1e-9)


@pytest.mark.parametrize("power", [1, 2])
@settings(deadline=None)
@given(pair=EVEN)
def test_what_single_precision_makes_of_a_total_is_never_above_its_limit(
    power: int, pair: tuple[list[float], list[float]]
) -> None:
    a, b = np.array(pair) / 10.0
    single = (np.abs(a.astype(np.float32) - b.astype(np.float32)) ** power).sum(dtype=np.float32)
    total = float((np.abs(a - b) ** power).sum())
    limit = _tiles.rounded_up(total, len(a), power)
    assert single <= limit == pytest.approx(original(_tiles.rounded_up)(total, len(a), power), rel=1e-9)


def test_of_two_offers_that_tie_the_lower_number_stays() -> None:
    for offer in (_tiles.offer, original(_tiles.offer)):
        nearest = _tiles.Nearest(np.full((2, 3), np.inf), np.full((2, 3), -1), np.full((2, 3), np.inf, np.float32))
        for other, total in ((7, 2.0), (9, 3.0), (5, 2.0 * (1 + 5e-13)), (4, 2.1), (8, 2.0)):
            offer(nearest, 1, 2, other, total, 3, 1)
        assert (nearest.totals[1, 2], nearest.numbers[1, 2]) == (2.0, 5)
        assert 2.0 < nearest.limits[1, 2] < 2.0001
        offer(nearest, 1, 2, 8, 1.0, 3, 1)
        assert (nearest.totals[1, 2], nearest.numbers[1, 2]) == (1.0, 8)
        assert np.isinf(nearest.totals).sum() == 5
        # Nothing lies below nothing.
        offer(nearest, 1, 2, 6, 0.0, 3, 1)
        assert (nearest.numbers[1, 2], nearest.limits[1, 2]) == (6, -1.0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["random", "tied", "tied duplicated"])
@pytest.mark.parametrize("name", catalog.names("distance"))
def test_all_pairs_compared_give_what_the_tree_gives(
    sequences: Callable[..., list[Vector]], name: str, kind: str, threads: int
) -> None:
    generated, reference = sequences(150, kind, seed=1), sequences(300, kind, seed=2)
    pool = make_pool(generated, reference, catalog.load("distance", name))
    pruned, unpruned = tree.search(pool), _tiles.compare_all_pairs(pool, threads)
    for one, other in zip(
        (pruned.own_distance, pruned.other_distance), (unpruned.own_distance, unpruned.other_distance), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(pruned.own_index, unpruned.own_index)
    np.testing.assert_array_equal(pruned.other_index, unpruned.other_index)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_all_pairs_compared_name_the_first_of_many_equal_clips(threads: int) -> None:
    values = np.random.default_rng(1).integers(0, 3, (700, 2)).astype(float)
    pool = make_pool([*values[:300]], [*values[300:]], catalog.load("distance", "l1"))
    neighbours = _tiles.compare_all_pairs(pool, threads)
    assert not np.any([neighbours.own_distance, neighbours.other_distance])
    for clip in range(700):
        own, other = (values[:300], values[300:]) if clip < 300 else (values[300:], values[:300])
        equals = np.flatnonzero((own == values[clip]).all(axis=1))
        assert neighbours.own_index[clip] == equals[equals != (clip if clip < 300 else clip - 300)][0]
        assert neighbours.other_index[clip] == np.flatnonzero((other == values[clip]).all(axis=1))[0]


def test_all_pairs_compared_leave_a_clip_alone_in_its_set_without_own_neighbour() -> None:
    pool = make_pool([np.zeros(3)], [np.ones(3), np.full(3, 2.0)], catalog.load("distance", "l1"))
    for threads in (1, 2):
        neighbours = _tiles.compare_all_pairs(pool, threads)
        assert neighbours.own_distance.tolist() == [np.inf, 1.0, 1.0]
        assert neighbours.own_index.tolist() == [-1, 1, 0]
        assert neighbours.other_distance.tolist() == [1.0, 1.0, 2.0]
        assert neighbours.other_index.tolist() == [0, 0, 0]


def test_comparing_tiles_equals_its_python(sequences: Callable[..., list[Vector]]) -> None:
    tiles = tiles_of(np.array(sequences(60, "tied duplicated", seed=3))[:, :, 0], 25)
    results = []
    for compare_tiles in (_tiles.compare_tiles, original(_tiles.compare_tiles)):
        nearest = _tiles.Nearest(np.full((2, 60), np.inf), np.full((2, 60), -1), np.full((2, 60), np.inf, np.float32))
        compare_tiles(tiles, 0, 1, 1, nearest)
        results.append(nearest)
    np.testing.assert_allclose(results[0].totals, results[1].totals, rtol=1e-9)
    np.testing.assert_array_equal(results[0].numbers, results[1].numbers)


SEARCH_BOTH = """
import json
import numpy as np
from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.searches import _leaves, tree
clips = list(np.random.default_rng(0).random((60, 9)))
pool = make_pool(clips[:25], clips[25:], catalog.load("distance", "emd"))
found, plain = tree.search(pool), catalog.load("search", "brute")(pool)
print(json.dumps({
    "is_compiled": hasattr(_leaves.query_leaves, "py_func"),
    "is_same": bool(np.allclose(found.own_distance, plain.own_distance, rtol=1e-11)
                    and np.allclose(found.other_distance, plain.other_distance, rtol=1e-11)
                    and (found.other_index == plain.other_index).all()),
}))
"""


def test_the_tree_works_with_numba_switched_off(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEARCH_BOTH],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"is_compiled": False, "is_same": True}


@pytest.fixture
def read_only_copy() -> Iterator[Path]:
    """A folder with a copy of the package in which nobody but root can write."""
    with tempfile.TemporaryDirectory(prefix="stereokit-") as name:
        folder = Path(name)
        shutil.copytree(PACKAGE, folder / "stereokit", ignore=shutil.ignore_patterns("__pycache__"))
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for one in folders:
            one.chmod(0o555)
        yield folder
        for one in folders:
            one.chmod(stat.S_IRWXU)


CANNOT = 77
# Root writes anywhere, so it becomes nobody; what it has imported and compiled before need not be readable for nobody.
COMPILE_UNCACHED = f"""
import json, os, sys, warnings
if os.getuid() == 0:
    import concurrent.futures.thread, numba, numpy
    numba.njit(nogil=True)(lambda values: abs(values[0]) + min(1.0, values[0]))(numpy.ones(3))
    try:
        os.setuid({NOBODY})
    except OSError as error:
        print(error, file=sys.stderr)
        raise SystemExit({CANNOT})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from stereokit.metrics.searches import _branches, _leaves, _means, _tiles
    import numpy as np
    total = _tiles.row_total(np.array([0.0, 0.0, 3.0, 4.0]), 0, 1, 2, 1)
    near = _means.quantile_mean(np.array([3.0]), np.array([1.0]), 1, 9.0)
print(json.dumps({{
    "file": _tiles.__file__,
    "compiled": [len(kernel.signatures) for kernel in (_tiles.row_total, _means.quantile_mean)],
    "results": [total, near],
    "warnings": [[warning.category.__name__, str(warning.message)] for warning in caught],
}}))
"""


def test_where_no_cache_can_be_kept_kernels_compile_and_warn_exactly_once(read_only_copy: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-B", "-c", COMPILE_UNCACHED],
        env=kept | {"HOME": "/nonexistent", "PYTHONPATH": str(read_only_copy)},
        cwd=read_only_copy,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == CANNOT:
        pytest.skip(f"root cannot become nobody here, and writes anywhere: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Path(told["file"]).is_relative_to(read_only_copy)
    assert told["compiled"] == [1, 1]
    assert told["results"] == [7.0, 2.0]
    assert [category for category, _ in told["warnings"]] == ["RuntimeWarning"]
    assert "NUMBA_CACHE_DIR" in told["warnings"][0][1]
    assert not list(read_only_copy.rglob("*.nbi"))
