"""What ``stereokit score`` says in words: whether the sets differ, which is the yardstick, what limits the figures."""

from collections.abc import Iterator, Sequence

from stereokit.metrics.comparison import Comparison
from stereokit.metrics.embedding import EmbeddingProtocol
from stereokit.metrics.measure import Measurement
from stereokit.metrics.protocol import PROTOCOLS, Protocol

YARDSTICK = (
    "REF is the yardstick: COV counts its clips and MMD is measured from them, so swapped sets have another COV and "
    "MMD; 1-NNA treats both alike"
)
_LEVEL = 0.05
# Sets whose smallest visible 1-NNA lies further above its null than this are called small: under about 500 + 500.
_SMALL = 0.05


def verdict(comparison: Comparison | None) -> str:
    """Return in one sentence what 1-NNA says of the two sets."""
    significance = comparison.significance if comparison else None
    null = comparison.expected["nna"] if comparison else None
    if comparison is None or significance is None or null is None:
        return "not compared: clips on one side only"
    nna, limit = comparison.scores["nna"], significance.nna_detectable
    told = f"1-NNA {nna:.3f}, {null:.3f} expected of a perfect generator, p {significance.nna_p:.2g}"
    if limit is None:
        return f"too few clips to tell anything: {told}"
    if significance.nna_p <= _LEVEL:
        return f"the sets differ: {told}"
    if nna < 2.0 * null - limit:
        return f"the sets are more alike than chance allows, as copies are: {told}"
    return f"no difference was found: {told}"


def notes(comparison: Comparison | None, measured: Sequence[Measurement], protocol: Protocol) -> list[str]:
    """List what a reader must know to read the figures right."""
    told = [YARDSTICK]
    if protocol != PROTOCOLS["ml2020"]:
        told.append("MMD is comparable only at the same sizes, settings and data; not with the paper's table 1")
    if small := _small_sets(comparison):
        told.append(small)
    flat = sum(not measurement.has_side for measurement in measured)
    if flat:
        told.append(f"{flat} clips have no side signal: they are mono or silent")
    if isinstance(protocol, EmbeddingProtocol):
        told.extend(_embedding_notes(protocol, measured))
    elif len({measurement.sample_rate for measurement in measured}) > 1:
        told.append("sample rates are mixed: windows are counted in seconds at each file's own rate")
    if len({len(measurement.sequence) for measurement in measured}) > 1:
        told.append("lengths differ: sequences of unequal length are compared; --length S makes them equal")
    return told


def _embedding_notes(protocol: EmbeddingProtocol, measured: Sequence[Measurement]) -> Iterator[str]:
    yield (
        f"embedding: {protocol.width} values by {protocol.family}, run {protocol.run}: figures are comparable only "
        "within the same run"
    )
    others = sum(measurement.sample_rate != protocol.model_rate for measurement in measured)
    if others:
        yield f"{others} clips were resampled to the {protocol.model_rate} Hz of the model"


def _small_sets(comparison: Comparison | None) -> str:
    """Say so where the sets are too small to tell much; empty where they are not."""
    significance = comparison.significance if comparison else None
    null = comparison.expected["nna"] if comparison else None
    if comparison is None or significance is None or null is None:
        return ""
    sets = f"{comparison.generated} + {comparison.reference} clips"
    limit = significance.nna_detectable
    if limit is None:
        return f"{sets} are too few: no difference, however large, would stand out of chance"
    if limit - null <= _SMALL:
        return ""
    return f"{sets} are few: only differences that bring 1-NNA to {limit:.2f} or more are likely to be seen"
