"""The words of ``stereokit prep``, and the plan that they make."""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from stereokit.data.build_changes import Deleted
from stereokit.data.plan import Plan, plan_files, plan_synth
from stereokit.data.preparation import Preparation
from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.splits import parse_fractions
from stereokit.data.tables import read_table, with_manifest
from stereokit.errors import UsageError

# How the user gives what is recorded.
OPTIONS = {
    "command": "command",
    "sample_rate": "--rate",
    "length": "--length",
    "normalization": "--normalize",
    "target": "--target",
    "encoding": "--bits",
    "container": "--format",
    "trim_silence": "--trim-silence",
    "fade_in": "--fade",
    "fade_out": "--fade",
    "slicing": "--slice",
    "overlap": "--overlap",
    "min_side": "--min-side",
    "max_peak": "--max-peak",
    "is_only_stereo": "--only-stereo",
    "augment": "--augment",
    "variants": "--variants",
    "degrade": "--degrade",
    "unevenness": "--uneven",
    "near_duplicates": "--near-duplicates",
    "synth": "--synth",
    "count": "--count",
    "seed": "--seed",
    "only": "--only",
    "group": "--group",
    "split": "--split",
    "has_labels": "--labels",
    "has_assignment": "--assign",
}


@dataclass(frozen=True)
class PrepSettings:
    """The words of ``stereokit prep``."""

    sources: tuple[str, ...]
    output: Path
    synth: str | None = None
    count: int | None = None
    preparation: Preparation = field(default_factory=Preparation)
    labels: Path | None = None
    only: tuple[str, ...] = ()
    group: str | None = None
    split: str = "0.8,0.1,0.1"
    assign: Path | None = None
    seed: int = 0
    strict: bool = False
    force: bool = False
    is_dry_run: bool = False
    jobs: int | None = None
    catalog: Path | None = None
    deleted: Deleted = "keep"
    accept_failed: bool = False
    report: Path | None = None
    cluster: str | None = None


def find_plan(settings: PrepSettings, stdin: Iterable[str]) -> Plan:
    """Return the plan of the sources that there are.

    Raises
    ------
    UsageError, BadInputError
        When the settings do not go together, or a source or table cannot be read.
    """
    if settings.synth is not None:
        if settings.sources or settings.labels or settings.group:
            raise UsageError("--synth makes its own sounds: leave SRC, --labels and --group away")
        if settings.count is None:
            raise UsageError("--synth: say how many sounds by --count N")
        return plan_synth(
            settings.synth, settings.count, sample_rate=settings.preparation.sample_rate, only=settings.only
        )
    if settings.count is not None:
        raise UsageError("--count goes with --synth")
    if not settings.sources:
        raise UsageError("give one or more SRC, or --synth VOICE --count N")
    table = None if settings.labels is None else read_table(settings.labels)
    sources, refused = _find_all(settings, stdin, has_labels=table is not None)
    plan = plan_files(sources, table, only=settings.only, group=settings.group)
    refused += plan.refused
    return replace(plan, refused=refused)


def _find_all(settings: PrepSettings, stdin: Iterable[str], *, has_labels: bool) -> tuple[list[Source], list[Refusal]]:
    """Return the files of all SRC in the order of their paths, each once, and what was refused."""
    sources: dict[str, Source] = {}
    refused: list[Refusal] = []
    inside = f"{settings.output.resolve()}{os.sep}"
    folders: dict[str, str] = {}
    for given in dict.fromkeys(settings.sources):
        found = find_sources(given, stdin)
        if not has_labels:
            found = with_manifest(found, given)
        refused += found.refused
        for source in found.sources:
            real = _real_path(os.fspath(source.path), folders)
            # A data set inside its own source must not become a source of the next run.
            if real.startswith(inside):
                continue
            if sources.setdefault(real, source) is not source:
                refused.append(Refusal(str(source.path), f"is the same file as {sources[real].path}"))
    return sorted(sources.values(), key=lambda source: os.fsencode(source.path)), refused


def _real_path(path: str, folders: dict[str, str]) -> str:
    """Return where a file really is; ``folders`` remembers that of folders, since looking takes long."""
    if os.path.islink(path):  # noqa: PTH114 - ten thousand at a time
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return os.path.join(folders[folder], name)  # noqa: PTH118


def recorded(settings: PrepSettings) -> dict[str, object]:
    """Return what makes the data set, for its description: a run with other settings is refused."""
    return {
        "command": "prep",
        **asdict(settings.preparation),
        "synth": settings.synth,
        "count": settings.count,
        "seed": settings.seed,
        "only": sorted(set(settings.only)),
        "group": settings.group,
        "split": list(parse_fractions(settings.split)),
        "has_labels": settings.labels is not None,
        "has_assignment": settings.assign is not None,
    }
