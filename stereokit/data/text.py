"""Names that come from outside, made safe to show and to write."""

import hashlib
import re
import unicodedata
from functools import lru_cache

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SLUG_LENGTH = 48
# Reserved on Windows, with any suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


def printable(text: str) -> str:
    r"""Escape what a terminal would act on: controls, direction marks, lone surrogates.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        # nearly all names, at once
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _UNSAFE_CATEGORIES
        else character
        for character in text
    )


def nfc(text: str) -> str:
    """Return the composed form, so that one name is one name on every file system."""
    return unicodedata.normalize("NFC", text)


def label_text(value: object) -> str | None:
    """Return a label as every command compares it: composed text, None for none.

    >>> label_text(0), label_text(""), label_text(None)
    ('0', None, None)
    """
    return None if value is None or value == "" else nfc(str(value))


def digest(text: str, *, size: int = 16) -> bytes:
    """Return BLAKE2b of the NFC form, ``size`` bytes."""
    return hashlib.blake2b(nfc(text).encode(), digest_size=size).digest()


@lru_cache(maxsize=1 << 16)
def output_stem(key: str) -> str:
    """Return a file name for a source: an ASCII slug of its stem and 8 hexadecimal digits of its whole key.

    >>> output_stem("Kicks/Bass Drum #1.wav")
    'bass-drum-1-eea6e9e7'
    """
    stem = key.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_SLUG_LENGTH].strip("-")
    if not slug or _RESERVED.match(slug):
        slug = f"clip-{slug}".strip("-")
    return f"{slug}-{digest(key, size=4).hex()}"
