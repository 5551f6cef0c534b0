"""A visitor of a public copy in Chromium: nothing that they upload or record reaches the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Browser, expect

from emojify.emotions import LABELS
from tests.helpers.audit_log import AUDIT_HOOK, read_audit_log
from tests.helpers.browser import TIMEOUT_MS, run_app, start, upload_pack
from tests.helpers.pack_files import encode_image, zipped

MORE_THAN_A_MEGABYTE = 1_100_000  # Starlette would write a larger upload to a temporary file


def large_pictures() -> dict[str, bytes]:
    """Return pictures of noise, which does not compress."""
    noise = np.random.default_rng(1).integers(0, 255, (7, 250, 250, 4), np.uint8)
    pictures = [encode_image(PillowImage.fromarray(picture)) for picture in noise]
    return {f"{label}.png": picture for label, picture in zip(LABELS, pictures, strict=True)}


def test_visitor_uploads_reach_no_file_and_no_log(
    browser: Browser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    record, pack, photo = tmp_path / "record.jsonl", tmp_path / "Annabel.zip", tmp_path / "Benedict.png"
    pack.write_bytes(zipped(large_pictures().items()))
    photo.write_bytes(encode_image(PillowImage.effect_noise((1400, 1000), 100)))
    assert min(pack.stat().st_size, photo.stat().st_size) > MORE_THAN_A_MEGABYTE
    with run_app(PYTHONPATH=str(AUDIT_HOOK), EMOJIFY_RECORD=str(record), EMOJIFY_PUBLIC="1") as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/emoji_packs")
        upload_pack(page, pack)
        add = page.get_by_role("button", name="Add this pack")
        expect(add).to_be_enabled(timeout=TIMEOUT_MS)
        add.click()
        expect(page.get_by_text("is ready")).to_be_visible(timeout=TIMEOUT_MS)
        page.get_by_role("button", name="See it on your face").first.click()
        start(page)
        page.get_by_role("button", name="Clip").click(timeout=TIMEOUT_MS)
        for kind in ("MP4", "GIF"):
            page.get_by_text(kind, exact=True).click(timeout=TIMEOUT_MS)
            with page.expect_download(timeout=TIMEOUT_MS):
                page.get_by_role("button", name="Download clip").click(timeout=TIMEOUT_MS)
        with page.expect_download(timeout=TIMEOUT_MS):
            page.get_by_role("button", name="Snapshot").click()
            page.get_by_role("button", name="Download snapshot").click(timeout=TIMEOUT_MS)
        page.get_by_text("Photo", exact=True).click()
        page.locator('input[type="file"]').set_input_files(photo, timeout=TIMEOUT_MS)
        expect(page.get_by_text("No face found")).to_be_visible(timeout=TIMEOUT_MS)
        context.close()
    written = {path for event, path in read_audit_log(record) if event == "open"}
    assert [path for path in written if not path.startswith("/dev/") and "__pycache__" not in path] == []
    log = "".join(capfd.readouterr())
    assert "You can now view" in log, "the app's log was not captured"
    assert "Annabel" not in log
    assert "Benedict" not in log
