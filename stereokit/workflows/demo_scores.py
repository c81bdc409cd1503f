"""What a demo compares: three sets against held-out clips, by two features, and what that says in plain words."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from stereokit import catalog
from stereokit.workflows.demo_folder import DEMO_SCHEMA
from stereokit.workflows.events import Event, Events, Json, Row
from stereokit.workflows.score import score
from stereokit.workflows.score_settings import ScoreSettings

SET_SCHEMA = "stereokit.demo.set/1"

NOISE, GENERATED, TRAINING = "noise", "generated", "training"
# A perfect generator: its figures are the nulls of the scores.
PERFECT = "perfect"
# By what the sets are compared, and what that is about.
FEATURES = {"stsd": "width", "logmel": "timbre"}

Figures = dict[str, float | None]


@dataclass(frozen=True)
class ScoredSet:
    """A set and how near it comes to the held-out clips.

    Attributes
    ----------
    name
        ``noise``, ``generated``, ``training`` or ``perfect``.
    clips
        How many entered the comparison.
    figures
        By feature and score; None where a null cannot be measured.
    """

    name: str
    clips: int
    figures: dict[str, Figures]

    def row(self) -> Row:
        """Return the set as a row."""
        scores: dict[str, Json] = {feature: dict(figures) for feature, figures in self.figures.items()}
        return Row(SET_SCHEMA, {"set": self.name, "clips": self.clips, **scores})


def rows_of(events: Events) -> Generator[Event, None, list[Row]]:
    """Pass on all that a workflow tells but its rows, and return those."""
    rows = []
    try:
        for event in events:
            if isinstance(event, Row):
                rows.append(event)
            else:
                yield event
    finally:
        events.close()
    return rows


def score_sets(
    sets: Mapping[str, Sequence[str]], reference: str, *, seed: int
) -> Generator[Event, None, tuple[ScoredSet, ...]]:
    """Score sets, given as the paths of their clips, and return them with a perfect one last.

    Sets of one size have one null, which is that of the last set.
    """
    figures: dict[str, dict[str, Figures]] = {name: {} for name in (*sets, PERFECT)}
    for name, paths in sets.items():
        for feature in FEATURES:
            settings = ScoreSettings(generated="-", reference=reference, feature=feature, seed=seed)
            *_, row = yield from rows_of(score(settings, paths))
            figures[name][feature] = _figures(row.fields)
            figures[PERFECT][feature] = _figures(row.fields["expected"])
    clips = {**{name: len(paths) for name, paths in sets.items()}, PERFECT: max(map(len, sets.values()))}
    return tuple(ScoredSet(name, clips[name], by_feature) for name, by_feature in figures.items())


def _figures(fields: object) -> Figures:
    return {name: fields[name] for name in catalog.names("score")} if isinstance(fields, dict) else {}


def is_nearer(sets: Sequence[ScoredSet], feature: str) -> bool:
    """Tell whether generated clips come nearer to held-out ones than noise does."""
    generated, noise = (_of(sets, name).figures[feature]["mmd"] for name in (GENERATED, NOISE))
    return generated is not None and noise is not None and generated < noise


def reading(sets: Sequence[ScoredSet]) -> list[str]:
    """Return what there is to read from the figures, in plain words."""
    return [
        "MMD: how far held-out clips are from the nearest clip of a set; lower is nearer. " + _told(sets, "mmd"),
        "COV: the share of held-out clips that a set reaches; higher is more varied. " + _told(sets, "cov"),
        "1-NNA: how often a clip's nearest neighbour is of its own set; 1 means that the sets are told apart always. "
        + _told(sets, "nna"),
        "Noise is as loud, as long and as wide as the held-out clips in the mean, and nothing else like them.",
        "Training clips are real ones: no model that learns from them can be expected to come nearer.",
        _verdict(sets),
    ]


def _told(sets: Sequence[ScoredSet], name: str) -> str:
    parts = []
    for feature, about in FEATURES.items():
        perfect, generated, noise = (
            number(_of(sets, one).figures[feature][name]) for one in (PERFECT, GENERATED, NOISE)
        )
        parts.append(f"{about}: a perfect generator gets {perfect}, this one {generated}, noise {noise}")
    told = "; ".join(parts)
    return told[0].upper() + told[1:] + "."


def _verdict(sets: Sequence[ScoredSet]) -> str:
    nearer = [about for feature, about in FEATURES.items() if is_nearer(sets, feature)]
    if not nearer:
        return "So, by MMD, generated clips are no nearer to real ones than noise: the model needs a longer training."
    rest = [about for about in FEATURES.values() if about not in nearer]
    but = f", but not in {rest[0]}: there the model needs a longer training" if rest else ""
    return f"So, by MMD, generated clips are nearer to real ones than noise is in {' and in '.join(nearer)}{but}."


def number(value: float | None) -> str:
    """Return a figure as it is read."""
    return "-" if value is None else f"{value:.3f}" if abs(value) < 1.0 else f"{value:.2f}"


def _of(sets: Sequence[ScoredSet], name: str) -> ScoredSet:
    return next(one for one in sets if one.name == name)


def summary_row(sets: Sequence[ScoredSet], fields: dict[str, Json]) -> Row:
    """Return the last row of a demo: where everything lies, what to read from the figures, and what to do next."""
    nearer: dict[str, Json] = {feature: is_nearer(sets, feature) for feature in FEATURES}
    lines: list[Json] = [*reading(sets)]
    return Row(DEMO_SCHEMA, {"status": "done", **fields, "is_nearer_than_noise": nearer, "reading": lines})
