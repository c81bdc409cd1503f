"""Slow twins of every feature and score, written from the definitions and from nothing else, and made-up clips."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct
from scipy.stats import wasserstein_distance

from stereokit.metrics.excerpt import Excerpt

Vector = NDArray[np.float64]


def make_excerpt(left: ArrayLike, right: ArrayLike, rate: int = 8000, *, dtype: Any = None) -> Excerpt:
    channels = [np.ascontiguousarray(channel, dtype) for channel in (left, right)]
    return Excerpt(channels[0], channels[1], rate, 32768.0 if channels[0].dtype == np.int16 else 1.0)


def channels_of(clip: Excerpt) -> tuple[Vector, Vector]:
    return clip.left.astype(np.float64) / clip.full_scale, clip.right.astype(np.float64) / clip.full_scale


def side_of(clip: Excerpt) -> Vector:
    left, right = channels_of(clip)
    return (left - right) / np.sqrt(2.0)


def windows(signal: Vector, rate: int) -> list[Vector]:
    window, hop = round(0.040 * rate), round(0.010 * rate)
    if len(signal) < window:
        return [signal]
    return [signal[k * hop : k * hop + window] for k in range((len(signal) - window) // hop + 1)]


def spread(side: Vector, extent: str) -> float:
    if extent == "full":
        return float(side.max() - side.min())
    return float(np.quantile(side, 0.95) - np.quantile(side, 0.05))


def side_distance(clip: Excerpt, extent: str = "quantile") -> Vector:
    return np.array([spread(side_of(clip), extent)])


def stsd(clip: Excerpt, extent: str = "quantile") -> Vector:
    return np.array([spread(window, extent) for window in windows(side_of(clip), clip.sample_rate)])


def std(clip: Excerpt) -> Vector:
    return np.array([window.std() for window in windows(side_of(clip), clip.sample_rate)])


def stereo_windows(clip: Excerpt) -> list[tuple[Vector, Vector]]:
    left, right = (windows(channel, clip.sample_rate) for channel in channels_of(clip))
    return list(zip(left, right, strict=True))


def folded(degrees: float) -> float:
    while degrees > 90.0:
        degrees -= 180.0
    while degrees <= -90.0:
        degrees += 180.0
    return degrees


def principal(left: Vector, right: Vector) -> tuple[float, float, float]:
    """Angle from L = R in degrees, larger and smaller variance, by the eigenvectors of the covariance."""
    variances, axes = np.linalg.eigh(np.cov(left, right, bias=True))
    angle = folded(float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))) - 45.0)
    return angle, float(variances[1]), max(0.0, float(variances[0]))


def pca_angle(clip: Excerpt) -> Vector:
    return np.array([principal(*pair)[0] if np.any(pair) else 0.0 for pair in stereo_windows(clip)])


def pca_ratio(clip: Excerpt) -> Vector:
    """For windows with variance along both axes; nothing is clamped here."""
    values = []
    for pair in stereo_windows(clip):
        angle, larger, smaller = principal(*pair)
        ratio = np.log(larger / smaller)
        values.append(ratio if abs(angle) <= 45.0 else -ratio)
    return np.array(values)


def regression_angle(clip: Excerpt) -> Vector:
    values = []
    for left, right in stereo_windows(clip):
        if not left.any() and not right.any():
            values.append(0.0)
        elif not left.any():
            values.append(45.0)
        else:
            slope = np.linalg.lstsq(left[:, None], right, rcond=None)[0][0]
            values.append(folded(float(np.degrees(np.arctan(slope))) - 45.0))
    return np.array(values)


def correlation(clip: Excerpt) -> Vector:
    values = []
    for left, right in stereo_windows(clip):
        constant = [bool((channel == channel[0]).all()) for channel in (left, right)]
        if not left.any() and not right.any():
            values.append(0.0)
        elif any(constant):
            values.append(1.0 if all(constant) else 0.0)
        else:
            values.append(float(np.corrcoef(left, right)[0, 1]))
    return np.array(values)


def image_class(clip: Excerpt) -> str:
    bounds = [round(bound * clip.sample_rate / 44_100) for bound in (0, 2940, 8820, 15872)]
    side = side_of(clip)
    parts = [side[start:stop] for start, stop in pairwise(bounds)]
    return "".join("W" if len(part) and part.std() > 0.125 else "N" for part in parts)


@cache
def fourier_matrix(size: int) -> NDArray[np.complex128]:
    turns = np.outer(np.arange(size // 2 + 1), np.arange(size)) % size
    return np.exp(-2j * np.pi * np.arange(size) / size)[turns]


def logmel(clip: Excerpt) -> Vector:
    """32 mel bands of mid, 32 of side, by a discrete Fourier transform written out as a matrix."""
    rate = clip.sample_rate
    size, hop = round(0.040 * rate), round(0.020 * rate)
    left, right = channels_of(clip)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    transform = fourier_matrix(size)
    once = np.array([1.0 if k == 0 or 2 * k == size else 2.0 for k in range(size // 2 + 1)])

    def mel(hz: Any) -> Any:
        return 2595.0 * np.log10(1.0 + hz / 700.0)

    edges = 700.0 * (10.0 ** (np.linspace(mel(40.0), mel(16_000.0), 34) / 2595.0) - 1.0)
    bins = np.arange(size // 2 + 1) * rate / size
    filters = np.array([np.interp(bins, edges[k : k + 3], [0.0, 1.0, 0.0]) for k in range(32)])
    frames = []
    for start in range(0, max(1, len(left) - size + 1), hop):
        bands = []
        for signal in ((left + right) / np.sqrt(2.0), (left - right) / np.sqrt(2.0)):
            part = signal[start : start + size]
            part = np.concatenate([part, np.zeros(size - len(part))])
            power = once * np.abs(transform @ (part * hann)) ** 2 / (size * (hann**2).sum())
            bands.extend(filters @ power)
        frames.append(10.0 * np.log10(np.maximum(bands, 1e-8)))
    return np.array(frames)


def mfcc(clip: Excerpt) -> Vector:
    """The first 13 of the orthonormal cosine transform of each 32 bands, counted from the floor."""
    bands = logmel(clip) + 80.0
    halves = [dct(bands[:, k : k + 32], type=2, norm="ortho", axis=1)[:, :13] for k in (0, 32)]
    return np.concatenate(halves, axis=1)


def distance(name: str, a: Vector, b: Vector) -> float:
    if name == "emd":
        return float(wasserstein_distance(a.ravel(), b.ravel()))
    shorter = min(a.size, b.size)
    gaps = np.abs(a.ravel()[:shorter] - b.ravel()[:shorter])
    return float(gaps.mean() if name == "l1" else np.sqrt((gaps**2).mean()))


def nearest(distances: Vector) -> int:
    """The first of the nearest; what differs by rounding alone is equal."""
    return next(k for k, value in enumerate(distances) if value <= distances.min() * (1 + 1e-10) + 1e-300)


def scores(generated: Sequence[Vector], reference: Sequence[Vector], name: str = "emd") -> dict[str, float]:
    """COV, MMD and 1-NNA from the matrix of all distances."""
    clips = [*generated, *reference]
    matrix = np.array([[distance(name, a, b) for b in clips] for a in clips])
    np.fill_diagonal(matrix, np.inf)
    split = len(generated)
    cross = matrix[:split, split:]
    points = []
    for k, row in enumerate(matrix):
        own, other = (row[:split], row[split:]) if k < split else (row[split:], row[:split])
        is_tie = np.isclose(own.min(), other.min(), rtol=1e-10, atol=0)
        points.append(0.5 if is_tie else float(own.min() < other.min()))
    return {
        "cov": len({nearest(row) for row in cross}) / len(reference),
        "mmd": float(cross.min(axis=0).mean()),
        "nna": float(np.mean(points)),
    }


_TWINS = SimpleNamespace(
    side_distance=side_distance,
    stsd=stsd,
    std=std,
    windows=windows,
    principal=principal,
    pca_angle=pca_angle,
    pca_ratio=pca_ratio,
    regression_angle=regression_angle,
    correlation=correlation,
    image_class=image_class,
    logmel=logmel,
    mfcc=mfcc,
    distance=distance,
    scores=scores,
)


@pytest.fixture(scope="session")
def twin() -> SimpleNamespace:
    return _TWINS


@pytest.fixture(scope="session")
def excerpt() -> Callable[..., Excerpt]:
    """``excerpt(left, right, rate)`` makes a clip; int16 is full scale at 32768, floats at 1."""
    return make_excerpt


@pytest.fixture(scope="session")
def noise_clip() -> Callable[..., Excerpt]:
    """``noise_clip(frames, rate, kind)``: independent noise in both channels, in a file's number format."""

    def make(frames: int, rate: int = 8000, kind: str = "int16", *, seed: int = 0) -> Excerpt:
        random = np.random.default_rng([seed, frames, rate])
        channels = np.clip(random.normal(0, 0.2, (2, frames)) * [[1.0], [0.6]], -1, 1 - 2.0**-15)
        if kind == "int16":
            return make_excerpt(*np.rint(channels * 32768.0), rate, dtype=np.int16)
        if kind == "24 bit":
            channels = np.rint(channels * 2.0**23) / 2.0**23
        return make_excerpt(*channels, rate, dtype=np.float32)

    return make


@pytest.fixture(scope="session")
def sequences() -> Callable[..., list[Vector]]:
    """``sequences(count, kind)``: sets that are hard for a search, each sequence of shape (n, 1)."""

    def make(count: int, kind: str, *, seed: int = 0) -> list[Vector]:
        random = np.random.default_rng([seed, count])
        lengths = random.integers(1, 40, count) if kind.startswith("unequal") else np.full(count, 17)
        made = [random.gamma(2.0, 0.02 * random.random() + 0.001, (int(n), 1)) for n in lengths]
        if "tied" in kind:
            made = [np.rint(one * 20) / 8 for one in made]
        if "duplicated" in kind:
            made = [made[k % max(1, count // 3)].copy() for k in range(count)]
        return made

    return make
