"""Maps in files: what comes back, and what a file may not do."""

import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from stereokit.errors import BadInputError
from stereokit.metrics.sound_map import draw_map
from stereokit.metrics.sound_space import Standard
from stereokit.workflows.label_map_file import SavedMap, map_bytes, read_map

VALUES = np.random.default_rng(0).normal(size=(6, 3))


def written():
    """Return the bytes of a map of six points."""
    space = Standard.fit(VALUES)
    sounds = draw_map(space.points(VALUES), "pca")
    return map_bytes(SavedMap(sounds, space, list("abcdef"), ["x", None] * 3, "mfcc", None, is_guided=False))


def with_arrays(**changed):
    """Return a map with some arrays exchanged; None leaves one out."""
    with np.load(io.BytesIO(written())) as there:
        arrays = {**there, **changed}
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file.getvalue()


def text(value):
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def with_settings(**changed):
    with np.load(io.BytesIO(written())) as there:
        settings = json.loads(there["settings"].tobytes())
    return with_arrays(settings=text(settings | changed))


def compressed():
    file = io.BytesIO()
    np.savez_compressed(file, places=np.zeros((10_000_000,)))
    return file.getvalue()


def declaring(shape):
    """Return a map of which an array says that it is larger than the file."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    file = io.BytesIO(written())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("huge.npy", header.getvalue())
    return file.getvalue()


def pickled():
    file = io.BytesIO(written())
    with zipfile.ZipFile(file, "a") as archive, archive.open("object.npy", "w") as member:
        np.lib.format.write_array(member, np.array([{"a": 1}], object))
    return file.getvalue()


def test_a_map_comes_back_as_it_was(tmp_path):
    path = tmp_path / "map.npz"
    path.write_bytes(written())
    found = read_map(path)
    assert (found.keys, found.labels, found.features, found.run) == (list("abcdef"), ["x", None] * 3, "mfcc", None)
    points = found.space.points(VALUES)
    assert np.array_equal(found.sounds.more(points), found.sounds.places)
    assert np.array_equal(found.sounds.places, draw_map(points, "pca").places)
    assert map_bytes(found) == path.read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no map",
        written()[:-40],
        written()[:300] + b"\0" * 40 + written()[340:],
        compressed(),
        pickled(),
        declaring((1 << 40,)),
        declaring((1 << 20, 1 << 20, 1 << 20)),
        with_arrays(places=None),
        with_arrays(places=np.zeros((6, 3))),
        with_arrays(points=np.zeros((5, 3), np.float32)),
        with_arrays(places=np.full((6, 2), np.nan)),
        with_arrays(numbers=np.arange(1, 7)),
        with_arrays(numbers=np.arange(6.0)),
        with_arrays(axes=np.zeros(3)),
        with_arrays(keys=text(["a"])),
        with_arrays(labels=text([1] * 6)),
        with_arrays(**{"kept.axes": np.zeros((7, 2))}),
        with_arrays(**{"kept.axes": None}),
        with_arrays(**{"space.deviation": None}),
        with_arrays(settings=text({})),
        with_settings(schema="other/1"),
        with_settings(layout="mds"),
        with_settings(dimensions=3),
        with_settings(dimensions=[2]),
        with_settings(values={"a": "b"}),
        with_settings(space="sounds"),
        with_settings(seed=None),
    ],
)  # fmt: skip
def test_a_file_that_is_no_map_is_one_line_and_takes_no_memory(tmp_path, content):
    path = tmp_path / "map.npz"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(BadInputError, match=r"map\.npz: is no map of label map --save: .+") as told:
            read_map(path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(told.value)


def test_the_command_tells_one_line_of_a_file_that_is_no_map(run, tmp_path):
    path = tmp_path / "map.npz"
    path.write_bytes(pickled())
    result = run("label", "map", tmp_path, "--into", path)
    assert (result.status, result.out) == (4, "")
    assert result.err == f"stereokit: {path}: is no map of label map --save: 'object.npy' holds object, not numbers\n"


def test_a_map_that_is_not_there_or_larger_than_any_is_told(tmp_path):
    for path in (tmp_path / "map.npz", tmp_path):
        with pytest.raises(BadInputError, match="there is no such file"):
            read_map(path)
    with (tmp_path / "map.npz").open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(BadInputError, match="it has more than 1024 MiB"):
        read_map(tmp_path / "map.npz")
