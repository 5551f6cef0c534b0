"""The avatar maker as a script."""

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
from tests.helpers.pack_files import tree
from tests.helpers.page_driver import press

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
    """Each picture's description and address; the address changes with the picture."""
    return [(image.alt, image.url) for element in page.get("image") for image in element.proto.imgs]


def named(page: AppTest, name: str, author: str = "") -> AppTest:
    page.text_input[0].set_value(name)
    page.text_input[1].set_value(author)
    return press(page, "Save as a pack")


def test_the_face_is_shown_large_and_with_all_seven_expressions(page: AppTest) -> None:
    assert not page.exception
    shown = [alt for alt, _ in pictures(page)]
    assert shown == ["Your avatar, happy", *(f"Your avatar, {label}, small" for label in LABELS)]


def test_every_part_can_be_chosen_in_words(page: AppTest) -> None:
    offered = {part: page.button_group(key=part).options for part in PARTS}
    assert offered == {part: [word.capitalize() for word in choices] for part, choices in PARTS.items()}


@pytest.mark.parametrize(("part", "word"), [("hair", "long"), ("hat", "crown"), ("background", "aqua")])
def test_a_choice_changes_all_pictures(page: AppTest, part: str, word: str) -> None:
    before = pictures(page)
    page.button_group(key=part).set_value(word).run()
    assert not page.exception
    assert all(old[0] == new[0] and old[1] != new[1] for old, new in zip(before, pictures(page), strict=True))


def test_random_rolls_another_person(page: AppTest) -> None:
    rolled = Avatar(Person(hair=Hair.AFRO, hat=Hat.BEANIE, background=Background.LEMON))
    before = pictures(page)
    with patch.object(Avatar, "random", return_value=rolled):
        press(page, "Random")
    assert not page.exception
    assert {part: page.button_group(key=part).value for part in PARTS} == rolled.to_json()
    assert pictures(page)[0] != before[0]


def test_an_expression_can_be_looked_at_closely(page: AppTest) -> None:
    press(page, "surprised")
    assert pictures(page)[0][0] == "Your avatar, surprised"


def test_saving_makes_a_pack_of_the_one_on_the_page(page: AppTest, packs_folder: Path) -> None:
    page.button_group(key="hair").set_value("bun").run()
    named(page, "My twin", "Me")
    assert not page.exception
    assert "among the emoji packs" in page.success[0].value
    pack = list_packs(packs_folder).get("my-twin")
    assert pack.avatar == Avatar(Person(hair=Hair.BUN))
    assert (pack.author, len(pack.pictures)) == ("Me", 7)
    assert [button.proto.label for button in page.get("download_button")] == ["Picture", "All seven as a zip"]


def test_see_it_on_your_face_leads_to_the_live_page_with_it(page: AppTest) -> None:
    named(page, "My twin")
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
def test_what_cannot_be_saved_says_why_and_leaves_the_packs_alone(
    page: AppTest, packs_folder: Path, name: str, packs: int, sentence: str
) -> None:
    for number in range(2, packs):
        (packs_folder / f"pack{number}").mkdir()
    before = tree(packs_folder)
    named(page, name)
    assert not page.exception
    assert sentence in page.error[0].value
    assert tree(packs_folder) == before
    assert not page.success


def test_a_full_disk_leaves_nothing_behind(page: AppTest, packs_folder: Path) -> None:
    before = tree(packs_folder)
    with patch("emojify.packs.store.new_folder", side_effect=OSError(28, "No space left on device")):
        named(page, "My twin")
    assert "the disk is full" in page.error[0].value
    assert tree(packs_folder) == before


def test_what_was_saved_and_deleted_since_is_not_offered_any_more(page: AppTest, packs_folder: Path) -> None:
    named(page, "My twin")
    (packs_folder / "my-twin").rename(packs_folder / ".gone")
    page.run()
    assert not page.exception
    assert not page.success
