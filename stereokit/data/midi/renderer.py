"""The form that all renderers have."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.performance import Performance


@dataclass(frozen=True)
class Renderer:
    """A way to render.

    Attributes
    ----------
    summary
        One line for ``stereokit list``.
    version
        Of what its sound depends on beside stereokit, empty for nothing. Raises ``MissingError`` where it cannot work.
    render
        A performance through a SoundFont file: left and right, float32 of shape (2, frames), full scale about ±1.
    grid
        Notes start on whole multiples of so many samples.
    """

    summary: str
    version: Callable[[], str]
    render: Callable[[Performance, Path], NDArray[np.float32]]
    grid: int = 1
