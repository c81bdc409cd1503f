"""What a listening study came to: shares with exact intervals, by group and in all, and how constant listeners are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stereokit.data.listening import Listening, existing
from stereokit.data.study import Listener, StudyPair, Trial
from stereokit.errors import MissingError, Status, UsageError
from stereokit.metrics.preference import coin_p, preference
from stereokit.workflows.events import Events, Json, Row
from stereokit.workflows.score_listen_settings import ListenSettings
from stereokit.writing import write_file

LISTEN_SCHEMA = "stereokit.score.listen/1"
LISTENER_SCHEMA = "stereokit.score.listen.listener/1"
PAIR_SCHEMA = "stereokit.score.listen.pair/1"
TRIAL_SCHEMA = "stereokit.score.listen.trial/1"


@dataclass(frozen=True)
class Tally:
    """What some listeners said.

    Attributes
    ----------
    a, b, same
        How often they chose each, pairs asked again left out.
    controls, consistent
        Pairs that were answered twice, and how many of them the same way.
    left
        Trials without an answer.
    """

    a: int = 0
    b: int = 0
    same: int = 0
    controls: int = 0
    consistent: int = 0
    left: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        values = zip(vars(self).values(), vars(other).values(), strict=True)
        return Tally(*(one + more for one, more in values))


def tally_of(trials: Sequence[Trial]) -> Tally:
    """Count what one listener said."""
    first = {trial.turn.pair: trial.answer for trial in trials if not trial.turn.is_control}
    answers = [answer for answer in first.values() if answer is not None]
    again = [trial for trial in trials if trial.turn.is_control and trial.answer is not None]
    return Tally(
        a=answers.count("a"),
        b=answers.count("b"),
        same=answers.count("same"),
        controls=len(again),
        consistent=sum(trial.answer == first[trial.turn.pair] for trial in again),
        left=sum(trial.answer is None for trial in trials),
    )


def result_rows(file: Listening, *, per_listener: bool = False, per_trial: bool = False) -> Iterator[Row]:
    """Yield what is known so far: a row a trial and a listener where wanted, a row a group, and one for all."""
    listeners, pairs = file.listeners(), file.pairs()
    trials: dict[int, list[Trial]] = {listener.number: [] for listener in listeners}
    for trial in file.trials():
        trials[trial.listener].append(trial)
    tallies = {listener: tally_of(trials[listener.number]) for listener in listeners}
    study = _study(file.description(), len(pairs))
    for listener in listeners if per_trial else ():
        yield from _trial_rows(listener, trials[listener.number], pairs)
    for listener in listeners if per_listener else ():
        who: dict[str, Json] = {"listener": listener.name, "group": listener.group}
        yield Row(LISTENER_SCHEMA, {**who, **_figures([tallies[listener]]), **study})
    names = sorted({listener.group for listener in listeners if listener.group is not None})
    # people of no group beside people of some are a group of their own, without a name
    groups: list[str | None] = [*names, None] if any(one.group is None for one in listeners) else [*names]
    for group in groups if names else ():
        theirs = [tallies[listener] for listener in listeners if listener.group == group]
        yield Row(LISTEN_SCHEMA, {"of": "group", "group": group, **_summary(theirs), **study})
    yield Row(LISTEN_SCHEMA, {"of": "all", "group": None, **_summary(list(tallies.values())), **study})


def _study(description: Mapping[str, object], pairs: int) -> dict[str, Json]:
    words: dict[str, Json] = {}
    for name in ("question", "a", "b", "reference", "seed"):
        value = description.get(name)
        words[name] = value if isinstance(value, str | int) else None
    return {**words, "pairs": pairs}


def _summary(tallies: Sequence[Tally]) -> dict[str, Json]:
    """Return the figures of a group: of all their trials together, and of its listeners one vote each."""
    for_a, for_b = sum(one.a > one.b for one in tallies), sum(one.b > one.a for one in tallies)
    return {
        **_figures(tallies),
        "listeners": len(tallies),
        "listeners_finished": sum(one.left == 0 for one in tallies),
        "listeners_for_a": for_a,
        "listeners_for_b": for_b,
        "listeners_p": coin_p(for_a, for_a + for_b),
    }


def _figures(tallies: Sequence[Tally]) -> dict[str, Json]:
    total = sum(tallies, Tally())
    heard = preference(total.a, total.a + total.b)
    return {
        "trials": total.a + total.b + total.same,
        "for_a": total.a,
        "for_b": total.b,
        "same": total.same,
        "share_a": heard.share,
        "share_a_low": heard.low,
        "share_a_high": heard.high,
        "p": heard.p,
        "left": total.left,
        "controls": total.controls,
        "consistency": total.consistent / total.controls if total.controls else None,
    }


def _trial_rows(listener: Listener, trials: Sequence[Trial], pairs: Sequence[StudyPair]) -> Iterator[Row]:
    for trial in trials:
        yield Row(
            TRIAL_SCHEMA,
            {
                "listener": listener.name,
                "group": listener.group,
                "place": trial.place,
                **_pair_fields(pairs[trial.turn.pair]),
                "first": "a" if trial.turn.is_a_first else "b",
                "is_control": trial.turn.is_control,
                "answer": trial.answer,
            },
        )


def pair_rows(pairs: Sequence[StudyPair]) -> Iterator[Row]:
    """Yield a row a pair: its clips, and what makes them equally loud."""
    for pair in pairs:
        yield Row(PAIR_SCHEMA, {**_pair_fields(pair), "sample_rate_hz": pair.sample_rate})


def _pair_fields(pair: StudyPair) -> dict[str, Json]:
    names, gains = [*pair.names, None], [*pair.gains_db, None]
    named: dict[str, Json] = {"a": names[0], "b": names[1], "reference": names[2]}
    return named | {"gain_a_db": gains[0], "gain_b_db": gains[1], "gain_reference_db": gains[2]}


def end_results(file: Listening, settings: ListenSettings) -> Iterator[Row]:
    """Yield the rows that were asked for, and write the picture."""
    rows = list(result_rows(file, per_listener=settings.per_listener, per_trial=settings.per_trial))
    yield from rows
    if settings.plot is not None:
        from stereokit.workflows.score_listen_picture import picture  # noqa: PLC0415 - works without matplotlib

        shown = [row.fields for row in rows if row.schema == LISTEN_SCHEMA]
        write_file(settings.plot, picture(shown, is_vector=settings.plot.suffix.lower() == ".svg"))


def check_plot(settings: ListenSettings) -> None:
    """Stop before any work when the picture cannot be drawn in the end.

    Raises
    ------
    MissingError
        When matplotlib is not there.
    """
    if settings.plot is not None:
        try:
            import stereokit.workflows.score_listen_picture  # noqa: F401, PLC0415 - works without matplotlib
        except ImportError as error:
            raise MissingError("--plot needs matplotlib: pip install 'stereokit[plot]'") from error


def listen_results(settings: ListenSettings) -> Events:
    """Yield what a study came to, or has so far while others answer it.

    Raises
    ------
    UsageError
        When there is no study, or it compares other folders.
    BadInputError, OutputError
        When the file cannot be used, or the picture not be written.
    """
    settings.check()
    check_plot(settings)
    file = existing(settings.output)
    try:
        description = file.description()
        if not description:
            raise UsageError(f"{settings.output}: no study was begun there; without --results it is begun")
        for name, given in (("a", settings.a), ("b", settings.b), ("reference", settings.reference)):
            if given is not None and description[name] != str(Path(given).resolve()):
                raise UsageError(f"{settings.output}: holds a study with {name} {description[name]}, not {given}")
        yield from end_results(file, settings)
    finally:
        file.close()
    return Status.DONE
