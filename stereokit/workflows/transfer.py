"""``stereokit transfer``: sounds of one genre as sounds of another, by all that ``enhance`` promises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from stereokit.errors import UsageError
from stereokit.models._conversion import Change, translating
from stereokit.models._run import Run
from stereokit.workflows.enhance import change_sounds
from stereokit.workflows.enhance_settings import EnhanceSettings
from stereokit.workflows.enhance_work import Task
from stereokit.workflows.events import Events, Json


@dataclass(frozen=True)
class TransferSettings(EnhanceSettings):
    """The words of ``stereokit transfer``, beside those of ``enhance``.

    Attributes
    ----------
    target_label
        The genre that sounds should have.
    source_label
        The genre that they have; None where the run knows only one other.
    """

    target_label: str = ""
    source_label: str | None = None

    def recorded(self) -> dict[str, Json]:
        """Return what decides a sound beside its source and the run."""
        return {**super().recorded(), "to": self.target_label, "from": self.source_label}


def transfer(settings: TransferSettings, stdin: Iterable[str] | None = None, piped: BinaryIO | None = None) -> Events:
    """Translate sounds and yield a row for each and a summary; for a pipe, yield the bytes of one WAV file.

    Parameters
    ----------
    settings
        The words.
    stdin, piped
        As for ``enhance``.

    Raises
    ------
    UsageError
        For a genre that the run does not know; and as ``enhance`` does.
    """

    def change(run: Run) -> Change:
        source, target = genres_of(run.config.labels, settings.source_label, settings.target_label)
        return translating(run.model, source, target)

    task = Task("transfer", "translating", "translator", "stereokit.transfer/1", "stereokit.transfer.file/1", change)
    return (yield from change_sounds(task, settings, stdin, piped))


def genres_of(labels: Sequence[str], source: str | None, target: str) -> tuple[int, int]:
    """Return the numbers of what sounds are and of what they should be.

    Parameters
    ----------
    labels
        That a run knows.
    source, target
        Names; a source of None is the one other genre of two.

    Raises
    ------
    UsageError
        For a name that is not among them, naming them; for a source that is not told and could be several.

    >>> genres_of(("classical", "jazz"), None, "jazz")
    (0, 1)
    """
    for option, name in (("--to", target), ("--from", source)):
        if name is not None and name not in labels:
            raise UsageError(f"{option} {name!r}: the run knows {', '.join(labels)}")
    others = [label for label in labels if label != target]
    if source is None and len(others) > 1:
        raise UsageError(f"give --from: the run knows {', '.join(labels)}, and sounds could be {' or '.join(others)}")
    return labels.index(others[0] if source is None else source), labels.index(target)
