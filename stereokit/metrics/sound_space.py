"""A space in which sounds that are alike lie near each other, made of a set's portraits without any label.

Three parts of equal weight: the figures of each portrait, its picture, and the words of its patches. Pictures and words
are turned to their principal axes; each part is scaled so that the median squared distance of two sounds is 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError
from stereokit.metrics.patch_words import PatchWords, learn_words, word_counts
from stereokit.metrics.portrait import BANDS, COLUMNS, DESCRIPTORS, Portrait

_PICTURE_AXES, _WORD_AXES = 100, 200
# Axes and medians are those of so many sounds, drawn at random.
_FITTED = 3000
_MEDIAN_OF = 1000
_AT_ONCE = 512
_TINY = 1e-12

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Standard:
    """What columns are measured by: their means, and deviations; a column that is the same everywhere becomes 0.

    Attributes
    ----------
    mean
        Shape (d,).
    deviation
        Shape (d,), 0 where a column is the same everywhere.
    """

    mean: Points
    deviation: Points

    @property
    def width(self) -> int:
        """Of its points."""
        return len(self.mean)

    @classmethod
    def fit(cls, values: Points) -> "Standard":
        """Return that of values, shape (n, d)."""
        deviation = values.std(axis=0)
        is_varied = deviation > _TINY * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1.0)
        return cls(values.mean(axis=0), np.where(is_varied, deviation, 0.0))

    def points(self, values: Points) -> Points:
        """Return values, shape (n, d), with the columns of what was fitted at mean 0 and deviation 1."""
        is_varied = self.deviation > 0.0
        centred = np.where(is_varied, values - self.mean, 0.0)
        return np.asarray(centred / np.where(is_varied, self.deviation, 1.0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it by name, to be kept in a file."""
        return {"mean": self.mean, "deviation": self.deviation}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Standard":
        """Return what ``arrays`` returned, from a file that anybody may have written.

        Raises
        ------
        BadInputError
            Naming an array that is missing or wrong.
        """
        (columns,) = _shape(arrays, "mean", 1)
        _require_shapes(arrays, {"mean": (columns,), "deviation": (columns,)})
        return cls(arrays["mean"], arrays["deviation"])


@dataclass(frozen=True)
class SoundSpace:
    """The space of a set of sounds, in which sounds of others have places, too.

    Attributes
    ----------
    figures_mean, figures_deviation
        Of the portraits' figures, shape (DESCRIPTORS,).
    words_mean, words_whitening, words
        Of the patches, see ``PatchWords``.
    picture_mean, picture_axes
        Shapes (p,) and (p, axes), p values of a picture.
    count_mean, count_axes
        Shapes (w,) and (w, axes), w counts of words.
    scales
        What each of the three parts is divided by, shape (3,).
    """

    figures_mean: Points
    figures_deviation: Points
    words_mean: NDArray[np.float32]
    words_whitening: NDArray[np.float32]
    words: NDArray[np.float32]
    picture_mean: Points
    picture_axes: Points
    count_mean: Points
    count_axes: Points
    scales: Points

    @property
    def width(self) -> int:
        """Of its points."""
        return int(len(self.figures_mean) + self.picture_axes.shape[1] + self.count_axes.shape[1])

    @classmethod
    def fit(cls, portraits: Sequence[Portrait], *, seed: int = 0) -> "SoundSpace":
        """Return the space of one sound or more; ``seed`` draws the sounds and patches that are learned from."""
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(len(portraits))[:_FITTED])
        learned = [portraits[number] for number in chosen]
        pictures = np.stack([one.picture for one in learned])
        words = learn_words(pictures, seed=seed)
        figures = Standard.fit(_figures(portraits))
        levels, counts = _levels(pictures), _counts(words, pictures)
        picture_mean, picture_axes = principal_axes(levels, _PICTURE_AXES)
        count_mean, count_axes = principal_axes(counts, _WORD_AXES)
        parts = [
            figures.points(_figures(learned)),
            (levels - picture_mean) @ picture_axes,
            (counts - count_mean) @ count_axes,
        ]
        return cls(
            figures_mean=figures.mean, figures_deviation=figures.deviation, words_mean=words.mean,
            words_whitening=words.whitening, words=words.words, picture_mean=picture_mean, picture_axes=picture_axes,
            count_mean=count_mean, count_axes=count_axes,
            scales=np.array([_scale(part[:_MEDIAN_OF]) for part in parts]),
        )  # fmt: skip

    def points(self, portraits: Sequence[Portrait]) -> Points:
        """Return a point a sound, float64 of shape (n, d)."""
        figures = Standard(self.figures_mean, self.figures_deviation).points(_figures(portraits))
        words = PatchWords(self.words_mean, self.words_whitening, self.words)
        parts = []
        for start in range(0, len(portraits), _AT_ONCE):
            pictures = np.stack([one.picture for one in portraits[start : start + _AT_ONCE]])
            levels = (_levels(pictures) - self.picture_mean) @ self.picture_axes
            counts = (_counts(words, pictures) - self.count_mean) @ self.count_axes
            part = (figures[start : start + _AT_ONCE], levels, counts)
            parts.append(np.concatenate([one / scale for one, scale in zip(part, self.scales, strict=True)], axis=1))
        return np.concatenate(parts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it by name, to be kept in a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SoundSpace":
        """Return the space that ``arrays`` returned, from a file that anybody may have written.

        Raises
        ------
        BadInputError
            Naming an array that is missing, or has the wrong type, shape or a value that is not finite.
        """
        words, patch = _shape(arrays, "words", 2)
        axes = {name: _shape(arrays, name, 2)[1] for name in ("picture_axes", "count_axes")}
        (counts,) = _shape(arrays, "count_mean", 1)
        wanted = {
            "figures_mean": (DESCRIPTORS,), "figures_deviation": (DESCRIPTORS,), "words_mean": (patch,),
            "words_whitening": (patch, patch), "words": (words, patch), "picture_mean": (COLUMNS * BANDS,),
            "picture_axes": (COLUMNS * BANDS, axes["picture_axes"]), "count_mean": (counts,),
            "count_axes": (counts, axes["count_axes"]), "scales": (3,),
        }  # fmt: skip
        _require_shapes(arrays, wanted)
        space = cls(**{name: arrays[name] for name in wanted})
        blank = np.zeros((COLUMNS, BANDS), np.uint8)
        told = word_counts(PatchWords(space.words_mean, space.words_whitening, space.words), blank)
        if told.shape != (counts,) or not (space.scales > 0.0).all():
            raise BadInputError("its arrays are of no space of sounds")
        return space


def _shape(arrays: Mapping[str, NDArray[Any]], name: str, axes: int) -> tuple[int, ...]:
    shape = _checked(arrays, name).shape
    if len(shape) != axes:
        raise BadInputError(f"its array {name!r} has {len(shape)} axes, not {axes}")
    return shape


def _checked(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise BadInputError(f"it has no array {name!r}")
    if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
        raise BadInputError(f"its array {name!r} holds something else than finite numbers")
    return arrays[name]


def _require_shapes(arrays: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in wanted.items():
        if _checked(arrays, name).shape != shape:
            raise BadInputError(f"its array {name!r} has the shape {arrays[name].shape}, not {shape}")


def sound_space(portraits: Sequence[Portrait], *, seed: int = 0) -> Points:
    """Return a point a sound, float64 of shape (n, d); the points depend on the whole set.

    Parameters
    ----------
    portraits
        Of one sound or more.
    seed
        Of the sounds and patches that are learned from.
    """
    return SoundSpace.fit(portraits, seed=seed).points(portraits)


def standardised(values: Points) -> Points:
    """Return columns with mean 0 and deviation 1; a column that is the same everywhere becomes 0."""
    return Standard.fit(values).points(values)


def _figures(portraits: Sequence[Portrait]) -> Points:
    return np.stack([one.descriptors for one in portraits]).astype(np.float64)


def _levels(pictures: NDArray[np.uint8]) -> Points:
    return pictures.reshape(len(pictures), -1) / 255.0


def _counts(words: PatchWords, pictures: NDArray[np.uint8]) -> Points:
    return np.stack([word_counts(words, picture) for picture in pictures]).astype(np.float64)


def principal_axes(values: Points, axes: int) -> tuple[Points, Points]:
    """Return the mean, shape (d,), and the directions of largest variance as columns, shape (d, up to axes).

    Each direction's largest entry is positive, so that the same values give the same axes everywhere.
    """
    mean = values.mean(axis=0)
    centred = values - mean
    if len(values) < values.shape[1]:
        squares, left = np.linalg.eigh(centred @ centred.T)
        directions = centred.T @ left
        directions /= np.sqrt(np.maximum(squares, _TINY))
    else:
        squares, directions = np.linalg.eigh(centred.T @ centred)
    kept = np.argsort(-squares, kind="stable")[:axes]
    kept = kept[squares[kept] > _TINY * max(float(squares.max(initial=0.0)), _TINY)]
    directions = directions[:, kept]
    peaks = np.abs(directions).argmax(axis=0) if kept.size else np.zeros(0, np.int64)
    signs = np.sign(directions[peaks, np.arange(len(peaks))])
    return mean, directions * signs


def _scale(sample: Points) -> float:
    """Return the root of the median squared distance of two sounds, or 1 where it is nothing."""
    squares = (sample**2).sum(axis=1)
    apart = squares[:, None] + squares - 2.0 * (sample @ sample.T)
    others = apart[~np.eye(len(sample), dtype=bool)]
    median = float(np.median(others)) if others.size else 0.0
    return float(np.sqrt(median)) if median > _TINY else 1.0
