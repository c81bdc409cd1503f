"""Some clips of an endless source, each as likely as any other."""

from collections.abc import Iterator

import torch

from stereokit.training.draw import Draw


def reservoir(parts: Iterator[torch.Tensor], count: int, draw: Draw) -> torch.Tensor:
    """Return up to ``count`` clips, each clip of an endless source as likely as any other (Vitter's algorithm R)."""
    kept: list[torch.Tensor] = []
    seen = 0
    for part in parts:
        for clip in part:
            seen += 1
            if len(kept) < count:
                kept.append(clip)
                continue
            place = int(draw.of([seen]).integers(seen)[0])
            if place < count:
                kept[place] = clip
    return torch.stack(kept)
