"""Which of many clips are kept: those that the critic takes for real, or those that come nearest to the data."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.data.corpus import LABEL_COLUMN, Corpus, open_corpus
from stereokit.errors import BadInputError, UsageError
from stereokit.metrics.distance import make_pool
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.neighbours import choose_search
from stereokit.models._capabilities import block_ranges
from stereokit.models._run import Run
from stereokit.training.trainer import NonFiniteError
from stereokit.workflows.events import Event, Json, Progress
from stereokit.workflows.generate_maker import Maker
from stereokit.workflows.generate_plan import Plan
from stereokit.workflows.generate_settings import GenerateSettings

if TYPE_CHECKING:
    from stereokit.metrics.distance import Distance
    from stereokit.metrics.feature import Feature

_FEATURE = "logmel"

Clip = NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """The clips that are kept.

    Attributes
    ----------
    numbers
        Theirs, in order.
    told
        What the row of each says of why.
    """

    numbers: Sequence[int]
    told: Mapping[int, dict[str, Json]]


@dataclass(frozen=True)
class _Judged:
    """What became of the candidates: the lower the cost the better, and what to say of each."""

    costs: NDArray[np.float64]
    told: list[dict[str, Json]]


def choose(settings: GenerateSettings, run: Run, plan: Plan, maker: Maker) -> Generator[Event, None, Chosen]:
    """Make all clips of a plan, a block in memory at a time, and return the best; equal ones stay in their order.

    They are judged as the model makes them, before they are cut to a length.

    Raises
    ------
    UsageError, BadInputError
        When there are no data to hold them against.
    NonFiniteError
        When a verdict is none.
    """
    kept, _ = settings.choice or (len(plan.numbers), 0)
    judge = _by_data if settings.by == "data" else _by_critic
    judged = yield from judge(settings, run, plan, maker)
    order = np.argsort(judged.costs, kind="stable")[:kept]
    first = plan.numbers.start
    told = {first + int(place): {"rank": rank, **judged.told[place]} for rank, place in enumerate(order, start=1)}
    return Chosen(sorted(told), told)


def _by_critic(_: GenerateSettings, __: Run, plan: Plan, maker: Maker) -> Generator[Event, None, _Judged]:
    verdicts: list[NDArray[np.float64]] = []
    numbers, done = plan.numbers, 0
    for block in block_ranges(maker.size, numbers.start, len(numbers)):
        # judged whole: a verdict may depend on the other clips of the block
        found = maker.verdicts(plan.block(maker, block), plan.labels(block)).numpy()
        verdicts.append(found[_kept(block, numbers)])
        done += len(verdicts[-1])
        yield Progress("judging", done, len(numbers))
    values = np.concatenate(verdicts)
    if not np.isfinite(values).all():
        raise NonFiniteError("the critic's verdicts hold NaN or infinity: the training went wrong")
    return _Judged(-values, [{"verdict": float(value)} for value in values])


def _by_data(settings: GenerateSettings, run: Run, plan: Plan, maker: Maker) -> Generator[Event, None, _Judged]:
    corpus = _corpus(settings, run)
    feature: Feature = catalog.load("feature", _FEATURE)
    distance: Distance = catalog.load("distance", feature.distance)

    def sequence(clip: Clip) -> NDArray[np.float64]:
        return feature.sequence(Excerpt(clip[0], clip[1], corpus.sample_rate, 1.0))

    real = []
    for place in range(len(corpus)):
        real.append(sequence(corpus.read(place)))
        yield Progress("measuring the data", place + 1, len(corpus))
    made: list[NDArray[np.float64]] = []
    for block in block_ranges(maker.size, plan.numbers.start, len(plan.numbers)):
        made += [sequence(clip) for clip in plan.block(maker, block)[_kept(block, plan.numbers)].numpy()]
        yield Progress("judging", len(made), len(plan.numbers))
    costs = np.empty(len(made))
    told: list[dict[str, Json]] = [{} for _ in made]
    for places, members in _groups(run, plan, corpus):
        pool = make_pool([made[place] for place in places], [real[member] for member in members], distance)
        found = choose_search(pool, [len(pool)])(pool)
        for place, way, index in zip(places, found.other_distance, found.other_index, strict=False):
            costs[place] = way
            told[place] = {"distance_db": float(way), "nearest": corpus.clips[members[index]].file_name}
    return _Judged(costs, told)


def _groups(run: Run, plan: Plan, corpus: Corpus) -> list[tuple[list[int], list[int]]]:
    """Return places of clips with numbers of the data that they are held against: with labels, those of their own."""
    everyone = list(range(len(corpus)))
    labels = plan.labels(plan.numbers)
    if labels is None:
        return [(list(range(len(plan.numbers))), everyone)]
    groups = []
    for label in sorted(set(labels.tolist())):
        name = run.config.labels[label]
        members = [member for member in everyone if corpus.label_of(member) == name]
        if not members:
            raise BadInputError(f"{corpus.folder}: has no clip of the label {name!r} to hold clips against")
        groups.append((torch.nonzero(labels == label).flatten().tolist(), members))
    return groups


def _corpus(settings: GenerateSettings, run: Run) -> Corpus:
    folder = settings.data or Path(str(run.data["dataset"]))
    if settings.data is None and not folder.is_dir():
        raise UsageError(f"--by data: the run's data set {folder} is not here; say with --data where it is")
    column = str(run.data.get("condition", LABEL_COLUMN))
    model = run.model
    corpus = open_corpus(folder, "train", sample_rate=model.sample_rate, frames=model.frames, label_column=column)
    only = run.data.get("only") or ()
    return corpus.only(map(str, only)) if only else corpus


def _kept(block: range, numbers: range) -> slice:
    """Return which of a block's clips are asked for."""
    return slice(max(numbers.start - block.start, 0), numbers.stop - block.start)
