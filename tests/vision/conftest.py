"""Fixtures of the vision tests."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def gray(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The astronaut in gray, (512, 512) uint8."""
    return np.asarray(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), np.uint8)
