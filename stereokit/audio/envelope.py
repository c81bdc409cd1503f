"""Where a sound starts and ends, and fades."""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip


def _first_loud(level: NDArray[np.float32], threshold: float) -> int | None:
    loud = level > threshold
    return int(np.argmax(loud)) if loud.any() else None


def start_frame(clip: Clip, *, below_peak_db: float = 40.0, before: float = 0.001) -> int:
    """Return the frame at which a sound starts.

    Parameters
    ----------
    clip
        A clip; both channels are heard together.
    below_peak_db
        The start is the first sample less than this far under the clip's peak.
    before
        Seconds kept in front of it, so that an attack is not cut.

    Returns
    -------
    int
        0 for silence.
    """
    level = np.abs(clip.samples).max(axis=0)
    first = _first_loud(level, float(level.max(initial=0.0)) * 10.0 ** (-below_peak_db / 20.0))
    return 0 if first is None else max(0, first - round(before * clip.sample_rate))


def trim_silence(clip: Clip, *, threshold_db: float = -60.0) -> Clip:
    """Cut what lies under the threshold (dB of full scale) at both ends; a silent clip keeps one frame."""
    level = np.abs(clip.samples).max(axis=0)
    threshold = 10.0 ** (threshold_db / 20.0)
    first = _first_loud(level, threshold)
    if first is None:
        return Clip(clip.samples[:, :1], clip.sample_rate)
    last = len(level) - int(np.argmax(level[::-1] > threshold))
    return Clip(clip.samples[:, first:last], clip.sample_rate)


def fade(clip: Clip, *, fade_in: float = 0.0, fade_out: float = 0.0) -> Clip:
    """Raise the start and lower the end along a quarter of a cosine; seconds, at most the clip's length.

    The first faded-in and the last faded-out sample are exactly 0.
    """
    samples = clip.samples.copy()
    rising = min(round(fade_in * clip.sample_rate), clip.frames)
    falling = min(round(fade_out * clip.sample_rate), clip.frames)
    if rising:
        samples[:, :rising] *= _quarter(rising)
    if falling:
        samples[:, clip.frames - falling :] *= _quarter(falling)[::-1]
    return Clip(samples, clip.sample_rate)


def _quarter(frames: int) -> NDArray[np.float32]:
    return np.sin(np.arange(frames) / max(frames - 1, 1) * (np.pi / 2)).astype(np.float32)


def fit_length(clip: Clip, frames: int, *, fade_out: float = 0.0) -> Clip:
    """Cut or pad with zeros to exactly ``frames`` samples; where something is cut, the end is faded out.

    A padded clip that does not end in silence is faded too, since the step to zero would click.
    """
    if clip.frames == frames:
        return clip
    samples = clip.samples[:, :frames]
    ends_in_silence = clip.frames < frames and not samples[:, -1].any()
    kept = Clip(samples, clip.sample_rate)
    if not ends_in_silence:
        kept = fade(kept, fade_out=fade_out)
    padding = np.zeros((2, frames - kept.frames), np.float32)
    return Clip(np.concatenate([kept.samples, padding], axis=1), clip.sample_rate)
