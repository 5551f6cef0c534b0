"""The page of emoji packs: upload a zip, wear it, export it, delete it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Page, expect

from emojify.emotions import LABELS
from emojify.packs.importer import read_zip
from emojify.packs.store import add_pack, export_pack
from emojify.settings import ROOT
from tests.helpers.browser import TIMEOUT_MS, face_region, read_video_frame, run_app, start, upload_pack
from tests.helpers.pack_files import encode_image, zipped
from tests.helpers.stores import write_model


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writable copy of ``emojis/``."""
    return Path(shutil.copytree(ROOT / "emojis", tmp_path_factory.mktemp("store") / "emojis"))


@pytest.fixture(scope="module")
def url(store: Path, tmp_path_factory: pytest.TempPathFactory, tiny_model: bytes) -> Iterator[str]:
    models = tmp_path_factory.mktemp("models")
    write_model(models / "seed", tiny_model)
    with run_app(EMOJIFY_EMOJIS=str(store), EMOJIFY_MODELS=str(models)) as url:
        yield url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.get_by_role("link", name="Emoji packs").click(timeout=TIMEOUT_MS)
    expect(page.get_by_role("heading", name="Emoji packs")).to_be_visible(timeout=TIMEOUT_MS)
    yield page
    context.close()


@pytest.fixture
def zip_file(tmp_path: Path) -> Path:
    """A zip of seven squares in shades of magenta, a color that no face has."""
    pictures = [PillowImage.new("RGBA", (64, 64), (255, 5 * number, 255, 255)) for number in range(7)]
    path = tmp_path / "Magenta.zip"
    path.write_bytes(
        zipped((f"{label}.png", encode_image(picture)) for label, picture in zip(LABELS, pictures, strict=True))
    )
    return path


def test_uploaded_zip_is_worn_on_the_face(page: Page, zip_file: Path, store: Path, camera_file: Path) -> None:
    upload_pack(page, zip_file)
    for label in LABELS:
        expect(page.get_by_alt_text(f"Your {label} picture")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_label("Name").first).to_have_value("Magenta")
    page.get_by_role("button", name="Add this pack").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Magenta is ready")).to_be_visible(timeout=TIMEOUT_MS)
    assert (store / "magenta" / "happy.png").is_file()

    page.get_by_role("button", name="See it on your face").first.click()
    expect(page).to_have_url(re.compile(r"/\?pack=Magenta$"), timeout=TIMEOUT_MS)
    expect(page.get_by_label("Emoji pack", exact=True)).to_have_value("Magenta", timeout=TIMEOUT_MS)
    start(page)
    rows, columns = face_region(camera_file)
    worn = False
    for _ in range(40):
        red, green, blue = read_video_frame(page)[rows, columns].reshape(-1, 3).mean(axis=0)
        worn = red > 180 and blue > 180 and green < 90
        if worn:
            break
        page.wait_for_timeout(250)
    assert worn, f"the face is ({red:.0f}, {green:.0f}, {blue:.0f})"

    page.get_by_role("link", name="Emoji packs").click()
    expect(page.get_by_role("heading", name="Emoji packs")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_label("Emoji pack", exact=True)).to_have_value("Magenta", timeout=TIMEOUT_MS)
    page.reload()
    expect(page.get_by_label("Emoji pack", exact=True)).to_have_value("Magenta", timeout=TIMEOUT_MS)


def test_export_and_confirmed_deletion(page: Page, zip_file: Path, store: Path) -> None:
    pack = add_pack(store, read_zip(zip_file.read_bytes(), "Zebra.zip"))  # the last one by name
    page.reload()
    expect(page.get_by_alt_text("Zebra: happy")).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Export").last.click()
    assert download.value.suggested_filename == "zebra.zip"
    assert Path(download.value.path()).read_bytes() == export_pack(pack)

    page.get_by_role("button", name="Change").last.click()
    page.get_by_text("Delete this pack").click(timeout=TIMEOUT_MS)
    expect(page.get_by_role("button", name="Yes, delete it for good")).to_be_visible(timeout=TIMEOUT_MS)
    assert pack.folder.exists()
    page.get_by_role("button", name="Yes, delete it for good").click()
    expect(page.get_by_alt_text("Zebra: happy")).to_have_count(0, timeout=TIMEOUT_MS)
    assert not pack.folder.exists()
