"""A folder of noise bursts like the clips of another."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.data.noise import burst, likeness_of
from stereokit.data.staging import FolderKind, check_target, filling
from stereokit.data.tables import METADATA
from stereokit.writing import write_file

_KIND = FolderKind("set of noise bursts", "noise.json", "stereokit.noise/1")
# Numbers of its own, whatever else is drawn from the seed.
_STREAM = 0x6E6F697365


def write_noise(folder: Path, clips: Sequence[Clip], *, count: int, seed: int) -> None:
    """Write bursts that are as loud, as long and as wide as ``clips`` in the mean, in place of those that were there.

    Raises
    ------
    UsageError, OutputError, LockedError
        When the folder holds something else, cannot be written or is in use.
    """
    check_target(folder, _KIND, force=True)
    likeness = likeness_of(clips)
    frames, sample_rate = clips[0].frames, clips[0].sample_rate
    rows, names = [], []
    with filling(folder, _KIND) as staging:
        for index in range(count):
            random = np.random.default_rng([seed, _STREAM, index])
            clip = burst(random, likeness, frames=frames, sample_rate=sample_rate)
            data = encode(clip, dither_seed=index)
            names.append(f"{index:06d}.wav")
            write_file(staging.staged(names[-1]), data, durable=False)
            rows.append({"file_name": names[-1], "frames": frames, "sample_rate_hz": sample_rate})
            rows[-1]["sha256"] = hashlib.sha256(data).hexdigest()
        lines = [json.dumps(row) + "\n" for row in rows]
        write_file(staging.staged(METADATA), "".join(lines).encode())
        figures = {"level": likeness.level, "width": likeness.width, "decay_s": likeness.decay}
        staging.put_in_place(names, {"clips": count, "seed": seed, "like": figures})
