from __future__ import annotations

import json
import os
import time
from pathlib import Path
from unittest.mock import patch

import pytest

from emojify import processes
from emojify.errors import EmojifyError
from emojify.video.jobs import MAX_AGE_S, MAX_RUNNING, REPORT, Job, JobStore, RenderRequest
from tests.helpers.programs import wait_until

REQUEST = RenderRequest("my party.mov", ".mp4", "classic", "sticker")


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "data" / "videos")


@pytest.fixture
def job(store: JobStore) -> Job:
    return store.add(b"a video", REQUEST)


def test_a_video_is_kept_for_its_user_alone_and_found_by_its_token(store: JobStore, job: Job) -> None:
    assert job.source.name == "in.mov"
    assert job.source.read_bytes() == b"a video"
    assert job.folder.stat().st_mode & 0o077 == 0
    assert store.get(job.token) == job
    assert len(job.token) >= 20
    assert job.request.result_name == "my party-emojified.mp4"


@pytest.mark.parametrize("token", ["", "..", "../../etc", "a" * 22, "x/y", "a" * 300])
def test_no_other_token_finds_anything(store: JobStore, job: Job, token: str) -> None:
    assert store.get(token) is None


@pytest.mark.parametrize("name", ["../../x.mp4/..", "a.m/p4", "no ending", ".", "x." + "y" * 300])
def test_a_name_from_outside_names_no_path(store: JobStore, name: str) -> None:
    job = store.add(b"", RenderRequest(name, ".mp4", "classic", "sticker"))
    assert job.source.parent == job.folder
    assert job.folder.parent == store.folder
    assert len(job.source.name) < 12


def test_a_full_disk_leaves_nothing(store: JobStore) -> None:
    with (
        patch("emojify.video.jobs.write_json", side_effect=OSError(28, "No space left on device")),
        pytest.raises(EmojifyError, match="the disk is full"),
    ):
        store.add(b"a video", REQUEST)
    assert list(store.folder.iterdir()) == []


def test_what_the_process_is_asked(job: Job) -> None:
    with patch.object(processes, "start") as start:
        job.start()
        job.start(estimate_only=True)
    (arguments, folder), (estimating, _) = (call.args for call in start.call_args_list)
    assert folder == job.folder
    assert arguments[:3] == ["render", str(job.source), str(job.target)]
    assert arguments[3:7] == ["--pack", "classic", "--style", "sticker"]
    assert "--estimate" not in arguments
    assert estimating == [*arguments, "--estimate"]


def test_no_more_than_a_few_run_at_once(store: JobStore, job: Job) -> None:
    others = [store.add(b"", REQUEST) for _ in range(MAX_RUNNING)]
    running = {other.folder for other in others}
    with (
        patch.object(processes, "is_running", side_effect=lambda folder: folder in running),
        patch.object(processes, "start") as start,
    ):
        with pytest.raises(EmojifyError, match="Other videos"):
            job.start()
        running.pop()
        job.start()
    assert start.call_count == 1


def test_the_report_is_what_the_process_says(job: Job) -> None:
    with patch.object(processes, "is_running", return_value=True):
        assert job.report() == {"state": "waiting"}
        (job.folder / REPORT).write_text('{"state": "running", "share": 0.5}')
        assert job.report()["share"] == 0.5
    assert job.report() == {"state": "lost"}  # it says running, and does not
    (job.folder / REPORT).write_text('{"state": "done"}')
    assert job.report() == {"state": "done"}


def test_a_real_one_fails_in_a_sentence_since_that_is_no_video(
    job: Job, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    job.start()
    wait_until(lambda: not processes.is_running(job.folder))
    report = job.report()
    assert report["state"] == "failed"
    assert "not a video that can be opened" in report["problem"]
    assert not job.target.exists()


def test_one_that_was_stopped_before_it_could_say_anything_is_stopped_and_not_lost(job: Job) -> None:
    job.start()
    job.stop()
    wait_until(lambda: not processes.is_running(job.folder))
    assert job.report() == {"state": "stopped"}


def test_deleting_ends_the_work_and_leaves_nothing(store: JobStore, job: Job) -> None:
    job.start()
    job.delete()
    assert not job.folder.exists()
    assert store.get(job.token) is None


def test_what_is_old_goes_and_what_is_young_or_at_work_stays(store: JobStore, job: Job) -> None:
    old, at_work = store.add(b"", REQUEST), store.add(b"", REQUEST)
    ago = time.time() - MAX_AGE_S - 60
    for one in (old, at_work):
        os.utime(one.folder, (ago, ago))
    with patch.object(processes, "is_running", side_effect=lambda folder: folder == at_work.folder):
        store.remove_old()
    assert {folder.name for folder in store.folder.iterdir()} == {job.token, at_work.token}
    JobStore(store.folder / "nowhere").remove_old()  # nothing there yet


def test_a_wish_can_be_changed_and_is_kept(store: JobStore, job: Job) -> None:
    changed = store.change_suffix(job, suffix=".png")
    assert changed.target.name == "out.png"
    assert store.get(job.token) == changed
    assert json.loads((job.folder / "job.json").read_text())["ending"] == ".png"
