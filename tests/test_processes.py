"""Background processes, tested with real ones."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from emojify import processes
from tests.helpers.programs import wait_until

# `python -m emojify` runs this package instead of the real one, because the process starts in its folder.
FAKE_MAIN = """
import sys, time
print("asked", *sys.argv[1:], flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "root" / "emojify"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(FAKE_MAIN)
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def process_of(folder: Path) -> psutil.Process:
    return psutil.Process(json.loads((folder / processes.PROCESS).read_text())["pid"])


def test_is_running_until_process_ends(folder: Path) -> None:
    processes.start(["0.3", "and more"], folder)
    assert processes.is_running(folder)
    wait_until(lambda: not processes.is_running(folder))
    assert (folder / processes.LOG).read_text() == "asked 0.3 and more\n"


def test_start_lifts_public_mode_for_process(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root" / "emojify" / "__main__.py").write_text("import os; print(os.environ['EMOJIFY_PUBLIC'])")
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    monkeypatch.setattr("emojify.public.is_visitor", lambda: False)
    processes.start([], folder)
    wait_until(lambda: not processes.is_running(folder))
    assert (folder / processes.LOG).read_text() == "0\n"


def test_start_uses_new_session_and_idle_priority(folder: Path) -> None:
    processes.start(["60"], folder)
    process = process_of(folder)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
    session = Path(f"/proc/{process.pid}/autogroup")
    if session.exists():
        assert session.read_text().split()[-1] == "19"
    processes.kill(folder)


def test_start_interactive_uses_low_priority(folder: Path) -> None:
    processes.start(["60"], folder, interactive=True)
    process = process_of(folder)
    assert process.nice() >= processes.INTERACTIVE_NICENESS
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(process.pid) != os.SCHED_IDLE
    processes.kill(folder)


@pytest.mark.parametrize("end", [processes.stop, processes.kill])
def test_stop_and_kill_end_process(folder: Path, end: Callable[[Path], None]) -> None:
    processes.start(["60"], folder)
    end(folder)
    wait_until(lambda: not processes.is_running(folder))
    end(folder)  # has no effect the second time


def test_process_with_reused_id_is_ignored(folder: Path) -> None:
    processes.start(["60"], folder)
    process = process_of(folder)
    record = json.loads((folder / processes.PROCESS).read_text())
    (folder / processes.PROCESS).write_text(json.dumps(record | {"birth": f"{record['birth']}0"}))
    assert not processes.is_running(folder)
    processes.kill(folder)
    assert process.is_running()  # was not killed
    process.kill()


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", '{"pid": "many"}', '{"pid": 1}', '{"pid": -1, "birth": "0"}'],
)
def test_is_running_is_false_without_valid_record(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / processes.PROCESS).write_text(content)
    assert not processes.is_running(folder)


def test_is_running_after_clock_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.start(["60"], folder)
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) - 3600)
    assert processes.is_running(folder)
    processes.kill(folder)
    assert not processes.is_running(folder)


def test_is_running_in_another_process(folder: Path) -> None:
    processes.start(["60"], folder)
    ask = "import sys, pathlib; from emojify import processes; print(processes.is_running(pathlib.Path(sys.argv[1])))"
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", ask, str(folder)], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout == "True\n"
    processes.kill(folder)


def test_start_kills_process_if_record_fails(folder: Path) -> None:
    others = psutil.Process().children()
    (folder / processes.PROCESS).mkdir()  # so that the file can't be written
    with pytest.raises(OSError, match=r"process\.json"):
        processes.start(["60"], folder)
    started = [child for child in psutil.Process().children() if child not in others]  # others may be browsers
    assert not [child for child in started if child.status() != psutil.STATUS_ZOMBIE]


def test_kill_ends_child_of_another_process(folder: Path) -> None:
    start = (
        "import sys, time, pathlib; from emojify import processes; processes.ROOT = pathlib.Path(sys.argv[2]);"
        "processes.start(['60'], pathlib.Path(sys.argv[1])); print('started', flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", start, str(folder), str(processes.ROOT)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "started\n"
        processes.kill(folder)
        assert not processes.is_running(folder)
        other.kill()
