"""Our own renderer: every note on its sample, and nothing to install."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.performance import Performance
from stereokit.data.midi.renderer import Renderer
from stereokit.data.midi.soundfont import open_soundfont
from stereokit.data.midi.synthesis import render


def _version() -> str:
    return ""


def _render(performance: Performance, font: Path) -> NDArray[np.float32]:
    return render(performance, open_soundfont(font))


RENDERER = Renderer("our own: envelopes, filters, pedal; notes exact to the sample", _version, _render)
