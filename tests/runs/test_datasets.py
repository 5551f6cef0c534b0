"""Data sets in a folder, checked by real processes. Test files give each emotion a few pictures of noise."""

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
from tests.helpers.fake_training import kill_all
from tests.helpers.programs import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatasetStore]:
    yield DatasetStore(tmp_path / "data")
    kill_all(tmp_path / "data")


def pictures(each: int = 4) -> dict[str, bytes]:
    """Return PNG files of noise by path, ``each`` of them in a folder for each emotion."""
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


def upload(store: DatasetStore, name: str, content: bytes) -> Path:
    return store.upload(name, io.BytesIO(content), len(content), lambda share: None)


def wait_for_check(store: DatasetStore, path: Path) -> DatasetCheck:
    wait_until(lambda: store.check(path).done)
    return store.check(path)


def test_datasets_lists_folders_zips_and_csvs(store: DatasetStore) -> None:
    assert store.datasets() == []
    for name in ("b.zip", "a.csv", "notes.txt", "fer2013new.csv", ".hidden.zip"):
        store.folder.mkdir(exist_ok=True)
        (store.folder / name).touch()
    (store.folder / "own").mkdir()
    assert [path.name for path in store.datasets()] == ["a.csv", "b.zip", "own"]


def test_accept_moves_upload_with_its_report(store: DatasetStore) -> None:
    path = upload(store, "My faces!.zip", zipped(pictures()))
    assert store.datasets() == []
    assert store.incoming() == [path]
    assert not store.check(path).done
    check = wait_for_check(store, path)
    assert check.error == ""
    assert sum(check.pictures.values()) == 28
    strip = cv2.imdecode(
        np.frombuffer(base64.b64decode(check.report["faces"]["happy"]), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert strip is not None
    assert strip.shape == (48, 2 * 48)  # train has two of the four pictures
    target = store.accept(path)
    assert store.datasets() == [target]
    assert store.incoming() == []
    assert target.name == "My-faces.zip"
    assert store.check(target).done  # the check is not repeated


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "no whole zip"),
        (zipped(pictures())[:-200], "no whole zip"),
        (zipped({"readme.txt": b"hello"}), "no pictures in folders named after emotions"),
        (zipped({**pictures(), "bored/1.png": b""}), "is not in a folder named after one of the seven"),
        (zipped(dict.fromkeys(pictures(), b"no picture")), "do not open as pictures"),
    ],
    ids=["not a zip", "cut off", "no pictures", "eighth emotion", "not images"],
)
def test_check_refuses_bad_zip(store: DatasetStore, content: bytes, sentence: str) -> None:
    path = upload(store, "faces.zip", content)
    assert sentence in wait_for_check(store, path).error
    assert store.datasets() == []
    store.discard(path)
    assert store.incoming() == []
    assert list((store.folder / ".checks").iterdir()) == []


def test_check_marks_zip_without_an_emotion_as_addition(store: DatasetStore) -> None:
    without_sad = {name: content for name, content in pictures().items() if "sad" not in name}
    check = wait_for_check(store, upload(store, "faces.zip", zipped(without_sad)))
    assert check.error == ""
    assert check.report["only_to_add"] == "faces.zip has no pictures of: sad. Each of the seven needs some."


def test_recheck_repeats_killed_check(store: DatasetStore) -> None:
    path = upload(store, "faces.zip", zipped(pictures()))
    store.check(path)
    processes.kill(store.folder / ".checks" / "faces.zip-brought")
    assert "stopped unexpectedly" in store.check(path).error
    store.recheck(path)
    assert wait_for_check(store, path).error == ""


def test_check_repeats_after_change(store: DatasetStore) -> None:
    own = store.folder / "own"
    for name, content in pictures().items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes(content)
    assert sum(wait_for_check(store, own).pictures.values()) == 28
    (own / "happy" / "another.png").write_bytes(pictures()["happy/0.png"])
    assert not store.check(own).done
    check = wait_for_check(store, own)
    assert sum(check.pictures.values()) == 29
    assert check.report["duplicates"]["n"] == 1


@pytest.mark.parametrize("name", ["faces.tar", "faces", "faces.exe"])
def test_upload_refuses_other_endings(store: DatasetStore, name: str) -> None:
    with pytest.raises(EmojifyError, match="neither a zip nor a csv"):
        upload(store, name, b"x")
    assert store.incoming() == []


@pytest.mark.parametrize("name", ["../../evil.zip", "/etc/evil.zip", "..\\evil.zip"])
def test_upload_sanitizes_hostile_names(store: DatasetStore, name: str) -> None:
    assert upload(store, name, b"x").parent == store.folder / ".incoming"


def test_upload_and_accept_refuse_taken_name(store: DatasetStore) -> None:
    path = upload(store, "faces.zip", zipped(pictures()))
    wait_for_check(store, path)
    (store.folder / "faces.zip").write_bytes(b"mine")
    with pytest.raises(EmojifyError, match="already"):
        store.accept(path)
    with pytest.raises(EmojifyError, match="already"):
        upload(store, "faces.zip", b"x")
    assert (store.folder / "faces.zip").read_bytes() == b"mine"


def test_upload_refuses_full_disk(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(EmojifyError, match="1 MB left"):
        store.upload("faces.zip", io.BytesIO(b"x"), 10**6, lambda share: None)
    assert store.incoming() == []


def test_discard_refuses_data_sets(store: DatasetStore) -> None:
    store.folder.mkdir()
    (store.folder / "mine.zip").touch()
    with pytest.raises(ValueError, match="was not uploaded"):
        store.discard(store.folder / "mine.zip")
    assert store.datasets()


def test_check_ignores_edited_report(store: DatasetStore) -> None:
    path = upload(store, "faces.zip", zipped(pictures()))
    wait_for_check(store, path)
    check_folder = store.folder / ".checks" / "faces.zip-brought"
    wait_until(lambda: not processes.is_running(check_folder))
    for report in ("", "{", "[]", '{"counts": 1}', '{"error": ""}'):
        (check_folder / "report.json").write_text(report)
        assert "stopped unexpectedly" in store.check(path).error


def test_report_names_some_of_many_duplicates(store: DatasetStore) -> None:
    path = upload(store, "faces.zip", zipped(dict.fromkeys(pictures(10), pictures()["happy/0.png"])))
    report = wait_for_check(store, path).report
    assert report["duplicates"]["n"] == 1
    assert len(report["duplicates"]["files"][0]) == 20  # the rest is only counted


@pytest.mark.parametrize("name", ["samples", "teachings", "videos"])
def test_datasets_leave_out_personal_folders(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "faces").mkdir()
    assert [path.name for path in DatasetStore(tmp_path).datasets()] == ["faces"]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_delete_removes_only_the_data_set(store: DatasetStore, tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.png").touch()
    store.folder.mkdir()
    (store.folder / "other.zip").touch()
    path = store.folder / ("mine.zip" if kind == "file" else "mine")
    if kind == "link":
        path.symlink_to(outside, target_is_directory=True)
    elif kind == "folder":
        (path / "happy").mkdir(parents=True)
    else:
        path.touch()
    store.delete(path)
    assert [left.name for left in store.folder.iterdir() if not left.name.startswith(".checks")] == ["other.zip"]
    assert (outside / "kept.png").exists()


@pytest.mark.parametrize("name", ["samples", "../outside", ".checks", "gone.zip"])
def test_delete_refuses_what_is_no_data_set(store: DatasetStore, tmp_path: Path, name: str) -> None:
    (store.folder / "samples").mkdir(parents=True)
    (store.folder / ".checks").mkdir()
    (tmp_path / "outside").mkdir()
    with pytest.raises(ValueError, match="is no data set"):
        store.delete(store.folder / name)
    assert (store.folder / "samples").exists()
    assert (tmp_path / "outside").exists()
