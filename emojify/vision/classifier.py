"""Classification of a face into the seven emotions, with a LiteRT model on raw gray 48x48 pixels."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.quiet import without_start_up_lines
from emojify.vision.readings import Box, Probabilities

CROP_PX = 48
MAX_CROP_MARGIN = 1.0  # share of the face's box, on each side


def crop_face(gray: NDArray[np.uint8], box: Box, margin: float = 0.0) -> NDArray[np.uint8]:
    """Crop a face as the input of the network.

    Args:
        gray: (H, W) uint8.
        box: may reach beyond the image; only the part inside is used.
        margin: widens the crop by this share of the box's size on each side.

    Returns:
        (48, 48) uint8, raw pixels. The network rescales them itself.

    Raises:
        ValueError: if ``box`` lies outside the image.
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
    """A LiteRT model. Thread-safe: one interpreter behind a lock.

    Args:
        model: the content of a ``.tflite`` file, or its path.
        crop_margin: the ``margin`` of :func:`crop_face` that the model was trained with.
        name: used in error messages.

    Raises:
        EmojifyError: if the model cannot be opened, or has another input or output than Emojify's models.

    Example:
        >>> classifier = Classifier(Path("models/seed/model.tflite"))
        >>> probabilities = classifier.classify(crop_face(gray, box))
        >>> Emotion(probabilities.argmax())
    """

    def __init__(self, model: bytes | Path, *, crop_margin: float = 0.0, name: str = "model") -> None:
        self.crop_margin = crop_margin
        self.name = name
        content = model.read_bytes() if isinstance(model, Path) else model
        try:
            with without_start_up_lines():
                self._interpreter = Interpreter(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
            source, result = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        except (ValueError, RuntimeError, IndexError) as error:
            raise EmojifyError(f"The model {name} does not open: its file is damaged or not a LiteRT model.") from error
        input_shape, output_shape = tuple(map(int, source["shape"])), tuple(map(int, result["shape"]))
        if input_shape != (1, CROP_PX, CROP_PX, 1) or source["dtype"] != np.uint8 or output_shape != (1, len(Emotion)):
            raise EmojifyError(
                f"The model {name} takes {input_shape} {np.dtype(source['dtype'])} and gives {output_shape}; "
                f"Emojify's models take raw uint8 (1, {CROP_PX}, {CROP_PX}, 1) and give (1, {len(Emotion)})."
            )
        self._input_index, self._output_index = source["index"], result["index"]
        self._lock = threading.Lock()
        # The first call takes ten times as long as later ones, so it is made here.
        first = self.classify(np.zeros((CROP_PX, CROP_PX), np.uint8))
        if not np.isfinite(first).all():
            raise EmojifyError(f"The model {name} is broken: its output is not a number.")

    def classify(self, crop: NDArray[np.uint8]) -> Probabilities:
        """Return the probabilities of the seven emotions for one face.

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
