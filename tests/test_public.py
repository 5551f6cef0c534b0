"""Public mode at the level of the stores: operations are refused, even if a page forgets to hide them."""

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
def test_public_copy_refuses_every_operation(workspace: Workspace, operation: Operation) -> None:
    before = fingerprint(workspace.root)
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        operation.run(workspace)
    assert fingerprint(workspace.root) == before


def test_private_copy_runs_operations(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_command_line_refuses_in_public_copy(
    workspace: Workspace, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    assert capsys.readouterr().err == f"emojify: {ADMIN_ONLY_MESSAGE}\n"


NOW_S = 1_800_000_000
ADMINS = frozenset({"anna@example.org"})
ANNA = {"is_logged_in": True, "email": "anna@example.org", "email_verified": True, "iat": NOW_S - 60}


def test_is_admin_accepts_verified_claims() -> None:
    assert is_admin(ANNA, ADMINS, NOW_S)
    assert is_admin({**ANNA, "email": "Anna@Example.org"}, ADMINS, NOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},  # a string may come from a header or a form; the claim is a boolean
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
def test_is_admin_rejects_changed_claims(change: dict[str, object]) -> None:
    assert not is_admin({**ANNA, **change}, ADMINS, NOW_S)


@pytest.mark.parametrize("missing", ANNA)
def test_is_admin_rejects_missing_claims(missing: str) -> None:
    assert not is_admin({key: value for key, value in ANNA.items() if key != missing}, ADMINS, NOW_S)


def test_is_admin_rejects_lookalike_letters() -> None:
    assert not is_admin({**ANNA, "email": "\u212aim@example.org"}, frozenset({"kim@example.org"}), NOW_S)
    assert "\u212aim".lower() == "kim"  # the reason for this test


def test_is_admin_rejects_everyone_without_admins() -> None:
    assert not is_admin(ANNA, frozenset(), NOW_S)


def test_session_is_anonymous_without_claims_provider(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    with pytest.raises(EmojifyError, match=ADMIN_ONLY_MESSAGE):
        OPERATIONS["packs: remove"].run(workspace)


@pytest.mark.parametrize("operation", ["packs: add", "packs: edit", "packs: remove", "models: promote", "data: upload"])
def test_admin_only_admits_admins(workspace: Workspace, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emojify.public._claims_provider", dict)  # restored at the end of the test
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
    "video/jobs", "sweeps/plan", "runs/placement", "processes",
)  # fmt: skip
CALLED_BY_CHILD_PROCESSES = {"register"}  # by a process that an admin started, never by the app


@pytest.mark.parametrize("store", STORES)
def test_store_functions_that_write_are_admin_only(store: str) -> None:
    tree = ast.parse((ROOT / "emojify" / f"{store}.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    writing: set[str] = set()
    while found := {
        name for name in functions if name not in writing and called_names(functions[name]) & (WRITES | writing)
    }:
        writing |= found
    assert writing, "WRITES names no function that the store calls"
    for name in writing - CALLED_BY_CHILD_PROCESSES:
        decorators = [node.id for node in functions[name].decorator_list if isinstance(node, ast.Name)]
        assert name.startswith("_") or "admin_only" in decorators, f"{store}: {name} writes"


WRITING_HELPERS = {"files"}  # the stores write with it
COMMAND_MODULES = {"packs/cli", "packs/drawing/__main__", "teaching/cli", "teaching/rehearsal", "teaching/teach",
                   "video/cli", "video/render", "video/hdr", "bench/references", "deploy/cli", "phone",
                   "runs/control", "sweeps/trial", "cluster/worker", "cluster/mirror"}  # fmt: skip
FILE_WRITES = WRITES - {"start", "stop", "kill"} | {"mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "imwrite"}
"""Calls that write files. Outside the stores, start and stop belong to clips, threads and the like."""


def test_only_stores_and_commands_write() -> None:
    """A new module that writes must be listed as a store, which the test above checks, or as a part of a command."""
    writing = {
        str(path.relative_to(folder).with_suffix(""))
        for folder in (ROOT / "emojify", ROOT / "pages")
        for path in folder.rglob("*.py")
        if not path.is_relative_to(ROOT / "emojify" / "training")
        if called_names(ast.parse(path.read_text(encoding="utf-8"))) & FILE_WRITES
    }
    assert writing == {*STORES, *WRITING_HELPERS, *COMMAND_MODULES}


def called_names(function: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
