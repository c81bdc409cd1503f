"""The protocol of a trained model's embedding: one vector a clip stands in the place of a feature's sequence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.protocol import Protocol, protocol_with

EMBEDDING = "embedding"


@dataclass(frozen=True)
class EmbeddingProtocol(Protocol):
    """What is measured where a model places each clip in its space.

    Attributes
    ----------
    run
        The fingerprint of the model; vectors of another one are not comparable.
    family, preset
        What the model is.
    width
        Values of a vector.
    model_rate
        The model's sample rate, Hz: clips of another one are resampled.
    device
        Where the model computes.
    """

    run: str = ""
    family: str = ""
    preset: str = ""
    width: int = 1
    model_rate: int = 0
    device: str = "cpu"

    def identity(self) -> dict[str, int | str]:
        """Return what a result must tell of its model."""
        return {
            "run": self.run,
            "family": self.family,
            "preset": self.preset,
            "width": self.width,
            "sample_rate_hz": self.model_rate,
            "device": self.device,
        }

    def load_feature(self) -> Feature:
        """Return the embedding's form; it is the model that makes the vectors, when the clips are measured."""
        if self.feature != EMBEDDING:
            return super().load_feature()
        return Feature("a trained model's embedding", "embedding units", _no_vector_yet, self.width, distance="l2")


def _no_vector_yet(excerpt: Excerpt) -> NDArray[np.float64]:
    return np.zeros((1, 1))


def embedding_protocol(*, distance: str | None = None, length: float | None = None) -> EmbeddingProtocol:
    """Return the protocol of an embedding whose model is not known yet.

    Parameters
    ----------
    distance
        ``l1`` or ``l2``; None takes ``l2``.
    length
        Seconds judged of each clip, before it is resampled; None judges the whole clip.

    Raises
    ------
    UsageError
        For a distance that sorts the values, and an impossible length.
    """
    name = distance or "l2"
    if catalog.load("distance", name).is_sorted:
        raise UsageError(
            f"--distance {name}: sorts the values, and those of an embedding mean what their place says; use l1 or l2"
        )
    base = protocol_with("paper", length=length)
    return EmbeddingProtocol("paper+", feature=EMBEDDING, distance=name, length=base.length)
