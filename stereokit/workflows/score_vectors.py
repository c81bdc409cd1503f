"""What ``stereokit score`` adds for features of many values: distances between whole distributions of clips."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.frechet import FrechetDistance, frechet_distance
from stereokit.metrics.kernel_mmd import kernel_mmd
from stereokit.metrics.vectors import clip_vectors
from stereokit.workflows.events import Json

VECTOR_KEYS = ("frechet.value", "frechet.dimension", "kernel_mmd.value", "kernel_mmd.standard_error")

Sequences = Sequence[NDArray[np.float64]]


def vector_fields(generated: Sequences, reference: Sequences, *, width: int) -> dict[str, Json]:
    """Return the Frechet distance and the kernel MMD of two sets, over all of their clips.

    Parameters
    ----------
    generated, reference
        Sequences of shape (n, width); each clip enters as the mean and deviation of its frames.
    width
        Values a frame. With one there is no vector, and both fields are null, as with fewer than two clips in a set.
    """
    if width == 1:
        return {"frechet": None, "kernel_mmd": None}
    vectors = clip_vectors(generated), clip_vectors(reference)
    frechet, kernel = frechet_distance(*vectors), kernel_mmd(*vectors)
    if frechet is None or kernel is None:
        return {"frechet": None, "kernel_mmd": None}
    return {
        "frechet": {"value": frechet.value, "dimension": frechet.dimension, "is_small": frechet.is_small},
        "kernel_mmd": {"value": kernel.value, "standard_error": kernel.standard_error},
    }


def vector_notes(generated: Sequences, reference: Sequences, *, width: int) -> list[str]:
    """Say which set is the yardstick of these figures, and where the sets are too small for one of them."""
    if width == 1 or min(len(generated), len(reference)) < 2:
        return []
    told = ["REF is the yardstick of kernel_mmd: its mean is the origin and its spread the unit; frechet is symmetric"]
    sizes = FrechetDistance(0.0, 2 * width, min(len(generated), len(reference)))
    if sizes.is_small:
        told.append(
            f"frechet: {sizes.clips} clips are few for {sizes.dimension} dimensions, {sizes.needed} are needed: sets "
            "of one source lie far apart too; compare it at the same sizes only. kernel_mmd has no such bias"
        )
    return told
