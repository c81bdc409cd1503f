"""Where a generator starts from: mean pictures of labels, and how training pictures differ from them."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

# Side of the squares whose mean levels are compared.
_COARSE = 8
# Averages over time show the pitch, and count for more than single cells.
_SPECTRUM_WEIGHT = 4.0
# A label with few pictures is thought to be like all, as if so many more had been seen.
_PRIOR_PICTURES = 4.0
# Places at which a number's distribution is kept.
_PLACES = 65
# A normal number that does not occur, and what a silent picture may differ by.
_SURE, _NEARLY = 10.0, 0.01
# Room for the generator to go further.
_MOST = 0.97
_TINY = 1e-9


class Start(nn.Module):
    """Pictures as a label's mean one and a sum of patterns, one for each number of a latent.

    The numbers are principal components of what pictures differ in from their label's mean: averages over time and
    coarse levels; each has variance 1 in the training pictures. A pattern is what goes with its number. A latent's
    normal numbers stand for ranks: each component gets the distribution that it has in the training pictures, so that
    none is louder than they are. The last number says whether the second channel is silent, as often as in the
    training pictures: mid and side of a mono sound differ too much from all others' to lie between them.

    Parameters
    ----------
    labels, latent
        How many there are; a latent of 0 leaves nothing but mean pictures.
    shape
        (C, F, T) of a picture; the first two channels are levels.
    """

    means: torch.Tensor
    directions: torch.Tensor
    patterns: torch.Tensor
    silence: torch.Tensor
    threshold: torch.Tensor
    lowest: torch.Tensor
    highest: torch.Tensor
    quantiles: torch.Tensor
    scores: torch.Tensor

    def __init__(self, *, labels: int, latent: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        features = channels * height + 2 * (height // min(_COARSE, height)) * (width // min(_COARSE, width))
        self.has_patterns = latent > 0
        self.register_buffer("means", torch.zeros(labels, *shape))
        self.register_buffer("silence", torch.zeros(channels))
        # the last number is never less
        self.register_buffer("threshold", torch.full((), -_SURE))
        self.register_buffer("lowest", torch.full(shape, -_MOST))
        self.register_buffer("highest", torch.full(shape, _MOST))
        self.register_buffer("directions", torch.zeros(latent, features))
        self.register_buffer("patterns", torch.zeros(latent, *shape))
        self.register_buffer("quantiles", torch.zeros(latent, _PLACES))
        ranks = (torch.arange(_PLACES, dtype=torch.float64) + 0.5) / _PLACES
        self.register_buffer("scores", torch.special.ndtri(ranks).float())

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return pictures (B, C, F, T) of latents (B, latent) and class numbers (B,)."""
        pictures = self.means[labels]
        if self.has_patterns:
            pictures = pictures + torch.tensordot(self._components(latents), self.patterns, 1)
        return pictures.clamp(self.lowest, self.highest)

    def closed(self, pictures: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Return pictures (B, C, F, T) whose second channel is silent where their latents say so."""
        if not self.has_patterns:
            return pictures
        is_closed = (latents[:, -1] < self.threshold)[:, None] & _second(pictures)
        return torch.where(is_closed[..., None, None], self.silence[:, None, None], pictures)

    def latents_of(self, pictures: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return latents (B, latent) of pictures (B, C, F, T)."""
        components = (_features(pictures - self.means[labels]) @ self.directions.T).T.contiguous()
        places = torch.searchsorted(self.quantiles, components).clamp(1, _PLACES - 1)
        low, high = (self.quantiles.gather(1, places + offset) for offset in (-1, 0))
        # equal quantiles hold one value: any rank among them will do
        shares = ((components - low) / (high - low).clamp_min(_TINY)).clamp(0.0, 1.0)
        latents = torch.lerp(self.scores[places - 1], self.scores[places], shares).T
        share = torch.special.ndtr(self.threshold)
        middles = torch.special.ndtri(torch.stack([(1.0 + share) / 2.0, share / 2.0]).clamp(1e-6, 1.0 - 1e-6))
        return torch.cat([latents[:, :-1], middles[self._is_silent(pictures).long()][:, None]], dim=1)

    def _is_silent(self, pictures: torch.Tensor) -> torch.Tensor:
        """Tell whether the second channel of pictures is, (B,)."""
        return (pictures[:, 1] - self.silence[1]).abs().mean((1, 2)) < _NEARLY

    def _components(self, latents: torch.Tensor) -> torch.Tensor:
        """Return components (B, latent) of normal numbers."""
        numbers = latents.T.contiguous()
        places = torch.searchsorted(self.scores, numbers).clamp(1, _PLACES - 1)
        low, high = (self.quantiles.gather(1, places + offset) for offset in (-1, 0))
        shares = (numbers - self.scores[places - 1]) / (self.scores[places] - self.scores[places - 1])
        return torch.lerp(low, high, shares.clamp(0.0, 1.0)).T

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor, labels: torch.Tensor, silence: torch.Tensor) -> None:
        """Take all from training pictures (N, C, F, T), their class numbers (N,) and what is silent, (C, F, T)."""
        overall = pictures.mean(0)
        # levels are logarithms: what goes a little beyond all that was seen would be far too loud
        self.lowest.copy_(pictures.amin(0).clamp(-_MOST, _MOST))
        self.highest.copy_(pictures.amax(0).clamp(-_MOST, _MOST))
        for label in range(len(self.means)):
            own = pictures[labels == label]
            self.means[label] = (own.sum(0) + _PRIOR_PICTURES * overall) / (len(own) + _PRIOR_PICTURES)
        if not self.has_patterns:
            return
        self.silence.copy_(silence.mean((1, 2)))
        is_silent = self._is_silent(pictures)
        self.threshold.fill_(torch.special.ndtri(is_silent.double().mean()).clamp(-_SURE, _SURE))
        if is_silent.any() and not is_silent.all():
            # what a silent channel would be, were it not, is the mean of the others
            second = _second(pictures)[0]
            heard = pictures[~is_silent][:, second]
            for label in range(len(self.means)):
                own = heard[labels[~is_silent] == label]
                mean = (own.sum(0) + _PRIOR_PICTURES * heard.mean(0)) / (len(own) + _PRIOR_PICTURES)
                self.means[label, second] = mean
            filled = self.means[labels]
            filled[:, ~second] = pictures[:, ~second]
            pictures = torch.where(is_silent[:, None, None, None], filled, pictures)
        apart = pictures - self.means[labels]
        features = _features(apart)
        _, lengths, directions = torch.linalg.svd(features.double(), full_matrices=False)
        deviations = lengths / len(features) ** 0.5
        # what hardly varies is rounding
        kept = min(len(self.directions) - 1, int((deviations > 1e-4 * deviations[0].clamp_min(1e-4)).sum()))
        self.directions.zero_()
        self.directions[:kept] = (directions[:kept] / deviations[:kept, None]).to(self.directions.dtype)
        components = features @ self.directions.T
        # their variances are 1 and their covariances 0
        self.patterns.copy_(torch.tensordot(components.T, apart, 1) / len(components))
        ranks = (torch.arange(_PLACES, device=components.device, dtype=components.dtype) + 0.5) / _PLACES
        self.quantiles.copy_(torch.quantile(components, ranks, dim=0).T)


def _second(pictures: torch.Tensor) -> torch.Tensor:
    """Return which channels of pictures are the second one's level and steps, (1, C)."""
    return (torch.arange(pictures.shape[1], device=pictures.device) % 2 == 1)[None]


def _features(pictures: torch.Tensor) -> torch.Tensor:
    """Return what is compared of pictures, (B, features)."""
    height, width = pictures.shape[2:]
    coarse = avg_pool2d(pictures[:, :2], (min(_COARSE, height), min(_COARSE, width)))
    return torch.cat([_SPECTRUM_WEIGHT * pictures.mean(3).flatten(1), coarse.flatten(1)], dim=1)
