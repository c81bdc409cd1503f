"""Mean absolute difference of time-aligned sequences, cut to the shorter."""

from stereokit.metrics.distance import Distance

DISTANCE = Distance(summary="mean absolute difference, aligned in time", is_sorted=False, power=1)
