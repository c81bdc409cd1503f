"""Windows of sound through a converter, as NumPy: what every command that takes one asks of it."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.models._capabilities import Converter, Translator
from stereokit.training.trainer import Model, NonFiniteError

Channels = Literal["stereo", "mid", "mid-side"]
Windows = NDArray[np.float32]


Change = Callable[[torch.Tensor], torch.Tensor]


def converting(model: Model) -> Change:
    """Return what a ``Converter`` makes of sounds."""
    if not isinstance(model, Converter):
        raise TypeError(f"{type(model).__module__} declares a converter and has no method convert")
    return model.convert


def translating(model: Model, source: int, target: int) -> Change:
    """Return what a ``Translator`` makes of sounds of one label, given the numbers of it and of the other."""
    if not isinstance(model, Translator):
        raise TypeError(f"{type(model).__module__} declares a translator and has no method translate")
    translate = model.translate
    return lambda wave: translate(wave, source, target)


def conversion(change: Change, *, channels: Channels = "stereo", device: str = "cpu") -> Callable[[Windows], Windows]:
    """Return what turns windows (B, 2, T) at a model's rate into others of the same shape.

    A window of digital silence stays silent, and one whose channels are equal keeps them equal: it gets the mean of
    what the model makes of both.

    Parameters
    ----------
    change
        See ``converting`` and ``translating``; the model is in evaluation mode, on ``device``.
    channels
        ``stereo``: both through the model, together. ``mid``: what the model makes of their mean, with the side as it
        was. ``mid-side``: mean and side through the model one after the other, each as a sound without width.

    Raises
    ------
    NonFiniteError
        By what is returned, when a sample is NaN or infinite: the weights are useless.
    """

    @torch.inference_mode()
    def through(windows: Windows) -> Windows:
        made = change(torch.from_numpy(np.ascontiguousarray(windows)).to(device))
        if made.shape != windows.shape:
            raise TypeError(f"{tuple(windows.shape)} became {tuple(made.shape)}")
        if not made.isfinite().all():
            raise NonFiniteError("what the model makes holds NaN or infinity: its training went wrong")
        return np.asarray(made.float().cpu().numpy())

    def heard(windows: Windows) -> Windows:
        """Ask the model about all windows but silent ones."""
        made = np.zeros_like(windows)
        is_heard = windows.any(axis=(1, 2))
        if is_heard.any():
            made[is_heard] = through(windows[is_heard])
        is_mono = (windows[:, 0] == windows[:, 1]).all(axis=1)
        made[is_mono] = made[is_mono].mean(axis=1, keepdims=True)
        return made

    def alone(signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what becomes of a signal (B, T) that both channels have."""
        return heard(np.repeat(signal[:, None], 2, axis=1))[:, 0]

    def apart(windows: Windows) -> Windows:
        mid, side = (windows[:, 0] + windows[:, 1]) / 2.0, (windows[:, 0] - windows[:, 1]) / 2.0
        mid = alone(mid)
        if channels == "mid-side":
            side = alone(side)
        return np.stack([mid + side, mid - side], axis=1)

    return heard if channels == "stereo" else apart
