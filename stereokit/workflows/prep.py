"""``stereokit prep``: sound files, or procedural sounds, to a data set."""

from collections.abc import Iterable
from dataclasses import replace

from stereokit.data.plan import with_splits
from stereokit.data.splits import parse_fractions, read_assignment
from stereokit.workflows.build_report import reported
from stereokit.workflows.build_run import run_build
from stereokit.workflows.events import Events, Message
from stereokit.workflows.prep_job import make_job
from stereokit.workflows.prep_settings import PrepSettings, find_plan


def prep(settings: PrepSettings, stdin: Iterable[str]) -> Events:
    """Make a data set, or bring it up to date, and yield a row a clip that changed, and a summary.

    Raises
    ------
    UsageError, BadInputError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    return (yield from reported(settings.report, "prep", _prep(settings, stdin)))


def _prep(settings: PrepSettings, stdin: Iterable[str]) -> Events:
    fractions = parse_fractions(settings.split)
    assignment = {} if settings.assign is None else read_assignment(settings.assign)
    plan = find_plan(settings, stdin)
    items, warnings = with_splits(
        plan.items, fractions, assignment, is_grouped=settings.group is not None and settings.synth is None
    )
    for text in [*plan.warnings, *warnings]:
        yield Message(text, is_warning=True)
    return (yield from run_build(make_job(settings, replace(plan, items=items), assignment)))
