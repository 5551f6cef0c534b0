from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.importer import Draft, read_zip
from emojify.packs.manifest import PackManifest
from emojify.packs.pack import EmojiPack
from emojify.packs.store import MAX_PACKS, add_pack, edit_pack, export_pack, list_packs, remove_pack
from emojify.vision.annotators import Head
from tests.helpers.pack_files import pack_zip, tree, with_manifest


@pytest.fixture
def draft() -> Draft:
    manifest = {"name": "Cats", "author": "Me", "head": {"y": 0.4}, "avatar": {"skin": 3, "hair": "bob"}}
    return read_zip(with_manifest(manifest), "x.zip")


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
    assert packs.problems == ("The pack classic has no picture for: sad.",)


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


def test_packs_of_the_same_name_are_told_apart_by_their_ids(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / "more")
    labels = list_packs(packs_folder).labels
    assert labels == {"classic": "Classic", "more": "Squares (more)", "squares": "Squares (squares)"}


def test_an_added_pack_is_listed_and_open_to_others_on_the_machine(packs_folder: Path, draft: Draft) -> None:
    pack = add_pack(packs_folder, draft)
    assert list_packs(packs_folder).get("cats") == pack
    assert pack.manifest == draft.manifest
    assert pack.pictures[Emotion.HAPPY].shape == (16, 16, 4)
    assert pack.folder.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in packs_folder.iterdir()) == ["cats", "classic", "squares"]


def test_the_store_is_made_when_it_is_not_there(tmp_path: Path, draft: Draft) -> None:
    add_pack(tmp_path / "new" / "emojis", draft)
    assert [pack.id for pack in list_packs(tmp_path / "new" / "emojis").packs] == ["cats"]


def test_a_built_in_packs_id_is_never_taken(tmp_path: Path) -> None:
    for name in ("Classic", "PERSON"):
        draft = read_zip(with_manifest({"name": name}), "x.zip")
        assert add_pack(tmp_path, draft).id == f"{name.lower()}-2"


@pytest.mark.parametrize("name", ["", "\0", " "])
def test_a_pack_without_a_name_is_refused(name: str, packs_folder: Path, draft: Draft) -> None:
    with pytest.raises(EmojifyError, match="needs a name"):
        add_pack(packs_folder, Draft(PackManifest(name), draft.pictures))


def test_a_draft_with_a_missing_picture_is_refused(packs_folder: Path) -> None:
    before = tree(packs_folder)
    with pytest.raises(EmojifyError, match="no picture: sad"):
        add_pack(packs_folder, read_zip(pack_zip(leave_out=["sad.png"]), "x.zip"))
    assert tree(packs_folder) == before


def test_two_at_once_with_the_same_name_both_get_in(packs_folder: Path, draft: Draft) -> None:
    together = threading.Barrier(4)

    def add(_: int) -> str:
        together.wait()
        return add_pack(packs_folder, draft).id

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == ["cats", "cats-2", "cats-3", "cats-4"]
    assert len(list_packs(packs_folder).packs) == 6


def test_who_comes_a_moment_later_gets_the_next_id(
    packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another process takes the name between our look and our renaming."""
    add_pack(packs_folder, draft)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert add_pack(packs_folder, draft).id == "cats-2"


def test_there_is_room_for_fifty_packs_and_no_more(packs_folder: Path, draft: Draft) -> None:
    for number in range(MAX_PACKS - 3):
        (packs_folder / f"broken-{number}").mkdir()  # those take room too
    add_pack(packs_folder, draft)
    before = tree(packs_folder)
    with pytest.raises(EmojifyError, match="50 packs already"):
        add_pack(packs_folder, draft)
    assert tree(packs_folder) == before


def disk_full(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("write", range(1, 9))
def test_a_disk_that_is_full_at_any_write_leaves_the_store_as_it_was(
    write: int, packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_at_write(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and next(written) == write:  # folders are flushed too
            disk_full()

    before, written = tree(packs_folder), iter(range(1, 9))
    monkeypatch.setattr(os, "fsync", fail_at_write)
    with pytest.raises(EmojifyError, match="The pack was not added: the disk is full"):
        add_pack(packs_folder, draft)
    assert tree(packs_folder) == before


@pytest.mark.parametrize(("where", "what"), [(tempfile, "mkdtemp"), (Path, "rename"), (Path, "chmod")])
def test_a_disk_that_is_full_before_or_after_the_writing_does_too(
    where: object, what: str, packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(packs_folder)
    monkeypatch.setattr(where, what, disk_full)
    with pytest.raises(EmojifyError, match="the disk is full"):
        add_pack(packs_folder, draft)
    assert tree(packs_folder) == before


def test_a_full_disk_lets_go_of_a_pack(packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for where, what in ((os, "fsync"), (os, "mkdir"), (tempfile, "mkdtemp")):
        monkeypatch.setattr(where, what, disk_full)
    remove_pack(packs_folder, "squares")
    assert sorted(path.name for path in packs_folder.iterdir()) == ["classic"]


def test_what_a_killed_process_left_is_cleared_after_an_hour(packs_folder: Path, draft: Draft) -> None:
    long_ago = time.time() - 2 * 3600
    for name in (".unfinished-old", ".removed-old", ".unfinished-new", ".kept"):
        (packs_folder / name).mkdir()
        (packs_folder / name / "happy.png").touch()
        if name != ".unfinished-new":
            os.utime(packs_folder / name, (long_ago, long_ago))
    add_pack(packs_folder, draft)
    assert sorted(path.name for path in packs_folder.glob(".*")) == [".kept", ".unfinished-new"]


def test_editing_changes_the_words_and_keeps_the_rest(packs_folder: Path, draft: Draft) -> None:
    add_pack(packs_folder, draft)
    pack = edit_pack(packs_folder, "cats", " Kittens\0 ", "You", "MIT")
    assert (pack.id, pack.name, pack.author, pack.license) == ("cats", "Kittens", "You", "MIT")
    assert (pack.head, pack.manifest.avatar) == (Head(y=0.4), {"skin": 3, "hair": "bob"})
    assert list_packs(packs_folder).get("cats") == pack


def test_a_removed_pack_is_gone_and_the_others_are_as_they_were(packs_folder: Path, draft: Draft) -> None:
    before = tree(packs_folder)
    add_pack(packs_folder, draft)
    remove_pack(packs_folder, "cats")
    assert tree(packs_folder) == before


def test_a_broken_pack_can_be_removed(packs_folder: Path) -> None:
    (packs_folder / "squares" / "pack.json").unlink()
    remove_pack(packs_folder, "squares")
    assert not (packs_folder / "squares").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: remove_pack(folder, "classic"), "comes with Emojify"),
        (lambda folder: edit_pack(folder, "classic", "Mine", "", ""), "comes with Emojify"),
        (lambda folder: edit_pack(folder, "squares", " ", "", ""), "needs a name"),
        (lambda folder: edit_pack(folder, "nobody", "Mine", "", ""), "no pack 'nobody'"),
        (lambda folder: remove_pack(folder, "nobody"), "no pack 'nobody'"),
        (lambda folder: remove_pack(folder, "../emojis"), "no pack"),
        (lambda folder: remove_pack(folder, "."), "no pack"),
        (lambda folder: remove_pack(folder, ""), "no pack"),
        (lambda folder: remove_pack(folder, ".hidden"), "no pack"),
    ],
    ids=["remove classic", "edit classic", "no name", "edit nobody", "nobody", "path", "dot", "empty", "hidden"],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_happens(
    change: Callable[[Path], object], reason: str, packs_folder: Path
) -> None:
    (packs_folder / ".hidden").mkdir()
    before = tree(packs_folder)
    with pytest.raises(EmojifyError, match=reason):
        change(packs_folder)
    assert tree(packs_folder) == before


def test_an_exported_pack_imports_again_identical(packs_folder: Path, draft: Draft) -> None:
    first = add_pack(packs_folder, draft)
    content = export_pack(first)
    second = add_pack(packs_folder, read_zip(content, "whatever.zip"))
    assert second.id == "cats-2"
    assert tree(second.folder) == tree(first.folder)
    assert export_pack(second) == content


def test_the_built_in_packs_come_back_to_the_pixel(packs_folder: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    for pack_id in ("classic", "person"):
        first = EmojiPack.load(root / "emojis" / pack_id)
        draft = read_zip(export_pack(first), "x.zip")
        assert draft.notes == ()
        second = add_pack(packs_folder, draft)
        assert second.manifest == first.manifest
        for emotion in Emotion:
            assert np.array_equal(second.pictures[emotion], first.pictures[emotion])


def test_an_export_carries_only_what_is_known(packs_folder: Path) -> None:
    path = packs_folder / "squares" / "pack.json"
    path.write_text(json.dumps({"secret": 1}), encoding="utf-8")
    manifest = read_zip(export_pack(list_packs(packs_folder).get("squares")), "x.zip").manifest
    assert manifest == PackManifest("squares")
