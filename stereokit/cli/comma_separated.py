"""Rows as CSV, for spreadsheets."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from stereokit.workflows.events import Json, Row, row_to_json


def rows_to_csv(rows: Sequence[Row]) -> str:
    """Return one table with a header: the rows of the first row's schema, keys inside keys joined by dots.

    One table has one header, so the rows of other schemas are left out. Lists are JSON, what is missing is empty.
    """
    alike = [_flat(json.loads(row_to_json(row))) for row in rows if row.schema == rows[0].schema]
    columns = list(dict.fromkeys(key for fields in alike for key in fields))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([fields.get(column, "") for column in columns] for fields in alike)
    return text.getvalue()


def _flat(fields: Mapping[str, Json], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif value is None:
            flat[prefix + key] = ""
        else:
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flat
