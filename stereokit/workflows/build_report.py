"""``--report FILE.json``: what a run did, for whoever looks later."""

import json
from datetime import UTC, datetime
from pathlib import Path

from stereokit import __version__
from stereokit.errors import Status, StereokitError
from stereokit.workflows.events import Events, Json, Message, Row, without_nan
from stereokit.writing import write_file

REPORT_SCHEMA = "stereokit.build-report/1"


def reported(path: Path | None, command: str, events: Events) -> Events:
    """Pass a run's events on; when it ends, however that is, its rows and warnings are in the file.

    Raises
    ------
    StereokitError
        What the run raises, and when the file cannot be written.
    """
    if path is None:
        return (yield from events)
    begun = datetime.now(UTC)
    rows: list[Json] = []
    warnings: list[Json] = []
    ended: dict[str, Json] = {"status": int(Status.INTERNAL), "error": "the run was interrupted"}
    try:
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                ended = {"status": int(stop.value), "error": None}
                return Status(stop.value)
            if isinstance(event, Row):
                rows.append({"schema": event.schema, **event.fields})
            elif isinstance(event, Message) and event.is_warning:
                warnings.append(event.text)
            yield event
    except StereokitError as error:
        ended = {"status": int(error.status), "error": str(error)}
        raise
    finally:
        events.close()
        whole: dict[str, Json] = {
            "schema": REPORT_SCHEMA,
            "command": command,
            "stereokit_version": __version__,
            "begun": begun.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            **ended,
            "rows": rows,
            "warnings": warnings,
        }
        write_file(path, (json.dumps(without_nan(whole), indent=1, allow_nan=False) + "\n").encode())
