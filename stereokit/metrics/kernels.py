"""How kernels are compiled: cached where a cache can be kept, and still compiled where it cannot.

A kernel's cache knows of changes to the kernel's own module only. What tells how memory is laid out must stand there.
"""

import warnings
from collections.abc import Callable
from typing import Literal, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])

# A sum may be regrouped, so that it fills vector registers; no operand is ever NaN.
_REGROUPED = {"reassoc", "nsz", "nnan"}

_warned = False


def kernel(function: Kernel) -> Kernel:
    """Compile a function with numba, without the interpreter lock and with a cache on disk.

    numba raises when neither the package's folder nor the user's cache folder can be written (a read-only
    installation without a home). Then the kernel is compiled without a cache, in every process anew, and one warning
    says so.
    """
    return _compiled(function, set(), "never")


def summing_kernel(function: Kernel) -> Kernel:
    """Compile a function as ``kernel`` does, with sums in whatever order is fastest: equal to 1e-15 or so."""
    return _compiled(function, _REGROUPED, "never")


def part_of_kernels(function: Kernel) -> Kernel:
    """Compile a function as ``summing_kernel`` does, into each kernel that calls it.

    A call would cost more than a loop of a few vector registers.
    """
    return _compiled(function, _REGROUPED, "always")


def _compiled(function: Kernel, liberties: set[str], inline: Literal["always", "never"]) -> Kernel:
    try:
        return cast("Kernel", numba.njit(cache=True, nogil=True, fastmath=liberties, inline=inline)(function))
    except RuntimeError:
        _warn_once()
        return cast("Kernel", numba.njit(nogil=True, fastmath=liberties, inline=inline)(function))


def _warn_once() -> None:
    global _warned  # noqa: PLW0603 - once a process is what a module remembers
    if not _warned:
        _warned = True
        warnings.warn(
            "no folder for compiled code can be written: compiling anew each time; set NUMBA_CACHE_DIR to a "
            "writable folder to keep it",
            RuntimeWarning,
            stacklevel=5,
        )
