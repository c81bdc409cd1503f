"""What a listening study is made of: pairs of clips, listeners, and what each of them is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StudyPair:
    """Two clips that are compared, and the reference that they are compared to.

    Attributes
    ----------
    names
        Of a, b and, where there is one, the reference, inside their folders.
    digests
        BLAKE2b of the files, as hexadecimal digits.
    gains_db
        What makes them equally loud, 0 or less.
    sample_rate
        Hz at which all of them are played.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    gains_db: tuple[float, ...]
    sample_rate: int


@dataclass(frozen=True)
class Turn:
    """What a listener is to be asked: the number of the pair, whether it is asked again, whether a comes first."""

    pair: int
    is_control: bool
    is_a_first: bool


@dataclass(frozen=True)
class Trial:
    """What a listener was or is to be asked.

    Attributes
    ----------
    token
        Its part of addresses; tells nothing.
    listener
        The listener's number.
    place
        From 0 on, in the order in which this listener is asked.
    turn
        What is asked.
    answer
        ``a``, ``b`` or ``same``; None before.
    """

    token: str
    listener: int
    place: int
    turn: Turn
    answer: str | None


@dataclass(frozen=True)
class Listener:
    """Somebody who joined: number, name, group (None for none), and what their page is known by."""

    number: int
    name: str
    group: str | None
    token: str


class AnsweredError(Exception):
    """The trial has an answer already, which stays."""
