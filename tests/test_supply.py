"""Dependencies: every package is pinned to a version and to the hashes of its files, and no index is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emojify.settings import ROOT

NAMES = ("requirements", "requirements-cluster", "requirements-dev", "requirements-audit")


def read_requirements(path: Path) -> list[Requirement]:
    """Return what a requirements file asks for, included files' lines as well."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found += read_requirements(path.parent / line.removeprefix("-r "))
        elif line:
            found.append(Requirement(line))
    return found


def read_lock(path: Path) -> dict[str, tuple[Requirement, int]]:
    """Return a lock file's pins by package name, each with its number of hashes."""
    text = re.sub(r"(?m)^\s*#.*$", "", path.read_text(encoding="utf-8"))
    pins = [entry.split() for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]
    found: dict[str, tuple[Requirement, int]] = {}
    for words in pins:
        hashes = [word for word in words if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word)]
        requirement = Requirement(" ".join(word for word in words if not word.startswith("--hash=")))
        found[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return found


def read_versions(name: str) -> dict[str, str]:
    return {package: str(pin.specifier) for package, (pin, _) in read_lock(ROOT / f"{name}.lock").items()}


@pytest.mark.parametrize("name", NAMES)
def test_lock_pins_every_requirement_with_hashes(name: str) -> None:
    pinned = read_lock(ROOT / f"{name}.lock")
    for requirement, hashes in pinned.values():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes > 0, requirement
    for requirement in read_requirements(ROOT / f"{name}.txt"):
        pin, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(str(pin.specifier).removeprefix("==")), "run `make lock`"


def test_dev_lock_contains_the_app_lock() -> None:
    assert read_versions("requirements").items() <= read_versions("requirements-dev").items()


@pytest.mark.parametrize("name", [f"{name}.{kind}" for name in NAMES for kind in ("txt", "lock")])
def test_requirements_name_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text


def test_build_backend_is_pinned_in_the_lock() -> None:
    """The editable install runs without build isolation, so the build's requirements come from the lock file."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = read_versions("requirements")
    for text in pyproject["build-system"]["requires"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)].removeprefix("=="))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_installs_only_hashed_files() -> None:
    """Ask make which commands it would run on a clean checkout."""
    goals = [".venv/.dev", ".audit/.done"]
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *goals], cwd=ROOT, capture_output=True, text=True, check=True
    )
    installs = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len([line for line in installs if "--require-hashes" in line]) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
