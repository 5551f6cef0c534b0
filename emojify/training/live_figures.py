"""Measure the live model on the pictures of a fit with an added data set, for the page's comparison.

runs/<run>/live_figures.json    ``{"model": id, "name": name, "figures": {...}, "added_figures": {...}}``
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.files import write_json
from emojify.models import ModelStore
from emojify.runs.figures import LIVE_FIGURES
from emojify.settings import Settings
from emojify.training.dataset import Dataset
from emojify.training.evaluate import predict_in_subprocess
from emojify.training.figures import measure


def write_live_figures(run: Path, public: Dataset) -> None:
    """Measure the live model on ``public`` and write ``live_figures.json``; write nothing if no model can be opened.

    FER-2013's 3,589 public pictures take 4 to 15 seconds.

    Args:
        run: the run's folder.
        public: the public pictures of a joined data set.

    Raises:
        OSError: if the file can't be written.
    """
    store = ModelStore(Settings.from_environment().models)
    try:
        model = store.open().model
        probabilities = predict_in_subprocess(model.folder / Path(model.card["tflite"]["file"]).name, public.images)
    except (EmojifyError, subprocess.CalledProcessError):  # the fit does not depend on the live model
        return
    figures = {"figures": measure(probabilities, public.labels, public.votes).as_dict()}
    write_json(
        run / LIVE_FIGURES, {"model": model.id, "name": model.name} | figures | added_figures(probabilities, public)
    )


def added_figures(probabilities: NDArray[np.float32], data: Dataset) -> dict[str, Any]:
    """Return ``{"added_figures": {...}}`` for the rows of the added data set; empty if there are none.

    Args:
        probabilities: (n, 7), one row per picture of ``data``.
        data: rows of a joined data set.
    """
    added = data.added
    if not added.any():
        return {}
    return {"added_figures": measure(probabilities[added], data.labels[added], data.votes[added]).as_dict()}
