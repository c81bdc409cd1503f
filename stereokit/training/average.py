"""The exponential moving average (EMA) of a model: what is saved, sampled and judged."""

import copy
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

AnyModel = TypeVar("AnyModel", bound=nn.Module)

# Statistics of the averaged weights are estimated anew over this many batches.
STATISTICS_BATCHES = 64


class Average(Generic[AnyModel]):
    """A copy of a model whose weights follow it slowly.

    Parameters
    ----------
    model
        The live model.
    decay
        Share of the old average kept each step. Early on less is kept, (1 + n) / (10 + n), so that the
        random start is forgotten.
    """

    def __init__(self, model: AnyModel, decay: float) -> None:
        self.model = copy.deepcopy(model)
        self.model.requires_grad_(requires_grad=False)
        self._decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take one step towards the live weights; buffers are copied."""
        self.updates += 1
        decay = min(self._decay, self.updates / (9 + self.updates))
        averaged: list[torch.Tensor] = list(self.model.parameters())
        live: list[torch.Tensor] = list(model.parameters())
        torch._foreach_lerp_(averaged, live, 1.0 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)

    @torch.no_grad()
    def estimate_statistics(self, run: Callable[[int], object]) -> None:
        """Estimate batch-norm statistics of the averaged weights: ``run(n)`` sends batch n through the model.

        The statistics that were copied belong to the live weights; with the averaged ones they are off.
        """
        norms = [module for module in self.model.modules() if isinstance(module, _BatchNorm)]
        if not norms:
            return
        momenta = [norm.momentum for norm in norms]
        was_training = self.model.training
        self.model.train()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over the batches
        for number in range(STATISTICS_BATCHES):
            run(number)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.model.train(was_training)
