"""Telling a person which inputs were not used."""

from collections.abc import Iterator, Sequence

from stereokit.data.sources import Refusal
from stereokit.workflows.events import Message

# A folder of ten thousand bad files must not scroll the reason away; the rows hold them all.
_TOLD = 20


def refusal_messages(refused: Sequence[Refusal]) -> Iterator[Message]:
    """Yield a warning a refused input, and how many more there are."""
    for refusal in refused[:_TOLD]:
        yield Message(f"{refusal.path}: {refusal.reason}", is_warning=True)
    if len(refused) > _TOLD:
        yield Message(f"{len(refused) - _TOLD} more inputs were refused", is_warning=True)
