"""Labels that names suggest: ``Kicks/BD_01.wav`` is a kick. Weak ones, since names lie."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stereokit.data.tables import csv_rows
from stereokit.data.text import nfc
from stereokit.errors import BadInputError

# Words that stand for a label, in the names of sample packs, drum machines and General MIDI.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "clap": ("clap", "claps", "clp", "cp", "hand clap", "handclap"),
    "crash": ("crash", "crashes", "cr", "crs", "crsh", "splash"),
    "hat": (
        "hat", "hats", "hh", "hihat", "hihats", "hi hat", "high hat", "hht", "oh", "ohh", "ch", "chh", "ph", "phh",
        "open hat", "openhat", "closed hat", "closedhat", "pedal hat",
    ),
    "kick": ("kick", "kicks", "kik", "kck", "kd", "bd", "bassdrum", "bass drum", "bdrum"),
    "ride": ("ride", "rides", "rd", "rid"),
    "shaker": ("shaker", "shakers", "shake", "shk", "shkr", "sh", "maraca", "maracas", "cabasa"),
    "snare": ("snare", "snares", "snr", "sn", "sd", "snaredrum", "snare drum"),
    "tom": (
        "tom", "toms", "tm", "ht", "mt", "lt", "hitom", "midtom", "lowtom", "hightom", "floortom", "hi tom", "mid tom",
        "low tom", "floor tom", "tomtom",
    ),
}  # fmt: skip
# So long a word is found at the start of a longer one, too: snaredrum, kickloop.
_LEAST_PREFIX = 4
# Letters and what follows them: "SnareDrum_06" is snare, drum; "HH02" is hh.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class WeakLabel:
    """What a name says.

    Attributes
    ----------
    label
        The label; None where no word, or words of several labels, were found.
    word
        The word it was found by; several, joined by commas, where they disagree; None without one.
    """

    label: str | None
    word: str | None


def synonym_map(path: Path | None = None) -> dict[str, str]:
    """Return label by word: ours, and those of a CSV with the columns ``word`` and ``label``, which come first.

    Raises
    ------
    UsageError
        When the file cannot be opened or lacks a column.
    BadInputError
        When it is no CSV, or a row has no word or label.
    """
    words = {word: label for label, synonyms in SYNONYMS.items() for word in synonyms}
    for number, row in csv_rows(path, "word", "label") if path is not None else ():
        word, label = ("", "") if isinstance(row, str) else (str(row["word"]).strip(), str(row["label"]).strip())
        if not word or not label:
            raise BadInputError(f"{path} line {number}: {row if isinstance(row, str) else 'lacks a word or a label'}")
        words[" ".join(_split(word)) or word.lower()] = nfc(label)
    return words


def weak_label(key: str, synonyms: Mapping[str, str]) -> WeakLabel:
    """Return what a relative path with slashes says: the file's own name first, then its folders, the nearest first.

    A part of the path that names several labels says nothing, and ends the search.

    >>> weak_label("808/BD/Hard 02.wav", synonym_map())
    WeakLabel(label='kick', word='bd')
    >>> weak_label("Closed_Hat-01.wav", synonym_map()).label
    'hat'
    """
    *folders, name = key.split("/")
    for part in [name.rsplit(".", 1)[0], *reversed(folders)]:
        found = dict(_found(_split(part), synonyms))
        if len(set(found.values())) > 1:
            return WeakLabel(None, ", ".join(found))
        if found:
            word, label = next(iter(found.items()))
            return WeakLabel(label, word)
    return WeakLabel(None, None)


def _split(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(nfc(text))]


def _found(words: list[str], synonyms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the words of labels, two words that belong together before one."""
    place = 0
    while place < len(words):
        pair = " ".join(words[place : place + 2])
        if place + 1 < len(words) and pair in synonyms:
            yield pair, synonyms[pair]
            place += 2
            continue
        word = words[place]
        if word in synonyms:
            yield word, synonyms[word]
        else:
            starts = [one for one in synonyms if len(one) >= _LEAST_PREFIX and word.startswith(one)]
            if starts:
                yield word, synonyms[max(starts, key=len)]
        place += 1
