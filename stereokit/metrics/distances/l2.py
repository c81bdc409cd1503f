"""Root mean square difference of time-aligned sequences, cut to the shorter."""

from stereokit.metrics.distance import Distance

DISTANCE = Distance(summary="root mean square difference, aligned in time", is_sorted=False, power=2)
