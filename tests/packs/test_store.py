import shutil
from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.packs.store import list_packs


def test_the_default_pack_comes_first_and_the_others_by_name(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / "another")  # keeps the name Squares
    (packs_folder / "another" / "pack.json").write_text('{"name": "bricks"}', encoding="utf-8")
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["classic", "another", "squares"]
    assert packs.problems == ()


def test_a_broken_pack_is_a_problem_and_the_others_go_on(packs_folder: Path) -> None:
    (packs_folder / "classic" / "sad.png").unlink()
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["squares"]
    assert packs.problems == ("The pack classic lacks: sad.",)


def test_files_and_hidden_folders_are_not_packs(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / ".squares.half-written")
    (packs_folder / "__pycache__").mkdir()
    (packs_folder / "README.md").write_text("Packs", encoding="utf-8")
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["classic", "squares"]
    assert packs.problems == ()


def test_a_folder_without_packs_is_a_problem_that_names_it(tmp_path: Path) -> None:
    packs = list_packs(tmp_path / "emojis")
    assert packs.packs == ()
    assert packs.problems == (f"There are no emoji packs in {tmp_path / 'emojis'}.",)


def test_an_unknown_pack_is_refused_with_those_that_exist(packs_folder: Path) -> None:
    packs = list_packs(packs_folder)
    assert packs.get("squares").id == "squares"
    with pytest.raises(EmojifyError, match=r"no pack 'cats'\. There are: classic, squares\."):
        packs.get("cats")
