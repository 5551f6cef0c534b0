"""How many sessions a machine can serve."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emojify.deploy import capacity
from emojify.deploy.capacity import count_sessions, measure_frame_s
from emojify.settings import Settings
from pages.parts.session_limit import measure_session_limit


def test_faster_machines_serve_more_sessions() -> None:
    counts = [count_sessions(frame_s, cores=4, processes=1) for frame_s in (0.02, 0.005, 0.002)]
    assert counts == sorted(set(counts))


def test_processes_share_the_cores() -> None:
    assert count_sessions(0.001, cores=2, processes=1) >= count_sessions(0.001, cores=2, processes=2)
    assert count_sessions(0.001, cores=16, processes=8) == count_sessions(0.001, cores=2, processes=1)


def test_more_cores_do_not_help_a_single_process_for_ever() -> None:
    assert count_sessions(0.005, cores=8, processes=1) == count_sessions(0.005, cores=64, processes=1)


def test_slowest_machine_serves_one_session() -> None:
    assert count_sessions(1.0, cores=1, processes=8) == 1


def test_frame_is_measured_with_the_live_model() -> None:
    assert 0 < measure_frame_s(Settings()) < 1


def test_auto_becomes_the_measured_number(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EMOJIFY_MAX_SESSIONS", "auto")
    monkeypatch.setattr(capacity, "measure_frame_s", lambda _settings: 0.001)
    measure_session_limit()
    limit = Settings.from_environment().max_sessions
    assert limit is not None
    assert limit > 1
    assert f"Up to {limit} sessions" in capsys.readouterr().out


def test_number_of_the_host_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MAX_SESSIONS", "7")
    measure_session_limit()
    assert os.environ["EMOJIFY_MAX_SESSIONS"] == "7"


def test_without_a_model_nobody_gets_video(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOJIFY_MAX_SESSIONS", "auto")
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path))
    measure_session_limit()
    assert Settings.from_environment().max_sessions == 0
    assert "can't be measured" in capsys.readouterr().err
