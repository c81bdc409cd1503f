"""A map of clips as a page in one file: it asks for nothing from outside, and runs only what its policy names."""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from stereokit.data.text import printable
from stereokit.workflows.label_colours import UNLABELLED, label_colours

_PAGES = Path(__file__).parents[1] / "pages"
_NO_LABEL = 0xFFFF


def map_page(
    title: str, told: str, places: NDArray[np.float64], names: Sequence[str], labels: Sequence[str | None]
) -> str:
    """Return the page; equal maps give equal pages.

    Parameters
    ----------
    title, told
        What is shown, and how it was made; escaped here.
    places
        Shape (n, 2 or 3), finite.
    names
        Of the n clips.
    labels
        Of these; None for none.
    """
    classes = sorted({label for label in labels if label is not None})
    numbers = {label: number for number, label in enumerate(classes)}
    # in the middle of what single precision tells apart
    middle = (places.max(axis=0) + places.min(axis=0)) / 2.0 if len(places) else 0.0
    data = {
        "dimensions": places.shape[1],
        "coordinates": _base64((places - middle).astype("<f4")),
        "labels": _base64(np.array([_NO_LABEL if one is None else numbers[one] for one in labels], "<u2")),
        "classes": [*map(printable, classes), UNLABELLED],
        "colours": label_colours(len(classes)),
        "names": [printable(name) for name in names],
    }
    style, scatter, script = (_asset(name) for name in ("map.css", "scatter.js", "map.js"))
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_digest(style)}; script-src {_digest(scatter)} {_digest(script)}"
    )
    return Template(_asset("map.html")).substitute(
        policy=escape(policy),
        title=escape(printable(title)),
        told=escape(printable(told)),
        style=style,
        scatter=scatter,
        script=script,
        # nothing that a name holds can end the element
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _asset(name: str) -> str:
    return (_PAGES / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _base64(array: NDArray[np.generic]) -> str:
    return base64.b64encode(array.tobytes()).decode()
