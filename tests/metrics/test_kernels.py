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
from stereokit.metrics.distance import block_means, make_pool, pair_distance
from stereokit.metrics.searches import _branches, _tiles, tree

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
@given(pair=EVEN, limit=st.sampled_from([np.inf, 0.0, 3.0]))
def test_even_total_equals_its_python_and_a_plain_sum(
    power: int, pair: tuple[list[float], list[float]], limit: float
) -> None:
    a, b = np.array(pair)
    compiled = tree.even_total(a, b, len(a), power, limit)
    assert compiled == pytest.approx(original(tree.even_total)(a, b, len(a), power, limit), rel=1e-9, abs=1e-300)
    whole = (np.abs(a - b) ** power).sum()
    if whole <= limit:
        assert compiled == pytest.approx(whole, rel=1e-9, abs=1e-300)
    else:
        assert limit < compiled <= whole * (1 + 1e-9)


@pytest.mark.parametrize("power", [1, 2])
@settings(max_examples=30, deadline=None)
@given(pair=UNEVEN, limit=st.sampled_from([np.inf, 0.0, 1.0]))
def test_quantile_total_equals_its_python_and_the_grid(
    power: int, pair: tuple[list[float], list[float]], limit: float
) -> None:
    a, b = (np.sort(np.array(values)) for values in pair)
    compiled = tree.quantile_total(a, b, power, limit)
    assert compiled == pytest.approx(original(tree.quantile_total)(a, b, power, limit), rel=1e-9, abs=1e-300)
    # Every value as often as the other clip has values: then the quantile functions are plain lists.
    whole = (np.abs(np.repeat(a, len(b)) - np.repeat(b, len(a))) ** power).mean()
    if whole <= limit:
        assert compiled == pytest.approx(whole, rel=1e-9, abs=1e-300)
    else:
        assert limit < compiled <= whole * (1 + 1e-9)


@pytest.mark.parametrize("name", catalog.names("distance"))
@settings(max_examples=30, deadline=None)
@given(pair=UNEVEN | EVEN)
def test_bounded_distance_equals_its_python_and_the_distance(name: str, pair: tuple[list[float], list[float]]) -> None:
    distance = catalog.load("distance", name)
    pool = make_pool([np.array(pair[0])], [np.array(pair[1])], distance)
    words = (pool.sequence(0), pool.sequence(1), 0, distance.is_sorted, distance.power)
    exact = pair_distance(words[0], words[1], distance)
    for limit in (np.inf, exact):
        compiled = tree.bounded_distance(*words, limit)
        assert compiled == pytest.approx(exact, rel=1e-9, abs=1e-300)
        assert compiled == pytest.approx(original(tree.bounded_distance)(*words, limit), rel=1e-9, abs=1e-300)
    if exact > 0:
        assert tree.bounded_distance(*words, exact * 0.9) > exact * 0.9
    if len(words[0]) == len(words[1]):
        padded = [np.concatenate([sequence, np.zeros(5)]) for sequence in words[:2]]
        assert tree.bounded_distance(*padded, 5, *words[3:], np.inf) == pytest.approx(exact, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("count", [1, 24, 25, 49, 300])
@pytest.mark.parametrize("leaf", [1, 3, 24])
@pytest.mark.parametrize("is_tied", [False, True])
def test_a_tree_equals_its_python_and_holds_every_point_once(count: int, leaf: int, *, is_tied: bool) -> None:
    points = np.random.default_rng(count).random((count, 8))
    if is_tied:
        points = np.rint(points)
    built = _branches.build_tree(points, leaf)
    for compiled, plain in zip(built, original(_branches.build_tree)(points, leaf), strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-9)
    order, nodes, boxes, first = built
    assert sorted(order) == list(range(count))
    leaves = []
    for (start, stop, left, number), box, lowest in zip(nodes, boxes, first, strict=True):
        inside = points[order[start:stop]]
        np.testing.assert_array_equal(box, [inside.min(axis=0), inside.max(axis=0)])
        assert lowest == order[start:stop].min()
        if left < 0:
            assert number == len(leaves)
            leaves.append((start, stop))
            assert 0 < stop - start <= leaf
        else:
            assert [nodes[left, 0], nodes[left, 1], nodes[left + 1, 1]] == [start, nodes[left + 1, 0], stop]
    assert sum(stop - start for start, stop in leaves) == count


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=8))
def test_the_distance_to_a_box_is_that_to_its_nearest_point(axes: list[tuple[float, float, float]]) -> None:
    point, one, two = np.array(axes).T
    box = np.array([np.minimum(one, two), np.maximum(one, two)])
    expected = np.abs(point - np.clip(point, *box)).sum()
    assert tree.box_distance(point, box) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert original(tree.box_distance)(point, box) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3) | st.floats(-10, 10), min_size=1, max_size=60), st.data())
def test_a_key_is_put_where_sorting_would_put_it(values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    for select in (_branches.select, original(_branches.select)):
        keys, order = np.array(values, np.float64), np.arange(len(values))
        select(keys, order, place)
        assert keys[place] == sorted(values)[place]
        assert keys.tolist() == [values[number] for number in order]
        assert all(keys[:place] <= keys[place])
        assert all(keys[place:] >= keys[place])


def test_the_bounds_of_a_leaf_are_its_points_distances() -> None:
    random = np.random.default_rng(1)
    point, columns = random.random(8), random.random((8, _branches.LEAF))
    columns[:, 20:] = np.inf
    for leaf_bounds in (tree.leaf_bounds, original(tree.leaf_bounds)):
        bounds = np.empty(_branches.LEAF)
        leaf_bounds(point, columns, bounds)
        np.testing.assert_allclose(bounds, np.abs(columns - point[:, None]).sum(axis=0), rtol=1e-9)


def grown(name: str, kind: str, sequences: Callable[..., list[Vector]]) -> tuple[Any, list[_branches.Branches]]:
    pool = make_pool(sequences(40, kind, seed=5), sequences(90, kind, seed=6), catalog.load("distance", name))
    points = block_means(pool)
    return pool.distance, [_branches.grow(pool, points, *ends, room=1e-15) for ends in ((0, 40), (40, 130))]


@pytest.mark.parametrize("kind", ["random", "tied duplicated", "unequal"])
@pytest.mark.parametrize("name", catalog.names("distance"))
def test_queries_equal_their_python(sequences: Callable[..., list[Vector]], name: str, kind: str) -> None:
    distance, sets = grown(name, kind, sequences)
    for queries in sets:
        for other in sets:
            places = np.arange(len(queries.order))
            words = (places, queries, other, queries is other, distance.is_sorted, distance.power, 1e-14)
            compiled, plain = tree.query_places(*words), original(tree.query_places)(*words)
            np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-9)
            np.testing.assert_array_equal(compiled[1], plain[1])
            assert compiled[2] == pytest.approx(plain[2], abs=2)


@pytest.mark.parametrize("power", [1, 2])
def test_the_totals_of_a_tile_equal_their_python_and_a_plain_sum(power: int) -> None:
    random = np.random.default_rng(power)
    sequence, rows = random.random(16).astype(np.float32), random.random((_tiles.TILE - 3, 16)).astype(np.float32)
    (tile,) = _tiles.in_tiles(rows)
    expected = (np.abs(rows.astype(np.float64) - sequence) ** power).sum(axis=1)
    for tile_totals in (_tiles.tile_totals, original(_tiles.tile_totals)):
        totals = np.empty(_tiles.TILE, np.float32)
        assert tile_totals(sequence, tile, power, totals) == totals.min()
        np.testing.assert_allclose(totals[:-3], expected, rtol=1e-5)
        assert np.isinf(totals[-3:]).all()
    for row_total in (_tiles.row_total, original(_tiles.row_total)):
        exact = row_total(sequence.astype(np.float64), rows[0].astype(np.float64), power)
        assert exact == pytest.approx(expected[0], rel=1e-9)


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


@pytest.mark.parametrize("kind", ["random", "tied", "tied duplicated"])
@pytest.mark.parametrize("name", catalog.names("distance"))
def test_all_pairs_compared_give_what_the_tree_gives(
    sequences: Callable[..., list[Vector]], name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated, reference = sequences(150, kind, seed=1), sequences(300, kind, seed=2)
    pool = make_pool(generated, reference, catalog.load("distance", name))
    pruned = tree.search(pool)
    monkeypatch.setattr(tree, "_is_pruning", lambda *_: False)
    unpruned = tree.search(pool)
    for one, other in zip(
        (pruned.own_distance, pruned.other_distance), (unpruned.own_distance, unpruned.other_distance), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(pruned.own_index, unpruned.own_index)
    np.testing.assert_array_equal(pruned.other_index, unpruned.other_index)


def test_comparing_all_equals_its_python(sequences: Callable[..., list[Vector]]) -> None:
    rows = np.zeros((70, 24))
    rows[:, :17] = np.array(sequences(70, "tied duplicated", seed=3))[:, :, 0]
    singles = rows.astype(np.float32)
    numbers = np.random.default_rng(0).permutation(70)
    words = (np.arange(70), (rows, singles, numbers), (rows, _tiles.in_tiles(singles), numbers))
    for is_own in (True, False):
        compiled, plain = (search(*words, is_own, 1) for search in (_tiles.compare_all, original(_tiles.compare_all)))
        np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-9)
        np.testing.assert_array_equal(compiled[1], plain[1])


SEARCH_BOTH = """
import json
import numpy as np
from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.searches import tree
clips = list(np.random.default_rng(0).random((60, 9)))
pool = make_pool(clips[:25], clips[25:], catalog.load("distance", "emd"))
found, plain = tree.search(pool), catalog.load("search", "brute")(pool)
print(json.dumps({
    "is_compiled": hasattr(tree.query_places, "py_func"),
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
    from stereokit.metrics.searches import _branches, _tiles, tree
    import numpy as np
    total = tree.even_total(np.zeros(3), np.array([1.0, 2.0, 4.0]), 3, 1, np.inf)
    near = tree.box_distance(np.array([3.0]), np.array([[0.0], [1.0]]))
print(json.dumps({{
    "file": tree.__file__,
    "compiled": [len(kernel.signatures) for kernel in (tree.even_total, tree.box_distance)],
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
