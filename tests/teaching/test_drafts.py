"""Teaching from the app's side, with real processes: begin, watch, keep, discard, undo, and what can go wrong."""

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

LIMIT_S = 120


@pytest.fixture
def settings(base: Model, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A workspace with one model, and happy recorded once."""
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    settings = Settings.from_environment()
    drafts.sample_store(settings).add(Emotion.HAPPY, record(Emotion.HAPPY))
    return settings


def finished(settings: Settings) -> drafts.TeachingJob:
    deadline = time.monotonic() + LIMIT_S
    while True:
        teaching = drafts.find_latest(settings)
        assert teaching is not None
        if not teaching.running:
            return teaching
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_teaching_always_starts_from_shipped_model(settings: Settings) -> None:
    store = ModelStore(settings.models)
    assert drafts.start(settings).running
    teaching = finished(settings)
    assert (teaching.error, teaching.progress) == (None, 1.0)
    assert teaching.result is not None
    assert teaching.result["base"] == "seed"
    assert store.live_id == "seed"  # until it is kept

    model = drafts.promote(settings, teaching)
    assert model.id == store.live_id == store.open().model.id
    assert model.card["id"] == model.id
    assert drafts.find_latest(settings) is None
    assert drafts.base_model(store).id == "seed"  # nothing is taught on top of what was taught
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
    finished(settings)
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
    teaching = drafts.start(settings)
    processes.kill(teaching.folder)
    teaching = finished(settings)
    assert teaching.result is None
    assert teaching.error is not None
    assert "stopped before it was done" in teaching.error
    assert ModelStore(settings.models).open().model.id == "seed"
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=0))
        assert "the disk is full" in str(finished(settings).error)
    drafts.start(settings)  # and it can be tried again
    drafts.discard(settings)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_draft_stays_until_next_one_is_done(settings: Settings, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.start(settings)
    draft = finished(settings)
    monkeypatch.setattr("time.strftime", lambda form: "99990101-000000")  # a later second
    second = drafts.start(settings)
    assert second.folder != draft.folder
    if end == "killed":
        processes.kill(second.folder)
        left = finished(settings)
        assert left.error is not None
        assert "stopped before it was done" in left.error
        assert left.folder == draft.folder
    drafts.stop(settings)
    assert finished(settings) == draft
    assert not second.folder.exists()

    drafts.start(settings)
    new = finished(settings)
    assert new.folder == second.folder
    assert new.result is not None
    drafts.promote(settings, new)
    assert drafts.find_latest(settings) is None
    assert not draft.folder.exists()


def test_job_error_is_reported(settings: Settings) -> None:
    drafts.sample_store(settings).samples()[0].path.write_bytes(b"half a file")
    drafts.start(settings)
    teaching = finished(settings)
    assert teaching.result is None
    assert "00.png is damaged" in str(teaching.error)


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
    teaching = finished(settings)
    (teaching.folder / MODEL / "model.tflite").write_bytes(b"half a file")
    with pytest.raises(EmojifyError, match="damaged"):
        drafts.promote(settings, teaching)
    assert [model.id for model in ModelStore(settings.models).models()] == ["seed"]
    assert ModelStore(settings.models).live_id == "seed"


def test_promote_on_full_disk_changes_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.start(settings)
    teaching = finished(settings)
    before = files(settings.models)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(EmojifyError, match=r"No space left on device.*draft is still here"):
        drafts.promote(settings, teaching)
    assert files(settings.models) == before
    assert drafts.find_latest(settings) == teaching


def test_base_model_names_missing_base(settings: Settings, base: Model) -> None:
    (base.folder / CARD).write_text(json.dumps(base.card | {"based_on": "older"}))
    with pytest.raises(EmojifyError, match="made from the model older, which is not here any more"):
        drafts.base_model(ModelStore(settings.models))


def test_command_keeps_no_unlearned_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "fit", lambda head, *rest, **given: TaughtHead(head, math.inf, 0.0))
    assert main(["teach"]) == 2
    assert "could not learn these pictures" in capsys.readouterr().err
    assert [model.id for model in ModelStore(settings.models).models()] == ["seed"]
    assert drafts.find_latest(settings) is None


def test_command_promotes_taught_model(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teach"]) == 0
    said = capsys.readouterr().out
    assert "your held-out pictures: no figure; record an emotion twice" in said
    assert "everyone else: " in said
    assert ModelStore(settings.models).live_id.startswith("me-")
    assert main(["models", "rollback"]) == 0
    drafts.sample_store(settings).delete_all()
    assert main(["teach"]) == 2
    assert "no pictures to learn from" in capsys.readouterr().err


def test_app_refuses_while_command_teaches(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    def while_it_works(*args: object, **given: object) -> None:
        teaching = drafts.find_latest(settings)
        assert teaching is not None
        assert (teaching.running, teaching.error) == (True, None)
        with pytest.raises(EmojifyError, match="learning already"):
            drafts.start(settings)
        seen.append(teaching.folder.name)
        assert main(["teach"]) == 2  # nor does a second one begin
        raise EmojifyError("Enough seen.")

    monkeypatch.setattr(module, "teach", while_it_works)
    assert main(["teach"]) == 2
    assert len(seen) == 1
    said = capsys.readouterr().err.splitlines()
    assert "learning already" in said[0]
    assert "Enough seen." in said[1]
