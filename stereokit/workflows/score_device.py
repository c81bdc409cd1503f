"""``stereokit score --device``: where neighbours are searched, and where a model computes."""

from collections.abc import Sequence

from stereokit.errors import MissingError
from stereokit.metrics.protocol import Protocol
from stereokit.workflows.score_sets import ScoredSet

# A search on the processor takes about so long a pair and value: sorted values of one number a window are pruned well,
# vectors hardly. Above the limit, starting torch and an accelerator (some 5 s) pays.
_PRUNED_S, _WHOLE_S = 1e-10, 1e-9
_LIMIT_S = 10.0


def check_device(name: str) -> None:
    """Refuse a device by name that is not there.

    Raises
    ------
    MissingError
        When torch or the device is not there.
    """
    if name in ("auto", "cpu"):
        return
    try:
        from stereokit.training.device import choose_device  # noqa: PLC0415 - the base install works without torch
    except ImportError as error:
        raise MissingError(f"--device {name} needs torch: pip install 'stereokit[train]'") from error
    choose_device(name)


def model_device(name: str) -> str:
    """Return where a model computes; ``auto`` takes the GPU where there is one."""
    return name if name != "auto" else "cuda" if _has_gpu() else "cpu"


def search_device(name: str, sets: Sequence[ScoredSet], protocol: Protocol) -> str | None:
    """Return the torch device that searches neighbours among sets; None for the processor, which needs no torch.

    ``auto`` takes the GPU for large sets where there is one; for others it does not even look, which would load torch.
    """
    if name != "auto":
        return None if name == "cpu" else name
    return "cuda" if _estimated_s(sets, protocol) > _LIMIT_S and _has_gpu() else None


def _estimated_s(sets: Sequence[ScoredSet], protocol: Protocol) -> float:
    clips = [clip for one in sets for _, clip in one.clips]
    values = sum(clip.sequence.size for clip in clips)
    return len(clips) * values * (_PRUNED_S if protocol.load_distance().is_sorted else _WHOLE_S)


def _has_gpu() -> bool:
    try:
        import torch  # noqa: PLC0415 - the base install works without it
    except ImportError:
        return False
    return torch.cuda.is_available()
