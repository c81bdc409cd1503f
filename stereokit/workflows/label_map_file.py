"""A map in a file, and back from a file that anybody may have written: plain arrays, nothing unpickled.

An ``.npz`` of uncompressed arrays, so that what is declared can be held against what is there before memory is taken.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.errors import BadInputError
from stereokit.metrics.layouts._form import Drawn
from stereokit.metrics.sound_map import SoundMap
from stereokit.metrics.sound_space import SoundSpace, Standard
from stereokit.workflows.label_space import Space

MAP_SCHEMA = "stereokit.label.map.file/1"
_SPACES: dict[str, type[Space]] = {"sounds": SoundSpace, "vectors": Standard}
_SPACE, _KEPT, _SUFFIX = "space.", "kept.", ".npy"
_MOST_ARRAYS, _MOST_HEADER, _MOST_BYTES = 64, 4096, 1 << 30

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SavedMap:
    """A map with its sounds.

    Attributes
    ----------
    sounds
        Where they lie.
    space
        In which new sounds become points.
    keys
        Name of each sound inside of what was given.
    labels
        Of each; None where there was none.
    features
        By which sounds were compared.
    run
        The fingerprint of the run that embeds; None for named features.
    is_guided
        Whether labels guided the map.
    """

    sounds: SoundMap
    space: Space
    keys: Sequence[str]
    labels: Sequence[str | None]
    features: str
    run: str | None
    is_guided: bool


def map_bytes(saved: SavedMap) -> bytes:
    """Return the file; equal maps give equal bytes."""
    sounds = saved.sounds
    settings = {
        "schema": MAP_SCHEMA, "layout": sounds.layout, "dimensions": sounds.dimensions, "seed": sounds.seed,
        "values": dict(sounds.drawn.values), "features": saved.features, "run": saved.run, "guided": saved.is_guided,
        "space": next(name for name, kind in _SPACES.items() if isinstance(saved.space, kind)),
    }  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "settings": _text_array(settings),
        "keys": _text_array(list(saved.keys)),
        "labels": _text_array(list(saved.labels)),
        "coordinates": sounds.places,
        "places": sounds.drawn.places,
        "points": sounds.points,
        "numbers": sounds.numbers,
        "mean": sounds.mean,
        "axes": sounds.axes,
        **{_SPACE + name: array for name, array in saved.space.arrays().items()},
        **{_KEPT + name: array for name, array in sounds.drawn.kept.items()},
    }
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def read_map(path: Path) -> SavedMap:
    """Read a map.

    Raises
    ------
    BadInputError
        When the file cannot be read, is no map, is truncated, or does not fit together.
    """
    try:
        return _saved(_arrays(path))
    except BadInputError as error:
        raise BadInputError(f"{path}: is no map of label map --save: {error}") from error
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, SyntaxError, KeyError, TypeError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInputError(f"{path}: is no map of label map --save: {reason.splitlines()[0][:200]}") from error


def _text_array(value: object) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise BadInputError("there is no such file")
    if path.stat().st_size > _MOST_BYTES:
        raise BadInputError(f"it has more than {_MOST_BYTES >> 20} MiB")
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        size = path.stat().st_size
        if len(members) > _MOST_ARRAYS or sum(member.file_size for member in members) > size:
            raise BadInputError("it declares more than it holds")
        found = {}
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.file_size > size:
                raise BadInputError(f"{member.filename!r} is compressed or encrypted")
            found[member.filename.removesuffix(_SUFFIX)] = _array(archive.read(member), member.filename)
        return found


def _array(content: bytes, name: str) -> NDArray[Any]:
    """Return the array of an ``.npy`` file whose header declares exactly what follows it."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise BadInputError(f"{name!r} is an array of version {version[0]}.{version[1]}")
    shape, is_fortran, dtype = readers[version](file, max_header_size=_MOST_HEADER)
    if dtype.hasobject or dtype.kind not in "fiu":
        raise BadInputError(f"{name!r} holds {dtype}, not numbers")
    count = 1
    for length in shape:
        count *= length
    if count < 0 or count * dtype.itemsize != len(content) - file.tell():
        raise BadInputError(f"{name!r} declares the shape {shape} and holds something else")
    flat = np.frombuffer(content, dtype, count, file.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C").astype(dtype.newbyteorder("="), copy=False)


def _saved(arrays: Arrays) -> SavedMap:
    settings = _parsed(arrays, "settings")
    _check_settings(settings)
    dimensions = settings["dimensions"]
    space = _SPACES[settings["space"]].of_arrays(_part(arrays, _SPACE))
    keys, labels = _names(arrays)
    points, places, numbers = arrays["points"], arrays["places"], arrays["numbers"]
    axes = arrays["axes"].shape[-1]
    wanted = {"points": (len(points), axes or 1), "places": (len(points), dimensions), "numbers": (len(keys),),
              "mean": (space.width,), "axes": (space.width, axes)}  # fmt: skip
    for name, shape in wanted.items():
        kind = "i" if name == "numbers" else "f"
        if arrays[name].shape != shape or arrays[name].dtype.kind != kind or not np.isfinite(arrays[name]).all():
            raise BadInputError(f"its array {name!r} is {arrays[name].dtype} of shape {arrays[name].shape}")
    if not len(keys) or numbers.min() < 0 or numbers.max() >= len(points):
        raise BadInputError("its sounds have points that are not there")
    kept = {name: array.astype(np.float64) for name, array in _part(arrays, _KEPT).items()}
    drawn = Drawn(places.astype(np.float64), settings["values"], kept)
    sounds = SoundMap(
        settings["layout"], dimensions, settings["seed"], arrays["mean"], arrays["axes"], points, drawn,
        numbers.astype(np.int64),
    )  # fmt: skip
    # a layout's own way of placing more finds what it needs, or not
    probe = sounds.more(np.zeros((1, space.width)))
    if probe.shape != (1, dimensions) or not np.isfinite(probe).all():
        raise BadInputError("it places no more sounds")
    return SavedMap(sounds, space, keys, labels, settings["features"], settings["run"], settings["guided"])


def _check_settings(settings: Any) -> None:
    """Refuse what another program may have written."""
    if not isinstance(settings, dict) or settings.get("schema") != MAP_SCHEMA:
        raise BadInputError("its settings are not those of a map of this version")
    kinds: dict[str, Any] = {
        "layout": str, "dimensions": int, "seed": int, "values": dict, "features": str, "run": str | None,
        "guided": bool, "space": str,
    }  # fmt: skip
    wrong = [name for name, kind in kinds.items() if not isinstance(settings.get(name), kind)]
    allowed = {"layout": catalog.names("layout"), "dimensions": (2, 3), "space": tuple(_SPACES)}
    wrong += [name for name, values in allowed.items() if settings.get(name) not in values]
    if wrong:
        raise BadInputError(f"its settings say {wrong[0]} {settings.get(wrong[0])!r}")
    if not all(isinstance(one, int | float) for one in settings["values"].values()):
        raise BadInputError("its parameters are not numbers")


def _names(arrays: Arrays) -> tuple[list[str], list[str | None]]:
    keys, labels = _parsed(arrays, "keys"), _parsed(arrays, "labels")
    if not isinstance(keys, list) or not isinstance(labels, list) or len(labels) != len(keys):
        raise BadInputError("its names and labels do not belong together")
    if not all(isinstance(key, str) for key in keys) or not all(isinstance(one, str | None) for one in labels):
        raise BadInputError("its names or labels are no texts")
    return keys, labels


def _part(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _parsed(arrays: Arrays, name: str) -> Any:
    if name not in arrays:
        raise BadInputError(f"it has no array {name!r}")
    try:
        return json.loads(arrays[name].astype(np.uint8).tobytes())
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"its {name} cannot be read") from error
