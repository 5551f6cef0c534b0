from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock, patch

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


def test_add_saves_private_job_found_by_token(store: JobStore, job: Job) -> None:
    assert job.source.name == "in.mov"
    assert job.source.read_bytes() == b"a video"
    assert job.folder.stat().st_mode & 0o077 == 0
    assert store.get(job.token) == job
    assert len(job.token) >= 20
    assert job.request.result_name == "my party-emojified.mp4"


@pytest.mark.parametrize("token", ["", "..", "../../etc", "a" * 22, "x/y", "a" * 300])
def test_get_rejects_other_tokens(store: JobStore, job: Job, token: str) -> None:
    assert store.get(token) is None


@pytest.mark.parametrize("name", ["../../x.mp4/..", "a.m/p4", "no ending", ".", "x." + "y" * 300])
def test_add_ignores_paths_in_names(store: JobStore, name: str) -> None:
    job = store.add(b"", RenderRequest(name, ".mp4", "classic", "sticker"))
    assert job.source.parent == job.folder
    assert job.folder.parent == store.folder
    assert len(job.source.name) < 12


def test_add_on_full_disk_leaves_nothing(store: JobStore) -> None:
    with (
        patch("emojify.video.jobs.write_json", side_effect=OSError(28, "No space left on device")),
        pytest.raises(EmojifyError, match="the disk is full"),
    ):
        store.add(b"a video", REQUEST)
    assert list(store.folder.iterdir()) == []


def test_start_passes_request_to_process(job: Job) -> None:
    with patch.object(processes, "start") as start:
        job.start()
        job.start(estimate_only=True)
    (arguments, folder), (estimating, _) = (call.args for call in start.call_args_list)
    assert folder == job.folder
    assert arguments[:3] == ["render", str(job.source), str(job.target)]
    assert arguments[3:7] == ["--pack", "classic", "--style", "sticker"]
    assert "--estimate" not in arguments
    assert estimating == [*arguments, "--estimate"]


def test_start_limits_running_jobs(store: JobStore, job: Job) -> None:
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


def test_report_follows_process(job: Job) -> None:
    with patch.object(processes, "is_running", return_value=True):
        assert job.report() == {"state": "waiting"}
        (job.folder / REPORT).write_text('{"state": "running", "share": 0.5}')
        assert job.report()["share"] == 0.5
    assert job.report() == {"state": "lost"}  # the report says running, but no process runs
    (job.folder / REPORT).write_text('{"state": "done"}')
    assert job.report() == {"state": "done"}


def test_real_process_reports_bad_video(
    job: Job, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_lower_priority", lambda *process: None)  # else minutes on a busy machine
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    job.start()
    wait_until(lambda: not processes.is_running(job.folder))
    report = job.report()
    assert report["state"] == "failed"
    assert "not a video that can be opened" in report["problem"]
    assert not job.target.exists()


def test_stop_before_first_report_means_stopped(job: Job) -> None:
    job.start()
    job.stop()
    wait_until(lambda: not processes.is_running(job.folder))
    assert job.report() == {"state": "stopped"}


def test_delete_kills_process_and_removes_folder(store: JobStore, job: Job) -> None:
    job.start()
    job.delete()
    assert not job.folder.exists()
    assert store.get(job.token) is None


def test_remove_old_keeps_recent_and_running_jobs(store: JobStore, job: Job) -> None:
    old, running = store.add(b"", REQUEST), store.add(b"", REQUEST)
    broken = store.add(b"", REQUEST)
    ago = time.time() - MAX_AGE_S - 60
    for one in (old, running):
        os.utime(one.source, (ago, ago))
    broken.source.unlink()
    os.utime(broken.folder, (ago, ago))
    with patch.object(processes, "is_running", side_effect=lambda folder: folder == running.folder):
        store.remove_old()
    assert {folder.name for folder in store.folder.iterdir()} == {job.token, running.token}
    JobStore(store.folder / "nowhere").remove_old()  # the folder does not exist yet


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_versions_are_removed_with_their_upload(
    has_hard_links: bool, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_hard_links:
        monkeypatch.setattr(Path, "hardlink_to", Mock(side_effect=OSError(errno.EPERM, "not here")))
    first = store.add(b"film", REQUEST)
    ago = time.time() - MAX_AGE_S + 60
    os.utime(first.source, (ago, ago))
    version = store.add_version(first, REQUEST)
    store.remove_old()
    assert version.source.read_bytes() == b"film"
    store.remove_old(now_s=time.time() + 120)
    assert store.get(first.token) is store.get(version.token) is None


def test_remove_old_leaves_unfinished_jobs_to_their_writer(store: JobStore, job: Job) -> None:
    unfinished = store.folder / ".unfinished-job"
    unfinished.mkdir()
    store.remove_old(now_s=time.time() + 2 * MAX_AGE_S)
    assert list(store.folder.iterdir()) == [unfinished]


def test_change_suffix_is_saved(store: JobStore, job: Job) -> None:
    changed = store.change_suffix(job, suffix=".png")
    assert changed.target.name == "out.png"
    assert store.get(job.token) == changed
    assert json.loads((job.folder / "job.json").read_text())["ending"] == ".png"


def test_another_version_keeps_the_file_when_the_first_is_deleted(store: JobStore, job: Job) -> None:
    content = job.source.read_bytes()
    version = store.add_version(job, replace(REQUEST, pack="person"))
    job.delete()
    assert store.get(version.token) == version
    assert (version.source.read_bytes(), version.request.pack) == (content, "person")


def test_another_version_is_copied_where_there_are_no_hard_links(store: JobStore, job: Job) -> None:
    with patch.object(Path, "hardlink_to", side_effect=OSError(errno.EPERM, "not permitted")):
        version = store.add_version(job, REQUEST)
    assert version.source.read_bytes() == job.source.read_bytes()


def test_get_reads_job_of_earlier_version(store: JobStore, job: Job) -> None:
    (job.folder / "job.json").write_text(
        '{"name": "my party.mov", "ending": ".mp4", "pack": "classic", "style": "sticker"}'
    )
    assert store.get(job.token) == Job(job.folder, REQUEST)


@pytest.mark.parametrize("content", ["[]", "{}", '{"name": "a", "suffix": ".mp4", "pack": "b", "style": "c"}', "7"])
def test_get_ignores_unreadable_job(store: JobStore, job: Job, content: str) -> None:
    (job.folder / "job.json").write_text(content)
    assert store.get(job.token) is None
