"""``stereokit list``: what the catalogue holds."""

from stereokit import catalog
from stereokit.errors import Status, UsageError
from stereokit.workflows.events import Events, Row

LIST_SCHEMA = "stereokit.list/1"


def list_catalog(kind: str | None) -> Events:
    """Yield a row an entry, of one kind or of all.

    Raises
    ------
    UsageError
        For an unknown kind.
    """
    if kind is not None and kind not in catalog.LISTED_KINDS:
        raise UsageError(f"unknown kind {kind!r}: choose from {', '.join(catalog.LISTED_KINDS)}")
    for each in catalog.LISTED_KINDS if kind is None else (kind,):
        for name in catalog.names(each):
            yield Row(LIST_SCHEMA, {"kind": each, "name": name, "summary": catalog.load(each, name).summary})
    return Status.DONE
