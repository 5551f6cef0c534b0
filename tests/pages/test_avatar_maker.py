"""The avatar maker page, run by AppTest."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emojify.emotions import LABELS
from emojify.packs.avatar import Avatar
from emojify.packs.drawing.appearance import PARTS, Background, Hair, Hat, Person
from emojify.packs.store import MAX_PACKS, list_packs
from tests.helpers.pack_files import folder_contents
from tests.helpers.page_driver import press

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_workspace(packs_folder: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    st.cache_data.clear()


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    return page.switch_page("pages/avatar_maker.py").run()


def pictures(page: AppTest) -> list[tuple[str, str]]:
    """Return alt text and URL of each picture. The URL changes with the picture."""
    return [(image.alt, image.url) for element in page.get("image") for image in element.proto.imgs]


def save_as(page: AppTest, name: str, author: str = "") -> AppTest:
    page.text_input[0].set_value(name)
    page.text_input[1].set_value(author)
    return press(page, "Save as a pack")


def test_page_shows_large_face_and_seven_expressions(page: AppTest) -> None:
    assert not page.exception
    shown = [alt for alt, _ in pictures(page)]
    assert shown == ["Your avatar, happy", *(f"Your avatar, {label}, small" for label in LABELS)]


def test_every_part_offers_all_choices(page: AppTest) -> None:
    page.button_group(key="hat").set_value("cap").run()
    offered = {part: page.button_group(key=part).options for part in PARTS}
    assert offered == {part: [word.capitalize() for word in choices] for part, choices in PARTS.items()}


@pytest.mark.parametrize(("part", "word"), [("hair", "long"), ("hat", "crown"), ("background", "aqua")])
def test_choice_changes_all_pictures(page: AppTest, part: str, word: str) -> None:
    before = pictures(page)
    page.button_group(key=part).set_value(word).run()
    assert not page.exception
    assert all(old[0] == new[0] and old[1] != new[1] for old, new in zip(before, pictures(page), strict=True))


def test_hat_color_is_offered_and_kept_only_with_a_hat(page: AppTest) -> None:
    def offered() -> bool:
        return "hat_color" in [group.key for group in page.get("button_group")]

    assert not offered()
    page.button_group(key="hat").set_value("cap").run()
    page.button_group(key="hat_color").set_value("mint").run()
    page.button_group(key="hat").set_value("none").run()
    assert not offered()
    page.button_group(key="hat").set_value("crown").run()
    assert not page.exception
    assert page.button_group(key="hat_color").value == "mint"


def test_random_button_changes_every_part(page: AppTest) -> None:
    chosen = Avatar(Person(hair=Hair.AFRO, hat=Hat.BEANIE, background=Background.LEMON))
    before = pictures(page)
    with patch.object(Avatar, "random", return_value=chosen):
        press(page, "Random")
    assert not page.exception
    assert {part: page.button_group(key=part).value for part in PARTS} == chosen.to_json()
    assert pictures(page)[0] != before[0]


def test_expression_button_shows_it_large(page: AppTest) -> None:
    press(page, "surprised")
    assert pictures(page)[0][0] == "Your avatar, surprised"


def test_save_makes_pack_of_shown_avatar(page: AppTest, packs_folder: Path) -> None:
    page.button_group(key="hair").set_value("bun").run()
    save_as(page, "My twin", "Me")
    assert not page.exception
    assert "among the emoji packs" in page.success[0].value
    pack = list_packs(packs_folder).get("my-twin")
    assert pack.avatar == Avatar(Person(hair=Hair.BUN))
    assert (pack.author, len(pack.pictures)) == ("Me", 7)
    assert [button.proto.label for button in page.get("download_button")] == ["Picture", "All seven as a zip"]


def test_saved_avatar_can_be_changed(page: AppTest, packs_folder: Path) -> None:
    page.button_group(key="hair").set_value("bun").run()
    save_as(page, "My twin", "Me")
    page.button_group(key="hair").set_value("long").run()
    page.selectbox(key="changed_avatar").set_value("my-twin").run()
    assert page.button_group(key="hair").value == "bun"
    page.button_group(key="hat").set_value("crown").run()
    press(page, "Save the changes")
    assert not page.exception
    packs = list_packs(packs_folder)
    assert packs.get("my-twin").avatar == Avatar(Person(hair=Hair.BUN, hat=Hat.CROWN))
    assert (packs.get("my-twin").name, packs.get("my-twin").author) == ("My twin", "Me")
    press(page, "Save as a new pack")
    assert not page.exception
    assert list_packs(packs_folder).get("my-twin-2").avatar == packs.get("my-twin").avatar


def test_live_button_opens_live_page_with_avatar(page: AppTest) -> None:
    save_as(page, "My twin")
    with patch("streamlit.switch_page") as switch:
        press(page, "See it on your face")
    switch.assert_called_once_with("pages/live.py", query_params={"pack": "My twin"})


@pytest.mark.parametrize(
    ("name", "packs", "sentence"),
    [
        ("", 2, "needs a name"),
        ("   ", 2, "needs a name"),
        ("One more", MAX_PACKS, f"There are {MAX_PACKS} packs already"),
    ],
)
def test_refused_save_says_why_and_changes_nothing(
    page: AppTest, packs_folder: Path, name: str, packs: int, sentence: str
) -> None:
    for number in range(2, packs):
        (packs_folder / f"pack{number}").mkdir()
    before = folder_contents(packs_folder)
    save_as(page, name)
    assert not page.exception
    assert sentence in page.error[0].value
    assert folder_contents(packs_folder) == before
    assert not page.success


def test_full_disk_leaves_packs_unchanged(page: AppTest, packs_folder: Path) -> None:
    before = folder_contents(packs_folder)
    with patch("emojify.packs.store.new_folder", side_effect=OSError(28, "No space left on device")):
        save_as(page, "My twin")
    assert "the disk is full" in page.error[0].value
    assert folder_contents(packs_folder) == before


def test_deleted_avatar_is_no_longer_offered(page: AppTest, packs_folder: Path) -> None:
    save_as(page, "My twin")
    (packs_folder / "my-twin").rename(packs_folder / ".gone")
    page.run()
    assert not page.exception
    assert not page.success
