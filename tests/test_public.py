"""Public mode, tested where the work is done: whatever a page may forget to hide is refused all the same."""

from __future__ import annotations

import ast
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emojify import processes
from emojify.__main__ import main
from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.models import ModelStore
from emojify.packs.importer import read_zip
from emojify.packs.store import add_pack, edit_pack, remove_pack
from emojify.public import ADMIN_ONLY_MESSAGE, MAX_SIGN_IN_AGE_S, is_admin, set_claims_provider
from emojify.runs.config import FitConfig
from emojify.runs.datasets import DatasetStore
from emojify.runs.golive import go_live
from emojify.runs.store import RunStore
from emojify.settings import ROOT, Settings
from emojify.teaching import drafts
from emojify.teaching.samples import Sample, SampleStore
from emojify.video.jobs import Job, JobStore, RenderRequest
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers.pack_files import pack_zip
from tests.helpers.stores import write_model

REQUEST = RenderRequest("me.mp4", ".mp4", "classic", "sticker")
THERE = (
    "data/brought.zip", "data/.incoming/new.zip", "data/samples/one/00.png", "data/teachings/1/result.json",
    "data/videos/abcdefghijklmnopqrstuv/in.mp4", "runs/one/config.json",
)  # fmt: skip
CUTOUT = Cutout(np.zeros((60, 60), np.uint8), Box(6, 6, 48, 48))


@pytest.fixture
def workspace(
    tmp_path: Path, models_folder: Path, packs_folder: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Something of every kind, in a copy that is public from now on."""
    write_model(models_folder / "other", tiny_model)
    ModelStore(models_folder).promote("other")
    for path in THERE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    for name in ("MODELS", "EMOJIS", "DATA", "RUNS"):
        monkeypatch.setenv(f"EMOJIFY_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    return tmp_path


Operation = Callable[[Path], object]


def settings() -> Settings:
    return Settings.from_environment()


OPERATIONS: dict[str, Operation] = {
    "packs: add": lambda workspace: add_pack(workspace / "emojis", read_zip(pack_zip(), "cats.zip")),
    "packs: edit": lambda workspace: edit_pack(workspace / "emojis", "squares", "Mine", "me", ""),
    "packs: remove": lambda workspace: remove_pack(workspace / "emojis", "squares"),
    "models: promote": lambda workspace: ModelStore(workspace / "models").promote("seed"),
    "models: rollback": lambda workspace: ModelStore(workspace / "models").rollback(),
    "models: withdraw": lambda workspace: ModelStore(workspace / "models").withdraw("other"),
    "models: remove": lambda workspace: ModelStore(workspace / "models").remove("other"),
    "runs: launch": lambda workspace: RunStore(workspace / "runs").launch(
        FitConfig(data=str(workspace / "data" / "brought.zip"))
    ),
    "runs: resume": lambda workspace: RunStore(workspace / "runs").resume("one"),
    "runs: stop": lambda workspace: RunStore(workspace / "runs").stop("one"),
    "runs: end now": lambda workspace: RunStore(workspace / "runs").kill("one"),
    "runs: delete": lambda workspace: RunStore(workspace / "runs").delete("one", "seed"),
    "runs: start next": lambda workspace: RunStore(workspace / "runs").start_next(),
    "runs: go live": lambda workspace: go_live(
        RunStore(workspace / "runs").get("one"), "", ModelStore(workspace / "models")
    ),
    "data: check": lambda workspace: DatasetStore(workspace / "data").check(workspace / "data" / "brought.zip"),
    "data: look again": lambda workspace: DatasetStore(workspace / "data").recheck(workspace / "data" / "brought.zip"),
    "data: bring": lambda workspace: DatasetStore(workspace / "data").upload(
        "a.csv", io.BytesIO(b"a"), 1, lambda share: None
    ),
    "data: settle": lambda workspace: DatasetStore(workspace / "data").accept(
        workspace / "data" / ".incoming" / "new.zip"
    ),
    "data: discard": lambda workspace: DatasetStore(workspace / "data").discard(
        workspace / "data" / ".incoming" / "new.zip"
    ),
    "samples: add": lambda workspace: SampleStore(workspace / "data" / "samples").add(Emotion.HAPPY, [CUTOUT]),
    "samples: delete": lambda workspace: SampleStore(workspace / "data" / "samples").delete(
        [Sample(workspace / "data" / "samples" / "one" / "00.png", "one", Emotion.HAPPY, Box(0, 0, 9, 9))]
    ),
    "samples: delete all": lambda workspace: SampleStore(workspace / "data" / "samples").delete_all(),
    "teaching: begin": lambda workspace: drafts.start(settings()),
    "teaching: stop": lambda workspace: drafts.stop(settings()),
    "teaching: discard": lambda workspace: drafts.discard(settings()),
    "teaching: keep": lambda workspace: drafts.promote(
        settings(), drafts.TeachingJob(workspace / "data" / "teachings" / "1", False, 1.0, "", {}, None)
    ),
    "teaching: forget": lambda workspace: drafts.delete_personal_data(settings()),
    "videos: add": lambda workspace: JobStore(workspace / "data" / "videos").add(b"film", REQUEST),
    "videos: change": lambda workspace: JobStore(workspace / "data" / "videos").change_suffix(job(workspace), ".gif"),
    "videos: remove old": lambda workspace: JobStore(workspace / "data" / "videos").remove_old(now_s=9e9),
    "videos: begin": lambda workspace: job(workspace).start(),
    "videos: stop": lambda workspace: job(workspace).stop(),
    "videos: delete": lambda workspace: job(workspace).delete(),
    "processes: start": lambda workspace: processes.start(["models"], workspace),
    "processes: stop": lambda workspace: processes.stop(workspace),
    "processes: kill": lambda workspace: processes.kill(workspace),
}


def job(workspace: Path) -> Job:
    return Job(workspace / "data" / "videos" / "abcdefghijklmnopqrstuv", REQUEST)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_public_copy_refuses_and_nothing_changes(workspace: Path, operation: Operation) -> None:
    before = fingerprint(workspace)
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        operation(workspace)
    assert fingerprint(workspace) == before


def test_the_same_is_done_where_the_copy_is_not_public(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_PUBLIC")
    for operation in ("packs: add", "packs: edit", "packs: remove", "models: promote", "data: bring", "videos: delete"):
        before = fingerprint(workspace)
        OPERATIONS[operation](workspace)
        assert fingerprint(workspace) != before, operation


@pytest.mark.parametrize(
    "command", [["packs", "remove", "squares"], ["models", "promote", "seed"], ["models", "rollback"]]
)
def test_the_command_line_refuses_in_a_sentence(
    workspace: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    assert capsys.readouterr().err == f"emojify: {ADMIN_ONLY_MESSAGE}\n"


NOW_S = 1_800_000_000
ADMINS = frozenset({"anna@example.org"})
ANNA = {"is_logged_in": True, "email": "anna@example.org", "email_verified": True, "iat": NOW_S - 60}


def test_an_admin_is_whom_the_provider_vouches_for() -> None:
    assert is_admin(ANNA, ADMINS, NOW_S)
    assert is_admin({**ANNA, "email": "Anna@Example.org"}, ADMINS, NOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},  # a word may come from a header or a form; the claim is a boolean
        {"email_verified": 1},
        {"email": "ben@example.org"},
        {"email": None},
        {"email": ""},
        {"email": ["anna@example.org"]},
        {"email": "anna@example.org "},
        {"email": "anna@example.org,ben@example.org"},
        {"iat": NOW_S - MAX_SIGN_IN_AGE_S - 1},
        {"iat": None},
        {"iat": "now"},
    ],
    ids=str,
)
def test_nobody_else_is(change: dict[str, object]) -> None:
    assert not is_admin({**ANNA, **change}, ADMINS, NOW_S)


@pytest.mark.parametrize("missing", ANNA)
def test_nobody_is_of_whom_something_is_not_known(missing: str) -> None:
    assert not is_admin({key: value for key, value in ANNA.items() if key != missing}, ADMINS, NOW_S)


def test_letters_that_only_look_the_same_are_others() -> None:
    assert not is_admin({**ANNA, "email": "\u212aim@example.org"}, frozenset({"kim@example.org"}), NOW_S)
    assert "\u212aim".lower() == "kim"  # why this is tested


def test_without_a_list_of_admins_nobody_is_one() -> None:
    assert not is_admin(ANNA, frozenset(), NOW_S)


def test_nobody_is_known_before_the_front_door_says_how(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        OPERATIONS["packs: remove"](workspace)


@pytest.mark.parametrize("operation", ["packs: add", "packs: edit", "packs: remove", "models: promote", "data: bring"])
def test_an_admin_does_what_a_visitor_is_refused(
    workspace: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emojify.public._claims_provider", dict)  # put back at the end
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    before = fingerprint(workspace)
    set_claims_provider(lambda: {**ANNA, "iat": time.time(), "email": "ben@example.org"})
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        OPERATIONS[operation](workspace)
    assert fingerprint(workspace) == before
    set_claims_provider(lambda: {**ANNA, "iat": time.time()})
    OPERATIONS[operation](workspace)
    assert fingerprint(workspace) != before


WRITES = {
    "write_atomically", "write_json", "new_file", "new_folder",
    "mkdir", "rename", "unlink", "rmtree", "write_bytes", "write_text", "mkdtemp", "touch",
    "Popen", "start", "stop", "kill", "remove_tree", "clear_leftovers",
}  # fmt: skip
STORES = (
    "packs/store", "models", "runs/store", "runs/golive", "runs/datasets", "teaching/samples", "teaching/drafts",
    "video/jobs", "processes",
)  # fmt: skip
OF_WORK_UNDER_WAY = {"register"}  # called by a process that was started before, never by the app


@pytest.mark.parametrize("store", STORES)
def test_nothing_that_writes_was_left_open(store: str) -> None:
    tree = ast.parse((ROOT / "emojify" / f"{store}.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    writing: set[str] = set()
    while found := {
        name for name in functions if name not in writing and called_in(functions[name]) & (WRITES | writing)
    }:
        writing |= found
    assert writing, "this test looks at the wrong words"
    for name in writing - OF_WORK_UNDER_WAY:
        marks = [mark.id for mark in functions[name].decorator_list if isinstance(mark, ast.Name)]
        assert name.startswith("_") or "admin_only" in marks, f"{store}: {name} writes"


PRIMITIVES = {"files"}  # what the stores write with
OF_COMMANDS = {"packs/cli", "packs/drawing/__main__", "teaching/cli", "teaching/rehearsal", "teaching/teach",
               "video/cli", "video/render", "video/hdr", "bench/cli", "phone", "runs/control"}  # fmt: skip
FILES_ALONE = WRITES - {"start", "stop", "kill"} | {"mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "imwrite"}
"""In modules without a store, start and stop are of clips, threads and the like."""


def test_nothing_else_writes_but_commands() -> None:
    """And what they run; a new module that writes must be a store, so that the test above looks at it."""
    writing = {
        str(path.relative_to(folder).with_suffix(""))
        for folder in (ROOT / "emojify", ROOT / "pages")
        for path in folder.rglob("*.py")
        if not path.is_relative_to(ROOT / "emojify" / "training")
        if called_in(ast.parse(path.read_text(encoding="utf-8"))) & FILES_ALONE
    }
    assert writing == {*STORES, *PRIMITIVES, *OF_COMMANDS}


def called_in(function: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
