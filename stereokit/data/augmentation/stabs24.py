"""The 24 forms of each stab in the data of the mid/side GANSynth paper: 4 filters, 3 lengths, 2 orders of channels.

The paper names the counts; which filters and lengths its authors took is not printed, so these are ours. The pitch,
which the paper's clips are labelled by, never changes.
"""

from itertools import product

from stereokit.data.augmentation._form import Grid, Recipe

_FACTORS = (1.0, 0.9, 1.1)
_RESPONSES_HZ_DB: tuple[list[list[float]], ...] = (
    [],
    # dark
    [[1000.0, 0.0], [8000.0, -12.0]],
    # thin
    [[60.0, -12.0], [500.0, 0.0], [4000.0, 0.0], [12_000.0, 3.0]],
    # hollow
    [[200.0, 0.0], [900.0, -9.0], [4000.0, 0.0]],
)


def _recipes() -> tuple[Recipe, ...]:
    recipes: list[Recipe] = []
    for factor, response, swapped in product(_FACTORS, _RESPONSES_HZ_DB, (False, True)):
        steps: Recipe = ()
        if factor != 1.0:
            steps += (("stretch", {"factor": factor}),)
        if response:
            steps += (("filter", {"response_hz_db": response}),)
        if swapped:
            steps += (("swap", {"swapped": True}),)
        recipes.append(steps)
    # The first is the clip as it is.
    return tuple(recipes[1:])


AUGMENTATION = Grid("24 forms of a clip: 4 filters x 3 lengths x 2 orders of channels, at its own pitch", _recipes())
