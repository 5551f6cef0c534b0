"""Layouts and names of other data sets."""

import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from emojify.errors import EmojifyError
from emojify.training.dataset import load
from emojify.training.splits import SPLITS
from tests.helpers.dataset_files import assert_same, write_by_class, write_csv, zip_folder


@pytest.mark.parametrize(
    "names",
    [
        ("Training", "PublicTest", "PrivateTest"),
        ("FER2013Train", "FER2013Valid", "FER2013Test"),
        ("train", "dev", "eval"),
        ("Train Set", "validation", "Test_Set"),
    ],
)
def test_load_knows_names_of_splits(names: tuple[str, str, str], tmp_path: Path) -> None:
    for name, count in zip(names, (4, 3, 2), strict=True):
        write_by_class(tmp_path / "set" / name, count)
    data = load(tmp_path / "set")
    assert [len(data.split(split)) for split in ("train", "public", "private")] == [28, 21, 14]


def test_load_halves_folder_testing(tmp_path: Path) -> None:
    write_by_class(tmp_path / "set" / "train", 4)
    write_by_class(tmp_path / "set" / "testing", 4)
    data = load(tmp_path / "set")
    assert [len(data.split(split)) for split in ("train", "public", "private")] == [28, 14, 14]


@pytest.mark.parametrize("names", [("learn", "test"), ("train_a", "holdout"), ("fold1", "fold2"), ("train", "exam")])
def test_load_refuses_unknown_splits(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        write_by_class(tmp_path / "set" / name, 3)
    with pytest.raises(EmojifyError, match=r"Rename the folders\. Known names are train"):
        load(tmp_path / "set")


def test_load_mixes_folders_of_several_people(tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        write_by_class(tmp_path / "set" / name, 5)
    assert len(load(tmp_path / "set")) == 70


def test_load_reads_kaggle_csv_with_spaces(faces: Path, tmp_path: Path) -> None:
    data = load(faces)
    path = write_csv(data, tmp_path / "icml_face_data.csv")
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(f"{emotion}, {usage}, {pixels}" for emotion, pixels, usage in rows))
    assert_same(load(path), data)


def test_load_splits_csv_without_usage(faces: Path, tmp_path: Path) -> None:
    path = write_csv(load(faces), tmp_path / "train.csv")
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()))
    data = load(path)
    assert len(data) == 224
    assert {str(split) for split in data.splits} == set(SPLITS)


def test_load_names_missing_column_of_csv(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("pixels\n0 0 0\n")
    with pytest.raises(EmojifyError, match=r"test.csv has the columns pixels: without the column emotion"):
        load(tmp_path / "test.csv")


@pytest.mark.parametrize(
    "content", [b"", b"emotion;pixels;Usage\r\n3;0 0 0;Training\r\n", "emotion,pixels".encode("utf-16")]
)
def test_load_says_how_a_csv_must_begin(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(EmojifyError, match=r"The first line of mine.csv must name the columns emotion and pixels"):
        load(tmp_path / "mine.csv")


@pytest.mark.parametrize("name", ["fer2013.tar.gz", "fer2013.tar"])
def test_load_asks_to_unpack_archive(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"archive")
    with pytest.raises(EmojifyError, match=r"is a tar archive\. Unpack it"):
        load(tmp_path / "in" / name)
    with pytest.raises(EmojifyError, match=f"It has {name}, an archive: unpack it"):
        load(zip_folder(tmp_path / "in", tmp_path / "challenge.zip"))


@pytest.mark.parametrize("suffix", [".jfif", ".gif", ".avif", ".webp", ".bmp", ".tif"])
def test_load_reads_every_picture_format(suffix: str, own: Path) -> None:
    kinds = {".jfif": "JPEG", ".gif": "GIF", ".avif": "AVIF", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}
    before = load(own)
    file = next((own / "train" / "happy").iterdir())
    Image.open(file).save(file.with_suffix(suffix), kinds[suffix])
    file.unlink()
    after = load(own)
    assert (len(after), after.unreadable) == (len(before), ())


def test_load_ignores_labels_csv_of_other_data_sets(own: Path) -> None:
    (own / "labels.csv").write_text("pth,label,relFCs\nanger/1.jpg,anger,0.8\n")
    assert not load(own).votes.any()


def numbered(folder: Path, names: dict[str, str], count: int = 10) -> Path:
    """Write a data set whose class folders have other names, by label."""
    write_by_class(folder, count)
    for label, name in names.items():
        (folder / label.upper()).rename(folder / name)
    return folder


RAF_DB = dict(zip(("surprised", "fearful", "disgusted", "happy", "sad", "angry", "neutral"), "1234567", strict=True))
FER = dict(zip(("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral"), "0123456", strict=True))


@pytest.mark.parametrize("names", [RAF_DB, FER], ids=["RAF-DB", "FER-2013"])
def test_load_understands_numbered_classes(names: dict[str, str], tmp_path: Path) -> None:
    assert_same(load(numbered(tmp_path / "numbers", names)), load(write_by_class(tmp_path / "words", 10)))
    assert f"{names['happy']} happy" in load(tmp_path / "numbers").notes[0]


def test_load_refuses_unknown_numbers(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=r"are the numbers 0, 1, 2, 3, 4, 5, 9\. Only FER-2013's"):
        load(numbered(tmp_path / "set", FER | {"neutral": "9"}))


def test_load_leaves_out_contempt_with_note(tmp_path: Path) -> None:
    folder = write_by_class(tmp_path / "set", 10)
    shutil.copytree(folder / "ANGRY", folder / "contempt")
    data = load(folder)
    assert len(data) == 70
    assert data.notes == ("10 pictures of contempt are left out: it is none of the seven emotions.",)


def test_load_follows_linked_class_folders_once(faces: Path, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    (folder / "train").mkdir(parents=True)
    for source in (faces / "train").iterdir():
        (folder / "train" / source.name).symlink_to(source)
    (folder / "test").symlink_to(faces / "test")
    (folder / "again").symlink_to(folder)
    assert_same(load(folder), load(faces))


def test_load_reads_zip_with_backslashes(faces: Path, tmp_path: Path) -> None:
    path = tmp_path / "windows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(faces.rglob("*.*")):
            if file.is_file():
                info = zipfile.ZipInfo("placeholder")
                info.filename = file.relative_to(faces).as_posix().replace("/", "\\")
                archive.writestr(info, file.read_bytes())
    assert_same(load(path), load(faces))
