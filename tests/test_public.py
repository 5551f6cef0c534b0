"""Public mode, tested where the work is done: whatever a page may forget to hide is refused all the same."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from emojify.__main__ import main
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.public import ADMIN_ONLY_MESSAGE, MAX_SIGN_IN_AGE_S, is_admin, set_claims_provider
from emojify.settings import ROOT
from tests.helpers.operations import OPERATIONS, Operation
from tests.helpers.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace of a public copy."""
    workspace = Workspace(tmp_path, tiny_model)
    for name, folder in workspace.environment.items():
        monkeypatch.setenv(name, folder)
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    return workspace


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_public_copy_refuses_and_nothing_changes(workspace: Workspace, operation: Operation) -> None:
    before = fingerprint(workspace.root)
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        operation.run(workspace)
    assert fingerprint(workspace.root) == before


def test_the_same_is_done_where_the_copy_is_not_public(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_PUBLIC")
    for operation in (
        "packs: add",
        "packs: edit",
        "packs: remove",
        "models: promote",
        "data: upload",
        "videos: delete",
    ):
        before = fingerprint(workspace.root)
        OPERATIONS[operation].run(workspace)
        assert fingerprint(workspace.root) != before, operation


@pytest.mark.parametrize(
    "command", [["packs", "remove", "squares"], ["models", "promote", "seed"], ["models", "rollback"]]
)
def test_the_command_line_refuses_in_a_sentence(
    workspace: Workspace, command: list[str], capsys: pytest.CaptureFixture[str]
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


def test_nobody_is_known_before_the_front_door_says_how(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        OPERATIONS["packs: remove"].run(workspace)


@pytest.mark.parametrize("operation", ["packs: add", "packs: edit", "packs: remove", "models: promote", "data: upload"])
def test_an_admin_does_what_a_visitor_is_refused(
    workspace: Workspace, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emojify.public._claims_provider", dict)  # put back at the end
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    before = fingerprint(workspace.root)
    set_claims_provider(lambda: {**ANNA, "iat": time.time(), "email": "ben@example.org"})
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        OPERATIONS[operation].run(workspace)
    assert fingerprint(workspace.root) == before
    set_claims_provider(lambda: {**ANNA, "iat": time.time()})
    OPERATIONS[operation].run(workspace)
    assert fingerprint(workspace.root) != before


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
