"""All that can be done to the folders of a copy, each as one call, with something there to do it to."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emojify import processes
from emojify.emotions import Emotion
from emojify.models import ModelStore
from emojify.packs.importer import read_zip
from emojify.packs.store import add_pack, edit_pack, list_packs, remove_pack
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
from tests.helpers.pack_files import pack_zip
from tests.helpers.stores import write_model, write_pack

NOISE = np.random.default_rng(1).integers(0, 255, (9, 60, 60), np.uint8)
CUTOUTS = [Cutout(picture, Box(6, 6, 48, 48)) for picture in NOISE]
REQUEST = RenderRequest("me.mp4", ".mp4", "classic", "sticker")
TOKEN = "abcdefghijklmnopqrstuv"


class Workspace:
    """Folders with one thing of every kind.

    Args:
        root: where they lie; whatever its name.
        tiny_model: what is to be put there; None if all is there already.
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
            self._furnish(tiny_model)

    def _furnish(self, tiny_model: bytes) -> None:
        for name in ("seed", "other", "third"):
            write_model(self.settings.models / name, tiny_model)
        for name in ("classic", "squares"):
            write_pack(self.settings.emojis / name)
        self.models.promote("other")
        self.samples.add(Emotion.SAD, [Cutout(255 - picture, Box(6, 6, 48, 48)) for picture in NOISE])
        self._write("data/faces.zip", "zip")
        self._write("data/.incoming/new.zip", "zip")
        new = self.settings.data / ".incoming" / "new.zip"
        self._write("data/.checks/new.zip-brought/report.json", "{}")
        self._write(f"data/.checks/new.zip-brought/{FINGERPRINT_FILE}", dataset_fingerprint(new))
        self._write(f"data/videos/{TOKEN}/in.mp4", "film")
        self._write(f"data/videos/{TOKEN}/job.json", json.dumps(REQUEST.to_json()))
        self._write("data/teachings/20260101-000000/result.json", "{}")
        shutil.copytree(self.settings.models / "third", self.settings.data / "teachings/20260101-000000/model")
        self._write("runs/one/config.json", json.dumps(vars(FitConfig(str(self.settings.data / "faces.zip")))))

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def job(self) -> Job:
        job = self.jobs.get(TOKEN)
        assert job is not None
        return job

    @property
    def brought(self) -> Path:
        return self.data.folder / ".incoming" / "new.zip"

    @property
    def teaching(self) -> drafts.TeachingJob:
        teaching = drafts.find_latest(self.settings)
        assert teaching is not None
        return teaching

    def fit(self) -> FitConfig:
        return fake_training.config(self.settings.data / "faces.zip", fake_training.SILENT)

    def seen(self) -> dict[str, bytes]:
        """Every file that somebody would miss, with its content. What begins with a dot, and logs, nobody sees."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.root).parts)
            and path.name not in (processes.LOG, processes.PROCESS)
        }

    def check(self) -> None:
        """That what is there opens: nothing is half."""
        found = list_packs(self.settings.emojis)
        assert found.problems == ()
        assert all(pack.pictures for pack in found.packs)
        assert self.models.open().problems == ()
        assert self.samples.problems() == []
        assert all(run.config is not None for run in self.runs.runs())


Operation = Callable[[Workspace], object]

OPERATIONS: dict[str, Operation] = {
    "add a pack": lambda workspace: add_pack(workspace.settings.emojis, read_zip(pack_zip(), "cats.zip")),
    "edit a pack": lambda workspace: edit_pack(workspace.settings.emojis, "squares", "Mine", "me", ""),
    "remove a pack": lambda workspace: remove_pack(workspace.settings.emojis, "squares"),
    "promote": lambda workspace: workspace.models.promote("third"),
    "roll back": lambda workspace: workspace.models.rollback(),
    "withdraw a model": lambda workspace: workspace.models.withdraw("other"),
    "remove a model": lambda workspace: workspace.models.remove("third"),
    "launch a fit": lambda workspace: workspace.runs.launch(workspace.fit()),
    "resume a fit": lambda workspace: workspace.runs.resume("one"),
    "delete a run": lambda workspace: workspace.runs.delete("one", "seed"),
    "check data": lambda workspace: workspace.data.check(workspace.data.folder / "faces.zip"),
    "look again": lambda workspace: workspace.data.recheck(workspace.brought),
    "bring data": lambda workspace: workspace.data.upload("more.csv", io.BytesIO(b"a,b"), 3, lambda share: None),
    "settle data": lambda workspace: workspace.data.accept(workspace.brought),
    "discard data": lambda workspace: workspace.data.discard(workspace.brought),
    "add samples": lambda workspace: workspace.samples.add(Emotion.HAPPY, CUTOUTS),
    "delete a sample": lambda workspace: workspace.samples.delete(workspace.samples.samples()[:1]),
    "delete samples": lambda workspace: workspace.samples.delete_all(),
    "discard a draft": lambda workspace: drafts.discard(workspace.settings),
    "keep a draft": lambda workspace: drafts.promote(workspace.settings, workspace.teaching),
    "forget everything": lambda workspace: drafts.delete_personal_data(workspace.settings),
    "bring a video": lambda workspace: workspace.jobs.add(b"film", workspace.job.request),
    "change a video": lambda workspace: workspace.jobs.change_suffix(workspace.job, ".gif"),
    "begin a video": lambda workspace: workspace.job.start(),
    "stop a video": lambda workspace: workspace.job.stop(),
    "delete a video": lambda workspace: workspace.job.delete(),
    "clear old videos": lambda workspace: workspace.jobs.remove_old(now_s=9e9),
}


def kill_what_was_started(workspace: Workspace) -> None:
    for record in workspace.root.rglob(processes.PROCESS):
        processes.kill(record.parent)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
