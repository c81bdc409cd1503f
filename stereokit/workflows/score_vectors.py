"""What ``stereokit score`` adds for vectors: distances between whole distributions of clips, and how they are told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.embedding import EmbeddingProtocol
from stereokit.metrics.frechet import FrechetDistance, frechet_distance
from stereokit.metrics.kernel_mmd import KernelDistance, kernel_mmd
from stereokit.metrics.protocol import Protocol
from stereokit.metrics.vectors import clip_vectors
from stereokit.workflows.events import Json

VECTOR_KEYS = (
    "frechet.value",
    "frechet.dimension",
    "kernel_mmd.value",
    "kernel_mmd.standard_error",
    "kernel_mmd.share",
)

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class VectorFigures:
    """The Frechet distance and the kernel MMD of two sets, over all of their clips; None where they have none."""

    frechet: FrechetDistance | None = None
    kernel: KernelDistance | None = None

    def fields(self) -> dict[str, Json]:
        """Return both as parts of a row."""
        fields: dict[str, Json] = {"frechet": None, "kernel_mmd": None}
        if (frechet := self.frechet) is not None:
            small = frechet.is_small
            fields["frechet"] = {"value": frechet.value, "dimension": frechet.dimension, "is_small": small}
        if (kernel := self.kernel) is not None:
            error = kernel.standard_error
            fields["kernel_mmd"] = {"value": kernel.value, "standard_error": error, "share": kernel.share}
        return fields

    def notes(self) -> Iterator[str]:
        """Say which set is the yardstick, where the sets are too small for a figure, and what was only sampled."""
        frechet, kernel = self.frechet, self.kernel
        if frechet is None or kernel is None:
            return
        yield "REF is the yardstick of kernel_mmd: its mean is the origin and its spread the unit; frechet is symmetric"
        if frechet.is_small:
            yield (
                f"frechet: {frechet.clips} clips are few for {frechet.dimension} dimensions, {frechet.needed} are "
                "needed: sets of one source lie far apart too; compare it at the same sizes only. kernel_mmd has no "
                "such bias"
            )
        if kernel.share < 1.0:
            yield (
                f"kernel_mmd: so large sets are compared in random blocks, {kernel.share:.2g} of all pairs of clips: "
                "unbiased as the whole is; standard_error holds for that"
            )


def vector_figures(
    generated: Sequence[Vectors], reference: Sequence[Vectors], protocol: Protocol, *, seed: int
) -> VectorFigures:
    """Compare two sets of clips as vectors.

    Parameters
    ----------
    generated, reference
        Sequences of shape (n, width).
    protocol
        By which they were measured. Of an embedding each clip is its vector; of a feature of several values a frame it
        is the mean and deviation of its frames; of a feature of one value there is no vector and so no figure, as with
        fewer than two clips in a set.
    seed
        Of what is drawn from large sets.
    """
    if not has_vectors(protocol) or min(len(generated), len(reference)) < 2:
        return VectorFigures()
    are_vectors = isinstance(protocol, EmbeddingProtocol)
    pair = [np.concatenate(one) if are_vectors else clip_vectors(one) for one in (generated, reference)]
    return VectorFigures(frechet_distance(*pair), kernel_mmd(*pair, seed=seed))


def has_vectors(protocol: Protocol) -> bool:
    """Tell whether a protocol makes a vector of each clip."""
    return isinstance(protocol, EmbeddingProtocol) or protocol.load_feature().width > 1
