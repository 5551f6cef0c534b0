"""Teaching from the app's side: start it, watch it, keep or throw away what came out. The work is done elsewhere.

    data/teachings/<time>/    one teaching: its process (see processes.py), its progress, its draft (see teach.py)

There is at most one draft, and it stays until the next one is there. Until it is kept nothing else knows of it: what is
live stays live.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import REMOVED, UNFINISHED, clear_leftovers, parse_json, remove_tree
from emojify.models import CARD, Model, ModelStore
from emojify.public import admin_only
from emojify.settings import Settings
from emojify.teaching.rehearsal import read_bank
from emojify.teaching.samples import SampleStore
from emojify.teaching.teach import MODEL, NOT_LEARNED, PROGRESS, RESULT

BASED_ON = "based_on"
FULL_BYTES = 64 * 1024  # bytes


def sample_store(settings: Settings) -> SampleStore:
    return SampleStore(settings.data / "samples")


@dataclass(frozen=True)
class TeachingJob:
    """One teaching as it stands at a moment.

    Attributes:
        folder: where it lies.
        running: whether its process works.
        progress: share of the work, 0 to 1.
        step: what it is at, in words.
        result: what came out, see :func:`~emojify.teaching.teach.teach`; None before the end.
        error: why nothing came out, in a sentence; None if that is not so.
    """

    folder: Path
    running: bool
    progress: float
    step: str
    result: dict[str, Any] | None
    error: str | None

    @property
    def model(self) -> Model:
        """The draft. Its id is not yet that under which it will be kept."""
        return Model(self.folder / MODEL)


def base_model(store: ModelStore, model_id: str | None = None) -> Model:
    """The model that teaching starts from: the live one, or what that was made from.

    Raises:
        EmojifyError: if it is not here any more.
    """
    model = store.get(model_id) if model_id else store.open().model
    base = model.card.get(BASED_ON)
    if not base:
        return model
    try:
        return store.get(str(base))
    except EmojifyError as error:
        raise EmojifyError(f"{model.name} was made from the model {base}, which is not here any more.") from error


@admin_only
def start(settings: Settings) -> TeachingJob:
    """Start teaching the live model all pictures there are. An earlier draft stays until this one is done.

    Raises:
        EmojifyError: if one is under way, there are no pictures, the model can't be taught, or the disk is full.
    """
    latest = find_latest(settings)
    if latest is not None and latest.running:
        raise EmojifyError("It is learning already. Wait for it, or stop it first.")
    if not sample_store(settings).samples():
        raise EmojifyError("There are no pictures to learn from. Record some first.")
    base = base_model(ModelStore(settings.models))
    read_bank(base)
    stop(settings)
    folder = settings.data / "teachings" / time.strftime("%Y%m%d-%H%M%S")
    try:
        folder.mkdir(parents=True)
        command = ["teach", "--base", base.id, "--folder", str(folder.absolute())]
        processes.start(command, folder, interactive=True)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EmojifyError(f"Teaching can't start: {error.strerror}.") from error
    return _read_job(folder)


def find_latest(settings: Settings) -> TeachingJob | None:
    """The newest teaching, whoever started it; None if there is none.

    Where nothing came out of that, or it learned nothing: the draft before it, with the reason as its error.
    """
    teachings = _jobs(settings)
    newest = teachings[0] if teachings else None
    draft = _draft(teachings)
    if newest is None or newest.running or draft in (None, newest):
        return newest
    return replace(draft, error=newest.error or NOT_LEARNED)


def _jobs(settings: Settings) -> list[TeachingJob]:
    """The newest first."""
    folders = (path for path in (settings.data / "teachings").glob("[!.]*") if path.is_dir())
    return [_read_job(folder) for folder in sorted(folders, reverse=True)]


def _draft(teachings: list[TeachingJob]) -> TeachingJob | None:
    """The newest that can be kept."""
    return next((teaching for teaching in teachings if teaching.result and teaching.result["learned"]), None)


def _read_job(folder: Path) -> TeachingJob:
    running = processes.is_running(folder)  # first: a result that comes after this look is seen at the next
    done, doing, error = 0.0, "Starting", None
    for line in _lines(folder / PROGRESS):
        done, doing = float(line.get("done", done)), str(line.get("doing", doing))
        error = line.get("error", error)
    result = None
    if not running:
        try:
            result = parse_json((folder / RESULT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            error = error or _reason_for_stop(folder)
    return TeachingJob(folder, running, done, doing, result, error)


def _reason_for_stop(folder: Path) -> str:
    """What can be said of a process that left no word; on a full disk there is no room for one."""
    if shutil.disk_usage(folder).free < FULL_BYTES:
        return "It was stopped: the disk is full. Nothing was changed; make room, then teach again."
    return "It was stopped before it was done. Nothing was changed; teach again when you like."


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        try:
            lines.append(parse_json(line))
        except ValueError:
            continue  # torn by a kill
    return lines


@admin_only
def stop(settings: Settings) -> None:
    """Stop what is under way; the newest draft that can be kept stays, as do pictures and models.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    teachings = _jobs(settings)
    draft = _draft(teachings)
    others = [teaching.folder for teaching in teachings if teaching is not draft]
    _remove(settings, others, others)


@admin_only
def discard(settings: Settings) -> None:
    """Stop what is under way and throw every draft away. Pictures and models stay.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    folder = settings.data / "teachings"
    _remove(settings, list(folder.glob("*")), [folder])


@admin_only
def _remove(settings: Settings, teachings: list[Path], folders: list[Path]) -> None:
    try:
        for teaching in teachings:
            processes.kill(teaching)
        clear_leftovers(settings.data)
        clear_leftovers(settings.data / "teachings")
        for folder in folders:
            if folder.exists():
                remove_tree(folder)
    except (OSError, psutil.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "its process does not end"
        raise EmojifyError(f"The draft can't be thrown away: {why}. Try again.") from error


@admin_only
def promote(settings: Settings, teaching: TeachingJob) -> Model:
    """Make a model of the draft and put it live.

    Raises:
        EmojifyError: if the draft does not open or can't be written; what was live stays live.
    """
    store = ModelStore(settings.models)
    teaching.model.open()
    model_id = f"me-{teaching.folder.name}"
    target = settings.models / model_id
    temporary: Path | None = None
    try:
        if not target.exists():  # else somebody was killed right after this
            temporary = Path(tempfile.mkdtemp(dir=settings.models, prefix=f"{UNFINISHED}{model_id}."))
            shutil.copytree(teaching.model.folder, temporary, dirs_exist_ok=True)
            card = teaching.model.card | {"id": model_id}
            (temporary / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
            temporary.chmod(0o755)
            temporary.rename(target)
        temporary = target
        store.promote(model_id)
    except (OSError, EmojifyError) as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EmojifyError(f"The taught model can't be kept: {why}. The draft is still here.") from error
    discard(settings)
    return store.get(model_id)


def personal_models(store: ModelStore) -> list[Model]:
    """The models that were made by teaching."""
    found = []
    for model in store.models():
        try:
            if model.card.get(BASED_ON):
                found.append(model)
        except EmojifyError:
            continue  # damaged; whoever opens it is told
    return found


@admin_only
def delete_personal_data(settings: Settings) -> None:
    """Delete all pictures, drafts and personal models; what was live before those is live again.

    Raises:
        EmojifyError: if something can't be deleted.
    """
    discard(settings)
    sample_store(settings).delete_all()
    store = ModelStore(settings.models)
    for model in personal_models(store):
        store.withdraw(model.id)
        store.remove(model.id)
    # Of somebody who was killed, however lately: these too are made of one person's face.
    leftovers = [settings.models.glob(f"{UNFINISHED}me-*"), settings.models.glob(f"{REMOVED}*")]
    for path in chain(*leftovers, settings.data.glob(f"{REMOVED}*")):
        shutil.rmtree(path, ignore_errors=True)
