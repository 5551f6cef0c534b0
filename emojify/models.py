"""The models that are here, which one is live, and what happens when one is broken.

models/<id>/model.tflite   what reads faces
models/<id>/card.json      what it is, how it was made and what it reaches; holds the file's SHA-256
models/live.json           the ids that were put live, newest last; not there until someone does
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, locked, parse_json, remove_tree, write_atomically
from emojify.public import admin_only
from emojify.vision.classifier import MAX_CROP_MARGIN, Classifier

SHIPPED_MODELS = ("residual", "seed")
"""What comes with the project. Until somebody promotes another, the first of them that is there is live."""
CARD = "card.json"
LIVE = "live.json"


@dataclass(frozen=True)
class Model:
    """A folder under ``models/``. Whether its files are whole shows when it is opened."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def card(self) -> dict[str, Any]:
        """What ``card.json`` says.

        Raises:
            EmojifyError: if it is missing or no card.
        """
        try:
            card = parse_json((self.folder / CARD).read_text(encoding="utf-8"))
            tflite = card["tflite"]
            if not isinstance(tflite["sha256"], str) or not isinstance(tflite["file"], str):
                raise ValueError("the card does not name the model's file")
            if not 0 <= float(card.get("crop_margin", 0.0)) <= MAX_CROP_MARGIN:
                raise ValueError("no face can be cut out with this crop margin")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EmojifyError(f"The model {self.id} has no readable {CARD}.") from error
        return dict(card)

    @property
    def name(self) -> str:
        return str(self.card.get("name", self.id))

    def accuracy(self, split: str) -> float | None:
        """Accuracy on a split as the card has it, 0 to 1; None if it does not say."""
        try:
            return float(self.card["figures"][split]["accuracy"])
        except (KeyError, TypeError, ValueError):
            return None

    def open(self) -> Classifier:
        """Read the model's file, compare its SHA-256 with the card, and load it.

        Raises:
            EmojifyError: if the file is missing, is not the one that the card describes, or does not load.
        """
        path = self.folder / Path(self.card["tflite"]["file"]).name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EmojifyError(f"The model {self.id} cannot be read: {path.name}: {error.strerror}.") from error
        if hashlib.sha256(content).hexdigest() != self.card["tflite"]["sha256"]:
            raise EmojifyError(
                f"The model {self.id} is damaged: {path.name} is not the file its card describes (SHA-256 differs)."
            )
        return Classifier(content, crop_margin=float(self.card.get("crop_margin", 0.0)), name=self.id)


@dataclass(frozen=True)
class OpenedModel:
    """A model ready to read faces, and what went wrong on the way to it, if anything."""

    model: Model
    classifier: Classifier
    problems: tuple[str, ...]


class ModelStore:
    """The models below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> list[Model]:
        """All models with a card, in the order of their ids."""
        return [Model(path.parent) for path in sorted(self.folder.glob(f"[!.]*/{CARD}"))]

    def get(self, model_id: str) -> Model:
        """The model with this id.

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
        """The id of the model that is meant to be live."""
        return self._history()[-1]

    @property
    def can_roll_back(self) -> bool:
        """Whether another model was live before this one."""
        return len(self._history()) > 1

    @admin_only
    def promote(self, model_id: str) -> None:
        """Put a model live, if it opens.

        Raises:
            EmojifyError: if there is no such model, it is broken, or that can't be written; the live one stays.
        """
        self.get(model_id).open()
        with self._writing(f"{model_id} can't be put live"):
            history = self._history()
            if history[-1] != model_id:
                self._write_history([*history, model_id])

    @admin_only
    def rollback(self) -> str:
        """Put the newest model live that was so before and still opens; returns its id.

        Raises:
            EmojifyError: if there is none, or that can't be written; the live one stays.
        """
        with self._writing("Nothing was rolled back"):
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
        """Take a model out of all that was ever put live; what was live before it is live again.

        Raises:
            EmojifyError: if that can't be written down.
        """
        with self._writing(f"The model {model_id} can't be withdrawn"):
            history = self._history()
            others = [entry for entry in history if entry != model_id]
            if others != history:
                self._write_history(others or [self._shipped])

    @admin_only
    def remove(self, model_id: str) -> None:
        """Delete a model for good.

        Raises:
            EmojifyError: if there is none, it is live, it came with the project, or it can't be deleted.
        """
        model = self.get(model_id)
        if model_id == self.live_id:
            raise EmojifyError(f"{model_id} is live: put another model live first.")
        if model_id in SHIPPED_MODELS:
            raise EmojifyError(f"{model_id} comes with Emojify and stays.")
        try:
            remove_tree(model.folder)
        except OSError as error:
            raise EmojifyError(f"The model {model_id} can't be deleted: {error.strerror}.") from error

    def open(self, model_id: str | None = None) -> OpenedModel:
        """A model, by default the live one; if it is broken, the last good one that was live, then any other.

        Raises:
            EmojifyError: if no model opens at all, saying why for each.
        """
        wanted = [model_id] if model_id else []
        wanted += [*reversed(self._history()), *(model.id for model in self.models())]
        wanted = list(dict.fromkeys(wanted))
        problems: list[str] = []
        for model_id in wanted:
            try:
                model = self.get(model_id)
                return OpenedModel(model, model.open(), tuple(problems))
            except EmojifyError as error:
                problems.append(str(error))
        raise EmojifyError(
            " ".join(["No model can be opened.", *problems, "Restore the folder models/ from the project."])
        )

    @property
    def _shipped(self) -> str:
        here = (model_id for model_id in SHIPPED_MODELS if (self.folder / model_id / CARD).is_file())
        return next(here, SHIPPED_MODELS[-1])

    def _history(self) -> list[str]:
        try:
            history = parse_json((self.folder / LIVE).read_text(encoding="utf-8"))["history"]
            if isinstance(history, list) and history and all(isinstance(entry, str) for entry in history):
                return history
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nobody has promoted a model yet, or somebody edited the file: the one that ships is live
        return [self._shipped]

    @contextmanager
    def _writing(self, failed: str) -> Iterator[None]:
        """Nobody else changes what is live meanwhile; what the disk refuses becomes a sentence."""
        try:
            with locked(self.folder):
                clear_leftovers(self.folder)
                yield
        except OSError as error:
            raise EmojifyError(f"{failed}: {error.strerror}.") from error

    def _write_history(self, history: list[str]) -> None:
        write_atomically(self.folder / LIVE, (json.dumps({"history": history}, indent=1) + "\n").encode())
