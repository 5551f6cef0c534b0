"""The models below one folder, and which of them is live.

models/<id>/model.tflite   the network that reads faces
models/<id>/card.json      how it was made and how accurate it is; holds the SHA-256 of model.tflite
models/live.json           ids of the promoted models, newest last; missing until a model is promoted
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, locked, read_json, remove_tree, write_json
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.vision.classifier import MAX_CROP_MARGIN, Classifier

SHIPPED_MODELS = ("compact", "residual", "seed")
"""Ids of the models that come with the project. Until one is promoted, the first of them that exists is live."""
CARD = "card.json"
LIVE = "live.json"


_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Model:
    """A folder below ``models/``. Its files are checked when it is opened."""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @cached_property
    def card(self) -> dict[str, Any]:
        """Content of ``card.json``.

        Raises:
            EmojifyError: if the file is missing or is not a model card.
        """
        try:
            card = read_json(self.folder / CARD)
            tflite = card["tflite"]
            if not isinstance(tflite["sha256"], str) or not isinstance(tflite["file"], str):
                raise ValueError("the card does not name the model's file")
            if not 0 <= float(card.get("crop_margin", 0.0)) <= MAX_CROP_MARGIN:
                raise ValueError("the crop margin is out of range")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EmojifyError(f"The model {self.id} has no readable {CARD}.") from error
        return dict(card)

    @property
    def name(self) -> str:
        """Name for people, from the card; the id if the card has none."""
        return str(self.card.get("name", self.id))

    def accuracy(self, split: str) -> float | None:
        """Return the accuracy on a split from the card, 0 to 1; None if the card does not have it."""
        try:
            return float(self.card["figures"][split]["accuracy"])
        except (KeyError, TypeError, ValueError):
            return None

    def open(self) -> Classifier:
        """Read the model's file, compare its SHA-256 with the card, and load it.

        Raises:
            EmojifyError: if the file is missing, has another SHA-256, or can't be loaded.
        """
        path = self.folder / Path(self.card["tflite"]["file"]).name
        with readable_os_errors(f"The model {self.id} cannot be read: {path.name}", ""):
            content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.card["tflite"]["sha256"]:
            raise EmojifyError(
                f"The model {self.id} is damaged: {path.name} is not the file its card describes (SHA-256 differs)."
            )
        return Classifier(content, crop_margin=float(self.card.get("crop_margin", 0.0)), name=self.id)


def new_model_folder(models: Path, model_id: str) -> Path:
    """Return the folder of a new model, without creating it.

    Raises:
        EmojifyError: if the id is taken or invalid.
    """
    if not _ID.fullmatch(model_id):
        raise EmojifyError(f"{model_id!r} can't name a model: use small letters, digits, dots and dashes.")
    if (models / model_id).exists():
        raise EmojifyError(
            f"There is a model {model_id!r} already. Choose another id, or remove {models / model_id} first."
        )
    return models / model_id


@dataclass(frozen=True)
class OpenedModel:
    """A loaded model.

    Attributes:
        model: the model that was opened.
        classifier: ready to read faces.
        problems: a sentence for each model that could not be opened before this one.
    """

    model: Model
    classifier: Classifier
    problems: tuple[str, ...]


class ModelStore:
    """The models below one folder. ::

    store = ModelStore(Settings.from_environment().models)
    probabilities = store.open().classifier.classify(crop)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> list[Model]:
        """Return all models with a card, in the order of their ids."""
        return [Model(path.parent) for path in sorted(self.folder.glob(f"[!.]*/{CARD}"))]

    def get(self, model_id: str) -> Model:
        """Return the model with this id.

        Raises:
            EmojifyError: if there is none.
        """
        for model in self.models():
            if model.id == model_id:
                return model
        known = ", ".join(model.id for model in self.models()) or "none"
        raise EmojifyError(f"There is no model {model_id!r} in {self.folder}. There are: {known}.")

    @property
    def live_id(self) -> str:
        """Id of the live model, even if it can't be opened."""
        return self._history()[-1]

    @property
    def can_roll_back(self) -> bool:
        """True if another model was live before this one."""
        return len(self._history()) > 1

    @admin_only
    def promote(self, model_id: str) -> None:
        """Open a model and make it the live one.

        Raises:
            EmojifyError: if there is no such model, it can't be opened, or ``live.json`` can't be written. The live
                model is then unchanged.
        """
        self.get(model_id).open()
        with self._changing(f"{model_id} can't be put live"):
            history = self._history()
            if history[-1] != model_id:
                self._write_history([*history, model_id])

    @admin_only
    def rollback(self) -> str:
        """Make the newest earlier live model that opens the live one again; return its id.

        Raises:
            EmojifyError: if there is none, or ``live.json`` can't be written. The live model is then unchanged.
        """
        with self._changing("Nothing was rolled back"):
            history = self._history()
            problems = [f"There is no model to go back to from {history[-1]}."]
            for length in range(len(history) - 1, 0, -1):
                model_id = history[length - 1]
                try:
                    self.get(model_id).open()
                except EmojifyError as error:
                    problems.append(str(error))
                else:
                    self._write_history(history[:length])
                    return model_id
        raise EmojifyError(" ".join(problems))

    @admin_only
    def withdraw(self, model_id: str) -> None:
        """Remove a model from the history of live models. If it is live, the one before it is live again.

        Raises:
            EmojifyError: if ``live.json`` can't be written.
        """
        with self._changing(f"The model {model_id} can't be withdrawn"):
            history = self._history()
            others = [entry for entry in history if entry != model_id]
            if others != history:
                self._write_history(others or [self._default_id])

    @admin_only
    def remove(self, model_id: str) -> None:
        """Delete a model for good.

        Raises:
            EmojifyError: if there is no such model, it is live, it comes with the project, or it can't be deleted.
        """
        model = self.get(model_id)
        if model_id == self.live_id:
            raise EmojifyError(f"{model_id} is live: put another model live first.")
        if model_id in SHIPPED_MODELS:
            raise EmojifyError(f"{model_id} comes with Emojify and can't be removed.")
        with readable_os_errors(f"The model {model_id} can't be deleted"):
            remove_tree(model.folder)

    def open(self, model_id: str | None = None) -> OpenedModel:
        """Open a model; if it can't be opened, try the earlier live models, newest first, and then all others.

        Args:
            model_id: the model to try first; None for the live one.

        Raises:
            EmojifyError: if no model can be opened. The message has the reason for each.
        """
        candidates = [model_id] if model_id else []
        candidates += [*reversed(self._history()), *(model.id for model in self.models())]
        problems: list[str] = []
        for candidate in dict.fromkeys(candidates):
            try:
                model = self.get(candidate)
                return OpenedModel(model, model.open(), tuple(problems))
            except EmojifyError as error:
                problems.append(str(error))
        raise EmojifyError(
            " ".join(["No model can be opened.", *problems, "Restore the folder models/ from the project."])
        )

    def open_classifier(self, model_id: str | None, on_problem: Callable[[str], None]) -> Classifier:
        """Open the classifier for a command.

        Args:
            model_id: the model that the user named: no other one may replace it. None for the live model, which may be
                replaced as in :meth:`open`.
            on_problem: called with a sentence for each model that could not be opened.

        Raises:
            EmojifyError: if the named model, or without a name any model, can't be opened.
        """
        if model_id:
            return self.get(model_id).open()
        opened = self.open()
        for problem in opened.problems:
            on_problem(f"{problem} Using {opened.model.id} instead.")
        return opened.classifier

    @property
    def _default_id(self) -> str:
        """Id of the model that is live until one is promoted."""
        existing = (model_id for model_id in SHIPPED_MODELS if (self.folder / model_id / CARD).is_file())
        return next(existing, SHIPPED_MODELS[-1])

    def _history(self) -> list[str]:
        """Return the ids of the promoted models, newest last; never empty."""
        try:
            history = read_json(self.folder / LIVE)["history"]
            if isinstance(history, list) and history and all(isinstance(entry, str) for entry in history):
                return history
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no model was promoted yet, or the file was edited by hand
        return [self._default_id]

    @contextmanager
    def _changing(self, failed: str) -> Iterator[None]:
        """Lock the folder for a change of ``live.json``, and turn an OSError into a sentence that begins ``failed``."""
        with readable_os_errors(failed), locked(self.folder):
            clear_leftovers(self.folder)
            yield

    def _write_history(self, history: list[str]) -> None:
        write_json(self.folder / LIVE, {"history": history})
