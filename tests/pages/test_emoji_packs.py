"""The emoji packs page, run by AppTest."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emojify.emotions import LABELS
from emojify.packs.importer import read_zip
from emojify.packs.store import MAX_PACKS, add_pack, list_packs
from tests.helpers.pack_files import (
    HAPPY,
    PICTURES,
    folder_contents,
    pack_zip,
    with_manifest,
    zipped,
)
from tests.helpers.page_driver import labels, press, shown_text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_workspace(packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    st.cache_data.clear()


@pytest.fixture
def page(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).switch_page("pages/emoji_packs.py")


def drop_files(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.run()
    return page.file_uploader[0].set_value([(name, content, "") for name, content in files]).run()


def test_page_shows_packs_and_limits(page: AppTest) -> None:
    page.run()
    assert not page.exception
    text = shown_text(page)
    assert all(word in text for word in ("Classic", "Squares", "The tests · MIT", *LABELS))
    assert all(limit in text for limit in ("8 MB per zip", "2 MB", "50 packs"))
    assert len(page.get("image")) == 2
    assert labels(page).count("See it on your face") == 2


def test_zip_is_added_and_offered_live(page: AppTest, packs_folder: Path) -> None:
    drop_files(page, ("cats.zip", pack_zip()))
    assert not page.exception
    assert "Still missing" not in shown_text(page)
    name, author, license = (page.text_input[index] for index in range(3))
    assert name.value == "cats"
    name.set_value("My <b>cats</b>")
    author.set_value("Me")
    license.set_value("CC BY 4.0")
    page.run()
    press(page, "Add this pack")
    assert not page.exception
    assert "<b>cats" not in "".join(html.proto.body for html in page.get("html"))
    pack = list_packs(packs_folder).get("my-b-cats-b")
    assert (pack.name, pack.author, pack.license) == ("My <b>cats</b>", "Me", "CC BY 4.0")
    assert "is ready" in shown_text(page)
    assert page.file_uploader[0].value == []


def test_pictures_are_sorted_and_slots_add_more(page: AppTest, packs_folder: Path) -> None:
    six = [(name.upper(), picture) for name, picture in PICTURES.items() if name != "sad.png"]
    drop_files(page, *six, ("grin.png", HAPPY))
    assert "grin.png is not named after an emotion" in shown_text(page)
    assert "Still missing: sad." in shown_text(page)
    page.file_uploader(key="slot-sad-0").set_value(("grin.png", HAPPY, "image/png")).run()
    assert "Still missing" not in shown_text(page)
    assert "Give it a name" in shown_text(page)
    page.text_input[0].set_value("Cats").run()
    press(page, "Add this pack")
    assert (packs_folder / "cats" / "sad.png").is_file()


def test_neutral_picture_fills_missing_on_request(page: AppTest, packs_folder: Path) -> None:
    drop_files(page, ("cats.zip", pack_zip(leave_out=["fearful.png", "sad.png"])))
    assert "Still missing: fearful, sad." in shown_text(page)
    assert next(button for button in page.button if button.label == "Add this pack").disabled
    page.checkbox[0].check().run()
    press(page, "Add this pack")
    folder = packs_folder / "cats"
    assert (folder / "sad.png").read_bytes() == (folder / "neutral.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cats.zip", b"hello", "cats.zip is not a zip"),
        ("cats.zip", zipped([("../happy.png", HAPPY)]), "is not allowed in a pack"),
        ("happy.png", b"hello", "happy.png is not a picture"),
        ("![](http://example.org/x.png).png", HAPPY, "is not named after an emotion"),
    ],
    ids=["no zip", "zip slip", "no picture", "a name with markup"],
)
def test_bad_file_is_refused_with_reason(
    name: str, content: bytes, sentence: str, page: AppTest, packs_folder: Path
) -> None:
    before = folder_contents(packs_folder)
    drop_files(page, (name, content))
    assert not page.exception
    assert sentence in page.error[0].value.replace("\\", "")
    assert "![" not in page.error[0].value
    assert "Add this pack" not in labels(page)
    assert folder_contents(packs_folder) == before


def test_bad_picture_in_slot_is_refused(page: AppTest) -> None:
    page.run()
    page.file_uploader(key="slot-sad-0").set_value(("sad.png", HAPPY[:50], "image/png")).run()
    assert not page.exception
    assert "damaged" in page.error[0].value


def test_full_store_keeps_the_draft(page: AppTest, packs_folder: Path) -> None:
    drop_files(page, ("cats.zip", pack_zip()))
    for number in range(MAX_PACKS):
        (packs_folder / f"other-{number}").mkdir()
    press(page, "Add this pack")
    assert not page.exception
    assert "50 packs already" in shown_text(page)
    assert page.text_input[0].value == "cats"


def test_pack_texts_can_be_changed(page: AppTest, packs_folder: Path) -> None:
    page.run()
    page.text_input(key="name-of-squares").set_value("Blocks")
    page.text_input(key="author-of-squares").set_value("Me")
    press(page, "Save")
    assert not page.exception
    pack = list_packs(packs_folder).get("squares")
    assert (pack.name, pack.author, pack.license) == ("Blocks", "Me", "MIT")
    assert "Blocks is saved." in shown_text(page)


def test_single_picture_is_replaced(page: AppTest, packs_folder: Path) -> None:
    before = folder_contents(packs_folder / "squares")
    page.run().selectbox(key="replaced-squares").set_value("sad").run()
    uploader = next(one for one in page.file_uploader if str(one.key).startswith("replacement-squares"))
    uploader.set_value(("new.png", HAPPY, "image/png")).run()
    press(page, "Replace it")
    assert not page.exception
    assert "The sad picture of Squares is replaced." in shown_text(page)
    after = folder_contents(packs_folder / "squares")
    assert {name for name in before if before[name] != after[name]} == {"sad.png"}


def test_delete_asks_for_confirmation(page: AppTest, packs_folder: Path) -> None:
    page.run()
    assert "Yes, delete it for good" not in labels(page)
    page.checkbox(key="delete-squares").check().run()
    assert (packs_folder / "squares").exists()
    press(page, "Yes, delete it for good")
    assert not page.exception
    assert not (packs_folder / "squares").exists()
    assert "Squares is deleted." in shown_text(page)


def test_built_in_pack_has_no_editor(page: AppTest) -> None:
    page.run()
    assert [box.key for box in page.checkbox] == ["delete-squares"]
    assert [button.proto.label for button in page.get("download_button")] == ["Export", "Export"]


def test_live_button_opens_live_page_with_pack(page: AppTest) -> None:
    page.run()
    with patch("streamlit.switch_page") as switch:
        page.button(key="live-squares").click().run()
    switch.assert_called_once_with("pages/live.py", query_params={"pack": "Squares"})


def test_damaged_picture_is_named_and_others_shown(page: AppTest, packs_folder: Path) -> None:
    (packs_folder / "squares" / "sad.png").write_bytes(b"hello")
    page.run()
    assert not page.exception
    assert "can't be opened: sad.png" in shown_text(page)
    assert len(page.get("image")) == 1


def test_names_are_shown_without_markup(page: AppTest, packs_folder: Path) -> None:
    for name in ("وجوه", "<script>alert(1)</script>", "![x](http://example.org/x.png)"):
        add_pack(packs_folder, read_zip(with_manifest({"name": name}), "x.zip"))
    page.run()
    assert not page.exception
    shown = "".join(html.proto.body for html in page.get("html"))
    assert "وجوه" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
