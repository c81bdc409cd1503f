"""What the report of a demo shows: figures, how wide the sets are, and clips to look at and to play."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stereokit import catalog
from stereokit.audio.files import read
from stereokit.data.sources import find_sources
from stereokit.data.tables import with_manifest
from stereokit.metrics.measure import measure_file
from stereokit.metrics.protocol import PROTOCOLS
from stereokit.models._run import Record
from stereokit.workflows.demo_folder import DemoFolder
from stereokit.workflows.demo_scores import (
    FEATURES,
    GENERATED,
    NOISE,
    PERFECT,
    TRAINING,
    ScoredSet,
    number,
    reading,
)
from stereokit.workflows.report import Picture, Player, Section, Table, page
from stereokit.workflows.report_pictures import clip_picture, width_distributions, widths_over_time
from stereokit.workflows.score_sets import label_of

_CLIPS, _NOISE_CLIPS = 8, 4
_HELD_OUT = "held-out"
TITLES = {
    NOISE: "noise bursts",
    GENERATED: "generated",
    TRAINING: "training clips",
    PERFECT: "a perfect generator",
}


@dataclass(frozen=True)
class Shown:
    """What a report is made of.

    Attributes
    ----------
    folder
        Of the demo.
    sets
        Paths of the clips that were compared, by set.
    scored
        The sets' figures.
    record
        Of the run.
    model_words
        What ``train`` was told of the model: its preset, and what was changed in it.
    """

    folder: DemoFolder
    sets: Mapping[str, Sequence[str]]
    scored: Sequence[ScoredSet]
    record: Record
    model_words: str


def report(shown: Shown) -> str:
    """Return the page; it holds no time and no place, so that equal demos give equal pages.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    held_out = find_sources(str(shown.folder.dataset / "test")).sources
    record, training = shown.record, shown.record.training
    intro = (
        f"stereokit made stereo stabs, trained {record.family.name} ({shown.model_words}, {training['steps']} "
        f"steps, seed {training['seed']}) on {record.data['clips']} of them, and let it generate "
        f"{len(shown.sets[GENERATED])} new ones. Here they are compared with {len(held_out)} stabs that the model has "
        "never seen."
    )
    sections = [
        _figures(shown.scored),
        _widths([str(source.path) for source in held_out], shown.sets),
        _held_out(shown.folder),
        _clips("Generated clips", "The first of those generated, not the best.", shown.sets[GENERATED][:_CLIPS]),
        _clips("Noise bursts", "What the generated clips must beat.", shown.sets[NOISE][:_NOISE_CLIPS]),
        _next(record.family.name, shown.model_words),
    ]
    return page("stereokit demo: generated stereo stabs", [intro], sections)


def _figures(scored: Sequence[ScoredSet]) -> Section:
    names = catalog.names("score")
    titles = [catalog.load("score", name).title for name in names]
    order = [NOISE, GENERATED, TRAINING, PERFECT]
    rows = [
        [
            TITLES[one.name],
            str(one.clips),
            *(number(one.figures[feature][name]) for feature in FEATURES for name in names),
        ]
        for one in sorted(scored, key=lambda one: order.index(one.name))
    ]
    units = {feature: catalog.load("feature", feature).unit for feature in FEATURES}
    groups = [("", 2), *((f"{about}: {feature}, {units[feature]}", len(names)) for feature, about in FEATURES.items())]
    table = Table(
        caption="Each set against equally many held-out clips",
        groups=groups,
        columns=["set", "clips", *(titles * len(FEATURES))],
        rows=rows,
        marked=order.index(GENERATED),
    )
    return Section("How near are they?", table=table, points=reading(scored))


def _widths(held_out: Sequence[str], sets: Mapping[str, Sequence[str]]) -> Section:
    protocol = PROTOCOLS["paper"]
    paths = {_HELD_OUT: held_out, TITLES[GENERATED]: sets[GENERATED], TITLES[NOISE]: sets[NOISE]}
    values = {
        name: np.stack([measure_file(path, protocol).sequence[:, 0] for path in some]) for name, some in paths.items()
    }
    medians = ", ".join(f"{name} {number(float(np.median(one)))}" for name, one in values.items())
    text = (
        "The side distance says how far left and right differ in a window of 40 ms: 0 is mono. Above, its course: "
        "the line is the median clip, the dark band holds the middle half of the clips, the light one nine of ten. "
        "Below, which share of all windows is as wide as a value or less: the nearer a line is to that of the "
        f"held-out clips, the better. Medians of all windows: {medians}."
    )
    return Section(
        "How wide are they?",
        [text],
        pictures=[
            Picture(widths_over_time(values), f"Side distance over time of three sets of clips; medians: {medians}"),
            Picture(
                width_distributions(values), f"Distribution of the side distance in three sets; medians: {medians}"
            ),
        ],
    )


def _held_out(folder: DemoFolder) -> Section:
    found = with_manifest(find_sources(str(folder.dataset / "test")), str(folder.dataset / "test"), or_above=True)
    first = list(itertools.islice(found.sources, _CLIPS))
    labels = [label_of(source) for source in first]
    text = "Real ones, the first of the test split. Each picture shows the middle and the sides, low sounds at the "
    text += "bottom, from -80 dB (black) to -10 dB under a full-scale sine. The letters are the root notes."
    return _clips("Held-out clips", text, [str(source.path) for source in first], labels)


def _clips(heading: str, text: str, paths: Sequence[str], labels: Sequence[str] = ()) -> Section:
    players = []
    for path, label in itertools.zip_longest(paths, labels, fillvalue=""):
        title = f"{Path(path).name} ({label})" if label else Path(path).name
        description = f"Spectrograms of mid and side of {title}"
        picture = Picture(clip_picture(read(path).to_clip()), description)
        players.append(Player(title, Path(path).read_bytes(), picture))
    return Section(heading, [text], players=players)


def _next(family: str, model_words: str) -> Section:
    text = "Everything here is ordinary output of other commands. In the folder of this page, go on with:"
    return Section("What next?", [text], commands=next_commands("", family, model_words))


def next_commands(place: str, family: str, model_words: str) -> list[str]:
    """Return command lines to go on with; ``place`` is the demo's folder with a slash, quoted, or nothing inside it."""
    return [
        f"stereokit generate {place}run -n 16 -o {place}more --seed 1",
        f"stereokit score {place}more {place}dataset/test --feature logmel",
        f"stereokit train {family} {place}dataset -o {place}longer {model_words} --minutes 10",
    ]
