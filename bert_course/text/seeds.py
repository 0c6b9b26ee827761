"""Random generators by purpose and number, so that no two of them give the same numbers."""

import operator

import numpy as np

PAIRS, ORDER, MASKS = range(3)  # what the random numbers are for


def generator(purpose, seed, *numbers):
    return np.random.default_rng([purpose, seed, *numbers])


def as_count(number, name, least=0):
    """A whole number that is not too small, also if numpy made it."""
    try:
        count = operator.index(number)
    except TypeError:
        count = None
    if count is None or count < least:
        raise ValueError(f"{name} must be a whole number, {least} or more. Received: {number!r}")
    return count
