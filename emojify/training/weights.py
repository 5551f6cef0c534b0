"""A network's weights as a small file of plain numbers, half the size of float32 and safe to open.

Keras' own model files contain code beside the numbers and have run attackers' code more than once. Here the network is
always built from :mod:`~emojify.runs.networks`, and only arrays are read.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np

from emojify.errors import EmojifyError
from emojify.runs.networks import SIDE, get_network


def build_network(network: str, side: int | None = SIDE) -> keras.Model:
    """Build a network with random weights.

    Args:
        network: a name in ``NETWORKS``.
        side: width and height of the pictures in pixels; None for any size.

    Raises:
        EmojifyError: if there is no such network, or it can't be built for that size.
    """
    return get_network(network).build(keras, side)


def save_weights(model: keras.Model, path: Path) -> None:
    """Write all weights as float16, in the model's order, to a ``.npz``."""
    arrays = {f"{index:03d}.{v.name}": np.asarray(v, np.float16) for index, v in enumerate(model.weights)}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_network(network: str, path: Path) -> keras.Model:
    """Build a network and fill in its weights.

    Args:
        network: a name in ``NETWORKS``.
        path: a ``.npz`` written by :func:`save_weights`, or a ``.weights.h5`` from a run folder of this machine.

    Raises:
        EmojifyError: if there is no such network, or the file is missing, damaged or belongs to another network.
    """
    model = build_network(network)
    fill_weights(model, network, path)
    return model


def fill_weights(model: keras.Model, network: str, path: Path) -> None:
    """Set all weights of ``model`` from a file as in :func:`load_network`.

    Args:
        model: built from ``network``, for pictures of whatever size.
        network: its name, for the error message.
        path: the file.

    Raises:
        EmojifyError: if the file is missing, damaged or belongs to another network.
    """
    if not path.is_file():
        raise EmojifyError(f"There is no file {path}.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                model.set_weights([archive[key].astype(np.float32) for key in sorted(archive.files)])
        else:
            model.load_weights(path)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise EmojifyError(f"{path} does not hold the weights of the network {network!r}, or is damaged.") from error
