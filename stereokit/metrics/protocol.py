"""Protocols: the named settings under which scores are comparable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.errors import BadInputError, UsageError
from stereokit.metrics.distance import Distance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature


@dataclass(frozen=True)
class Protocol:
    """What is measured, and how two clips are compared.

    Attributes
    ----------
    name
        ``paper``, ``ml2020`` or, with a part changed, the same name with a plus sign.
    feature, distance
        Names in the catalogue.
    is_full_range
        Whether a side distance spans minimum to maximum instead of quantiles.
    length
        Seconds judged of each clip (cut, or padded with zeros); None judges the whole clip.
    length_samples
        The first samples judged, for a protocol that is defined at one rate and refuses shorter clips. At most one
        of the two is set.
    is_shape
        Divide each sequence by its sum: its shape stays, the overall width goes.
    sample_rate
        The only rate (Hz) for which the protocol is defined; None takes all.
    """

    name: str
    feature: str = "stsd"
    distance: str = "emd"
    is_full_range: bool = False
    length: float | None = None
    length_samples: int | None = None
    is_shape: bool = False
    sample_rate: int | None = None

    def load_feature(self) -> Feature:
        """Return the feature."""
        loaded: Feature = catalog.load("feature", self.feature)
        return loaded

    def load_distance(self) -> Distance:
        """Return the distance."""
        loaded: Distance = catalog.load("distance", self.distance)
        return loaded

    def check_clip(self, sample_rate: int, frames: int) -> None:
        """Refuse a clip for which the protocol is not defined.

        Raises
        ------
        BadInputError
            Naming the rate or the length and what is allowed.
        """
        if self.sample_rate is not None and sample_rate != self.sample_rate:
            raise BadInputError(f"has {sample_rate} Hz: the protocol {self.name} is for {self.sample_rate} Hz")
        if self.length_samples is not None and frames < self.length_samples:
            raise BadInputError(f"has {frames} samples: the protocol {self.name} needs {self.length_samples} or more")

    def judged_frames(self, sample_rate: int) -> int | None:
        """Return how many frames of a clip at this rate are judged; None for all.

        Raises
        ------
        BadInputError
            When that would be none.
        """
        if self.length is None:
            return self.length_samples
        frames = round(self.length * sample_rate)
        if frames < 1:
            raise BadInputError(f"has no whole sample in {self.length:g} s: its rate is {sample_rate} Hz")
        return frames

    def sequences(self, excerpts: Sequence[Excerpt]) -> list[NDArray[np.float64]]:
        """Return the feature's sequence of each clip, as yet not divided by its sum."""
        feature = self.load_feature()
        if self.is_full_range and feature.full_range is not None:
            return [feature.full_range(excerpt) for excerpt in excerpts]
        if feature.sequences is not None:
            return feature.sequences(excerpts)
        return [feature.sequence(excerpt) for excerpt in excerpts]


# Shorter clips are padded to the length that is asked for, so it costs memory whatever the files hold.
_LONGEST_S = 600.0

PROTOCOLS = {
    "paper": Protocol("paper"),
    # What the paper's authors computed for its table 1: their stabs, the first 15,872 samples, shapes of std(s).
    "ml2020": Protocol("ml2020", feature="std", length_samples=15_872, is_shape=True, sample_rate=44_100),
}


def protocol_with(
    name: str,
    *,
    feature: str | None = None,
    distance: str | None = None,
    is_full_range: bool | None = None,
    length: float | None = None,
    is_shape: bool | None = None,
) -> Protocol:
    """Return a protocol with some of its parts replaced; None leaves a part as it is.

    Raises
    ------
    UsageError
        For an unknown name, and for parts that do not go together.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"unknown protocol {name!r}: choose from {', '.join(PROTOCOLS)}")
    base = protocol = PROTOCOLS[name]
    if feature is not None and feature != base.feature:
        own_distance = catalog.load("feature", feature).distance
        protocol = replace(protocol, feature=feature, distance=own_distance)
    if distance is not None:
        protocol = replace(protocol, distance=distance)
    if is_full_range is not None:
        protocol = replace(protocol, is_full_range=is_full_range)
    if length is not None:
        if not 0 < length <= _LONGEST_S:
            raise UsageError(f"--length {length:g}: must be more than 0 and at most {_LONGEST_S:g} seconds")
        protocol = replace(protocol, length=length, length_samples=None)
    if is_shape is not None:
        protocol = replace(protocol, is_shape=is_shape)
    _check_parts(protocol)
    return protocol if protocol == base else replace(protocol, name=f"{name}+")


def _check_parts(protocol: Protocol) -> None:
    loaded = protocol.load_feature()
    distance = protocol.load_distance()
    if distance.is_sorted and loaded.width > 1:
        raise UsageError(
            f"--distance {protocol.distance}: compares one value a frame, {protocol.feature} has {loaded.width}; "
            "use l1 or l2"
        )
    if protocol.is_full_range and loaded.full_range is None:
        able = _features_that(lambda one: one.full_range is not None)
        raise UsageError(f"--range full: {protocol.feature} has no range; it goes with {able}")
    if protocol.is_shape and not loaded.can_be_shape:
        able = _features_that(lambda one: one.can_be_shape)
        raise UsageError(f"--shape: {protocol.feature} is no width to divide by its sum; use {able}")


def _features_that(fit: Callable[[Feature], bool]) -> str:
    names = [name for name in catalog.names("feature") if fit(catalog.load("feature", name))]
    return " or ".join(names)
