"""Some clips of an endless source, each as likely as any other."""

from collections.abc import Iterator

import torch

from stereokit.training.draw import Draw


def reservoir(parts: Iterator[torch.Tensor], count: int, draw: Draw) -> torch.Tensor:
    """Return up to ``count`` clips, each as likely as any other."""
    return numbered_reservoir(parts, count, draw)[0]


def numbered_reservoir(parts: Iterator[torch.Tensor], count: int, draw: Draw) -> tuple[torch.Tensor, list[int]]:
    """Return up to ``count`` clips and their numbers, each as likely as any other (Vitter's algorithm R)."""
    kept: list[torch.Tensor] = []
    numbers: list[int] = []
    seen = 0
    for part in parts:
        for clip in part:
            seen += 1
            if len(kept) < count:
                kept.append(clip)
                numbers.append(seen - 1)
                continue
            place = int(draw.of([seen]).integers(seen)[0])
            if place < count:
                kept[place], numbers[place] = clip, seen - 1
    return torch.stack(kept), numbers
