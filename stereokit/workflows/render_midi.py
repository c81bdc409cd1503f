"""``stereokit render-midi``: songs to pairs of aligned sound files."""

from collections.abc import Iterable

from stereokit.data.splits import parse_fractions, read_assignment
from stereokit.workflows.build_report import reported
from stereokit.workflows.build_run import run_build
from stereokit.workflows.events import Events, Message
from stereokit.workflows.render_midi_job import make_job
from stereokit.workflows.render_midi_settings import RenderMidiSettings, find_songs


def render_midi(settings: RenderMidiSettings, stdin: Iterable[str]) -> Events:
    """Render songs, or bring a data set of them up to date, and yield a row a file that changed, and a summary.

    Raises
    ------
    UsageError, BadInputError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    return (yield from reported(settings.words.report, "render-midi", _render_midi(settings, stdin)))


def _render_midi(settings: RenderMidiSettings, stdin: Iterable[str]) -> Events:
    parse_fractions(settings.split)
    assignment = {} if settings.assign is None else read_assignment(settings.assign)
    plan = find_songs(settings, stdin)
    for text in plan.warnings:
        yield Message(text, is_warning=True)
    return (yield from run_build(make_job(settings, plan, assignment)))
