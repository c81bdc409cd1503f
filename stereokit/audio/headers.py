"""What a file's header promises, checked against the bytes that are there.

libsndfile reads a truncated file of most formats without a word and gives back what is left. A data set or a score
built on half a recording is wrong silently, so the promise is checked here. FLAC and MP3 report their own cuts.
"""

from dataclasses import dataclass
from typing import BinaryIO, Literal

from stereokit.errors import BadInputError

# Writers into a pipe cannot know the length and leave one of these (ffmpeg, sox; the last is CAF's -1).
_UNKNOWN_LENGTHS = frozenset({0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFFFFFFFFFF})
_CHUNK_LIMIT = 4096
# Holds all chunk heads of most files, so that one read is enough.
_START_BYTES = 512
# An Ogg page is at most this long, so the last one begins within it.
_OGG_PAGE_BYTES = 65_307
_OGG_END_OF_STREAM = 4


@dataclass(frozen=True)
class _Chunks:
    """How a container lays out its chunks.

    Attributes
    ----------
    first
        Where the first chunk begins.
    sound
        The name of the chunk that holds the samples; names are as long as it.
    size_bytes
        Length of the size that follows the name.
    order
        Its byte order.
    alignment
        Chunks begin at multiples of this.
    counts_head
        Whether a size counts the chunk's own name and size.
    """

    first: int
    sound: bytes
    size_bytes: int = 4
    order: Literal["little", "big"] = "little"
    alignment: int = 2
    counts_head: bool = False


# libsndfile decodes two dozen more, some by decoders that print. Their names are not sound files' names for us.
_MAGICS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b"caff", b".snd", b"dns.")

_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


def _layout(start: bytes) -> _Chunks | None:
    kind = start[8:12]
    if start[:4] in (b"RIFF", b"RF64") and kind == b"WAVE":
        return _Chunks(12, b"data")
    if start[:4] == b"RIFX" and kind == b"WAVE":
        return _Chunks(12, b"data", order="big")
    if start[:4] == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return _Chunks(12, b"SSND", order="big")
    if start[:4] == b"caff":
        return _Chunks(8, b"data", size_bytes=8, order="big", alignment=1)
    if start[:16] == _W64_RIFF:
        return _Chunks(40, _W64_DATA, size_bytes=8, alignment=8, counts_head=True)
    return None


def is_mpeg(start: bytes) -> bool:
    """Tell whether a file begins like MP3: an ID3 tag or a frame."""
    return start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


def check_declared_size(file: BinaryIO, size: int) -> None:
    """Compare the sound's declared length with the bytes behind it; in Ogg, look for the end of the stream.

    Parameters
    ----------
    file
        A seekable file at its start; the position afterwards is anywhere.
    size
        Bytes in the file.

    Raises
    ------
    BadInputError
        When it begins like none of the formats that are read, or declares more than there is.
    """
    start = file.read(_START_BYTES)
    if not (start.startswith(_MAGICS) or is_mpeg(start)):
        raise BadInputError("cannot be decoded: it begins like no sound file")
    if start[:4] == b"OggS":
        _check_ogg_end(file, size)
    elif start[:4] in (b".snd", b"dns."):
        order: Literal["little", "big"] = "big" if start[:4] == b".snd" else "little"
        _check_sound(int.from_bytes(start[8:12], order), size - int.from_bytes(start[4:8], order))
    elif layout := _layout(start):
        _check_chunks(file, size, start, layout)


def _check_chunks(file: BinaryIO, size: int, start: bytes, layout: _Chunks) -> None:
    name_bytes = len(layout.sound)
    head_bytes = name_bytes + layout.size_bytes
    position, long_size = layout.first, None
    for _ in range(_CHUNK_LIMIT):
        head = start[position : position + head_bytes]
        if len(head) < head_bytes and position < size:
            file.seek(position)
            head = file.read(head_bytes)
        if len(head) < head_bytes:
            return
        declared = int.from_bytes(head[name_bytes:], layout.order)
        if layout.counts_head:
            declared -= head_bytes
        position += head_bytes
        if head[:name_bytes] == layout.sound:
            if long_size is not None and declared == 0xFFFFFFFF:
                declared = long_size
            _check_sound(declared, size - position)
            return
        if head[:4] == b"ds64":
            # RF64 keeps the true size of its sound chunk here, behind the file's own.
            file.seek(position + 8)
            long_size = int.from_bytes(file.read(8), "little")
        position += max(declared, 0) + -max(declared, 0) % layout.alignment


def _check_sound(declared: int, there: int) -> None:
    if declared > there and declared not in _UNKNOWN_LENGTHS:
        raise BadInputError(f"is truncated: declares {declared} bytes of sound, holds {max(there, 0)}")


def _check_ogg_end(file: BinaryIO, size: int) -> None:
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read(_OGG_PAGE_BYTES)
    page = tail[max(0, tail.rfind(b"OggS")) :]
    # A page: 27 bytes with its flags at 5 and its count of segments last, their lengths, the segments.
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    is_whole = len(page) > 26 and len(page) >= 27 + page[26] + sum(segments)
    if not is_whole or not page[5] & _OGG_END_OF_STREAM:
        raise BadInputError("is truncated: its last Ogg page does not end the stream")
