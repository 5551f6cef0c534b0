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
from emojify.public import MAX_SIGN_IN_AGE_S, REFUSAL, is_admin, set_claims_provider
from emojify.runs.config import FitConfig
from emojify.runs.datasets import DatasetStore
from emojify.runs.golive import go_live
from emojify.runs.store import RunStore
from emojify.settings import ROOT, Settings
from emojify.teaching import drafts
from emojify.teaching.samples import Sample, SampleStore
from emojify.video.jobs import Job, JobStore, Wish
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.conftest import write_model
from tests.packs.inputs import pack_zip

WISH = Wish("me.mp4", ".mp4", "classic", "sticker")
THERE = (
    "data/brought.zip", "data/.incoming/new.zip", "data/samples/one/00.png", "data/teachings/1/result.json",
    "data/videos/abcdefghijklmnopqrstuv/in.mp4", "runs/one/config.json",
)  # fmt: skip
CUTOUT = Cutout(np.zeros((60, 60), np.uint8), Box(6, 6, 48, 48))


@pytest.fixture
def house(
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


Deed = Callable[[Path], object]


def settings() -> Settings:
    return Settings.from_environment()


DEEDS: dict[str, Deed] = {
    "packs: add": lambda house: add_pack(house / "emojis", read_zip(pack_zip(), "cats.zip")),
    "packs: edit": lambda house: edit_pack(house / "emojis", "squares", "Mine", "me", ""),
    "packs: remove": lambda house: remove_pack(house / "emojis", "squares"),
    "models: promote": lambda house: ModelStore(house / "models").promote("seed"),
    "models: rollback": lambda house: ModelStore(house / "models").rollback(),
    "models: withdraw": lambda house: ModelStore(house / "models").withdraw("other"),
    "models: remove": lambda house: ModelStore(house / "models").remove("other"),
    "runs: launch": lambda house: RunStore(house / "runs").launch(FitConfig(data=str(house / "data" / "brought.zip"))),
    "runs: resume": lambda house: RunStore(house / "runs").resume("one"),
    "runs: stop": lambda house: RunStore(house / "runs").stop("one"),
    "runs: end now": lambda house: RunStore(house / "runs").kill("one"),
    "runs: delete": lambda house: RunStore(house / "runs").delete("one", "seed"),
    "runs: start next": lambda house: RunStore(house / "runs").start_next(),
    "runs: go live": lambda house: go_live(RunStore(house / "runs").get("one"), "", ModelStore(house / "models")),
    "data: check": lambda house: DatasetStore(house / "data").check(house / "data" / "brought.zip"),
    "data: look again": lambda house: DatasetStore(house / "data").recheck(house / "data" / "brought.zip"),
    "data: bring": lambda house: DatasetStore(house / "data").upload("a.csv", io.BytesIO(b"a"), 1, lambda share: None),
    "data: settle": lambda house: DatasetStore(house / "data").accept(house / "data" / ".incoming" / "new.zip"),
    "data: discard": lambda house: DatasetStore(house / "data").discard(house / "data" / ".incoming" / "new.zip"),
    "samples: add": lambda house: SampleStore(house / "data" / "samples").add(Emotion.HAPPY, [CUTOUT]),
    "samples: delete": lambda house: SampleStore(house / "data" / "samples").delete(
        [Sample(house / "data" / "samples" / "one" / "00.png", "one", Emotion.HAPPY, Box(0, 0, 9, 9))]
    ),
    "samples: delete all": lambda house: SampleStore(house / "data" / "samples").delete_all(),
    "teaching: begin": lambda house: drafts.start(settings()),
    "teaching: stop": lambda house: drafts.stop(settings()),
    "teaching: discard": lambda house: drafts.discard(settings()),
    "teaching: keep": lambda house: drafts.promote(
        settings(), drafts.TeachingJob(house / "data" / "teachings" / "1", False, 1.0, "", {}, None)
    ),
    "teaching: forget": lambda house: drafts.delete_personal_data(settings()),
    "videos: add": lambda house: JobStore(house / "data" / "videos").add(b"film", WISH),
    "videos: change": lambda house: JobStore(house / "data" / "videos").change(job(house), ".gif"),
    "videos: remove old": lambda house: JobStore(house / "data" / "videos").remove_old(now_s=9e9),
    "videos: begin": lambda house: job(house).begin(),
    "videos: stop": lambda house: job(house).stop(),
    "videos: delete": lambda house: job(house).delete(),
    "processes: start": lambda house: processes.start(["models"], house),
    "processes: stop": lambda house: processes.stop(house),
    "processes: kill": lambda house: processes.kill(house),
}


def job(house: Path) -> Job:
    return Job(house / "data" / "videos" / "abcdefghijklmnopqrstuv", WISH)


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_a_public_copy_refuses_and_nothing_changes(house: Path, deed: Deed) -> None:
    before = fingerprint(house)
    with pytest.raises(EmojifyError, match=REFUSAL):
        deed(house)
    assert fingerprint(house) == before


def test_the_same_is_done_where_the_copy_is_not_public(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_PUBLIC")
    for deed in ("packs: add", "packs: edit", "packs: remove", "models: promote", "data: bring", "videos: delete"):
        before = fingerprint(house)
        DEEDS[deed](house)
        assert fingerprint(house) != before, deed


@pytest.mark.parametrize(
    "command", [["packs", "remove", "squares"], ["models", "promote", "seed"], ["models", "rollback"]]
)
def test_the_command_line_refuses_in_a_sentence(
    house: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    assert capsys.readouterr().err == f"emojify: {REFUSAL}\n"


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


def test_nobody_is_known_before_the_front_door_says_how(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    with pytest.raises(EmojifyError, match=REFUSAL):
        DEEDS["packs: remove"](house)


@pytest.mark.parametrize("deed", ["packs: add", "packs: edit", "packs: remove", "models: promote", "data: bring"])
def test_an_admin_does_what_a_visitor_is_refused(house: Path, deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emojify.public._claims_provider", dict)  # put back at the end
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    before = fingerprint(house)
    set_claims_provider(lambda: {**ANNA, "iat": time.time(), "email": "ben@example.org"})
    with pytest.raises(EmojifyError, match=REFUSAL):
        DEEDS[deed](house)
    assert fingerprint(house) == before
    set_claims_provider(lambda: {**ANNA, "iat": time.time()})
    DEEDS[deed](house)
    assert fingerprint(house) != before


WRITES = {
    "write_atomically", "mkdir", "rename", "unlink", "rmtree", "write_bytes", "write_text", "mkdtemp", "touch",
    "Popen", "start", "stop", "kill", "remove_tree", "clear_leftovers",
}  # fmt: skip
STORES = (
    "packs/store", "models", "runs/store", "runs/golive", "runs/datasets", "teaching/samples", "teaching/drafts",
    "video/jobs", "processes",
)  # fmt: skip
OF_WORK_UNDER_WAY = {"claim"}  # called by a process that was started before, never by the app


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
               "video/cli", "video/render", "video/hdr", "bench/cli", "phone"}  # fmt: skip
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
