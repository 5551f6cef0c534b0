"""Settings, models, runs and recordings whose files somebody edited, or a dying disk changed."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emojify.errors import EmojifyError
from emojify.models import ModelStore
from emojify.runs.config import FitConfig
from emojify.runs.progress import read_progress
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import Settings
from emojify.teaching.samples import SampleStore
from emojify.video.jobs import JobStore
from emojify.vision.classifier import crop_face
from emojify.vision.readings import Box
from tests.fuzz.inputs import fuzzed, json_files, spoilt

TINY = (Path(__file__).parents[1] / "data" / "tiny.tflite").read_bytes()
CARD = {
    "id": "mine", "name": "Mine", "crop_margin": 0.1, "figures": {"private": {"n": 7, "accuracy": 0.5}},
    "tflite": {"file": "model.tflite", "sha256": hashlib.sha256(TINY).hexdigest()},
}  # fmt: skip
CHECKPOINT = {"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.5, "weights": "w.h5"}
BEST = {"epoch": 2, "figures": {"n": 7, "accuracy": 0.5, "macro_recall": 0.4, "recall": {}, "confusion": [[1]]}}
RECORDING = {"emotion": "happy", "source": "camera", "boxes": {"00.png": [6, 6, 48, 48]}}
PROCESS = {"pid": os.getpid(), "birth": "x", "born": 1.0, "arguments": ["export", "--id", "x"]}
LINES: tuple[dict[str, Any], ...] = (
    {"time": 1.0, "phase": "loading"},
    {"time": 2.0, "epoch": 0, "batch": 1, "batches": 4, "loss": 2.0, "accuracy": 0.2},
    {"epoch": 1, "epochs": 3, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.4, "val_accuracy": 0.5, "seconds": 2.0},
)
SWITCHES = ["EMOJIFY_PUBLIC", "EMOJIFY_MAX_SESSIONS", "EMOJIFY_ICE_SERVERS", "EMOJIFY_MODELS", "EMOJIFY_DATA"]
EDITED = {
    "config.json": json_files(asdict(FitConfig("faces.zip"))),
    "checkpoint.json": json_files(CHECKPOINT),
    "best.json": json_files(BEST),
    "ended.json": json_files({"how": "stopped", "why": ""}),
    "result.json": json_files({"best_epoch": 2}),
    "environment.json": json_files({"pictures": {"data": "FER"}}),
    "queued.json": json_files({"since": 1.0}),
    "process.json": json_files(PROCESS),
    "progress.jsonl": st.lists(st.one_of(*[json_files(line) for line in LINES]), max_size=4).map(b"\n".join),
}
GRAY = np.full((120, 160), 90, np.uint8)


@fuzzed
@given(st.dictionaries(
    st.sampled_from(SWITCHES),
    st.text() | json_files({"urls": "turn:a"}).map(lambda content: f"[{content.decode('utf-8', 'replace')}]")
    | st.sampled_from(["0", "1", "9" * 5000]),
))  # fmt: skip
def test_settings_are_taken_or_refused(environment: Mapping[str, str]) -> None:
    with suppress(EmojifyError):
        settings = Settings.from_environment(environment)
        assert settings.public is (environment.get("EMOJIFY_PUBLIC") == "1")
        assert all(isinstance(server, dict) for server in settings.ice_servers)


@fuzzed
@given(json_files(CARD), spoilt(TINY) | st.just(TINY), json_files({"history": ["seed", "mine"]}))
def test_a_model_reads_faces_or_is_passed_over(card: bytes, tflite: bytes, live: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = ModelStore(Path(name))
        for model_id in ("mine", "seed"):
            (store.folder / model_id).mkdir()
            (store.folder / model_id / "model.tflite").write_bytes(TINY)
            sound = CARD | {"id": model_id}
            (store.folder / model_id / "card.json").write_text(json.dumps(sound))
        (store.folder / "mine" / "model.tflite").write_bytes(tflite)
        (store.folder / "mine" / "card.json").write_bytes(card)
        (store.folder / "live.json").write_bytes(live)
        for model in store.models():
            with suppress(EmojifyError):
                assert isinstance(model.name, str)
                model.accuracy("private")
        opened = store.open("mine")
        assert opened.model.id in ("mine", "seed")
        crop = crop_face(GRAY, Box(20, 20, 60, 60), opened.classifier.crop_margin)
        assert opened.classifier.classify(crop).shape == (7,)
        assert 0 <= opened.classifier.crop_margin < 10
        assert math.isfinite(opened.classifier.crop_margin)
        with suppress(EmojifyError):
            store.promote("mine")
        with suppress(EmojifyError):
            store.rollback()
        assert store.open().classifier is not None


@fuzzed
@given(st.dictionaries(st.sampled_from(sorted(EDITED)), st.none(), min_size=1), st.data())
def test_a_run_is_one_of_the_states_and_can_be_deleted(changed: dict[str, None], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = RunStore(Path(name))
        folder = store.folder / "one"
        folder.mkdir()
        sound = {"config.json": asdict(FitConfig("faces.zip")), "checkpoint.json": CHECKPOINT, "best.json": BEST}
        for file, content in sound.items():
            (folder / file).write_text(json.dumps(content))
        (folder / "w.h5").touch()
        for file in changed:
            (folder / file).write_bytes(data.draw(EDITED[file]))
        (run,) = store.runs()
        assert isinstance(run.state, State)
        assert isinstance(run.model_id, str)
        assert isinstance(run.best, dict)
        assert 0 <= run.epochs_done < 1e9
        progress = read_progress(folder)
        progress.remaining_s(9, time.time())
        assert progress.best is None or progress.best in progress.epochs
        assert isinstance(store.queue(), list)
        with suppress(EmojifyError):
            store.delete("one", "seed")


@fuzzed
@given(json_files(RECORDING), spoilt(cv2.imencode(".png", np.eye(60, dtype=np.uint8) * 200)[1].tobytes()))
def test_a_recording_is_read_or_named_and_can_be_deleted(about: bytes, picture: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = SampleStore(Path(name) / "samples")
        folder = store.folder / "one"
        folder.mkdir(parents=True)
        (folder / "recording.json").write_bytes(about)
        (folder / "00.png").write_bytes(picture)
        for sample in store.samples():
            with suppress(EmojifyError):
                assert sample.cutout().crop(0.1).shape == (48, 48)
        assert len(store.problems()) <= 1
        store.delete_all()
        assert not store.folder.exists()


@fuzzed
@given(
    json_files({"name": "me.mp4", "ending": ".mp4", "pack": "classic", "style": "sticker"}),
    json_files({"state": "done"}),
)
def test_a_video_is_there_or_not(request: bytes, report: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = JobStore(Path(name))
        folder = store.folder / ("a" * 22)
        folder.mkdir()
        (folder / "job.json").write_bytes(request)
        (folder / "report.json").write_bytes(report)
        job = store.get(folder.name)
        if job is not None:
            assert isinstance(job.report()["state"], str)
            assert job.request.result_name
            job.delete()
            assert not folder.exists()
