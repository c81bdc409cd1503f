"""``stereokit label predict``: what a trained model, or a name, says that sounds are."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stereokit.data.sources import Refusal, Source
from stereokit.data.text import printable
from stereokit.data.weak_labels import synonym_map, weak_label
from stereokit.data.workers import available_jobs
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.workflows.events import Event, Events, Json, Progress, Row
from stereokit.workflows.label_clips import find_clips
from stereokit.workflows.label_settings import check_share
from stereokit.workflows.label_sort import Sorting
from stereokit.workflows.label_space import SILENT, open_model
from stereokit.workflows.refusals import refusal_messages

CLIP_SCHEMA = "stereokit.label.predict.clip/1"
SUMMARY_SCHEMA = "stereokit.label.predict/1"

Fields = dict[str, Json]


@dataclass(frozen=True)
class PredictSettings:
    """The words of ``stereokit label predict``.

    Attributes
    ----------
    words
        The run and the sources; with ``from_names`` the sources alone.
    abstain
        Clips that are told less surely than this get no label.
    from_names
        Whether names are read instead of sounds.
    synonyms
        More words for names.
    sort_into, is_linked, force, dry_run
        Where clips are put, and how.
    """

    words: tuple[str, ...]
    abstain: float = 0.0
    from_names: bool = False
    synonyms: Path | None = None
    sort_into: Path | None = None
    is_linked: bool = False
    force: bool = False
    dry_run: bool = False
    strict: bool = False
    jobs: int | None = None
    device: str = "auto"

    def check(self) -> None:
        """Refuse words that do not go together.

        Raises
        ------
        UsageError
            Naming the first of them.
        """
        check_share("--abstain", self.abstain)
        if self.sort_into is None and (self.is_linked or self.force or self.dry_run):
            raise UsageError("--link, --force and --dry-run go with --sort-into DIR")
        if self.from_names and self.abstain:
            raise UsageError("--abstain: a name says no probability; leave it or --from-names out")
        if self.synonyms is not None and not self.from_names:
            raise UsageError("--synonyms goes with --from-names")
        if not self.from_names and len(self.words) < 2:
            raise UsageError("give RUN and SRC: the folder of a trained labeller, and sounds (or SRC --from-names)")

    @property
    def sources(self) -> tuple[str, ...]:
        """What holds the sounds."""
        return self.words if self.from_names else self.words[1:]


def predict(settings: PredictSettings, stdin: Iterable[str]) -> Events:
    """Yield a row a clip with its label, in the order of their names, then a summary.

    Raises
    ------
    UsageError
        For words that do not go together, and families that tell no labels.
    BadInputError
        When the run or no sound can be read.
    MissingError, OutputError
        When torch is not there, or clips cannot be put into folders.
    """
    settings.check()
    found = find_clips(settings.sources, stdin)
    sorting = None
    if settings.sort_into is not None:
        sorting = Sorting(settings.sort_into, settings.is_linked, settings.dry_run)
        sorting.check(found.sources, force=settings.force)
    told: list[Fields | BadInputError]
    model: Fields = {}
    if settings.from_names:
        told = _from_names(settings, found.sources)
    else:
        told, model = yield from _from_model(settings, found.sources)
    refused = [
        *found.refused,
        *(
            Refusal(str(source.path), str(one))
            for source, one in zip(found.sources, told, strict=True)
            if isinstance(one, BadInputError)
        ),
    ]
    if refused and settings.strict:
        yield from refusal_messages(refused)
        raise BadInputError(f"{len(refused)} inputs were refused, and --strict was given")
    if len(told) == sum(isinstance(one, BadInputError) for one in told):
        yield from refusal_messages(refused)
        raise BadInputError(f"none of {len(told)} sounds could be used")
    counts = yield from _shown(found.sources, told, sorting, refused)
    yield from refusal_messages(refused)
    yield _summary(settings, counts, len(refused), model)
    return Status.SOME_FAILED if refused else Status.DONE


def _from_names(settings: PredictSettings, sources: Sequence[Source]) -> list[Fields | BadInputError]:
    synonyms = synonym_map(settings.synonyms)
    told: list[Fields | BadInputError] = []
    for source in sources:
        weak = weak_label(source.key, synonyms)
        reason = None if weak.label else "its name names no label" if weak.word is None else "its name names several"
        told.append({"label": weak.label, "provenance": "name", "word": weak.word, "reason": reason})
    return told


def _from_model(
    settings: PredictSettings, sources: Sequence[Source]
) -> Generator[Progress, None, tuple[list[Fields | BadInputError], Fields]]:
    from stereokit.workflows.label_model import everything  # noqa: PLC0415 - names need no torch

    model = open_model(Path(settings.words[0]), "labeller", "label predict", settings.device)
    jobs = available_jobs() if settings.jobs is None else settings.jobs
    results = yield from everything(model, sources, jobs=jobs)
    told: list[Fields | BadInputError] = []
    for result in results:
        if isinstance(result, BadInputError):
            told.append(result)
        elif result is None:
            told.append({"label": None, "provenance": "model", "reason": SILENT})
        else:
            told.append(_told(result, model.labels, settings.abstain))
    run = model.run
    return told, {"run": run.fingerprint, "family": run.family.name, "preset": run.preset, "classes": [*model.labels]}


def _told(
    probabilities: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", labels: Sequence[str], least: float
) -> Fields:
    """Return what a model says of a clip: the likeliest label and the second one."""
    order = np.argsort(-probabilities, kind="stable")
    first, second = int(order[0]), int(order[1])
    probability = float(probabilities[first])
    is_sure = probability >= least
    return {
        "label": labels[first] if is_sure else None,
        "best": labels[first],
        "probability": probability,
        "margin": probability - float(probabilities[second]),
        "second": labels[second],
        "second_probability": float(probabilities[second]),
        "provenance": "model",
        "reason": None if is_sure else f"is less sure than {least:g}",
    }


def _shown(
    sources: Sequence[Source],
    told: Sequence[Fields | BadInputError],
    sorting: Sorting | None,
    refused: list[Refusal],
) -> Generator[Event, None, Counter[str | None]]:
    """Yield the rows, put clips into folders, and return how many have each label."""
    counts: Counter[str | None] = Counter()
    for source, fields in zip(sources, told, strict=True):
        if isinstance(fields, BadInputError):
            continue
        label = fields["label"]
        row: Fields = {"status": "abstained" if label is None else "done", "path": str(source.path)}
        row |= {"file_name": source.key, **fields}
        if sorting is not None and isinstance(label, str):
            columns = {
                "source": source.key,
                "probability": fields.get("probability"),
                "provenance": fields["provenance"],
            }
            try:
                row["sorted_path"] = str(sorting.put(source, label, columns))
            except BadInputError as error:
                refused.append(Refusal(str(source.path), str(error)))
                continue
        counts[label if isinstance(label, str) else None] += 1
        yield Row(CLIP_SCHEMA, row)
    if sorting is not None:
        sorting.finish()
    return counts


def _summary(settings: PredictSettings, counts: Counter[str | None], refused: int, model: Fields) -> Row:
    named = {printable(label): count for label, count in counts.items() if label is not None}
    return Row(
        SUMMARY_SCHEMA,
        {
            "status": "dry run" if settings.dry_run else "done",
            "clips": sum(counts.values()),
            "abstained": counts[None],
            "refused": refused,
            "labels": dict(sorted(named.items())),
            "sorted_into": None if settings.sort_into is None else str(settings.sort_into),
            **model,
        },
    )
