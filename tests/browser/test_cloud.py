"""A clean clone as Streamlit's Community Cloud runs it: tracked files, requirements.txt and secrets."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from playwright.sync_api import Browser, expect

from emojify.settings import ROOT
from tests.helpers.browser import TIMEOUT_MS, expect_pages, run_app, start, wait_for_emoji
from tests.helpers.page_driver import VISITOR_PAGES

SECRETS = """
EMOJIFY_PUBLIC = 1
EMOJIFY_MAX_SESSIONS = "1"
"""
# Python runs this at start: it blocks the packages that requirements.txt does not install.
BLOCK_IMPORTS = """
import sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"requirements.txt does not install {{name}}", name=name)
sys.meta_path.insert(0, Finder)
"""


def distributions_of(requirements: Path) -> set[str]:
    """Return the names of all distributions that a requirements file installs, dependencies included."""
    lines = [line.partition("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    wanted = [Requirement(line) for line in lines if line]
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = normalized(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            needs = [Requirement(text) for text in distribution(name).requires or []]
            wanted += [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def other_modules(requirements: Path) -> list[str]:
    brought = distributions_of(requirements) | {"emojify"}  # the clone has the package itself
    return sorted(
        module
        for module, owners in packages_distributions().items()
        if not {normalized(one) for one in owners} & brought
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the tracked files."""
    folder, what = tmp_path / "clone", ["ls-files", "-z"]
    if not (ROOT / ".git").exists():  # an unpacked archive: the files that git would add
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "git")], check=True)
        what = ["--git-dir", str(tmp_path / "git"), "--work-tree", str(ROOT), *what, "--others", "--exclude-standard"]
    listed = subprocess.run(["git", *what], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".streamlit" / "secrets.toml").write_text(SECRETS)
    return folder


def test_clean_clone_runs_with_its_requirements_and_secrets(
    browser: Browser, clone: Path, tmp_path: Path, camera_file: Path
) -> None:
    absent = other_modules(ROOT / "requirements.txt")
    assert {"pytest", "skimage", "playwright", "hypothesis"} <= set(absent)
    assert not {"streamlit", "authlib", "tensorflow", "cv2", "ai_edge_litert"} & set(absent)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCK_IMPORTS.format(names=repr(set(absent))))
    with run_app(clone, PYTHONPATH=str(tmp_path / "site")) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        start(page)
        wait_for_emoji(page, "classic", camera_file)
        expect_pages(page, *VISITOR_PAGES)
        second = browser.new_context().new_page()
        second.goto(url)
        expect(second.get_by_text("Every place for live video is taken")).to_be_visible(timeout=TIMEOUT_MS)
        second.context.close()
        context.close()


def test_blocked_packages_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCK_IMPORTS.format(names='{"skimage"}'))
    done = subprocess.run(
        [sys.executable, "-c", "import skimage.data"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert b"requirements.txt does not install skimage" in done.stderr
