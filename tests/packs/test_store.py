from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.importer import CheckedPicture, Draft, read_zip
from emojify.packs.manifest import PackManifest
from emojify.packs.pack import EmojiPack
from emojify.packs.store import (
    MAX_PACKS,
    add_pack,
    change_avatar,
    edit_pack,
    export_pack,
    list_packs,
    remove_pack,
    replace_picture,
)
from emojify.vision.annotators import Head
from tests.helpers.pack_files import HAPPY, folder_contents, pack_zip, with_manifest


@pytest.fixture
def draft() -> Draft:
    manifest = {"name": "Cats", "author": "Me", "head": {"y": 0.4}, "avatar": {"skin": 3, "hair": "bob"}}
    return read_zip(with_manifest(manifest), "x.zip")


def test_list_packs_sorts_default_first(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / "another")  # keeps the name Squares
    (packs_folder / "another" / "pack.json").write_text('{"name": "bricks"}', encoding="utf-8")
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["classic", "another", "squares"]
    assert packs.problems == ()


def test_list_packs_reports_broken_pack(packs_folder: Path) -> None:
    (packs_folder / "classic" / "sad.png").unlink()
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["squares"]
    assert packs.problems == ("The pack classic has no picture for: sad.",)


def test_list_packs_skips_files_and_hidden_folders(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / ".squares.half-written")
    (packs_folder / "__pycache__").mkdir()
    (packs_folder / "README.md").write_text("Packs", encoding="utf-8")
    packs = list_packs(packs_folder)
    assert [pack.id for pack in packs.packs] == ["classic", "squares"]
    assert packs.problems == ()


def test_list_packs_reports_missing_folder(tmp_path: Path) -> None:
    packs = list_packs(tmp_path / "emojis")
    assert packs.packs == ()
    assert packs.problems == (f"There are no emoji packs in {tmp_path / 'emojis'}.",)


def test_get_rejects_unknown_id_and_lists_known(packs_folder: Path) -> None:
    packs = list_packs(packs_folder)
    assert packs.get("squares").id == "squares"
    with pytest.raises(EmojifyError, match=r"no pack 'cats'\. There are: classic, squares\."):
        packs.get("cats")


def test_labels_add_id_to_equal_names(packs_folder: Path) -> None:
    shutil.copytree(packs_folder / "squares", packs_folder / "more")
    labels = list_packs(packs_folder).labels
    assert labels == {"classic": "Classic", "more": "Squares (more)", "squares": "Squares (squares)"}


def test_add_pack_is_listed_and_readable(packs_folder: Path, draft: Draft) -> None:
    pack = add_pack(packs_folder, draft)
    assert list_packs(packs_folder).get("cats") == pack
    assert pack.manifest == draft.manifest
    assert pack.pictures[Emotion.HAPPY].shape == (16, 16, 4)
    assert pack.folder.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in packs_folder.iterdir()) == ["cats", "classic", "squares"]


def test_add_pack_creates_the_store(tmp_path: Path, draft: Draft) -> None:
    add_pack(tmp_path / "new" / "emojis", draft)
    assert [pack.id for pack in list_packs(tmp_path / "new" / "emojis").packs] == ["cats"]


def test_add_pack_avoids_built_in_ids(tmp_path: Path) -> None:
    for pack_id in BUILT_IN_PACKS:
        draft = read_zip(with_manifest({"name": pack_id.upper()}), "x.zip")
        assert add_pack(tmp_path, draft).id == f"{pack_id}-2"


@pytest.mark.parametrize("name", ["", "\0", " "])
def test_add_pack_rejects_empty_name(name: str, packs_folder: Path, draft: Draft) -> None:
    with pytest.raises(EmojifyError, match="needs a name"):
        add_pack(packs_folder, Draft(PackManifest(name), draft.pictures))


def test_add_pack_rejects_missing_picture(packs_folder: Path) -> None:
    before = folder_contents(packs_folder)
    with pytest.raises(EmojifyError, match="no picture: sad"):
        add_pack(packs_folder, read_zip(pack_zip(leave_out=["sad.png"]), "x.zip"))
    assert folder_contents(packs_folder) == before


def test_add_pack_at_once_numbers_equal_names(packs_folder: Path, draft: Draft) -> None:
    together = threading.Barrier(4)

    def add(_: int) -> str:
        together.wait()
        return add_pack(packs_folder, draft).id

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == ["cats", "cats-2", "cats-3", "cats-4"]
    assert len(list_packs(packs_folder).packs) == 6


def test_add_pack_skips_id_taken_meanwhile(packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may create the folder between the check and the rename."""
    add_pack(packs_folder, draft)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert add_pack(packs_folder, draft).id == "cats-2"


def test_add_pack_stops_at_fifty_packs(packs_folder: Path, draft: Draft) -> None:
    for number in range(MAX_PACKS - 3):
        (packs_folder / f"broken-{number}").mkdir()  # broken packs count too
    add_pack(packs_folder, draft)
    before = folder_contents(packs_folder)
    with pytest.raises(EmojifyError, match="50 packs already"):
        add_pack(packs_folder, draft)
    assert folder_contents(packs_folder) == before


def disk_full(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("write", range(1, 9))
def test_disk_full_at_any_write_changes_nothing(
    write: int, packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_at_write(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and next(written) == write:  # folders are flushed too
            disk_full()

    before, written = folder_contents(packs_folder), iter(range(1, 9))
    monkeypatch.setattr(os, "fsync", fail_at_write)
    with pytest.raises(EmojifyError, match="The pack was not added: the disk is full"):
        add_pack(packs_folder, draft)
    assert folder_contents(packs_folder) == before


@pytest.mark.parametrize(("where", "what"), [(Path, "mkdir"), (Path, "rename"), (Path, "chmod")])
def test_disk_full_at_other_steps_changes_nothing(
    where: object, what: str, packs_folder: Path, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder_contents(packs_folder)
    monkeypatch.setattr(where, what, disk_full)
    with pytest.raises(EmojifyError, match="the disk is full"):
        add_pack(packs_folder, draft)
    assert folder_contents(packs_folder) == before


def test_remove_pack_works_on_full_disk(packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for where, what in ((os, "fsync"), (os, "mkdir"), (Path, "mkdir")):
        monkeypatch.setattr(where, what, disk_full)
    remove_pack(packs_folder, "squares")
    assert sorted(path.name for path in packs_folder.iterdir()) == ["classic"]


def test_add_pack_clears_old_leftovers(packs_folder: Path, draft: Draft) -> None:
    long_ago = time.time() - 2 * 3600
    for name in (".unfinished-old", ".removed-old", ".unfinished-new", ".kept"):
        (packs_folder / name).mkdir()
        (packs_folder / name / "happy.png").touch()
        if name != ".unfinished-new":
            os.utime(packs_folder / name, (long_ago, long_ago))
    add_pack(packs_folder, draft)
    assert sorted(path.name for path in packs_folder.glob(".*")) == [".kept", ".unfinished-new"]


def test_edit_pack_changes_only_texts(packs_folder: Path, draft: Draft) -> None:
    add_pack(packs_folder, draft)
    pack = edit_pack(packs_folder, "cats", " Kittens\0 ", "You", "MIT")
    assert (pack.id, pack.name, pack.author, pack.license) == ("cats", "Kittens", "You", "MIT")
    assert (pack.head, pack.manifest.avatar) == (Head(y=0.4), {"skin": 3, "hair": "bob"})
    assert list_packs(packs_folder).get("cats") == pack


def test_remove_pack_keeps_other_packs(packs_folder: Path, draft: Draft) -> None:
    before = folder_contents(packs_folder)
    add_pack(packs_folder, draft)
    remove_pack(packs_folder, "cats")
    assert folder_contents(packs_folder) == before


def test_remove_pack_deletes_broken_pack(packs_folder: Path) -> None:
    (packs_folder / "squares" / "pack.json").unlink()
    remove_pack(packs_folder, "squares")
    assert not (packs_folder / "squares").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: remove_pack(folder, "classic"), "comes with Emojify"),
        (lambda folder: edit_pack(folder, "classic", "Mine", "", ""), "comes with Emojify"),
        (lambda folder: edit_pack(folder, "squares", " ", "", ""), "needs a name"),
        (lambda folder: edit_pack(folder, "missing", "Mine", "", ""), "no pack 'missing'"),
        (lambda folder: replace_picture(folder, "classic", Emotion.SAD, CheckedPicture(HAPPY)), "comes with Emojify"),
        (lambda folder: change_avatar(folder, "squares", read_zip(pack_zip(), "a.zip")), "not made with the avatar"),
        (lambda folder: remove_pack(folder, "missing"), "no pack 'missing'"),
        (lambda folder: remove_pack(folder, "../emojis"), "no pack"),
        (lambda folder: remove_pack(folder, "."), "no pack"),
        (lambda folder: remove_pack(folder, ""), "no pack"),
        (lambda folder: remove_pack(folder, ".hidden"), "no pack"),
    ],
    ids=[
        "remove classic",
        "edit classic",
        "no name",
        "edit missing",
        "replace classic",
        "no avatar",
        "missing",
        "path",
        "dot",
        "empty",
        "hidden",
    ],
)
def test_refused_change_leaves_store_unchanged(
    change: Callable[[Path], object], reason: str, packs_folder: Path
) -> None:
    (packs_folder / ".hidden").mkdir()
    before = folder_contents(packs_folder)
    with pytest.raises(EmojifyError, match=reason):
        change(packs_folder)
    assert folder_contents(packs_folder) == before


def test_export_imports_again_identical(packs_folder: Path, draft: Draft) -> None:
    first = add_pack(packs_folder, draft)
    content = export_pack(first)
    second = add_pack(packs_folder, read_zip(content, "whatever.zip"))
    assert second.id == "cats-2"
    assert folder_contents(second.folder) == folder_contents(first.folder)
    assert export_pack(second) == content


def test_built_in_packs_survive_export_and_import(packs_folder: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    for pack_id in BUILT_IN_PACKS:
        first = EmojiPack.load(root / "emojis" / pack_id)
        draft = read_zip(export_pack(first), "x.zip")
        assert draft.notes == ()
        second = add_pack(packs_folder, draft)
        assert second.manifest == first.manifest
        for emotion in Emotion:
            assert np.array_equal(second.pictures[emotion], first.pictures[emotion])


def test_export_drops_unknown_keys(packs_folder: Path) -> None:
    path = packs_folder / "squares" / "pack.json"
    path.write_text(json.dumps({"secret": 1}), encoding="utf-8")
    manifest = read_zip(export_pack(list_packs(packs_folder).get("squares")), "x.zip").manifest
    assert manifest == PackManifest("squares")
