"""Background processes, with real ones."""

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

# `python -m emojify` imports this instead of the real command line when it comes first on the path.
STAND_IN = """
import sys, time
print("asked", *sys.argv[1:], flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "root" / "emojify"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def process_of(folder: Path) -> psutil.Process:
    return psutil.Process(json.loads((folder / processes.PROCESS).read_text())["pid"])


def test_a_process_is_seen_while_it_works_and_no_longer(folder: Path) -> None:
    processes.start(["0.3", "and more"], folder)
    assert processes.is_running(folder)
    wait_until(lambda: not processes.is_running(folder))
    assert (folder / processes.LOG).read_text() == "asked 0.3 and more\n"


def test_what_an_admin_of_a_public_copy_starts_may_do_its_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root" / "emojify" / "__main__.py").write_text("import os; print(os.environ['EMOJIFY_PUBLIC'])")
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    monkeypatch.setattr("emojify.public.is_visitor", lambda: False)
    processes.start([], folder)
    wait_until(lambda: not processes.is_running(folder))
    assert (folder / processes.LOG).read_text() == "0\n"


def test_it_has_a_session_of_its_own_and_gives_way(folder: Path) -> None:
    processes.start(["60"], folder)
    process = process_of(folder)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
    session = Path(f"/proc/{process.pid}/autogroup")
    if session.exists():
        assert session.read_text().split()[-1] == "19"
    processes.kill(folder)


def test_what_somebody_waits_for_steps_back_but_is_not_left_without(folder: Path) -> None:
    processes.start(["60"], folder, interactive=True)
    process = process_of(folder)
    assert process.nice() > psutil.Process().nice()
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(process.pid) != os.SCHED_IDLE
    processes.kill(folder)


@pytest.mark.parametrize("end", [processes.stop, processes.kill])
def test_it_ends_when_told(folder: Path, end: Callable[[Path], None]) -> None:
    processes.start(["60"], folder)
    end(folder)
    wait_until(lambda: not processes.is_running(folder))
    end(folder)  # once more does no harm


def test_another_process_with_the_same_number_is_not_it(folder: Path) -> None:
    processes.start(["60"], folder)
    process = process_of(folder)
    record = json.loads((folder / processes.PROCESS).read_text())
    (folder / processes.PROCESS).write_text(json.dumps(record | {"birth": f"{record['birth']}0"}))
    assert not processes.is_running(folder)
    processes.kill(folder)
    assert process.is_running()  # left alone
    process.kill()


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", '{"pid": "many"}', '{"pid": 1}', '{"pid": -1, "birth": "0"}'],
)
def test_a_folder_without_a_readable_record_has_no_process(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / processes.PROCESS).write_text(content)
    assert not processes.is_running(folder)


def test_setting_the_clock_does_not_hide_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.start(["60"], folder)
    born = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: born(process) - 3600)
    assert processes.is_running(folder)
    processes.kill(folder)
    assert not processes.is_running(folder)


def test_it_is_found_by_a_process_that_did_not_start_it(folder: Path) -> None:
    processes.start(["60"], folder)
    ask = "import sys, pathlib; from emojify import processes; print(processes.is_running(pathlib.Path(sys.argv[1])))"
    root = Path(__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", ask, str(folder)], cwd=root, capture_output=True, text=True, check=True
    )
    assert said.stdout == "True\n"
    processes.kill(folder)


def test_nothing_runs_if_the_record_cannot_be_written(folder: Path) -> None:
    others = psutil.Process().children()
    (folder / processes.PROCESS).mkdir()  # in the way
    with pytest.raises(OSError, match=r"process\.json"):
        processes.start(["60"], folder)
    ours = [child for child in psutil.Process().children() if child not in others]  # a browser of the suite's may run
    assert not [child for child in ours if child.status() != psutil.STATUS_ZOMBIE]


def test_one_that_another_process_started_and_never_asked_about_is_killed_as_well(folder: Path) -> None:
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
