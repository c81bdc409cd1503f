"""``prepare`` with compiled instruments: the same files and rows, for sets that are worth loading a compiler."""

import numpy as np

from stereokit.audio.clip import Recording
from stereokit.audio.files import encode
from stereokit.data.preparation import Preparation, Prepared, Task, prepare
from stereokit.data.sound_kernels import COMPILED
from stereokit.data.source_audit import source_audit


def prepare_quickly(task: Task, preparation: Preparation) -> Prepared:
    """Make one clip and write it, as ``prepare`` does.

    Raises
    ------
    BadInputError, OutputError
        As ``prepare`` does.
    """
    return prepare(task, preparation, COMPILED)


def _load() -> None:
    """Have every kernel loaded, or compiled, in the process that workers are forked from: once for all of them."""
    samples = np.linspace(-0.5, 0.5, 256, dtype=np.float32).reshape(-1, 2)
    for recording in (Recording(samples, 48_000, ""), Recording((samples * 99).astype(np.int16), 48_000, "")):
        clip = recording.to_clip()
        source_audit(recording, clip, COMPILED)
        encode(clip, dither_seed=0, rounded=COMPILED.rounded)


_load()
