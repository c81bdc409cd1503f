"""``stereokit list``: what the catalogue holds."""

from stereokit import catalog
from stereokit.errors import Status, UsageError
from stereokit.models._family import Family
from stereokit.workflows.events import Events, Json, Row

LIST_SCHEMA = "stereokit.list/1"
FAMILY_SCHEMA = "stereokit.list.family/1"


def list_catalog(kind: str | None) -> Events:
    """Yield a row an entry, of one kind or of all; a family's row says what it can do.

    Raises
    ------
    UsageError
        For an unknown kind.
    """
    if kind is not None and kind not in catalog.LISTED_KINDS:
        raise UsageError(f"unknown kind {kind!r}: choose from {', '.join(catalog.LISTED_KINDS)}")
    for each in catalog.LISTED_KINDS if kind is None else (kind,):
        for name in catalog.names(each):
            entry = catalog.load(each, name)
            row: dict[str, Json] = {"kind": each, "name": name, "summary": entry.summary}
            if isinstance(entry, Family):
                yield Row(FAMILY_SCHEMA, row | _abilities(entry))
            else:
                yield Row(LIST_SCHEMA, row)
    return Status.DONE


def _abilities(family: Family) -> dict[str, Json]:
    return {"presets": list(family.presets), "feed": family.feed, "capabilities": list(family.capabilities)}
