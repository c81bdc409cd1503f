"""A listener who knows answers the questions of ``metrics/questions``: how well are all other clips told?

    python tests/bench/active_labelling.py DRUMS [--labels FILE] [--group COLUMN] [--asked 30 60 120 240] [--round 8]
        [--seeds 5] [--machines SHARE] [--hidden SHARE] [--method kernel-machine] [--cache FILE] [--jobs 2]

DRUMS is a folder with ``labels.csv`` (file_name, label, machine), or any data set with ``--labels metadata``. All its
labelled clips are in the set, without their labels. In rounds of --round, the clips that ``next_questions`` chooses are
answered with their true label, and ``told_of_all`` tells the rest; beside it, clips chosen at random. No clip is kept
from being asked about. Where half of a class's clips have labels already, the listener leaves the question open: it
counts as asked, the clip stays without a label, is not asked about again, and is judged with the rest. Judged are all
clips without a label. Each seed also draws the space's words, and the random choice; figures are means over the seeds
and their deviations. ``open`` is how many questions stayed open, ``s/round`` the time to choose and to tell.

--machines takes a share of the machines for each seed, as if the set were another one. --hidden never asks about a
share of the machines, and judges these clips apart as well. --cache keeps portraits from one call to the next.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from stereokit.metrics.portrait import Portrait
from stereokit.metrics.propagation._form import UNKNOWN
from stereokit.metrics.questions import next_questions, told_of_all
from stereokit.metrics.sound_space import sound_space
from stereokit.workflows.label_clips import labelled_clips
from stereokit.workflows.label_examine import PORTRAIT, examined


def listened(options):
    """Return portraits, names of labels, and groups of all labelled clips that can be heard."""
    if options.cache and options.cache.exists():
        kept = np.load(options.cache)
        pairs = zip(kept["pictures"], kept["descriptors"], strict=True)
        return [Portrait(*pair) for pair in pairs], kept["labels"], kept["groups"]
    clips = labelled_clips(
        [str(options.drums)], [], labels=options.labels or str(options.drums / "labels.csv"), group=options.group
    )
    wanted = [place for place, label in enumerate(clips.labels) if label is not None]
    work = examined([clips.sources[place] for place in wanted], jobs=options.jobs, feature=PORTRAIT)
    while True:
        try:
            next(work)
        except StopIteration as ended:
            found = ended.value
            break
    heard = [number for number, one in enumerate(found) if isinstance(getattr(one, "look", None), Portrait)]
    portraits = [found[number].look for number in heard]
    labels = np.array([clips.labels[wanted[number]] for number in heard])
    groups = np.array([clips.groups[wanted[number]] or "" for number in heard])
    if options.cache:
        np.savez(
            options.cache, pictures=np.stack([one.picture for one in portraits]),
            descriptors=np.stack([one.descriptors for one in portraits]), labels=labels, groups=groups,
        )  # fmt: skip
    return portraits, labels, groups


class Session:
    """One listener with one set."""

    def __init__(self, points, truth, is_askable, options, seed):
        self.points, self.truth, self.options, self.seed = points, truth, options, seed
        self.classes = int(truth.max()) + 1
        self.labels = np.full(len(truth), UNKNOWN)
        self.is_askable = is_askable.copy()
        self.asked = self.left_open = self.rounds = 0
        self.seconds = 0.0
        self.scores = None
        self.random = np.random.default_rng(seed)

    def answer(self, clips):
        half = np.bincount(self.truth, minlength=self.classes) // 2
        for clip in clips:
            kind = self.truth[clip]
            if (self.labels == kind).sum() < half[kind]:
                self.labels[clip] = kind
            else:
                self.left_open += 1
            self.is_askable[clip] = False
            self.asked += 1

    def ask_until(self, asked, *, is_chosen):
        while self.asked < asked and self.is_askable.any():
            begun = time.perf_counter()
            if is_chosen:
                clips = next_questions(
                    self.points, self.labels, self.classes, count=min(self.options.round, asked - self.asked),
                    seed=self.seed, scores=self.scores, askable=self.is_askable,
                )  # fmt: skip
            else:
                clips = self.random.permutation(np.flatnonzero(self.is_askable))[: asked - self.asked]
            self.answer(clips)
            self.scores = told_of_all(
                self.points, self.labels, self.classes, seed=self.seed, method=self.options.method
            )
            self.seconds += time.perf_counter() - begun
            self.rounds += 1

    def judged(self, hidden):
        """Return accuracy and balanced accuracy of the rest, and of hidden clips; nothing told counts as wrong."""
        is_right = (self.scores.argmax(axis=1) == self.truth) & self.scores.any(axis=1)
        rest = self.labels == UNKNOWN
        return [figure for judged in (rest, rest & hidden) for figure in balanced(is_right[judged], self.truth[judged])]


def balanced(is_right, truth):
    if not len(truth):
        return [np.nan, np.nan]
    return [is_right.mean(), np.mean([is_right[truth == kind].mean() for kind in np.unique(truth)])]


def machines_of(groups, share, random):
    names = random.permutation(np.unique(groups))
    return np.isin(groups, names[: round(share * len(names))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drums", type=Path)
    parser.add_argument("--labels")
    parser.add_argument("--group", default="machine")
    parser.add_argument("--asked", nargs="+", type=int, default=[30, 60, 120, 240])
    parser.add_argument("--round", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--machines", type=float, default=1.0)
    parser.add_argument("--hidden", type=float, default=0.0)
    parser.add_argument("--method", default="kernel-machine")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    portraits, names, groups = listened(options)
    found = {True: [], False: []}
    for seed in range(options.seeds):
        random = np.random.default_rng((seed, 1))
        kept = np.flatnonzero(machines_of(groups, options.machines, random))
        hidden = machines_of(groups[kept], options.hidden, random)
        points = sound_space([portraits[place] for place in kept], seed=seed)
        truth = np.unique(names[kept], return_inverse=True)[1]
        print(f"seed {seed}: {len(kept)} clips, {np.bincount(truth).tolist()} of each label", flush=True)
        for is_chosen, rows in found.items():
            session = Session(points, truth, ~hidden, options, seed)
            rows.append([])
            for asked in options.asked:
                session.ask_until(asked, is_chosen=is_chosen)
                figures = session.judged(hidden)
                rows[-1].append([*figures, session.left_open, session.seconds / session.rounds])
    table(found, options)


def table(found, options):
    shown = 4 if options.hidden else 2
    print(
        "asked  choice   accuracy        balanced        " + "hidden: accuracy, balanced      " * (shown > 2) + "open"
    )
    for place, asked in enumerate(options.asked):
        for is_chosen, rows in found.items():
            values = np.array(rows)[:, place]
            words = [f"{one.mean():.3f} ± {one.std():.3f}" for one in values.T[:shown]]
            seconds = f"  {values[:, 5].mean():.2f} s/round" if is_chosen else ""
            choice = "chosen" if is_chosen else "random"
            print(f"{asked:5d}  {choice:7s}  {'   '.join(words)}   {values[:, 4].mean():4.1f}{seconds}", flush=True)


if __name__ == "__main__":
    main()
