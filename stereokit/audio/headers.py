"""What a chunked header (WAV, AIFF, CAF) promises, checked against the bytes that are there.

libsndfile reads a truncated WAV without a word and gives back what is left. A data set or a score built on
half a recording is wrong silently, so the promise is checked here. FLAC and MP3 report their own cuts; Ogg, AU, W64
and RF64 do not, and a cut one is read as far as it goes.
"""

from typing import BinaryIO, Literal

from stereokit.errors import BadInputError

# Writers into a pipe cannot know the length and leave one of these (ffmpeg, sox; the last is CAF's -1).
_UNKNOWN_LENGTHS = frozenset({0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFFFFFFFFFF})
_CHUNK_LIMIT = 4096
# Holds all chunk heads of most files, so that one read is enough.
_START_BYTES = 512


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
    start = file.read(_START_BYTES)
    order: Literal["little", "big"] = "big"
    position, head_bytes, alignment = 12, 8, 2
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        order, wanted = "little", b"data"
    elif start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        wanted = b"SSND"
    elif start[:4] == b"caff":
        position, head_bytes, alignment, wanted = 8, 12, 1, b"data"
    else:
        return
    for _ in range(_CHUNK_LIMIT):
        head = start[position : position + head_bytes]
        if len(head) < head_bytes and position < size:
            file.seek(position)
            head = file.read(head_bytes)
        if len(head) < head_bytes:
            return
        declared = int.from_bytes(head[4:], order)
        position += head_bytes
        if head[:4] == wanted:
            there = size - position
            if declared > there and declared not in _UNKNOWN_LENGTHS:
                raise BadInputError(f"is truncated: declares {declared} bytes of sound, holds {there}")
            return
        position += declared + declared % alignment
