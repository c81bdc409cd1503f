"""What a MIDI file says, in seconds: notes, and the controls of its channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRUM_CHANNEL = 9
BEND = -1  # stands among the numbers of controls for the pitch wheel
SUSTAIN, VOLUME, PAN, EXPRESSION = 64, 7, 10, 11


@dataclass(frozen=True)
class Song:
    """Notes in the order in which they start, and changes of controls.

    Attributes
    ----------
    start, end
        Seconds, float64 of shape (notes,); every end is after its start.
    pitch, velocity, channel, program
        int64 of shape (notes,): 0 to 127, 1 to 127, 0 to 15, and 0 to 127 as it was set when the note started.
    control_time
        Seconds, float64 of shape (changes,), rising.
    control_channel, control_number, control_value
        int64 of shape (changes,): the channel, 0 to 127 or ``BEND``, and 0 to 127 or -8192 to 8191.
    unended
        How many notes the file never ends; they end with it.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    channel: NDArray[np.int64]
    program: NDArray[np.int64]
    control_time: NDArray[np.float64]
    control_channel: NDArray[np.int64]
    control_number: NDArray[np.int64]
    control_value: NDArray[np.int64]
    unended: int = 0

    @property
    def notes(self) -> int:
        """How many there are."""
        return len(self.start)

    @property
    def seconds(self) -> float:
        """When the last note ends; 0 without notes."""
        return float(self.end.max(initial=0.0))
