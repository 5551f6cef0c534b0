"""Folders of the app with one item of every kind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from emojify import processes
from emojify.emotions import Emotion
from emojify.models import ModelStore
from emojify.packs.store import list_packs
from emojify.runs.config import FitConfig
from emojify.runs.datasets import FINGERPRINT_FILE, DatasetStore, dataset_fingerprint
from emojify.runs.store import RunStore
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.samples import SampleStore
from emojify.video.jobs import Job, JobStore, RenderRequest
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers import fake_training
from tests.helpers.stores import write_model, write_pack

NOISE = np.random.default_rng(1).integers(0, 255, (9, 60, 60), np.uint8)
CUTOUTS = [Cutout(picture, Box(6, 6, 48, 48)) for picture in NOISE]
REQUEST = RenderRequest("me.mp4", ".mp4", "classic", "sticker")
VIDEO_ID = "abcdefghijklmnopqrstuv"


class Workspace:
    """The folders of one copy of the app, and the stores on them.

    Args:
        root: parent of the folders ``models``, ``emojis``, ``data`` and ``runs``.
        tiny_model: LiteRT file for the models to write; None to use the folders as they are.
    """

    def __init__(self, root: Path, tiny_model: bytes | None) -> None:
        self.root = root
        self.settings = Settings(root / "models", root / "emojis", root / "data", root / "runs")
        self.models = ModelStore(self.settings.models)
        self.runs = RunStore(self.settings.runs)
        self.data = DatasetStore(self.settings.data)
        self.jobs = JobStore(self.settings.data / "videos")
        self.samples = SampleStore(self.settings.data / "samples")
        if tiny_model is not None:
            self._fill(tiny_model)

    def _fill(self, tiny_model: bytes) -> None:
        for name in ("seed", "other", "third"):
            write_model(self.settings.models / name, tiny_model)
        for name in ("classic", "squares", "me"):
            write_pack(self.settings.emojis / name)
        self._write("emojis/me/pack.json", json.dumps({"name": "Me", "avatar": {"hat": "cap"}}))
        self.models.promote("other")
        self.samples.add(Emotion.SAD, [Cutout(255 - picture, Box(6, 6, 48, 48)) for picture in NOISE])
        self._write("data/faces.zip", "zip")
        self._write("data/.incoming/new.zip", "zip")
        self._write("data/.checks/new.zip-brought/report.json", "{}")
        self._write(f"data/.checks/new.zip-brought/{FINGERPRINT_FILE}", dataset_fingerprint(self.uploaded_data))
        self._write(f"data/videos/{VIDEO_ID}/in.mp4", "film")
        self._write(f"data/videos/{VIDEO_ID}/job.json", json.dumps(REQUEST.to_json()))
        self._write("data/teachings/20260101-000000/result.json", "{}")
        shutil.copytree(self.settings.models / "third", self.settings.data / "teachings/20260101-000000/model")
        self._write("runs/one/config.json", json.dumps(vars(FitConfig(str(self.settings.data / "faces.zip")))))

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the app at these folders."""
        names = ("models", "emojis", "data", "runs")
        return {f"EMOJIFY_{name.upper()}": str(getattr(self.settings, name)) for name in names}

    @property
    def job(self) -> Job:
        job = self.jobs.get(VIDEO_ID)
        assert job is not None
        return job

    @property
    def uploaded_data(self) -> Path:
        """The data set that was uploaded and checked, but not accepted yet."""
        return self.data.folder / ".incoming" / "new.zip"

    @property
    def teaching(self) -> drafts.TeachingJob:
        teaching = drafts.find_latest(self.settings)
        assert teaching is not None
        return teaching

    def fit(self) -> FitConfig:
        """Return a fit that :mod:`tests.helpers.fake_training` runs."""
        return fake_training.config(self.settings.data / "faces.zip", fake_training.SILENT)

    def visible_files(self) -> dict[str, bytes]:
        """Return the content of every file by its relative path, without hidden files and records of processes."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.root).parts)
            and path.name not in (processes.LOG, processes.PROCESS)
        }

    def check(self) -> None:
        """Assert that every pack, model, recording and run opens."""
        found = list_packs(self.settings.emojis)
        assert found.problems == ()
        assert all(pack.pictures for pack in found.packs)
        assert self.models.open().problems == ()
        assert self.samples.problems() == []
        assert all(run.config is not None for run in self.runs.runs())

    def kill_processes(self) -> None:
        """Kill every process that an operation started here."""
        for record in self.root.rglob(processes.PROCESS):
            processes.kill(record.parent)
