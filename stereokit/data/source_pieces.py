"""What a source holds, file or procedural sound, in pieces."""

from collections.abc import Iterator
from pathlib import Path

from stereokit import catalog
from stereokit.audio.blocks import blocks_of, open_blocks
from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.data.pieces import Piece, Slices, sliced, whole
from stereokit.data.synth._voice import Sound, make_sound

Pieces = tuple[str | None, dict[str, object], Iterator[Piece]]


def pieces_of(
    source: Path | None, sound: Sound | None, *, rate: int, trim_db: float | None, slices: Slices | None
) -> Pieces:
    """Return a procedural sound's label, what all clips of a source have in common, and the pieces of it.

    Parameters
    ----------
    source
        The file, unless there is a ``sound``.
    sound
        A procedural one, which is never sliced.
    rate
        Hz, of the data set.
    trim_db, slices
        As of ``Preparation``.

    Raises
    ------
    BadInputError
        When the file cannot be used.
    """
    if sound is not None:
        recording = Recording(sound.clip.samples.T, rate, "FLOAT")
        return sound.label, {**sound.facts, "is_mono_source": False}, whole(recording, rate, trim_db)
    if source is None:
        raise ValueError("neither a file nor a procedural sound")
    if slices is None:
        recording = read(source)
        pieces = whole(recording, rate, trim_db)
        found, subtype = blocks_of(recording), recording.subtype
    else:
        found = open_blocks(source)
        subtype = found.subtype
        pieces = sliced(found, rate, trim_db, slices)
    common: dict[str, object] = {
        "is_mono_source": found.channels == 1,
        "source_rate_hz": found.sample_rate,
        "source_frames": found.frames,
        "source_encoding": subtype,
    }
    return None, common, pieces


def sound_of(voice: str, *, seed: int, index: int, sample_rate: int) -> Sound:
    """Make the sound of a number by a voice of this name, in Hz."""
    return make_sound(catalog.load("synth", voice), seed=seed, index=index, sample_rate=sample_rate)
