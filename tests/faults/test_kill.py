"""kill -9 in the middle of whatever the app does to its folders: before each change, and within each file.

The deed is done by a process of its own, which dies. What it leaves is looked at from here, as the next start would.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from emojify.errors import EmojifyError
from emojify.files import ABANDONED_AFTER_S, REMOVED, UNFINISHED
from emojify.settings import ROOT
from emojify.teaching import drafts
from tests.faults.dying import NEVER
from tests.faults.house import DEEDS, TOKEN, House, kill_what_was_started

MANY = 200
TORN_AT_BYTES = (0, 1, 70, 1000)
STARTS_A_PROCESS = {"launch a fit", "resume a fit", "check data", "begin a video", "stop a video"}
IN_ONE_STEP = {
    "add a pack", "edit a pack", "remove a pack", "promote", "roll back", "withdraw a model", "remove a model",
    "delete a run", "bring data", "add samples", "delete a sample", "discard a draft", "bring a video",
    "change a video", "delete a video", "discard data", "look again",
}  # fmt: skip
IN_SEVERAL = {"settle data", "delete samples", "keep a draft", "forget everything", "clear old videos"}
CLEARED_BY = {
    "emojis": "add a pack", "emojis/squares": "edit a pack", "models": "roll back", "runs": "launch a fit",
    "data": "discard a draft", "data/.incoming": "bring data", "data/samples": "add samples",
    "data/videos": "clear old videos", f"data/videos/{TOKEN}": "change a video",
}  # fmt: skip


class Do(Protocol):
    def __call__(self, root: Path, deed: str, steps: int = NEVER, max_bytes: int = NEVER) -> str: ...


@pytest.fixture(scope="module")
def do() -> Iterator[Do]:
    """Has a deed done in a process that lives for so many changes, and for files of so many bytes."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.dying"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        to, said = server.stdin, server.stdout

        def ask(root: Path, deed: str, steps: int = NEVER, max_bytes: int = NEVER) -> str:
            print(
                json.dumps({"root": str(root), "deed": deed, "steps": steps, "max_bytes": max_bytes}),
                file=to, flush=True,
            )  # fmt: skip
            return said.readline().strip()

        yield ask
        to.close()


def content(house: House) -> Counter[bytes]:
    """What is there to be seen, whatever it is called: names have a time or a draw in them."""
    return Counter(house.seen().values())


def leftovers(house: House) -> list[Path]:
    found = (path for path in house.root.rglob(".*") if path.name.startswith((UNFINISHED, REMOVED)))
    return [path for path in found if not path.parent.name.startswith((UNFINISHED, REMOVED))]


def look_at(house: House, deed: str, begun: Counter[bytes], done: Counter[bytes]) -> None:
    """That a house in which somebody was killed is as it was or complete."""
    house.check()
    left = content(house)
    assert set(left) <= set(begun) | set(done), "something is half"
    if deed in IN_ONE_STEP:
        assert left in (begun, done)


def go_on(house: House, deed: str, done: Counter[bytes], do: Do) -> None:
    """That whoever starts the app again gets done what the killed one had begun."""
    left = content(house)
    if left == done or (deed == "keep a draft" and drafts.find_latest(house.settings) is None):
        return
    end = do(house.root, deed)
    if deed != "settle data" or end == "done":
        assert end == "done"
        assert content(house) == done
    else:  # moved already; what its check found is found anew
        assert end.startswith("refused")
        assert content(house) == left
    house.check()


def tidy(house: House) -> None:
    """That what a kill left behind is gone an hour later, with the next change beside it."""
    for path in leftovers(house):
        _age(path)
        with suppress(EmojifyError):  # the deed itself may have nothing to do any more
            DEEDS[CLEARED_BY[str(path.parent.relative_to(house.root))]](house)
        assert not path.exists()
    house.check()


def _age(path: Path) -> None:
    for one in (*path.rglob("*"), path):
        seconds = one.stat().st_mtime - 2 * ABANDONED_AFTER_S
        os.utime(one, (seconds, seconds))


@pytest.fixture
def furnish(house: House, tiny_model: bytes) -> Callable[[], House]:
    """The house as it was at first."""

    def anew() -> House:
        kill_what_was_started(house)
        shutil.rmtree(house.root)
        return House(house.root, tiny_model)

    return anew


DEADLY = [name for name in DEEDS if name not in STARTS_A_PROCESS]


@pytest.mark.parametrize("deed", DEADLY)
def test_killed_before_any_change_all_is_as_it_was_or_complete(
    house: House, furnish: Callable[[], House], deed: str, do: Do
) -> None:
    begun = content(house)
    assert do(house.root, deed) == "done"
    done = content(house)
    for step in range(MANY):
        furnish()
        if (end := do(house.root, deed, step)) != "killed":
            assert (end, content(house)) == ("done", done)
            assert step > 0
            return
        look_at(house, deed, begun, done)
        go_on(house, deed, done, do)
        tidy(house)
    pytest.fail("it never got through")


@pytest.mark.parametrize(
    "deed", ["add a pack", "bring data", "add samples", "promote", "keep a draft", "bring a video"]
)
def test_killed_within_a_file_all_is_as_it_was(house: House, furnish: Callable[[], House], deed: str, do: Do) -> None:
    begun = content(house)
    assert do(house.root, deed) == "done"
    done, deaths = content(house), 0
    for max_bytes in TORN_AT_BYTES:
        furnish()
        if do(house.root, deed, max_bytes=max_bytes) == "killed":
            deaths += 1
            assert content(house) == begun
            go_on(house, deed, done, do)
    assert deaths >= 2


def test_every_deed_is_one_of_the_kinds() -> None:
    assert set(DEEDS) == STARTS_A_PROCESS | IN_ONE_STEP | IN_SEVERAL
