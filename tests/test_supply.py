"""What is installed: pinned to a version and to the hashes of its files, and from nowhere in particular."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emojify.settings import ROOT

PAIRS = ("requirements", "requirements-dev", "requirements-audit")


def asked(path: Path) -> list[Requirement]:
    """What a requirements file asks for, with those that it includes."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found += asked(path.parent / line.removeprefix("-r "))
        elif line:
            found.append(Requirement(line))
    return found


def locked(path: Path) -> dict[str, tuple[Requirement, int]]:
    """What a lock file pins, by name, and how many hashes it has of it."""
    text = re.sub(r"(?m)^\s*#.*$", "", path.read_text(encoding="utf-8"))
    pins = [entry.split() for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]
    found: dict[str, tuple[Requirement, int]] = {}
    for words in pins:
        hashes = [word for word in words if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word)]
        requirement = Requirement(" ".join(word for word in words if not word.startswith("--hash=")))
        found[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_all_that_is_asked_for_is_pinned_with_hashes(name: str) -> None:
    pinned = locked(ROOT / f"{name}.lock")
    for requirement, hashes in pinned.values():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes > 0, requirement
    for requirement in asked(ROOT / f"{name}.txt"):
        pin, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(str(pin.specifier).removeprefix("==")), "run `make lock`"


def test_what_is_tested_is_what_is_run() -> None:
    run, tested = locked(ROOT / "requirements.lock"), locked(ROOT / "requirements-dev.lock")
    assert {name: str(pin.specifier) for name, (pin, _) in run.items()}.items() <= {
        name: str(pin.specifier) for name, (pin, _) in tested.items()
    }.items()


@pytest.mark.parametrize("name", [f"{name}.{kind}" for name in PAIRS for kind in ("txt", "lock")])
def test_no_address_is_named(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text


def test_make_installs_nothing_without_its_hash() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    installs = [line for line in lines if "pip" in line and "-r requirements" in line and "pip-audit" not in line]
    assert len([line for line in installs if line.startswith("\t")]) == 3
    assert all("$(INSTALL)" in line for line in installs if line.startswith("\t"))
    assert any(line.startswith("INSTALL :=") and "--require-hashes" in line for line in lines)
    assert not any(" install " in line and line.startswith("\t") for line in lines)
