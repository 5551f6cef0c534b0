"""Data sets in a folder, checked by real processes."""

import base64
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from emojify import processes
from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.runs.datasets import DatasetCheck, DatasetStore
from tests.helpers.fake_training import kill_all, wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatasetStore]:
    yield DatasetStore(tmp_path / "data")
    kill_all(tmp_path / "data")


def pictures(each: int = 4) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        f"{label}/{number}.png": cv2.imencode(".png", rng.integers(0, 255, (48, 48), np.uint8))[1].tobytes()
        for label in LABELS
        for number in range(each)
    }


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def bring(store: DatasetStore, name: str, content: bytes) -> Path:
    return store.upload(name, io.BytesIO(content), len(content), lambda share: None)


def checked(store: DatasetStore, path: Path) -> DatasetCheck:
    wait_until(lambda: store.check(path).done)
    return store.check(path)


def test_only_what_can_be_a_data_set_is_listed(store: DatasetStore) -> None:
    assert store.datasets() == []
    for name in ("b.zip", "a.csv", "notes.txt", "fer2013new.csv", ".hidden.zip"):
        store.folder.mkdir(exist_ok=True)
        (store.folder / name).touch()
    (store.folder / "own").mkdir()
    assert [path.name for path in store.datasets()] == ["a.csv", "b.zip", "own"]


def test_a_good_zip_gets_its_place_with_what_was_found_in_it(store: DatasetStore) -> None:
    path = bring(store, "My faces!.zip", zipped(pictures()))
    assert store.datasets() == []
    assert store.incoming() == [path]
    assert not store.check(path).done
    check = checked(store, path)
    assert check.error == ""
    assert sum(check.pictures.values()) == 28
    strip = cv2.imdecode(
        np.frombuffer(base64.b64decode(check.report["faces"]["happy"]), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert strip is not None
    assert strip.shape == (48, 2 * 48)  # the two that are in train
    target = store.accept(path)
    assert store.datasets() == [target]
    assert store.incoming() == []
    assert target.name == "My-faces.zip"
    assert store.check(target).done  # it is not looked through a second time


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "no whole zip"),
        (zipped(pictures())[:-200], "no whole zip"),
        (zipped({"readme.txt": b"hello"}), "no pictures in folders named after emotions"),
        (zipped({name: content for name, content in pictures().items() if "sad" not in name}), "no pictures of: sad"),
        (zipped({**pictures(), "bored/1.png": b""}), "does not lie in a folder named after one of the seven"),
        (zipped(dict.fromkeys(pictures(), b"no picture")), "do not open as PNG or JPEG"),
    ],
    ids=["no zip", "cut off", "no pictures", "no sad ones", "an eighth emotion", "no pictures inside"],
)
def test_a_bad_zip_is_refused_in_a_sentence_and_changes_nothing(
    store: DatasetStore, content: bytes, sentence: str
) -> None:
    path = bring(store, "faces.zip", content)
    assert sentence in checked(store, path).error
    assert store.datasets() == []
    store.discard(path)
    assert store.incoming() == []
    assert list((store.folder / ".checks").iterdir()) == []


def test_a_check_that_was_killed_says_so_and_can_be_had_again(store: DatasetStore) -> None:
    path = bring(store, "faces.zip", zipped(pictures()))
    store.check(path)
    processes.kill(store.folder / ".checks" / "faces.zip-brought")
    assert "stopped unexpectedly" in store.check(path).error
    store.recheck(path)
    assert checked(store, path).error == ""


def test_a_data_set_that_changed_is_looked_through_again(store: DatasetStore) -> None:
    own = store.folder / "own"
    for name, content in pictures().items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes(content)
    assert sum(checked(store, own).pictures.values()) == 28
    (own / "happy" / "another.png").write_bytes(pictures()["happy/0.png"])
    assert not store.check(own).done
    check = checked(store, own)
    assert sum(check.pictures.values()) == 29
    assert check.report["duplicates"]["n"] == 1


@pytest.mark.parametrize("name", ["faces.tar", "faces", "faces.exe"])
def test_other_files_are_refused(store: DatasetStore, name: str) -> None:
    with pytest.raises(EmojifyError, match="neither a zip nor a csv"):
        bring(store, name, b"x")
    assert store.incoming() == []


@pytest.mark.parametrize("name", ["../../evil.zip", "/etc/evil.zip", "..\\evil.zip"])
def test_a_hostile_name_stays_where_it_belongs(store: DatasetStore, name: str) -> None:
    assert bring(store, name, b"x").parent == store.folder / ".incoming"


def test_a_name_that_is_taken_is_refused_before_and_after_the_check(store: DatasetStore) -> None:
    path = bring(store, "faces.zip", zipped(pictures()))
    checked(store, path)
    (store.folder / "faces.zip").write_bytes(b"mine")
    with pytest.raises(EmojifyError, match="already"):
        store.accept(path)
    with pytest.raises(EmojifyError, match="already"):
        bring(store, "faces.zip", b"x")
    assert (store.folder / "faces.zip").read_bytes() == b"mine"


def test_no_room_is_said_before_anything_is_written(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(EmojifyError, match="1 MB left"):
        store.upload("faces.zip", io.BytesIO(b"x"), 10**6, lambda share: None)
    assert store.incoming() == []


def test_only_what_was_brought_can_be_discarded(store: DatasetStore) -> None:
    store.folder.mkdir()
    (store.folder / "mine.zip").touch()
    with pytest.raises(ValueError, match="was not brought"):
        store.discard(store.folder / "mine.zip")
    assert store.datasets()


def test_a_report_that_was_edited_is_no_report(store: DatasetStore) -> None:
    path = bring(store, "faces.zip", zipped(pictures()))
    checked(store, path)
    place = store.folder / ".checks" / "faces.zip-brought"
    wait_until(lambda: not processes.is_running(place))
    for report in ("", "{", "[]", '{"counts": 1}', '{"error": ""}'):
        (place / "report.json").write_text(report)
        assert "stopped unexpectedly" in store.check(path).error


def test_of_many_copies_some_are_named(store: DatasetStore) -> None:
    path = bring(store, "faces.zip", zipped(dict.fromkeys(pictures(10), pictures()["happy/0.png"])))
    report = checked(store, path).report
    assert report["duplicates"]["n"] == 1
    assert len(report["duplicates"]["files"][0]) == 20  # the others are counted
