"""Declared sizes of hand-made headers against the bytes behind them."""

import io
import struct

import pytest

from stereokit.audio.headers import check_declared_size
from stereokit.errors import BadInputError


def chunk(name: bytes, payload: bytes, *, declared: int | None = None, order: str = "<") -> bytes:
    size = len(payload) if declared is None else declared
    return name + struct.pack(f"{order}I", size) + payload + b"\0" * (len(payload) % 2)


def wav(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def aiff(*chunks: bytes, form: bytes = b"AIFF") -> bytes:
    body = b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body) + 4) + form + body


def caf(*chunks: tuple[bytes, bytes, int]) -> bytes:
    """Make a CAF file of chunks: name, payload, declared length."""
    return b"caff\0\1\0\0" + b"".join(name + struct.pack(">q", size) + payload for name, payload, size in chunks)


def check(data: bytes) -> None:
    check_declared_size(io.BytesIO(data), len(data))


FORMAT = chunk(b"fmt ", bytes(16))
COMMON = chunk(b"COMM", bytes(18), order=">")


def test_a_wav_that_holds_what_it_declares_passes():
    check(wav(FORMAT, chunk(b"data", bytes(100))))


@pytest.mark.parametrize("there", [0, 1, 99])
def test_a_wav_that_holds_less_is_refused_with_both_numbers(there: int):
    with pytest.raises(BadInputError, match=rf"truncated: declares 100 bytes of sound, holds {there}$"):
        check(wav(FORMAT, b"data" + struct.pack("<I", 100) + bytes(there)))


def test_chunks_behind_the_sound_do_not_matter():
    check(wav(FORMAT, chunk(b"data", bytes(100)), chunk(b"LIST", bytes(10), declared=10_000)))


def test_the_padding_byte_of_an_odd_chunk_is_skipped():
    check(wav(chunk(b"LIST", b"odd"), FORMAT, chunk(b"data", bytes(8))))
    with pytest.raises(BadInputError, match="declares 100 bytes"):
        check(wav(chunk(b"LIST", b"odd"), FORMAT, chunk(b"data", bytes(8), declared=100)))


def test_a_sound_chunk_named_inside_another_chunk_is_no_sound_chunk():
    check(wav(FORMAT, chunk(b"LIST", b"data" + struct.pack("<I", 10_000)), chunk(b"data", bytes(8))))


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFF000])
def test_the_lengths_that_writers_into_a_pipe_leave_mean_unknown(declared: int):
    check(wav(FORMAT, chunk(b"data", bytes(8), declared=declared)))


@pytest.mark.parametrize("declared", [0xFFFFFFFE, 0x80000000, 0x7FFFF001])
def test_any_other_huge_length_is_a_cut(declared: int):
    with pytest.raises(BadInputError, match=f"declares {declared} bytes"):
        check(wav(FORMAT, chunk(b"data", bytes(8), declared=declared)))


@pytest.mark.parametrize("form", [b"AIFF", b"AIFC"])
def test_aiff_sizes_are_read_with_the_high_byte_first(form: bytes):
    check(aiff(COMMON, chunk(b"SSND", bytes(256), order=">"), form=form))
    with pytest.raises(BadInputError, match=r"declares 257 bytes of sound, holds 256$"):
        check(aiff(COMMON, chunk(b"SSND", bytes(256), declared=257, order=">"), form=form))


def test_caf_sizes_have_64_bits_and_no_padding():
    description, odd = (b"desc", bytes(32), 32), (b"info", b"odd", 3)
    check(caf(description, odd, (b"data", bytes(100), 100)))
    with pytest.raises(BadInputError, match=r"declares 101 bytes of sound, holds 100$"):
        check(caf(description, odd, (b"data", bytes(100), 101)))
    with pytest.raises(BadInputError, match=rf"declares {1 << 40} bytes of sound, holds 100$"):
        check(caf(description, (b"data", bytes(100), 1 << 40)))


def test_a_caf_that_was_streamed_says_minus_one():
    check(caf((b"desc", bytes(32), 32), (b"data", bytes(100), -1)))


@pytest.mark.parametrize("before", [400, 492, 493, 499, 500, 501, 507, 508, 5000])
def test_the_sound_chunk_is_found_wherever_it_starts(before: int):
    padded = before + before % 2
    check(wav(chunk(b"JUNK", bytes(padded)), chunk(b"data", bytes(8))))
    with pytest.raises(BadInputError, match=r"declares 9 bytes of sound, holds 8$"):
        check(wav(chunk(b"JUNK", bytes(padded)), chunk(b"data", bytes(8), declared=9)))
    with pytest.raises(BadInputError, match=r"declares 9 bytes of sound, holds 8$"):
        check(caf((b"free", bytes(before), before), (b"data", bytes(8), 9)))


@pytest.mark.parametrize(
    "data",
    [
        b"caff",
        caf((b"free", b"", (1 << 63) - 1)),
        caf((b"free", b"", -2)),
        b"RIFF",
        b"RIFF\0\0\0\0AVI " + chunk(b"data", b"", declared=100),
        b"FORM\0\0\0\0ILBM" + chunk(b"SSND", b"", declared=100, order=">"),
        b"fLaC" + bytes(100),
        wav(),
        wav(FORMAT),
        wav(FORMAT, b"dat"),
        wav(chunk(b"JUNK", b"", declared=0xFFFFFFFF)),
    ],
)
def test_what_is_no_wav_or_aiff_or_ends_before_its_sound_is_left_to_the_decoder(data: bytes):
    check(data)


@pytest.mark.parametrize("data", [b"", b"SDS ", b"PK\3\4", b"NIST_1A\n   1024\n", b"\x7fELF"])
def test_what_begins_like_none_of_the_formats_is_refused_before_any_decoder_sees_it(data: bytes):
    with pytest.raises(BadInputError, match="begins like no sound file"):
        check(data)


def test_a_chain_of_countless_empty_chunks_ends():
    class Counting(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            return super().read(size)

    data = wav(*[chunk(b"JUNK", b"")] * 20_000, chunk(b"data", b"", declared=100))
    file = Counting(data)
    check_declared_size(file, len(data))
    assert file.reads < 5000
