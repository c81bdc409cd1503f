"""What the stretch of a source that a clip is made of holds, in figures for its row; and what leaves a clip out."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from stereokit.audio.clip import Clip, Recording
from stereokit.audio.levels import loudness_lufs
from stereokit.audio.true_peak import true_peak
from stereokit.metrics.audit import clip_facts
from stereokit.metrics.excerpt import Excerpt, excerpt_of
from stereokit.metrics.image import ONE_SIDED_DB
from stereokit.metrics.side import image_class, side_distance
from stereokit.metrics.sums import pair_sums

# Figures are rounded to what can be heard or counts: other processors sum in another order.
_DB_DIGITS, _RATIO_DIGITS, _LEVEL_DIGITS = 3, 6, 7

# A clip leans where its channels differ by this; so many of a label have to lean for the rest to stand out.
_LEAN_DB = 1.0
_FEWEST_LEANING = 10
_COMMON_SHARE = 0.9


def source_audit(recording: Recording, clip: Clip) -> dict[str, object]:
    """Measure a stretch of a source as it is there: before resampling, fitting, fading and levelling.

    Parameters
    ----------
    recording
        The stretch; one or two channels.
    clip
        The same as a clip, at the source's rate.

    Returns
    -------
    dict
        ``is_silent``; ``is_dual_mono`` (two equal channels in a file of two); ``is_nearly_mono`` (side 40 dB or more
        under mid); ``is_inverted`` (correlation under -0.9); ``is_one_sided`` (a channel 40 dB or more under the
        other); ``clipped_frames`` (three samples or more in a row at full scale); ``dc_left`` and ``dc_right`` (means,
        full scale 1); ``true_peak_db`` (BS.1770) and ``loudness_lufs``, None for silence or what the gate shuts out;
        ``side_distance``; ``image_class``; ``correlation``; ``balance_db`` (positive towards right), ``side_mid_db``
        and ``mono_loss_db``, None for silence.

    Raises
    ------
    BadInputError
        For more than two channels.
    """
    excerpt = _excerpt(recording, clip)
    sums = pair_sums(excerpt.left, excerpt.right)
    facts = clip_facts(recording, excerpt, sums)
    image, (left_sum, right_sum), whole = facts.image, sums[1], excerpt.frames * excerpt.full_scale
    peak = true_peak(clip)
    return {
        "is_silent": facts.is_silent,
        "is_dual_mono": facts.is_dual_mono,
        "is_nearly_mono": image.side_mid_db is not None and image.side_mid_db <= -ONE_SIDED_DB,
        "is_inverted": image.is_inverted,
        "is_one_sided": image.is_one_sided,
        "clipped_frames": facts.clipped_frames,
        "dc_left": _rounded(left_sum / whole, _LEVEL_DIGITS),
        "dc_right": _rounded(right_sum / whole, _LEVEL_DIGITS),
        "true_peak_db": _rounded(20.0 * math.log10(peak) if peak else None, _DB_DIGITS),
        "loudness_lufs": _rounded(loudness_lufs(clip), _DB_DIGITS),
        "side_distance": _rounded(side_distance(excerpt), _LEVEL_DIGITS),
        "image_class": image_class(excerpt),
        "correlation": _rounded(image.correlation, _RATIO_DIGITS),
        "balance_db": _rounded(image.balance_db, _DB_DIGITS),
        "side_mid_db": _rounded(image.side_mid_db, _DB_DIGITS),
        "mono_loss_db": _rounded(image.mono_loss_db, _DB_DIGITS),
    }


def _excerpt(recording: Recording, clip: Clip) -> Excerpt:
    """Return the channels in the file's own numbers, without another copy where the clip has them."""
    if recording.samples.dtype == np.int16:
        return excerpt_of(recording)
    return Excerpt(clip.samples[0], clip.samples[1], clip.sample_rate, 1.0)


def _rounded(value: float | None, digits: int) -> float | None:
    """Round, without a negative zero; what is not finite is None."""
    return None if value is None or not math.isfinite(value) else round(value, digits) + 0.0


@dataclass(frozen=True)
class Filters:
    """What a clip has to have to be kept.

    Attributes
    ----------
    min_side
        The least side distance.
    max_peak_db
        The highest true peak, in dB of full scale.
    is_only_stereo
        Whether mono, (nearly) dual mono, one-sided and inverted clips, which all are one channel, and silence are
        left out.
    """

    min_side: float | None = None
    max_peak_db: float | None = None
    is_only_stereo: bool = False

    def reason(self, facts: Mapping[str, object]) -> str | None:
        """Return why a clip is left out, by the option that does it; None for one that is kept.

        Parameters
        ----------
        facts
            Of ``source_audit``, and ``is_mono_source``.
        """
        side, peak = facts["side_distance"], facts["true_peak_db"]
        if self.is_only_stereo:
            for name in (
                "is_silent",
                "is_mono_source",
                "is_dual_mono",
                "is_nearly_mono",
                "is_one_sided",
                "is_inverted",
            ):
                if facts[name]:
                    return f"is {_WORDS[name]} (--only-stereo)"
        if self.min_side is not None and isinstance(side, float) and side < self.min_side:
            return f"has a side distance of {side:.4g} (--min-side {self.min_side:g})"
        if self.max_peak_db is not None and isinstance(peak, float) and peak > self.max_peak_db:
            return f"has a true peak of {peak:.2f} dB (--max-peak {self.max_peak_db:g})"
        return None


_WORDS = {
    "is_silent": "silent",
    "is_mono_source": "mono",
    "is_dual_mono": "dual mono",
    "is_nearly_mono": "nearly mono",
    "is_one_sided": "one-sided",
    "is_inverted": "inverted",
}


def swap_suspects(rows: Iterable[Mapping[str, object]]) -> set[str]:
    """Return the names of clips whose channels may be swapped.

    No clip tells by itself: each picture is as good mirrored. Only a habit can be broken, so a clip is suspected
    when it leans (1 dB or more) to one side while at least nine in ten of the leaning clips of its label, itself
    counted and ten or more of them, lean to the other. Labels whose clips lean either way have no habit; a whole
    label that is swapped is never found.

    Parameters
    ----------
    rows
        With ``file_name``, ``label`` and ``balance_db``.
    """
    leaning: defaultdict[object, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for row in rows:
        balance = row.get("balance_db")
        if isinstance(balance, float) and abs(balance) >= _LEAN_DB:
            leaning[row.get("label")][balance > 0].append(str(row["file_name"]))
    suspects: set[str] = set()
    for left, right in leaning.values():
        fewer, more = sorted((left, right), key=len)
        count = len(left) + len(right)
        if count >= _FEWEST_LEANING and len(more) >= _COMMON_SHARE * count:
            suspects.update(fewer)
    return suspects
