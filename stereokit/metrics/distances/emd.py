"""Earth mover's distance between the values of two clips, each value weighing 1/n (the mean form)."""

from stereokit.metrics.distance import Distance

DISTANCE = Distance(summary="earth mover's distance of the values, order in time forgotten", is_sorted=True, power=1)
