"""Teaching as the app sees it: start it, watch it, and promote or discard the resulting draft.

    data/teachings/<time>/    one job: its process (see processes.py), its progress and its draft (see teach.py)

The work is done in a process of its own. A draft is a model that only this module knows of. There is at most one, and
it is kept until the next one is finished. Promoting it copies it to the models and puts it live.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import (
    REMOVED,
    UNFINISHED,
    clear_leftovers,
    make_private_folder,
    new_folder,
    parse_json,
    read_json,
    remove_tree,
    write_json,
)
from emojify.models import CARD, Model, ModelStore
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.settings import Settings
from emojify.teaching.rehearsal import read_bank
from emojify.teaching.samples import SampleStore
from emojify.teaching.teach import MODEL, NOT_LEARNED, PROGRESS, RESULT

BASED_ON = "based_on"  # key in a model's card: id of the model that it was taught from
_FULL_BYTES = 64 * 1024  # with less free space, a process could not write down why it ended


def sample_store(settings: Settings) -> SampleStore:
    """Return the store of the user's pictures."""
    return SampleStore(settings.data / "samples")


@dataclass(frozen=True)
class TeachingJob:
    """The state of one teaching at a moment.

    Attributes:
        folder: the job's folder.
        running: whether its process is running.
        progress: share of the work that is done, 0 to 1.
        step: what the process is doing, in a few words.
        result: the figures of the draft, see :func:`~emojify.teaching.teach.teach`; None while there is no draft.
        error: why there is no draft, in a sentence; None if there is one or the process is running.
    """

    folder: Path
    running: bool
    progress: float
    step: str
    result: dict[str, Any] | None
    error: str | None

    @property
    def model(self) -> Model:
        """The draft. Promoting it changes its id."""
        return Model(self.folder / MODEL)


def base_model(store: ModelStore, model_id: str | None = None) -> Model:
    """Return the model to teach from: a model that was not taught itself.

    Args:
        store: the models.
        model_id: a model; by default the live one. If it was taught, the result is the model that it was taught from.

    Raises:
        EmojifyError: if there is no such model.
    """
    model = store.get(model_id) if model_id else store.open().model
    base = model.card.get(BASED_ON)
    if not base:
        return model
    try:
        return store.get(str(base))
    except EmojifyError as error:
        raise EmojifyError(
            f"{model.name} was made from the model {base}, which is not here any more. "
            "Put another model live, then teach again."
        ) from error


@admin_only
def start(settings: Settings) -> TeachingJob:
    """Start to teach all stored pictures to the base of the live model. A draft is kept until the new one is done.

    Raises:
        EmojifyError: if a job is running, there are no pictures, the model can't be taught, or the disk is full.
    """
    latest = find_latest(settings)
    if latest is not None and latest.running:
        raise EmojifyError("A model is learning already. Wait until it is done, or stop it first.")
    if not sample_store(settings).samples():
        raise EmojifyError("There are no pictures to learn from. Record some first.")
    base = base_model(ModelStore(settings.models))
    read_bank(base)  # raises if the model can't be taught
    stop(settings)
    folder = settings.data / "teachings" / time.strftime("%Y%m%d-%H%M%S")
    with readable_os_errors("Teaching can't start"):
        try:
            make_private_folder(folder.parent)
            folder.mkdir(0o700)
            command = ["teach", "--base", base.id, "--folder", str(folder.absolute())]
            processes.start(command, folder, interactive=True)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return _read_job(folder)


def find_latest(settings: Settings) -> TeachingJob | None:
    """Return the newest job, also one started from a terminal; None if there is none.

    If the newest job made no draft, or its draft learned nothing, return the job of the draft before it, with the
    reason as its ``error``.
    """
    jobs = _jobs(settings)
    newest = jobs[0] if jobs else None
    draft = _newest_draft(jobs)
    if newest is None or newest.running or draft is None or draft is newest:
        return newest
    return replace(draft, error=newest.error or NOT_LEARNED)


@admin_only
def stop(settings: Settings) -> None:
    """Stop the running job, if any. The newest draft, the pictures and the models are kept.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    jobs = _jobs(settings)
    draft = _newest_draft(jobs)
    others = [job.folder for job in jobs if job is not draft]
    _delete(settings, others, others)


@admin_only
def discard(settings: Settings) -> None:
    """Stop the running job, if any, and delete every draft. The pictures and the models are kept.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    folder = settings.data / "teachings"
    _delete(settings, list(folder.glob("*")), [folder])


@admin_only
def promote(settings: Settings, job: TeachingJob) -> Model:
    """Copy a draft to the models and put it live. Return the new model.

    Raises:
        EmojifyError: if the draft is damaged or can't be copied. The draft is then kept and the live model unchanged.
    """
    store = ModelStore(settings.models)
    job.model.open()  # compares the file with its card
    model_id = f"me-{job.folder.name}"
    target = settings.models / model_id
    if not target.exists():  # a former call may have been killed right after the copy
        with readable_os_errors("The taught model can't be saved, but the draft is kept"), new_folder(target) as folder:
            shutil.copytree(job.model.folder, folder, dirs_exist_ok=True)
            write_json(folder / CARD, job.model.card | {"id": model_id})
    try:
        store.promote(model_id)
    except EmojifyError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    discard(settings)
    return store.get(model_id)


def personal_models(store: ModelStore) -> list[Model]:
    """Return the models that were made by teaching. Models with a damaged card are left out."""
    found = []
    for model in store.models():
        try:
            if model.card.get(BASED_ON):
                found.append(model)
        except EmojifyError:
            continue  # opening the model reports the error
    return found


@admin_only
def delete_pictures(settings: Settings) -> None:
    """Delete all pictures and drafts. Personal models stay.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    discard(settings)
    sample_store(settings).delete_all()
    # Earlier versions checked these folders as if they were data sets; their reports name recordings and times.
    for name in ("samples", "teachings", "videos"):
        shutil.rmtree(settings.data / ".checks" / name, ignore_errors=True)


@admin_only
def delete_personal_data(settings: Settings) -> None:
    """Delete all pictures, drafts and personal models. The model that was live before them is live again.

    Raises:
        EmojifyError: if a file can't be deleted.
    """
    delete_pictures(settings)
    store = ModelStore(settings.models)
    for model in personal_models(store):
        store.withdraw(model.id)
        store.remove(model.id)
    # Delete temporary files of killed processes regardless of their age: they are made from the user's face too.
    leftovers = [settings.models.glob(f"{UNFINISHED}me-*"), settings.models.glob(f"{REMOVED}*")]
    for path in chain(*leftovers, settings.data.glob(f"{REMOVED}*")):
        shutil.rmtree(path, ignore_errors=True)


def _jobs(settings: Settings) -> list[TeachingJob]:
    """Return all jobs, the newest first."""
    folders = (path for path in (settings.data / "teachings").glob("[!.]*") if path.is_dir())
    return [_read_job(folder) for folder in sorted(folders, reverse=True)]


def _newest_draft(jobs: list[TeachingJob]) -> TeachingJob | None:
    """Return the newest job whose draft learned something."""
    return next((job for job in jobs if job.result and job.result["learned"]), None)


def _read_job(folder: Path) -> TeachingJob:
    running = processes.is_running(folder)  # asked first: a process that ends meanwhile has written its result
    progress, step, error = 0.0, "Starting", None
    for line in _progress_lines(folder / PROGRESS):
        progress, step = float(line.get("done", progress)), str(line.get("doing", step))
        error = line.get("error", error)
    result = None
    if not running:
        try:
            result = read_json(folder / RESULT)
        except (OSError, ValueError):
            error = error or _reason_for_stop(folder)
    return TeachingJob(folder, running, progress, step, result, error)


def _reason_for_stop(folder: Path) -> str:
    """Return the likely reason why a process ended without writing one."""
    if shutil.disk_usage(folder).free < _FULL_BYTES:
        return "It was stopped: the disk is full. Nothing was changed. Make room, then teach again."
    return "It was stopped before it was done. Nothing was changed. Teach again when you like."


def _progress_lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        try:
            lines.append(parse_json(line))
        except ValueError:
            continue  # cut off by a kill
    return lines


@admin_only
def _delete(settings: Settings, jobs: list[Path], folders: list[Path]) -> None:
    """Kill the processes of ``jobs``, then delete ``folders``."""
    try:
        with readable_os_errors("The draft can't be deleted"):
            for job in jobs:
                processes.kill(job)
            clear_leftovers(settings.data)
            clear_leftovers(settings.data / "teachings")
            for folder in folders:
                if folder.exists():
                    remove_tree(folder)
    except psutil.Error as error:
        raise EmojifyError("The draft can't be deleted: its process does not end. Try again.") from error
