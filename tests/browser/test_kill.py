"""The app is killed while it stores an uploaded pack, and started again."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from emojify.emotions import LABELS
from emojify.packs.store import list_packs
from emojify.settings import ROOT
from tests.helpers.browser import TIMEOUT_MS, responds, run_app, upload_pack
from tests.helpers.pack_files import folder_contents, pack_zip
from tests.helpers.stores import write_model

KILLED_AFTER = 5  # changes, in the middle of the seven pictures


def add(page: Page, url: str, zip_file: Path) -> None:
    page.goto(url)
    page.get_by_role("link", name="Emoji packs").click(timeout=TIMEOUT_MS)
    upload_pack(page, zip_file)
    for label in LABELS:
        expect(page.get_by_alt_text(f"Your {label} picture")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Add this pack").click(timeout=TIMEOUT_MS)


def test_killed_upload_is_hidden_and_can_be_repeated(
    browser: Browser, tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(shutil.copytree(ROOT / "emojis", tmp_path / "emojis"))
    write_model(tmp_path / "models" / "seed", tiny_model)
    zip_file = tmp_path / "Cats.zip"
    zip_file.write_bytes(pack_zip())
    before = folder_contents(store)
    folders = {"EMOJIFY_EMOJIS": str(store), "EMOJIFY_MODELS": str(tmp_path / "models")}
    kill_variables = {"EMOJIFY_KILL_FOLDER": str(store), "EMOJIFY_KILL_AFTER": str(KILLED_AFTER)}
    context = browser.new_context()
    page = context.new_page()
    with run_app(PYTHONPATH=str(Path(__file__).parent / "kill_hook"), **folders, **kill_variables) as url:
        add(page, url, zip_file)
        deadline = time.monotonic() + 60
        while responds(f"{url}/_stcore/health"):
            assert time.monotonic() < deadline, "the app was not killed"
            time.sleep(0.1)
    left = folder_contents(store)
    assert left.items() > before.items()  # the upload had begun
    assert {Path(name).parts[0][:12] for name in left.keys() - before.keys()} == {".unfinished-"}
    packs = [pack.id for pack in list_packs(store).packs]
    with run_app(**folders) as url:
        add(page, url, zip_file)
        expect(page.get_by_text("Cats is ready")).to_be_visible(timeout=TIMEOUT_MS)
    assert {pack.id for pack in list_packs(store).packs} == {*packs, "cats"}
    assert list_packs(store).problems == ()
    context.close()
