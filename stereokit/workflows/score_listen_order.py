"""In which order a listener hears pairs, and which side of a pair comes first."""

import numpy as np

from stereokit.data.study import Turn
from stereokit.data.text import digest

# So often an order is drawn before a pair may follow itself; with two pairs or more one is found long before.
_ATTEMPTS = 200


def turns(pairs: int, *, controls: int, seed: int, name: str) -> list[Turn]:
    """Draw a listener's trials: each pair once, and so many of them once more with the sides swapped.

    Of the first times each half has a first, but for one when they are odd, which is drawn. The second time never comes
    right behind the first where there are pairs enough.

    Parameters
    ----------
    pairs, controls
        How many; no more controls than pairs.
    seed, name
        The study's, and the listener's: each listener has an order of their own, and always the same.
    """
    random = np.random.default_rng([seed, int.from_bytes(digest(name, size=8), "big")])
    odd = int(random.integers(2)) if pairs % 2 else 0
    is_a_first = random.permutation(np.arange(pairs) < pairs // 2 + odd)
    twice = random.permutation(pairs)[:controls]
    asked = np.concatenate([np.arange(pairs), twice])
    order = random.permutation(asked)
    for _ in range(_ATTEMPTS):
        if not np.any(order[1:] == order[:-1]):
            break
        order = random.permutation(asked)
    seen: set[int] = set()
    drawn = []
    for pair in order.tolist():
        is_again = pair in seen
        drawn.append(Turn(pair, is_again, bool(is_a_first[pair]) != is_again))
        seen.add(pair)
    return drawn
