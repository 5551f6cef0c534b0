"""Private parts of other libraries are only touched in versions that were tested."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify import upstream
from emojify.settings import ROOT
from emojify.upstream import is_tested


@pytest.fixture(autouse=True)
def _forget_earlier_answers() -> Iterator[None]:
    is_tested.cache_clear()
    yield
    is_tested.cache_clear()


@pytest.mark.parametrize(
    ("installed", "expected"), [("1.9.2", True), ("1.10.0", True), ("1.10.1", False), ("2.0.0", False)]
)
def test_is_tested_compares_release_numbers(installed: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "version", lambda distribution: installed)
    assert is_tested("library", "1.10.0") is expected


def test_is_tested_warns_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(upstream, "version", lambda distribution: "2.0")
    with caplog.at_level(logging.WARNING):
        assert not is_tested("library", "1.9")
        assert not is_tested("library", "1.9")
    (record,) = caplog.records
    assert "library 2.0 is newer than 1.9" in record.getMessage()


def _named_versions() -> list[tuple[str, str]]:
    """Return the arguments of every call of ``is_tested`` in the sources, constants resolved within their module."""
    found = []
    for path in sorted([*(ROOT / "emojify").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "is_tested":
                distribution, tested = (
                    argument.value if isinstance(argument, ast.Constant) else constants[ast.unparse(argument)]
                    for argument in node.args
                )
                found.append((str(distribution), str(tested)))
    return found


def test_named_versions_are_the_locked_ones() -> None:
    lock = Path(ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, flags=re.MULTILINE))
    named = _named_versions()
    assert named
    assert named == [(distribution, locked[distribution]) for distribution, _ in named]
