"""Batch norms that go by what they remember, whatever passes through, and learn nothing."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class FrozenNorm(nn.Module):
    """What a batch norm does in evaluation; all of its tensors are buffers under the same names."""

    weight: torch.Tensor
    bias: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self._eps = norm.eps
        for name, tensor in norm.state_dict().items():
            self.register_buffer(name, tensor.detach().clone())

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values scaled and moved, of the same shape."""
        return nn.functional.batch_norm(
            values, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self._eps
        )


def freeze_norms(module: nn.Module, *, but: tuple[str, ...]) -> None:
    """Put frozen norms in the place of all batch norms that lie outside the named children."""
    for name, child in module.named_children():
        if name in but:
            continue
        if isinstance(child, _BatchNorm):
            setattr(module, name, FrozenNorm(child))
        else:
            freeze_norms(child, but=())
