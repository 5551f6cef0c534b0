"""Several processes that change a folder at once: no change is lost and no limit exceeded."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from emojify.files import locked
from emojify.models import ModelStore
from emojify.packs.importer import read_zip
from emojify.packs.store import MAX_PACKS, add_pack, list_packs
from emojify.settings import ROOT
from tests.helpers.pack_files import pack_zip
from tests.helpers.stores import write_model

PROCESSES = 3
# Each process prints "ready" and waits for a line, so that all start at the same time.
BEGIN = """
import sys
from pathlib import Path
from emojify.errors import EmojifyError
from emojify.models import ModelStore
from emojify.packs.importer import read_zip
from emojify.packs.store import add_pack

folder, me = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
"""
ADD = f"""{BEGIN}
draft = read_zip(Path(sys.argv[3]).read_bytes(), "cats.zip")
for _ in range(4):
    try:
        print(add_pack(folder, draft).id)
    except EmojifyError as error:
        print(error)
"""
PROMOTE = f"""{BEGIN}
for number in range(8):
    ModelStore(folder).promote(f"{{me}}{{number}}")
"""


def run_together(code: str, folder: Path, *more: str) -> list[str]:
    """Run the code in PROCESSES processes; return their lines of output."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder), name, *more],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "abc"[:PROCESSES]
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    return "".join(outputs).splitlines()


def test_concurrent_promotions_are_all_recorded(models_folder: Path, tiny_model: bytes) -> None:
    names = [f"{name}{number}" for name in "abc"[:PROCESSES] for number in range(8)]
    for name in names:
        write_model(models_folder / name, tiny_model)
    run_together(PROMOTE, models_folder)
    store = ModelStore(models_folder)
    assert sorted(store._history()) == sorted(["seed", *names])
    assert store.open().problems == ()


def test_concurrent_packs_get_unique_names_within_the_limit(packs_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cats.zip").write_bytes(pack_zip())
    for number in range(MAX_PACKS - 2 - 5):
        (packs_folder / f"broken-{number}").mkdir()
    lines = run_together(ADD, packs_folder, str(tmp_path / "cats.zip"))
    assert sorted(name for name in lines if name.startswith("cats")) == ["cats", "cats-2", "cats-3", "cats-4", "cats-5"]
    assert sum("50 packs already" in line for line in lines) == 4 * PROCESSES - 5
    assert len([path for path in packs_folder.iterdir() if not path.name.startswith(".")]) == MAX_PACKS
    assert len(list_packs(packs_folder).packs) == 7


def test_add_pack_waits_for_the_folder_lock(packs_folder: Path) -> None:
    """The limit is checked under the lock. The test above reaches that state only sometimes."""
    adding = threading.Thread(target=lambda: add_pack(packs_folder, read_zip(pack_zip(), "cats.zip")))
    with locked(packs_folder):
        adding.start()
        adding.join(0.5)
        assert adding.is_alive()
        assert "cats" not in list_packs(packs_folder).labels
    adding.join(20)
    assert "cats" in list_packs(packs_folder).labels
