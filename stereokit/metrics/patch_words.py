"""Pictures as counts of words: the words are what patches of all pictures look like, learned without labels.

Patches of a picture (a few columns by a third of the bands) lose their mean, are whitened, and get unit length;
the words are the centres of a spherical k-means (Coates and Ng 2012). A picture is then how strongly each word is seen
in each of its regions, 3 of time by 5 of bands. Ours differs from theirs in that only likeness above 0.3 counts, flat
patches count little, and the square root is taken, which makes of distances those of Hellinger.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PATCH = (6, 16)
WORDS = 300
_BANDS_STEP = 2
# Few pictures have few patches that differ, and few words.
_PATCHES, _PATCHES_OF_ONE, _PATCHES_A_WORD = 30_000, 250, 10
_ROUNDS = 8
_LEAST_LIKENESS = 0.3
# Of the range of a picture: patches that vary less are background.
_FLAT, _FLATTEST = 0.05, 0.02
_WHITENING = 0.01
_TIMES = (0, 8, 20)
_REGIONS = 5
_TINY = 1e-9

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PatchWords:
    """Words.

    Attributes
    ----------
    mean
        Of all patches, shape (patch,).
    whitening
        Makes the directions of patches vary alike, shape (patch, patch).
    words
        Rows of unit length, shape (up to WORDS, patch).
    """

    mean: Array
    whitening: Array
    words: Array


def learn_words(pictures: NDArray[np.uint8], *, seed: int) -> PatchWords:
    """Return the words of pictures, shape (n, columns, bands), n >= 1.

    Of very few or flat pictures there may be few words, or one.
    """
    random = np.random.default_rng(seed)
    views = sliding_window_view(pictures, PATCH, axis=(1, 2))
    count = min(_PATCHES, _PATCHES_OF_ONE * len(pictures))
    places = [random.integers(0, size, count) for size in views.shape[:3]]
    patches = views[places[0], places[1], places[2]].reshape(count, -1).astype(np.float32) / 255.0
    patches -= patches.mean(axis=1, keepdims=True)
    lively = patches[patches.std(axis=1) > _FLATTEST]
    patches = lively if len(lively) else patches[:1]
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False, bias=True))
    spread = np.sqrt(np.maximum(values, 0.0) + _WHITENING * max(float(values[-1]), _TINY))
    whitening = (vectors / spread).astype(np.float32)
    white = _unit((patches - mean) @ whitening)
    words = white[random.permutation(len(white))[: min(WORDS, count // _PATCHES_A_WORD)]]
    for _ in range(_ROUNDS):
        nearest = (white @ words.T).argmax(axis=1)
        order = np.argsort(nearest, kind="stable")
        used, starts = np.unique(nearest[order], return_index=True)
        words[used] = _unit(np.add.reduceat(white[order], starts, axis=0, dtype=np.float32))
    return PatchWords(mean, whitening, words)


def word_counts(words: PatchWords, picture: NDArray[np.uint8]) -> Array:
    """Return how much of each word is in each region of a picture, the regions one after another.

    Parameters
    ----------
    words
        Learned from pictures of the same size.
    picture
        Shape (columns, bands).

    Returns
    -------
    ndarray
        float32 of shape (3 x 5 x words,), 0 or more.
    """
    views = sliding_window_view(picture, PATCH)[:, ::_BANDS_STEP]
    times, places = views.shape[:2]
    patches = views.reshape(times * places, -1).astype(np.float32) / np.float32(255.0)
    patches -= patches.mean(axis=1, keepdims=True)
    weight = np.minimum(1.0, patches.std(axis=1) / _FLAT)
    # of most short sounds the larger part of the picture is empty
    seen = np.flatnonzero(weight > 0.0)
    likeness = _unit((patches[seen] - words.mean) @ words.whitening) @ words.words.T
    likeness -= np.float32(_LEAST_LIKENESS)
    np.maximum(likeness, 0.0, out=likeness)
    means = _regions(times, places)[:, seen] * weight[seen]
    return np.asarray(np.sqrt(means @ likeness), np.float32).reshape(-1)


@cache
def _regions(times: int, places: int) -> Array:
    """Return what makes means over regions of patches, shape (regions, times * places)."""
    time = np.searchsorted(_TIMES, np.arange(times), side="right") - 1
    place = np.searchsorted(np.linspace(0, places, _REGIONS + 1).astype(np.int64), np.arange(places), side="right") - 1
    region = (time[:, None] * _REGIONS + place).reshape(-1)
    member = region == np.arange(len(_TIMES) * _REGIONS)[:, None]
    return np.asarray(member / member.sum(axis=1, keepdims=True), np.float32)


def _unit(rows: NDArray[np.floating[Any]]) -> Array:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + np.float32(_TINY)), np.float32)
