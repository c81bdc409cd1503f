"""Statistics of mel-frequency cepstral coefficients (MFCC): a sound in a few hundred numbers, however long it is."""

import math

import torch
from torch import nn

from stereokit.representations._level_pictures import LevelPictures

_COEFFICIENTS = 20
# A sound ends where its last frame has fallen so far under its loudest band.
_ENDS_DB = 30.0
# Edges of the pieces after the start, in frames: narrow where drums differ most.
_EDGES = (0, 2, 4, 8, 16, 32, 64)
_FLOOR_DB = -80.0


class CepstralStatistics(nn.Module):
    """Statistics over time of 20 coefficients of mid, of the frames until the sound's end.

    Mean, standard deviation, highest and lowest of each coefficient, mean and standard deviation of its steps from
    frame to frame, its means in seven pieces after the start, and the logarithm of how many frames there are.

    Parameters
    ----------
    sample_rate, window, hop, bands
        Of the mel bands, see ``LevelPictures``.

    Attributes
    ----------
    width
        How many numbers come out.
    """

    cosines: torch.Tensor

    def __init__(self, *, sample_rate: int, window: int, hop: int, bands: int) -> None:
        super().__init__()
        self.pictures = LevelPictures(sample_rate=sample_rate, window=window, hop=hop, bands=bands, floor_db=_FLOOR_DB)
        count = min(_COEFFICIENTS, bands)
        with torch.device("cpu"):
            orders, places = torch.arange(count)[:, None], torch.arange(bands)
            cosines = math.sqrt(2.0 / bands) * torch.cos(math.pi * orders * (places + 0.5) / bands)
            cosines[0] /= math.sqrt(2.0)
            self.register_buffer("cosines", cosines, persistent=False)
        self.width = (6 + len(_EDGES)) * count + 1

    def forward(self, mid: torch.Tensor) -> torch.Tensor:
        """Return (B, width) of mid (B, 1, T)."""
        levels_db = -_FLOOR_DB * self.pictures(mid)[:, 0]
        loudest_db = levels_db.amax((1, 2), keepdim=True)
        is_loud = levels_db.amax(1) > loudest_db[:, 0] - _ENDS_DB
        frames = torch.arange(1, levels_db.shape[2] + 1, device=mid.device)
        # two frames have one step between them
        count = (is_loud * frames).amax(1, keepdim=True).clamp(min=2).minimum(frames[-1:])
        inside = (frames <= count)[:, None]
        cepstra = self.cosines @ levels_db
        steps = cepstra.diff(dim=2)
        stepping = inside[..., 1:]
        pieces = []
        for first, last in zip(_EDGES, (*_EDGES[1:], None), strict=True):
            piece = cepstra[..., first:last]
            pieces.append(piece.mean(2) if piece.shape[2] else torch.zeros_like(cepstra[..., 0]))
        highest = cepstra.masked_fill(~inside, -math.inf).amax(2)
        lowest = cepstra.masked_fill(~inside, math.inf).amin(2)
        moments = (*_moments(cepstra, inside), *_moments(steps, stepping))
        return torch.cat([*moments, highest, lowest, *pieces, count.to(mid.dtype).log()], dim=1)


def _moments(values: torch.Tensor, inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation over the frames inside."""
    count = inside.sum(2).clamp(min=1)
    mean = (values * inside).sum(2) / count
    variance = ((values - mean[..., None]).square() * inside).sum(2) / count
    return mean, variance.sqrt()
