"""What is there before a training begins: its data, and the model with its first weights."""

import math
from dataclasses import dataclass, replace

import torch

from stereokit.data.corpus import Corpus, open_corpus
from stereokit.errors import BadInputError, UsageError
from stereokit.models._family import LABELLED_FEEDS
from stereokit.training.feed import check_corpus
from stereokit.training.trainer import Model
from stereokit.workflows.outside_weights import read_outside_weights
from stereokit.workflows.train_settings import Plan


@dataclass(frozen=True)
class Prepared:
    """What is there before the processes part: the plan, the model with its first weights, and the data.

    Attributes
    ----------
    plan, model
        With the labels of the data.
    corpus, validation
        Splits of the data set; None without validation clips.
    notes
        What the user should know of the data.
    """

    plan: Plan
    model: Model
    corpus: Corpus
    validation: Corpus | None
    notes: tuple[str, ...] = ()

    @property
    def items_a_step(self) -> int:
        """How many items all turns and ranks read in a step."""
        repeats = sum(turn.repeats for turn in self.model.turns() if turn.reads_data)
        return max(1, repeats) * int(self.plan.config.batch) * self.plan.devices


def prepare(plan: Plan) -> Prepared:
    """Open the data and build the model, which may need to know their labels.

    Raises
    ------
    UsageError, BadInputError
        When there is no such data set, it is another one than the run's, or it does not fit the model.
    """
    corpus, notes = _labelled_part(plan, _opened(plan, "train"))
    if plan.fingerprint not in (None, corpus.fingerprint):
        raise BadInputError(
            f"{plan.dataset}: its fingerprint is {corpus.fingerprint}, the run was trained on {plan.fingerprint}: "
            "give the same data set, or start a new run"
        )
    feed = plan.family.feed_of(plan.config)
    check_corpus(corpus, feed)
    if feed in LABELLED_FEEDS:
        counts = corpus.label_counts
        config = replace(plan.config, labels=tuple(counts), label_counts=tuple(counts.values()))
        plan = replace(plan, config=config)
    torch.manual_seed(plan.seed)
    model: Model = plan.family.load_model()(plan.config)
    plan = replace(_begun(plan, model), fingerprint=corpus.fingerprint)
    prepared = Prepared(plan, model, corpus, open_held_out(plan, "validation"), notes)
    if plan.epochs is not None:
        steps = max(1, math.ceil(plan.epochs * len(corpus) / prepared.items_a_step))
        prepared = replace(prepared, plan=replace(prepared.plan, steps=steps))
    return prepared


def open_held_out(plan: Plan, split: str) -> Corpus | None:
    """Return a split to judge by, for a labeller the clips with one of its labels; None where there is none.

    A data set without validation clips trains as well.
    """
    try:
        corpus = _opened(plan, split)
    except (BadInputError, UsageError):
        return None
    if "labeller" not in plan.family.capabilities:
        return corpus
    known = [label for label in corpus.labels if label in plan.config.labels]
    return corpus.only(known) if known else None


def _begun(plan: Plan, model: Model) -> Plan:
    """Let a new run's model begin with weights from outside, where some are given, and put them on record."""
    if plan.weights is None:
        return plan
    weights = read_outside_weights(plan.weights)
    own = getattr(plan.config, "network", weights.network)
    if own != weights.network:
        raise UsageError(f"--weights {plan.weights}: is of {weights.network}, and this preset has network={own}")
    model.take(weights.tensors, str(plan.weights))
    about = {"file": plan.weights.name, "network": weights.network, "fingerprint": weights.fingerprint}
    return replace(plan, begun_with=about)


def _opened(plan: Plan, split: str) -> Corpus:
    config = plan.config
    frames = round(config.seconds * config.sample_rate)
    whole = open_corpus(plan.dataset, split, sample_rate=config.sample_rate, frames=frames, label_column=plan.condition)
    return whole.only(plan.only) if plan.only else whole


def _labelled_part(plan: Plan, corpus: Corpus) -> tuple[Corpus, tuple[str, ...]]:
    """Return what a labeller can learn from: some clips of a set that is to be labelled have a label already."""
    if "labeller" not in plan.family.capabilities or not corpus.labels:
        return corpus, ()
    part = corpus.only(corpus.labels)
    left = len(corpus) - len(part)
    return part, (f"{left} training clips without a label are left out",) if left else ()
