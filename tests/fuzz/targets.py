"""What is fuzzed with an eye on the code's branches: each target takes bytes, as a file or as what files are made of.

Each returns if the bytes were taken, or refused in a sentence with nothing changed. Whatever else is raised is a
finding. No target loads TensorFlow or reads a face: what people bring, and files of ours, come before that.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.models import LIVE, ModelStore
from emojify.packs.importer import read_files, read_picture, read_zip
from emojify.packs.store import add_pack, export_pack, list_packs
from emojify.pictures import read_photo
from emojify.runs.config import FitConfig
from emojify.runs.progress import read_progress
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import Settings
from emojify.teaching.samples import SampleStore
from emojify.training.dataset import load
from emojify.video.jobs import JobStore
from tests.helpers.pack_files import HAPPY, tree, with_manifest

RUN_FILES = (
    "config.json", "checkpoint.json", "best.json", "ended.json", "result.json", "environment.json", "queued.json",
    "process.json", "progress.jsonl",
)  # fmt: skip
ROW = b"0," + b" ".join([b"7"] * 48 * 48) + b",Training\n"
TWO_ROWS = b"emotion,pixels,Usage\n" + ROW + b"3" + ROW[1:]


@contextmanager
def refusable() -> Iterator[None]:
    """Where a refusal is no finding, so long as it says something."""
    try:
        yield
    except EmojifyError as error:
        if not str(error).strip():
            raise AssertionError("refused without a word") from error


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def pack(content: bytes) -> None:
    """A zip that somebody brings as a pack."""
    with folder() as store:
        added = None
        with refusable():
            added = add_pack(store, read_zip(content, "cats.zip"))
        if added is None:
            assert tree(store) == {}, "a refusal left something"
            return
        (found,) = list_packs(store).packs
        assert found.emoji is not None
        assert read_zip(export_pack(found), "again.zip").manifest == found.manifest


def manifest(content: bytes) -> None:
    """A pack's ``pack.json``, in a zip that is sound otherwise."""
    pack(with_manifest(content))


def entries(content: bytes) -> None:
    """A zip's names: one a line, each with a sound picture behind it; and the same as files that are dropped."""
    names = content.decode("utf-8", "replace").split("\n")[:20]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name
            archive.writestr(info, HAPPY)
    pack(buffer.getvalue())
    draft, problems = read_files([(name, HAPPY) for name in names])
    assert len(draft.pictures) + len(problems) == len(names)


def picture(content: bytes) -> None:
    """A picture, as a photo and as one of a pack."""
    with refusable():
        assert read_photo(content, "me.png").ndim == 3
    with refusable():
        read_picture(content, "happy.png")


def _load(files: dict[str, bytes]) -> None:
    with folder() as place:
        for name, content in files.items():
            (place / name).write_bytes(content)
        before = tree(place)
        with refusable():
            load(place / next(iter(files)))
        assert tree(place) == before


def faces_zip(content: bytes) -> None:
    """A data set as a zip."""
    _load({"faces.zip": content})


def faces_csv(content: bytes) -> None:
    """A data set as a csv."""
    _load({"faces.csv": content})


def labels(content: bytes) -> None:
    """Our ``labels.csv`` beside a sound csv."""
    _load({"faces.csv": TWO_ROWS, "labels.csv": content})


def votes(content: bytes) -> None:
    """FER+'s ``fer2013new.csv`` beside a sound csv."""
    _load({"faces.csv": TWO_ROWS, "fer2013new.csv": content})


def run(content: bytes) -> None:
    """A run's folder: the first byte says which of its files the rest is."""
    with folder() as place:
        one = place / "one"
        one.mkdir()
        (one / "config.json").write_text(json.dumps(asdict(FitConfig("faces.zip"))))
        (one / "w.h5").touch()
        (one / RUN_FILES[(content[:1] or b"\0")[0] % len(RUN_FILES)]).write_bytes(content[1:])
        store = RunStore(place)
        (found,) = store.runs()
        assert isinstance(found.state, State)
        assert isinstance(found.best, dict)
        assert 0 <= found.epochs_done < 1e9
        progress = read_progress(one)
        progress.remaining_s(9, time.time())
        assert progress.best is None or progress.best in progress.epochs
        assert isinstance(store.queue(), list)


def recording(content: bytes) -> None:
    """A ``recording.json`` beside the pictures of a face."""
    with folder() as place:
        one = place / "one"
        one.mkdir()
        (one / "recording.json").write_bytes(content)
        (one / "00.png").write_bytes(HAPPY)
        store = SampleStore(place)
        for sample in store.samples():
            with refusable():
                assert sample.cutout().crop(0.1).shape == (48, 48)
        assert len(store.problems()) <= 1


def job(content: bytes) -> None:
    """A video's ``job.json`` and, after a line's end, ``report.json``."""
    request, _, report = content.partition(b"\n")
    with folder() as place:
        one = place / ("a" * 22)
        one.mkdir()
        (one / "job.json").write_bytes(request)
        (one / "report.json").write_bytes(report)
        found = JobStore(place).get(one.name)
        if found is not None:
            assert isinstance(found.report()["state"], str)
            assert found.request.result_name


def card(content: bytes) -> None:
    """A model's ``card.json`` and, after a line's end, ``live.json``."""
    about, _, live = content.partition(b"\n")
    with folder() as place:
        (place / "mine").mkdir()
        (place / "mine" / "card.json").write_bytes(about)
        (place / LIVE).write_bytes(live)
        store = ModelStore(place)
        assert isinstance(store.live_id, str)
        assert store.can_roll_back in (True, False)
        for model in store.models():
            with refusable():
                assert isinstance(model.name, str)
                assert isinstance(model.accuracy("private"), float | None)


def settings(content: bytes) -> None:
    """What is set in the environment: a line each, the switch's name first."""
    pairs = (line.partition("=") for line in content.decode("utf-8", "replace").split("\n"))
    with refusable():
        found = Settings.from_environment({f"EMOJIFY_{name}": value for name, _, value in pairs})
        assert all(isinstance(server, dict) for server in found.ice_servers)
        assert found.max_sessions is None or found.max_sessions > 0


Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (pack, manifest, entries, picture, faces_zip, faces_csv, labels, votes, run, recording, job, card,
                   settings)
}  # fmt: skip
