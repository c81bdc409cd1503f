"""What listeners may ask of a study, and what they may not learn: which side of a trial is which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.data.listening import Listening
from stereokit.data.study import Listener, StudyPair, Trial
from stereokit.data.text import nfc
from stereokit.errors import BadInputError
from stereokit.serving.sounds import Kept
from stereokit.workflows.events import Json
from stereokit.workflows.score_listen_order import turns
from stereokit.workflows.score_listen_settings import LONGEST_NAME, ListenSettings, is_name
from stereokit.workflows.score_listen_sounds import played

FIRST, SECOND, SAME, REFERENCE = "1", "2", "same", "x"
# Of what a pair has: a, b, the reference.
_SIDES = 3


class UnknownError(Exception):
    """There is no such listener, trial or sound."""


@dataclass
class Study:
    """A study that listeners answer, for several threads.

    Attributes
    ----------
    file
        Where all of it is written.
    settings
        How it is held.
    paths
        Of the clips of each pair.
    """

    file: Listening
    settings: ListenSettings
    paths: Sequence[tuple[Path, ...]]
    _pairs: list[StudyPair] = field(init=False)
    _sounds: Kept = field(init=False)

    def __post_init__(self) -> None:
        self._pairs = self.file.pairs()
        self._sounds = Kept(self._played)

    def words(self) -> dict[str, Json]:
        """Return what the page shows to everybody."""
        return {
            "question": self.settings.asked,
            "has_reference": self.settings.reference is not None,
            "allow_same": self.settings.allow_same,
            "groups": [*self.settings.group_names],
            "longest_name": LONGEST_NAME,
        }

    def join(self, sent: Mapping[str, object]) -> dict[str, Json]:
        """Take a listener in: ``name``, ``group`` and, for a name that is known, ``again``.

        Returns
        -------
        dict
            Where they are, as ``state``; for a name that is known, without ``again``, only ``known`` and how far they
            were.

        Raises
        ------
        BadInputError
            For a name or group that cannot be one.
        """
        name, group = _name(sent.get("name"), "name"), self._group(sent.get("group"))
        known = self.file.listener_named(name)
        if known is not None and sent.get("again") is not True:
            return {"known": True, **self._progress(self.file.trials(known.number))}
        settings = self.settings
        drawn = turns(len(self._pairs), controls=settings.controls, seed=settings.seed, name=name)
        return self._state(self.file.join(name, group, drawn))

    def _group(self, sent: object) -> str | None:
        names = self.settings.group_names
        if not names:
            return None if sent in (None, "") else _name(sent, "group")
        if sent not in names:
            raise BadInputError(f"choose a group: {', '.join(names)}")
        return str(sent)

    def state(self, token: str) -> dict[str, Json]:
        """Return where a listener is: how many trials they have and answered, and the next one's token.

        Raises
        ------
        UnknownError
            When nobody has this token.
        """
        listener = self.file.listener_of(token)
        if listener is None:
            raise UnknownError
        return self._state(listener)

    def _state(self, listener: Listener) -> dict[str, Json]:
        trials = self.file.trials(listener.number)
        following = _following(trials)
        return {
            "listener": listener.token,
            "name": listener.name,
            "group": listener.group,
            "trial": None if following is None else following.token,
            **self._progress(trials),
        }

    def _progress(self, trials: Sequence[Trial]) -> dict[str, Json]:
        return {"answered": sum(trial.answer is not None for trial in trials), "total": len(trials)}

    def answer(self, sent: Mapping[str, object]) -> None:
        """Write what a listener says of a trial: ``trial`` and ``answer``, which is on the disk when this returns.

        Raises
        ------
        UnknownError
            When there is no such trial.
        BadInputError
            For another word, or a trial that comes later.
        AnsweredError
            When there is an answer already; it stays.
        """
        trial = self._trial(sent.get("trial"))
        first, second = ("a", "b") if trial.turn.is_a_first else ("b", "a")
        meanings = {FIRST: first, SECOND: second} | ({SAME: SAME} if self.settings.allow_same else {})
        word = sent.get("answer")
        if not isinstance(word, str) or word not in meanings:
            raise BadInputError(f"an answer is one of {', '.join(meanings)}")
        following = _following(self.file.trials(trial.listener))
        if trial.answer is None and following is not None and following.token != trial.token:
            raise BadInputError("this trial comes later")
        self.file.answer(trial.token, meanings[word])

    def sound(self, token: str, which: str) -> bytes:
        """Return a sound of a trial: ``1``, ``2``, or ``x`` for the reference.

        Raises
        ------
        UnknownError
            When there is none.
        BadInputError
            When its file is gone; its name is not told.
        """
        turn = self._trial(token).turn
        places = {FIRST: 0 if turn.is_a_first else 1, SECOND: 1 if turn.is_a_first else 0, REFERENCE: 2}
        if which not in places or places[which] >= len(self.paths[turn.pair]):
            raise UnknownError
        try:
            return self._sounds[turn.pair * _SIDES + places[which]]
        except BadInputError as error:
            # whatever it says may hold the file's name, which tells a listener too much
            raise BadInputError("a sound of this trial cannot be read any more") from error

    def _trial(self, token: object) -> Trial:
        trial = self.file.trial(token) if isinstance(token, str) else None
        if trial is None:
            raise UnknownError
        return trial

    def _played(self, number: int) -> bytes:
        pair, side = divmod(number, _SIDES)
        known = self._pairs[pair]
        return played(self.paths[pair][side], sample_rate=known.sample_rate, gain_db=known.gains_db[side])


def _following(trials: Sequence[Trial]) -> Trial | None:
    """Return the first trial without an answer."""
    return next((trial for trial in trials if trial.answer is None), None)


def _name(sent: object, called: str) -> str:
    """Return a name as it is kept.

    Raises
    ------
    BadInputError
        When it is none.
    """
    name = nfc(sent.strip()) if isinstance(sent, str) else ""
    if not is_name(name):
        raise BadInputError(f"a {called} has 1 to {LONGEST_NAME} letters that show")
    return name
