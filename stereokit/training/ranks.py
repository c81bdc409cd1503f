"""What several processes of one training share: equal weights, averaged gradients, failures, one end."""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Sequence

import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.errors import Status, StereokitError

# How long another rank may take to end after this one, and how much of what it says is passed on.
_PATIENCE_S = 20
_MESSAGE_BYTES = 400


class RankError(StereokitError):
    """Another process of the training failed; the status is that of its failure."""

    def __init__(self, message: str, status: Status = Status.INTERNAL) -> None:
        super().__init__(message)
        self.status = status


def sum_over_ranks(tensor: torch.Tensor, fabric: Fabric) -> torch.Tensor:
    """Add a tensor up over the ranks.

    Raises
    ------
    RankError
        When another rank has gone.
    """
    if fabric.world_size == 1 or not tensor.numel():
        return tensor
    try:
        return torch.as_tensor(fabric.all_reduce(tensor, reduce_op="sum"))
    except RuntimeError as error:
        raise RankError("another process of this training ended: what was saved last can be resumed") from error


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
    averaged = sum_over_ranks(flat, fabric) / fabric.world_size
    for gradient, part in zip(gradients, torch.split(averaged, [one.numel() for one in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def sums_over_ranks(values: Iterable[float], fabric: Fabric) -> list[float]:
    """Add figures up over the ranks; a NaN on one is a NaN on all."""
    # Apple's devices have no float64.
    dtype = torch.float32 if fabric.device.type == "mps" else torch.float64
    figures = torch.tensor(list(values), dtype=dtype, device=fabric.device)
    return [float(value) for value in sum_over_ranks(figures, fabric)]


def mean_over_ranks(values: Iterable[float], fabric: Fabric) -> list[float]:
    """Average figures over the ranks; a NaN on one is a NaN on all."""
    return [value / fabric.world_size for value in sums_over_ranks(values, fabric)]


def raise_together(error: Exception | None, fabric: Fabric) -> None:
    """Raise on every rank what failed on any, so that none waits for one that has left.

    Every rank calls this at the same place with its own failure, or with None.
    """
    if fabric.world_size > 1:
        flags = [float(rank == fabric.global_rank and error is not None) for rank in range(fabric.world_size)]
        failed = [rank for rank, flag in enumerate(sums_over_ranks(flags, fabric)) if flag]
        if failed and fabric.global_rank != failed[0]:
            told = sum_over_ranks(torch.zeros(_MESSAGE_BYTES + 1, dtype=torch.int32, device=fabric.device), fabric)
            status, *text = told.tolist()
            raise RankError(bytes(text).rstrip(b"\0").decode("utf-8", "replace"), Status(status))
        if failed and error is not None:
            _tell(error, fabric)
    if error is not None:
        raise error


def _tell(error: Exception, fabric: Fabric) -> None:
    """Send status and words to the other ranks."""
    status = error.status if isinstance(error, StereokitError) else Status.INTERNAL
    words = str(error) if isinstance(error, StereokitError) else f"{type(error).__name__}: {error}"
    text = words.encode()[:_MESSAGE_BYTES].ljust(_MESSAGE_BYTES, b"\0")
    sum_over_ranks(torch.tensor([int(status), *text], dtype=torch.int32, device=fabric.device), fabric)


@contextlib.contextmanager
def launched(fabric: Fabric) -> Iterator[None]:
    """Start the other ranks; at the end none is left behind, and each leaves with its own status."""
    fabric.launch()
    others: list[subprocess.Popen[bytes]] = getattr(fabric.strategy.launcher, "procs", [])
    started = list(others)
    has_ended = is_interrupted = False
    try:
        yield
        has_ended = True
    except BaseException as error:
        is_interrupted = not isinstance(error, Exception)
        raise
    finally:
        # From here the launcher's observer would kill this process for any status but 0 of another.
        others.clear()
        end_ranks(fabric, should_wait=has_ended)
        for other in started:
            _end(other, at_once=is_interrupted)


def end_ranks(fabric: Fabric, *, should_wait: bool = True) -> None:
    """Wait for all ranks and close their connections; a process that just exits may be aborted by its own threads."""
    if fabric.world_size > 1 and torch.distributed.is_initialized():
        if should_wait:
            fabric.barrier()
        torch.distributed.destroy_process_group()


def _end(process: "subprocess.Popen[bytes]", *, at_once: bool) -> None:
    if at_once:
        process.kill()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
