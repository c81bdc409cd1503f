"""Where a model runs: the device, the ranks, the precision, and whether it is compiled."""

import logging

import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.data.workers import available_jobs
from stereokit.errors import MissingError, UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("32-true", "bf16-mixed", "64-true")
_ACCELERATORS = {"cpu": "cpu", "cuda": "cuda", "mps": "mps"}


def choose_device(name: str) -> str:
    """Return ``cpu``, ``cuda`` or ``mps``; ``auto`` is the fastest that is there.

    Raises
    ------
    UsageError
        For another name.
    MissingError
        When this machine has no such device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device, is_there in there.items() if is_there)
    if name not in there:
        raise UsageError(f"--device {name!r}: choose from {', '.join(DEVICES)}")
    if not there[name]:
        usable = ", ".join(device for device, is_there in there.items() if is_there)
        raise MissingError(f"--device {name}: PyTorch finds none here; usable: {usable}")
    return name


def check_precision(precision: str, device: str) -> None:
    """Refuse what would not train.

    Raises
    ------
    UsageError
        For float16, whose gradients vanish, and for float64 where there is none.
    """
    if precision not in PRECISIONS:
        why = " (float16 loses small gradients; bf16-mixed does not)" if precision.startswith(("16", "fp16")) else ""
        raise UsageError(f"--precision {precision!r}: choose from {', '.join(PRECISIONS)}{why}")
    if precision == "64-true" and device == "mps":
        raise UsageError("--precision 64-true: mps has no float64; use --device cpu")


def make_fabric(device: str, *, devices: int, precision: str) -> Fabric:
    """Return a fabric that is not launched yet.

    Parameters
    ----------
    device
        As ``choose_device`` returned it.
    devices
        Ranks: processes with a device each; on the CPU with one thread each.

    Raises
    ------
    UsageError
        For a precision or a number of devices that cannot be.
    MissingError
        For more devices than there are.
    """
    check_precision(precision, device)
    if device == "mps" and devices > 1:
        raise UsageError(f"--devices {devices}: mps is one device")
    if device == "cuda" and devices > torch.cuda.device_count():
        raise MissingError(f"--devices {devices}: this machine has {torch.cuda.device_count()}")
    # Launching is told by nobody but us.
    for name in ("lightning_fabric", "lightning.fabric", "lightning_utilities"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(1 if devices > 1 else available_threads())
    return Fabric(
        accelerator=_ACCELERATORS[device],
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]  # checked above
    )


def available_threads() -> int:
    """Return the threads that a process alone may use: what torch was told, or the CPUs that are given to it."""
    return min(torch.get_num_threads(), available_jobs())


def compile_modules(modules: dict[str, nn.Module]) -> None:
    """Compile modules in place.

    Raises
    ------
    MissingError
        When this machine cannot: the compiler needs a C++ compiler and Python's headers.
    """
    # It looks for CUDA and says at length that there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        torch.compile(_probe)(torch.ones(8))
    except Exception as error:  # what a missing compiler raises differs between versions and devices
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MissingError(f"--compile needs a C++ compiler and Python's headers (torch says: {first})") from error
    for module in modules.values():
        module.compile()


def _probe(numbers: torch.Tensor) -> torch.Tensor:
    return torch.tanh(numbers) + 1.0
