"""Distances between whole distributions, for features of many values."""

import numpy as np
import pytest

from stereokit.metrics.frechet import frechet_distance
from stereokit.metrics.kernel_mmd import kernel_mmd
from stereokit.metrics.vectors import clip_vectors
from stereokit.workflows.score_vectors import VECTOR_KEYS, vector_fields, vector_notes


def clips(count: int, width: int, *, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng([seed, count, width])
    return [random.normal(size=(int(random.integers(1, 9)), width)) for _ in range(count)]


def test_clips_enter_as_the_mean_and_deviation_of_their_frames() -> None:
    made, real = clips(30, 4), clips(20, 4, seed=1)
    fields = vector_fields(made, real, width=4)
    frechet = frechet_distance(clip_vectors(made), clip_vectors(real))
    kernel = kernel_mmd(clip_vectors(made), clip_vectors(real))
    assert frechet is not None
    assert kernel is not None
    assert fields["frechet"] == {"value": frechet.value, "dimension": 8, "is_small": True}
    assert fields["kernel_mmd"] == {"value": kernel.value, "standard_error": kernel.standard_error}
    for key in VECTOR_KEYS:
        name, part = key.split(".")
        assert part in dict(fields[name])


@pytest.mark.parametrize(("count", "width"), [(30, 1), (1, 4)])
def test_one_value_a_frame_or_one_clip_have_neither_figures_nor_notes(count: int, width: int) -> None:
    made, real = clips(count, width), clips(9, width, seed=1)
    assert vector_fields(made, real, width=width) == {"frechet": None, "kernel_mmd": None}
    assert vector_notes(made, real, width=width) == []


def test_the_yardstick_is_told_and_small_sets_are_warned_of() -> None:
    small = vector_notes(clips(79, 4), clips(100, 4), width=4)
    assert small[0].startswith("REF is the yardstick of kernel_mmd")
    assert "79 clips are few for 8 dimensions, 80 are needed" in small[1]
    assert len(vector_notes(clips(80, 4), clips(100, 4), width=4)) == 1
