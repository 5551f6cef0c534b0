"""Find the weights of a run or of an exported model, without importing TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import read_json
from emojify.runs.config import FitConfig
from emojify.runs.networks import NETWORKS


@dataclass(frozen=True)
class Trained:
    """Weights that a fit produced.

    Attributes:
        folder: the folder of the run or model.
        network: a name in ``NETWORKS``.
        weights: a run's ``best.weights.h5`` or a model's ``weights.npz``; the file exists.
    """

    folder: Path
    network: str
    weights: Path

    @property
    def is_run(self) -> bool:
        """True for a run, False for a model."""
        return (self.folder / "config.json").is_file()


def find_trained(source: str) -> Trained:
    """Return the weights that belong to a run's folder, a model's folder or a model's id.

    Raises:
        EmojifyError: if there is neither, it has no weights, or its network can't be trained here.
    """
    folder = Path(source)
    if (folder / "config.json").is_file():
        network, weights = FitConfig.read(folder).network, folder / "best.weights.h5"
    else:
        if not (folder / "card.json").is_file():
            folder = _model_folder(source)
        card = _read_card(folder)
        if base := card.get("based_on"):
            raise EmojifyError(
                f"{source} was taught one person's face and can't be trained on. Use {base}, which it was made from."
            )
        network, weights = str(card.get("network")), folder / "weights.npz"
    if network not in NETWORKS:
        raise EmojifyError(f"{source} is a network {network!r}, which can't be trained here.")
    if not weights.is_file():
        raise EmojifyError(f"{source} has no weights: {weights} is missing.")
    return Trained(folder.absolute(), network, weights.absolute())


def _model_folder(model_id: str) -> Path:
    from emojify.models import ModelStore
    from emojify.settings import Settings

    return ModelStore(Settings.from_environment().models).get(model_id).folder


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card = read_json(folder / "card.json")
    except (OSError, ValueError) as error:
        raise EmojifyError(f"{folder} is not a model: it has no readable card.json.") from error
    return card if isinstance(card, dict) else {}
