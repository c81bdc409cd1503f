"""The JSON Schema of what ``stereokit score`` prints and saves, as shipped with the package."""

import json
from pathlib import Path

SCHEMA_FILE = Path(__file__).parents[1] / "schemas" / "score.json"


def schema_line() -> str:
    """Return the schema of a line of the output (JSON Schema draft 2020-12), itself one line as all output is."""
    return json.dumps(json.loads(SCHEMA_FILE.read_text("utf-8"))) + "\n"
