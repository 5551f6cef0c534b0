"""A network's weights as a small file of plain numbers, half the size of float32 and safe to open.

Keras' own files hold a program beside the numbers and have run strangers' code more than once; here the network is
always built by :mod:`~emojify.training.networks` and only arrays are read.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np

from emojify.errors import EmojifyError
from emojify.training.networks import NETWORKS


def save_weights(model: keras.Model, path: Path) -> None:
    """Write every weight as float16, in the network's own order, to a ``.npz``."""
    arrays = {f"{index:03d}.{v.name}": np.asarray(v, np.float16) for index, v in enumerate(model.weights)}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_network(network: str, path: Path) -> keras.Model:
    """Build a network in code and fill in its weights.

    Args:
        network: a name in ``NETWORKS``.
        path: a ``.npz`` written by :func:`save_weights`, or a ``.weights.h5`` from this machine's own run folder.

    Raises:
        EmojifyError: if there is no such network, or the file is missing, broken or another network's.
    """
    if network not in NETWORKS:
        raise EmojifyError(f"There is no network called {network!r}. There are: {', '.join(NETWORKS)}.")
    model = NETWORKS[network]()
    fill_weights(model, network, path)
    return model


def fill_weights(model: keras.Model, network: str, path: Path) -> None:
    """Set all weights of ``model``, a ``network``, from a file that :func:`load_network` would take.

    Raises:
        EmojifyError: if the file is missing, broken or another network's.
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
