"""Teaching as the app sees it, with real processes: start, watch, promote, discard and undo."""

from __future__ import annotations

import errno
import json
import math
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from emojify import processes
from emojify.__main__ import main
from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.models import CARD, Model, ModelStore
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching import teach as module
from emojify.teaching.fit import TaughtHead
from emojify.teaching.teach import MODEL
from tests.helpers.recordings import Record

pytestmark = pytest.mark.slow

LIMIT_S = 120


@pytest.fixture
def settings(base: Model, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A workspace with one model, and happy recorded once."""
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    settings = Settings.from_environment()
    drafts.sample_store(settings).add(Emotion.HAPPY, record(Emotion.HAPPY))
    return settings


def wait_for_job(settings: Settings) -> drafts.TeachingJob:
    """Wait until the newest job has ended, and return it."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        job = drafts.find_latest(settings)
        assert job is not None
        if not job.running:
            return job
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_teaching_always_starts_from_shipped_model(settings: Settings) -> None:
    store = ModelStore(settings.models)
    assert drafts.start(settings).running
    job = wait_for_job(settings)
    assert (job.error, job.progress) == (None, 1.0)
    assert job.result is not None
    assert job.result["base"] == "seed"
    assert store.live_id == "seed"  # until the draft is promoted

    model = drafts.promote(settings, job)
    assert model.id == store.live_id == store.open().model.id
    assert model.card["id"] == model.id
    assert drafts.find_latest(settings) is None
    assert drafts.base_model(store).id == "seed"  # the base of the live model
    assert [model.id for model in drafts.personal_models(store)] == [model.id]

    assert store.rollback() == store.live_id == "seed"
    assert drafts.sample_store(settings).samples()

    store.promote(model.id)
    drafts.delete_personal_data(settings)
    assert store.live_id == "seed"
    assert [model.id for model in store.models()] == ["seed"]
    assert files(settings.data) == []


def test_discard_deletes_draft_only(settings: Settings) -> None:
    before = files(settings.data) + files(settings.models)
    drafts.start(settings)
    wait_for_job(settings)
    drafts.discard(settings)
    assert drafts.find_latest(settings) is None
    assert files(settings.data) + files(settings.models) == before


def test_start_refuses_second_job(settings: Settings) -> None:
    before = files(settings.data) + files(settings.models)
    drafts.start(settings)
    with pytest.raises(EmojifyError, match="learning already"):
        drafts.start(settings)
    drafts.stop(settings)
    assert drafts.find_latest(settings) is None
    assert files(settings.data) + files(settings.models) == before


def test_killed_job_is_reported_and_can_repeat(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    job = drafts.start(settings)
    processes.kill(job.folder)
    job = wait_for_job(settings)
    assert job.result is None
    assert job.error is not None
    assert "stopped before it was done" in job.error
    assert ModelStore(settings.models).open().model.id == "seed"
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=0))
        assert "the disk is full" in str(wait_for_job(settings).error)
    drafts.start(settings)  # it can be repeated
    drafts.discard(settings)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_draft_stays_until_next_one_is_done(settings: Settings, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.start(settings)
    draft = wait_for_job(settings)
    monkeypatch.setattr("time.strftime", lambda form: "99990101-000000")  # so that the second job has another folder
    second = drafts.start(settings)
    assert second.folder != draft.folder
    if end == "killed":
        processes.kill(second.folder)
        latest = wait_for_job(settings)
        assert latest.error is not None
        assert "stopped before it was done" in latest.error
        assert latest.folder == draft.folder
    drafts.stop(settings)
    assert wait_for_job(settings) == draft
    assert not second.folder.exists()

    drafts.start(settings)
    new = wait_for_job(settings)
    assert new.folder == second.folder
    assert new.result is not None
    drafts.promote(settings, new)
    assert drafts.find_latest(settings) is None
    assert not draft.folder.exists()


def test_job_error_is_reported(settings: Settings) -> None:
    drafts.sample_store(settings).samples()[0].path.write_bytes(b"half a file")
    drafts.start(settings)
    job = wait_for_job(settings)
    assert job.result is None
    assert "00.png is damaged" in str(job.error)


def test_start_refuses_without_pictures(settings: Settings) -> None:
    drafts.sample_store(settings).delete_all()
    with pytest.raises(EmojifyError, match="no pictures"):
        drafts.start(settings)
    assert drafts.find_latest(settings) is None


def test_start_refuses_model_without_bank(settings: Settings, base: Model) -> None:
    card = {key: value for key, value in base.card.items() if key != "rehearsal"}
    (base.folder / CARD).write_text(json.dumps(card))
    with pytest.raises(EmojifyError, match="no rehearsal bank"):
        drafts.start(settings)
    assert drafts.find_latest(settings) is None


def test_promote_refuses_damaged_draft(settings: Settings) -> None:
    drafts.start(settings)
    job = wait_for_job(settings)
    (job.folder / MODEL / "model.tflite").write_bytes(b"half a file")
    with pytest.raises(EmojifyError, match="damaged"):
        drafts.promote(settings, job)
    assert [model.id for model in ModelStore(settings.models).models()] == ["seed"]
    assert ModelStore(settings.models).live_id == "seed"


def test_promote_on_full_disk_changes_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.start(settings)
    job = wait_for_job(settings)
    before = files(settings.models)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(EmojifyError, match=r"the draft is kept: the disk is full"):
        drafts.promote(settings, job)
    assert files(settings.models) == before
    assert drafts.find_latest(settings) == job


def test_base_model_names_missing_base(settings: Settings, base: Model) -> None:
    (base.folder / CARD).write_text(json.dumps(base.card | {"based_on": "older"}))
    with pytest.raises(EmojifyError, match="made from the model older, which is not here any more"):
        drafts.base_model(ModelStore(settings.models))


def test_command_keeps_no_unlearned_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "fit", lambda head, *rest, **kwargs: TaughtHead(head, math.inf, 0.0))
    assert main(["teach"]) == 2
    assert "could not learn these pictures" in capsys.readouterr().err
    assert [model.id for model in ModelStore(settings.models).models()] == ["seed"]
    assert drafts.find_latest(settings) is None


def test_command_promotes_taught_model(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teach"]) == 0
    printed = capsys.readouterr().out
    assert "your held-out pictures: no figure; record an emotion twice" in printed
    assert "everyone else: " in printed
    assert ModelStore(settings.models).live_id.startswith("me-")
    assert main(["models", "rollback"]) == 0
    drafts.sample_store(settings).delete_all()
    assert main(["teach"]) == 2
    assert "no pictures to learn from" in capsys.readouterr().err


def test_app_refuses_while_command_teaches(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders: list[str] = []

    def teach(*args: object, **kwargs: object) -> None:
        job = drafts.find_latest(settings)
        assert job is not None
        assert (job.running, job.error) == (True, None)
        with pytest.raises(EmojifyError, match="learning already"):
            drafts.start(settings)
        folders.append(job.folder.name)
        assert main(["teach"]) == 2  # a second command is refused too
        raise EmojifyError("The test ends here.")

    monkeypatch.setattr(module, "teach", teach)
    assert main(["teach"]) == 2
    assert len(folders) == 1
    printed = capsys.readouterr().err.splitlines()
    assert "learning already" in printed[0]
    assert "The test ends here." in printed[1]
