"""A clip's length, ends and level."""

from typing import Literal

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.envelope import fade, fit_length
from stereokit.audio.levels import loudness_lufs, peak
from stereokit.errors import BadInputError

Normalization = Literal["none", "peak", "loudness"]

# A cut end falls to silence over this long.
FADE_OUT_S = 0.010


def fitted(clip: Clip, frames: int | None, *, fade_in: float = 0.0, fade_out: float = 0.0) -> Clip:
    """Cut to a length, fade both ends over so many seconds, and pad with zeros.

    Without a fade at the end, an end that is cut off, or that would step into the zeros, is faded over 10 ms.
    """
    # The fade that is asked for comes before an end that is cut off, and in front of zeros.
    if frames is not None and fade_out and clip.frames > frames:
        clip = Clip(clip.samples[:, :frames], clip.sample_rate)
    if fade_in or fade_out:
        clip = fade(clip, fade_in=fade_in, fade_out=fade_out)
    return clip if frames is None else fit_length(clip, frames, fade_out=FADE_OUT_S)


def joint_gain(clip: Clip, normalization: Normalization, target: float, *, is_bounded: bool) -> tuple[float, bool]:
    """Return one gain for both channels, and whether full scale (not the target) set it.

    Integers end at full scale (``is_bounded``): what would pass it is turned down as a whole, never clipped.

    Parameters
    ----------
    clip
        What is levelled.
    normalization
        ``none``, ``peak`` or ``loudness``.
    target
        dB of full scale for the peak, LUFS for the loudness.
    is_bounded
        Whether full scale is the end.

    Raises
    ------
    BadInputError
        When it is not finite, or too quiet for a loudness.
    """
    highest = peak(clip)
    if not np.isfinite(highest):
        raise BadInputError("passes the range of float samples when it is resampled")
    if highest == 0.0:
        return 1.0, False
    gain = 1.0
    if normalization == "peak":
        gain = 10.0 ** (target / 20.0) / highest
    elif normalization == "loudness":
        loudness = loudness_lufs(clip)
        if not np.isfinite(loudness):
            raise BadInputError("is too quiet (under -70 LUFS) for --normalize loudness")
        gain = 10.0 ** ((target - loudness) / 20.0)
    if not is_bounded or gain * highest <= 1.0:
        return gain, False
    # Rounding of the product must not pass full scale either.
    return (1.0 - 1e-6) / highest, True
