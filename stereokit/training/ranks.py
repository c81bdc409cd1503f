"""What several processes of one training share: equal weights, averaged gradients, one decision to stop."""

from collections.abc import Iterable, Sequence

import torch
from lightning_fabric import Fabric
from torch import nn


def share_weights(model: nn.Module, fabric: Fabric) -> None:
    """Give every rank the parameters and buffers of rank 0."""
    if fabric.world_size == 1:
        return
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.copy_(fabric.broadcast(tensor.detach().clone()))


def average_gradients(parameters: Sequence[nn.Parameter], fabric: Fabric) -> None:
    """Average the parameters' gradients over the ranks in one all-reduce; a missing gradient counts as zero."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    if fabric.world_size == 1 or not parameters:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    averaged = fabric.all_reduce(flat, reduce_op="mean")
    if not isinstance(averaged, torch.Tensor):
        raise TypeError("all_reduce of a tensor gives a tensor")
    for gradient, part in zip(gradients, torch.split(averaged, [one.numel() for one in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def any_rank(flag: bool, fabric: Fabric) -> bool:  # noqa: FBT001 - the one thing that is shared
    """Tell whether any rank raises the flag."""
    if fabric.world_size == 1:
        return flag
    # gloo has no maximum through fabric's interface; a mean above zero says the same.
    mean = fabric.all_reduce(torch.tensor(float(flag), device=fabric.device), reduce_op="mean")
    return bool(torch.as_tensor(mean) > 0)


def mean_over_ranks(values: Iterable[float], fabric: Fabric) -> list[float]:
    """Average figures for the log over the ranks."""
    tensor = torch.tensor(list(values), dtype=torch.float64, device=fabric.device)
    if fabric.world_size > 1 and len(tensor):
        tensor = torch.as_tensor(fabric.all_reduce(tensor, reduce_op="mean"))
    return [float(value) for value in tensor]


def end_ranks(fabric: Fabric) -> None:
    """Wait for all ranks and close their connections; a process that just exits may be aborted by its own threads."""
    if fabric.world_size > 1:
        fabric.barrier()
        torch.distributed.destroy_process_group()
