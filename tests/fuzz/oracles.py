"""What must hold for any content of a file: it is accepted, or refused with one sentence and without a change.

Each function returns if that holds. Any exception is a finding: an EmojifyError from a call that may refuse is caught,
every other error reaches the caller. Atheris (``targets.py``) and Hypothesis (``test_*.py``) call the same functions.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from emojify.errors import EmojifyError
from emojify.models import LIVE, ModelStore
from emojify.packs.importer import SIDE_PX, read_files, read_picture, read_zip
from emojify.packs.store import add_pack, export_pack, list_packs
from emojify.pictures import MAX_SIDE_PX, read_photo
from emojify.runs.progress import read_progress
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import Settings
from emojify.teaching.samples import SampleStore
from emojify.training.dataset import load
from emojify.video.jobs import JobStore
from emojify.vision.classifier import crop_face
from emojify.vision.readings import Box
from tests.fuzz.valid_files import CARD, RUN
from tests.helpers.pack_files import folder_contents

GRAY = np.full((120, 160), 90, np.uint8)


@contextmanager
def may_refuse() -> Iterator[None]:
    """Accept an EmojifyError that has a sentence."""
    try:
        yield
    except EmojifyError as error:
        if not str(error).strip():
            raise AssertionError("refused without a sentence") from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def check_picture(content: bytes) -> None:
    """Check a photo, and the same file as a pack's picture."""
    with may_refuse():
        height, width, channels = read_photo(content, "me.png").shape
        assert max(height, width) <= MAX_SIDE_PX
        assert channels == 3
    with may_refuse():
        read_picture(content, "happy.png")


def check_pack(content: bytes) -> None:
    """Check an uploaded zip: an accepted pack can be exported and read again, a refused one leaves no file."""
    with temporary_folder() as store:
        added = None
        with may_refuse():
            added = add_pack(store, read_zip(content, "cats.zip"))
        if added is None:
            assert folder_contents(store) == {}, "a refused pack left a file"
            return
        (pack,) = list_packs(store).packs
        assert all(picture.shape[0] == picture.shape[1] <= SIDE_PX for picture in pack.pictures.values())
        assert pack.emoji is not None
        assert read_zip(export_pack(pack), "again.zip").manifest == pack.manifest


def check_dropped_files(files: Sequence[tuple[str, bytes]]) -> None:
    """Check several uploaded files: each becomes a picture of the pack or is named as a problem."""
    draft = read_files(list(files))
    assert len(draft.pictures) + len(draft.problems) == len(files)


def check_dataset(files: Mapping[str, bytes]) -> None:
    """Check a data set, the first of the files; reading it changes none of them."""
    with temporary_folder() as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        before = folder_contents(folder)
        with may_refuse():
            load(folder / next(iter(files)))
        assert folder_contents(folder) == before


def check_run(files: Mapping[str, bytes]) -> None:
    """Check a run's folder in which some files are replaced: it has a state and can be deleted."""
    with temporary_folder() as folder:
        run_folder = folder / "one"
        run_folder.mkdir()
        (run_folder / "config.json").write_text(json.dumps(RUN["config.json"]))
        (run_folder / "w.h5").touch()
        for name, content in files.items():
            (run_folder / name).write_bytes(content)
        store = RunStore(folder)
        (run,) = store.runs()
        assert isinstance(run.state, State)
        assert isinstance(run.model_id, str)
        assert isinstance(run.best, dict)
        assert 0 <= run.epochs_done < 1e9
        progress = read_progress(run_folder)
        progress.remaining_s(9, time.time())
        assert progress.best is None or progress.best in progress.epochs
        assert isinstance(store.queue(), list)
        with may_refuse():
            store.delete("one", "seed")


def check_recording(manifest: bytes, picture: bytes) -> None:
    """Check a recording of faces: it is read or named as a problem, and can be deleted."""
    with temporary_folder() as folder:
        store = SampleStore(folder / "samples")
        recording = store.folder / "one"
        recording.mkdir(parents=True)
        (recording / "recording.json").write_bytes(manifest)
        (recording / "00.png").write_bytes(picture)
        for sample in store.samples():
            with may_refuse():
                assert sample.cutout().crop(0.1).shape == (48, 48)
        assert len(store.problems()) <= 1
        store.delete_all()
        assert not store.folder.exists()


def check_job(request: bytes, report: bytes) -> None:
    """Check a video job: it is complete or not listed, and can be deleted."""
    with temporary_folder() as folder:
        job_folder = folder / ("a" * 22)
        job_folder.mkdir()
        (job_folder / "job.json").write_bytes(request)
        (job_folder / "report.json").write_bytes(report)
        job = JobStore(folder).get(job_folder.name)
        if job is not None:
            assert isinstance(job.report()["state"], str)
            assert job.request.result_name
            job.delete()
            assert not job_folder.exists()


def check_card(card: bytes, live: bytes) -> None:
    """Check a model's card and ``live.json``, without opening a model."""
    with temporary_folder() as folder:
        (folder / "mine").mkdir()
        (folder / "mine" / "card.json").write_bytes(card)
        (folder / LIVE).write_bytes(live)
        _check_listing(ModelStore(folder))


def check_models(card: bytes, tflite: bytes, live: bytes, valid_tflite: bytes) -> None:
    """Check a store with one damaged and one valid model: one of them opens and reads a face."""
    with temporary_folder() as folder:
        store = ModelStore(folder)
        for model_id in ("mine", "seed"):
            (folder / model_id).mkdir()
        (folder / "seed" / "model.tflite").write_bytes(valid_tflite)
        sha256 = hashlib.sha256(valid_tflite).hexdigest()
        seed_card = {**CARD, "id": "seed", "tflite": {"file": "model.tflite", "sha256": sha256}}
        (folder / "seed" / "card.json").write_text(json.dumps(seed_card))
        (folder / "mine" / "model.tflite").write_bytes(tflite)
        (folder / "mine" / "card.json").write_bytes(card)
        (folder / LIVE).write_bytes(live)
        _check_listing(store)
        opened = store.open("mine")
        assert opened.model.id in ("mine", "seed")
        assert 0 <= opened.classifier.crop_margin < 10
        assert math.isfinite(opened.classifier.crop_margin)
        crop = crop_face(GRAY, Box(20, 20, 60, 60), opened.classifier.crop_margin)
        assert opened.classifier.classify(crop).shape == (7,)
        with may_refuse():
            store.promote("mine")
        with may_refuse():
            store.rollback()
        assert store.open().classifier is not None


def _check_listing(store: ModelStore) -> None:
    assert isinstance(store.live_id, str)
    assert store.can_roll_back in (True, False)
    for model in store.models():
        with may_refuse():
            assert isinstance(model.name, str)
            assert isinstance(model.accuracy("private"), float | None)


def check_settings(environment: Mapping[str, str]) -> None:
    """Check environment variables."""
    with may_refuse():
        settings = Settings.from_environment(environment)
        assert settings.public is (environment.get("EMOJIFY_PUBLIC") == "1")
        assert all(isinstance(server, dict) for server in settings.ice_servers)
        assert settings.max_sessions is None or settings.max_sessions > 0
