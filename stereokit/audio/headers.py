"""What a chunked header (WAV, AIFF) promises, checked against the bytes that are there.

libsndfile reads a truncated WAV without a word and gives back what is left. A data set or a score built on
half a recording is wrong silently, so the promise is checked here. FLAC, CAF and MP3 report their own cuts; Ogg, AU,
W64 and RF64 do not, and a cut one is read as far as it goes.
"""

from typing import BinaryIO

from stereokit.errors import BadInputError

# Writers into a pipe cannot know the length and leave one of these (ffmpeg, sox).
_UNKNOWN_LENGTHS = frozenset({0xFFFFFFFF, 0x7FFFF000})
_CHUNK_LIMIT = 4096


def check_declared_size(file: BinaryIO, size: int) -> None:
    """Compare the sound chunk's declared length with the bytes behind it.

    Parameters
    ----------
    file
        A seekable file at its start; the position afterwards is anywhere.
    size
        Bytes in the file.

    Raises
    ------
    BadInputError
        When the chunk declares more bytes than there are.
    """
    start = file.read(12)
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        order, wanted = "little", b"data"
    elif start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        order, wanted = "big", b"SSND"
    else:
        return
    position = 12
    for _ in range(_CHUNK_LIMIT):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        declared = int.from_bytes(head[4:], "little" if order == "little" else "big")
        position += 8
        if head[:4] == wanted:
            there = size - position
            if declared > there and declared not in _UNKNOWN_LENGTHS:
                raise BadInputError(f"is truncated: declares {declared} bytes of sound, holds {there}")
            return
        position += declared + declared % 2
