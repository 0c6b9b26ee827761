"""Stories for the tests of the small world, drawn once."""

import numpy as np
import pytest

from bert_course.world.story import Story


@pytest.fixture(scope="session")
def stories():
    """Sixty stories that are in none of the files of data/."""
    return [Story(np.random.default_rng([1, number])) for number in range(60)]
