"""Reading one of seven emotions from a face: a LiteRT model over raw gray 48x48 pixels."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.readings import Box, Probabilities

CROP_PX = 48

MAX_CROP_MARGIN = 1.0  # of the face's box, on each side


def crop_face(gray: NDArray[np.uint8], box: Box, margin: float = 0.0) -> NDArray[np.uint8]:
    """Cut a face out as the network wants it.

    Args:
        gray: (H, W) uint8.
        box: may reach beyond the image; what lies outside is left away.
        margin: how much wider than the box to cut, as a share of its size on each side.

    Returns:
        (48, 48) uint8, raw pixels: the network does its own rescaling.
    """
    height, width = gray.shape
    margin_x, margin_y = round(box.width * margin), round(box.height * margin)
    left, top = max(0, box.x - margin_x), max(0, box.y - margin_y)
    right = min(width, box.x + box.width + margin_x)
    bottom = min(height, box.y + box.height + margin_y)
    if right <= left or bottom <= top:
        raise ValueError(f"{box} lies outside an image of {width}x{height}")
    crop = gray[top:bottom, left:right]
    shrinking = crop.shape[0] > CROP_PX
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=method), np.uint8)


class Classifier:
    """A LiteRT model. May be shared between threads: one interpreter behind a lock.

    Raises:
        EmojifyError: if the model does not open, or takes or gives something else than ours do.
    """

    def __init__(self, model: bytes | Path, *, crop_margin: float = 0.0, name: str = "model") -> None:
        self.crop_margin = crop_margin
        self.name = name
        content = model.read_bytes() if isinstance(model, Path) else model
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
            source, result = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        except (ValueError, RuntimeError, IndexError) as error:
            raise EmojifyError(f"The model {name} does not open: its file is damaged or no LiteRT model.") from error
        takes, gives = tuple(map(int, source["shape"])), tuple(map(int, result["shape"]))
        if takes != (1, CROP_PX, CROP_PX, 1) or source["dtype"] != np.uint8 or gives != (1, len(Emotion)):
            raise EmojifyError(
                f"The model {name} takes {takes} {np.dtype(source['dtype'])} and gives {gives}; "
                f"Emojify's take raw uint8 (1, {CROP_PX}, {CROP_PX}, 1) and give (1, {len(Emotion)})."
            )
        self._input_index, self._output_index = source["index"], result["index"]
        self._lock = threading.Lock()
        first = self.classify(np.zeros((CROP_PX, CROP_PX), np.uint8))  # ten times slower than all later ones
        if not np.isfinite(first).all():
            raise EmojifyError(f"The model {name} is broken: what it gives are no numbers.")

    def classify(self, crop: NDArray[np.uint8]) -> Probabilities:
        """Read one face.

        Args:
            crop: (48, 48) uint8, from :func:`crop_face`.

        Returns:
            (7,) float32, summing to 1.
        """
        with self._lock:
            self._interpreter.set_tensor(self._input_index, crop[None, :, :, None])
            self._interpreter.invoke()
            scores = self._interpreter.get_tensor(self._output_index)[0]
        return np.asarray(scores / max(float(scores.sum()), 1e-6), np.float32)
