"""Pitch classes that people write into file names."""

import re
from pathlib import PurePosixPath

# In place of a column's name: labels are the pitch classes in file names.
PITCH_IN_NAME = "pitch-in-name"

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
# A word of its own: the letter large, then a sign, a chord's kind and an octave, each if there is one.
_PITCH = re.compile(r"(?<![A-Za-z0-9#♯♭])([A-G])([#♯♭b]?)(?:maj|min|m|M|sus[24]?)?7?(?:-?[0-9])?(?![A-Za-z0-9#♯♭])")


def pitch_in_name(name: str) -> str | None:
    """Return the pitch class that a file's name ends with or has, with a sharp for a flat; None without one.

    The last one counts, since names begin with what a sound is: ``A_Stab_F#m.wav`` is in F#. Folders do not count.

    >>> [pitch_in_name(name) for name in ("stab 01 Bbmin.wav", "A_Stab_F#3.wav", "Big.wav", "a.wav")]
    ['A#', 'F#', None, None]
    """
    found = _PITCH.findall(PurePosixPath(name).stem)
    if not found:
        return None
    letter, sign = found[-1]
    return PITCH_CLASSES[(_NATURAL[letter] + _SIGNS[sign]) % len(PITCH_CLASSES)]
