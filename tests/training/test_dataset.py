"""Reading data sets in all supported forms, and the messages for broken ones."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.training.dataset import Dataset, load, load_joined, load_unsplit
from emojify.training.labeled_faces import LabeledFace
from emojify.training.splits import SPLITS, split_faces
from emojify.vision.classifier import crop_face
from emojify.vision.detectors.haar import HaarDetector
from tests.helpers.drawn_faces import FOLDERS, draw_face, write_faces

# The class numbers of the original csv, which differ from ``Emotion``.
CSV_NUMBER = {"angry": 0, "disgust": 1, "fear": 2, "happy": 3, "sad": 4, "surprise": 5, "neutral": 6}
USAGES = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}
FERPLUS_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def zip_folder(folder: Path, target: Path, inside: str = "") -> Path:
    assert folder not in target.parents  # a zip that grows by zipping itself ends with the disk full
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, inside + file.relative_to(folder).as_posix())
    return target


def write_csv(data: Dataset, target: Path) -> Path:
    names = dict(zip(LABELS, FOLDERS, strict=True))
    rows = ["emotion,pixels,Usage"]
    for image, label, split in zip(data.images, data.labels, data.splits, strict=True):
        number = CSV_NUMBER[names[LABELS[label]]]
        rows.append(f"{number},{' '.join(map(str, image.ravel()))},{USAGES[split]}")
    target.write_text("\n".join(rows) + "\n")
    return target


def write_by_class(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(3)
    for emotion, label in enumerate(LABELS):
        (folder / label.upper()).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / label.upper() / f"{number}.jpg"), draw_face(emotion, rng))
    return folder


@pytest.fixture
def own(faces: Path, tmp_path: Path) -> Path:
    """Return a copy of the drawn data set that a test may change."""
    return shutil.copytree(faces, tmp_path / "own")


def assert_same(one: Dataset, other: Dataset) -> None:
    """Assert that both hold the same pictures with the same labels in the same splits, in any order."""

    def rows(data: Dataset) -> list[tuple[str, int, bytes]]:
        columns = zip(data.splits, data.labels, data.images, strict=True)
        return sorted((str(split), int(label), image.tobytes()) for split, label, image in columns)

    assert rows(one) == rows(other)


def test_load_uses_official_split_of_kaggle_folder(faces: Path) -> None:
    data = load(faces)
    assert {split: len(data.split(split)) for split in ("train", "public", "private")} == {
        "train": 140,
        "public": 42,
        "private": 42,
    }
    assert data.images.shape == (224, 48, 48)
    assert data.images.dtype == np.uint8
    assert np.bincount(data.split("train").labels).tolist() == [20] * 7
    assert data.name == faces.name  # far too few pictures for FER-2013
    assert not data.votes.any()


def test_load_reads_folder_zip_and_csv_alike(faces: Path, tmp_path: Path) -> None:
    data = load(faces)
    table = write_csv(data, tmp_path / "fer2013.csv")
    assert_same(load(zip_folder(faces, tmp_path / "plain.zip")), data)
    assert_same(load(zip_folder(faces, tmp_path / "nested.zip", inside="archive/fer2013/")), data)
    assert_same(load(table), data)
    (tmp_path / "folder").mkdir()
    shutil.copy(table, tmp_path / "folder" / "icml_face_data.csv")
    assert_same(load(tmp_path / "folder"), data)
    assert_same(load(zip_folder(tmp_path / "folder", tmp_path / "csv.zip")), data)


def test_load_splits_own_pictures_by_seed_and_class(tmp_path: Path) -> None:
    folder = write_by_class(tmp_path / "mine", 10)
    data = load(folder)
    for split, count in {"train": 8, "public": 1, "private": 1}.items():
        assert np.bincount(data.split(split).labels).tolist() == [count] * 7
    assert (load(folder).splits == data.splits).all()
    assert (load(folder, seed=7).splits != data.splits).any()
    assert data.name == "mine"


def test_load_halves_test_folder_without_fer_names(faces: Path, tmp_path: Path) -> None:
    for file in faces.rglob("*.png"):
        target = tmp_path / "plain" / file.relative_to(faces).parent / file.name.split("_")[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    data = load(tmp_path / "plain")
    assert [len(data.split(split)) for split in ("train", "public", "private")] == [140, 42, 42]


@pytest.mark.parametrize("spelling", ["Disgusted", "DISGUST", "disgust"])
def test_load_accepts_common_class_folder_names(spelling: str, own: Path) -> None:
    for parent in ("train", "test"):
        (own / parent / "disgust").rename(own / parent / spelling)
    assert (load(own).labels == Emotion.DISGUSTED).sum() == 32


def test_load_converts_color_and_names_the_file(own: Path) -> None:
    picture = own / "train" / "happy" / "Training_90000.png"
    cv2.imwrite(str(picture), np.full((48, 48, 3), (20, 90, 200), np.uint8))
    data = load(own)
    assert data.converted == ("train/happy/Training_90000.png",)
    assert data.images[data.files == data.converted[0]].shape == (1, 48, 48)


def test_load_crops_detected_face_of_large_picture(own: Path, astronaut: NDArray[np.uint8]) -> None:
    picture = own / "train" / "happy" / "Training_90000.png"
    cv2.imwrite(str(picture), astronaut)
    data = load(own)
    assert data.converted == ("train/happy/Training_90000.png",)
    gray = np.asarray(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), np.uint8)
    crop = data.images[data.files == data.converted[0]][0]
    live_crop = crop_face(gray, HaarDetector().detect(gray)[0])
    assert np.abs(crop.astype(int) - live_crop).max() <= 1  # OpenCV decodes PNG to gray with other rounding


def test_load_names_large_pictures_without_a_face(own: Path) -> None:
    cv2.imwrite(str(own / "train" / "happy" / "Training_90000.jpg"), np.full((200, 100, 3), (20, 90, 200), np.uint8))
    data = load(own)
    assert data.without_face == ("train/happy/Training_90000.jpg",)
    assert (len(data), data.converted) == (224, ())


def test_load_never_calls_other_pictures_fer2013(faces: Path, tmp_path: Path) -> None:
    assert load(shutil.copytree(faces, tmp_path / "FER-2013")).name == "a set called FER-2013"


def test_load_unsplit_reads_every_picture_by_class(faces: Path, tmp_path: Path) -> None:
    for emotion, name in (("happy", "happy"), ("sad", "sad"), ("sad", "contempt")):
        shutil.copytree(faces / "test" / emotion, tmp_path / "some" / name)
    data = load_unsplit(tmp_path / "some")
    assert np.bincount(data.labels, minlength=7).tolist() == [0, 0, 0, 12, 0, 12, 0]
    assert len(data.split("all")) == 24
    assert (data.name, len(data.other_class)) == ("some", 12)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "tiff", "JPEG"])
def test_load_unsplit_reads_common_picture_formats(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "set" / "Happiness" / "person 1").mkdir(parents=True)
    picture = tmp_path / "set" / "Happiness" / "person 1" / f"1.{suffix}"
    cv2.imwrite(str(picture), draw_face(Emotion.HAPPY, np.random.default_rng(0)))
    data = load_unsplit(tmp_path / "set")
    assert (data.labels.tolist(), data.unreadable) == ([Emotion.HAPPY], ())


def test_load_unsplit_explains_missing_faces(tmp_path: Path) -> None:
    (tmp_path / "set" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "happy" / "1.png"), np.full((200, 200), 90, np.uint8))
    with pytest.raises(EmojifyError, match=r"No face was found in any of the 1 pictures .* looks into the camera"):
        load_unsplit(tmp_path / "set")
    (tmp_path / "set" / "happy").rename(tmp_path / "set" / "cats")
    with pytest.raises(EmojifyError, match="no pictures in folders named after emotions"):
        load_unsplit(tmp_path / "set")


def test_load_joined_adds_second_set_split_by_split(faces: Path, tmp_path: Path) -> None:
    write_by_class(tmp_path / "mine", 10)
    shutil.rmtree(tmp_path / "mine" / "ANGRY")
    for extra in list((tmp_path / "mine" / "SAD").iterdir())[2:]:
        extra.unlink()
    first, joined = load(faces), load_joined(faces, tmp_path / "mine")
    added = joined.rows(np.arange(len(first), len(joined)))
    counts = {split: np.bincount(added.split(split).labels, minlength=7).tolist() for split in SPLITS}
    assert counts == {
        "train": [0, 8, 8, 8, 8, 2, 8],  # two sad pictures are too few to split
        "public": [0, 1, 1, 1, 1, 0, 1],
        "private": [0, 1, 1, 1, 1, 0, 1],
    }
    assert added.files[0].startswith("mine: ")
    assert joined.name == f"{faces.name} and mine"
    assert not added.votes.any()
    assert joined.added.sum() == len(added)
    assert added.added.all()
    assert not first.added.any()
    same_first = joined.rows(np.arange(len(first)))
    assert (same_first.images == first.images).all()
    assert (same_first.splits == first.splits).all()


def test_load_joined_without_second_set_is_load(faces: Path) -> None:
    assert_same(load_joined(faces, None), load(faces))


@pytest.mark.parametrize(("missing", "name"), [(0, "FER-2013"), (500, "FER-2013"), (1000, None)])
def test_split_faces_names_fer2013_by_its_counts(missing: int, name: str | None) -> None:
    usages = ["Training"] * (28709 - missing) + ["PublicTest"] * 3589 + ["PrivateTest"] * 3589
    pictures = [LabeledFace(np.zeros((48, 48), np.uint8), 0, "", usage, "", -1) for usage in usages]
    assert split_faces(pictures, np.zeros(len(pictures), np.int64), 0)[1] == name


def test_load_skips_few_unreadable_pictures(own: Path) -> None:
    (own / "train" / "happy" / "Training_90000.png").write_bytes(b"no picture")
    data = load(own)
    assert data.unreadable == ("train/happy/Training_90000.png",)
    assert len(data) == 224


def test_load_reads_votes_and_marks_of_labels_csv(own: Path) -> None:
    names = sorted(file.relative_to(own).as_posix() for file in own.rglob("*.png"))
    header = "file,ferplus_anger,ferplus_happiness,ferplus_nf,clean"
    (own / "labels.csv").write_text("\n".join([header, *(f"{name},1,7,2,{i % 2}" for i, name in enumerate(names))]))
    data = load(own)
    assert data.votes[0].tolist() == [1, 0, 0, 7, 0, 0, 0, 0, 0, 2]
    assert data.clean is not None
    assert data.clean.mean() == 0.5
    assert_same(load(own), data)


def test_load_finds_ferplus_votes_by_row(faces: Path, tmp_path: Path) -> None:
    data = load(faces)
    table = write_csv(data, tmp_path / "fer2013.csv")
    rows = [f"{USAGES[split]},fer{i:07d}.png,0,0,{i % 10},0,0,0,0,0,0,0" for i, split in enumerate(data.splits)]
    (tmp_path / "fer2013new.csv").write_text("\n".join([FERPLUS_HEADER, *rows]))
    assert load(table).votes[:, Emotion.SURPRISED].tolist() == [i % 10 for i in range(len(data))]


def test_load_ignores_votes_of_another_split(own: Path) -> None:
    rows = [f"PublicTest,fer{i:07d}.png,9,0,0,0,0,0,0,0,0,0" for i in range(224)]
    (own / "fer2013new.csv").write_text("\n".join([FERPLUS_HEADER, *rows]))
    data = load(own)
    assert data.split("public").votes[:, Emotion.NEUTRAL].tolist() == [9] * 42
    assert not data.split("train").votes.any()


def remove_class(folder: Path) -> Path:
    for parent in ("train", "test"):
        shutil.rmtree(folder / parent / "fear")
    return folder


def remove_class_from_train(folder: Path) -> Path:
    for file in (folder / "train" / "sad").iterdir():
        file.unlink()
    return folder


def break_pictures(folder: Path) -> Path:
    for number in range(5):
        (folder / "train" / "happy" / f"Training_9000{number}.png").write_bytes(b"no picture")
    return folder


def add_strange_class(folder: Path) -> Path:
    (folder / "train" / "bored").mkdir()
    shutil.copy(next(folder.rglob("*.png")), folder / "train" / "bored" / "Training_1.png")
    return folder


def truncate_zip(folder: Path) -> Path:
    whole = zip_folder(folder, folder.with_suffix(".zip"))
    whole.write_bytes(whole.read_bytes()[:50_000])
    return whole


def damage_zip(folder: Path) -> Path:
    content = bytearray(zip_folder(folder, folder.with_suffix(".zip")).read_bytes())
    content[2000:2100] = bytes(100)
    folder.with_suffix(".zip").write_bytes(content)
    return folder.with_suffix(".zip")


def no_pictures(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def half_labels(folder: Path) -> Path:
    (folder / "labels.csv").write_text("file,ferplus_anger\ntrain/happy/Training_00000.png,many\n")
    return folder


def too_few(folder: Path) -> Path:
    return write_by_class(folder / "few", 2)


def bad_row(row: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        table = write_csv(load(folder), folder / "fer2013.csv")
        lines = table.read_text().splitlines()
        lines[5] = row.replace("PIXELS", " ".join(["7"] * 2304))
        table.write_text("\n".join(lines))
        return table

    return write


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (lambda folder: folder / "nowhere", "There is no .*nowhere"),
        (no_pictures, "no pictures in folders named after emotions"),
        (remove_class, "has no pictures of: fearful"),
        (remove_class_from_train, "The train split of .* has no pictures of: sad"),
        (break_pictures, "5 of 229 pictures .* do not open .*Training_90000.png"),
        (add_strange_class, "bored/Training_1.png .* one of the seven"),
        (truncate_zip, "no whole zip.*get it again"),
        (damage_zip, "the zip is damaged"),
        (half_labels, "labels.csv, line 2: votes must be whole numbers"),
        (too_few, "There are 2 pictures of angry to split into 3"),
        (bad_row("9,PIXELS,Training"), "fer2013.csv, line 6: the emotion is '9'"),
        (bad_row("3,PIXELS,Holiday"), "line 6: the usage is 'Holiday'"),
        (bad_row("3,1 2 3,Training"), "line 6: there are 3 pixels; a picture has 2304"),
        (bad_row("3,PIXELS 256,Training"), "line 6: the pixels must be whole numbers from 0 to 255"),
        (bad_row("3,PIXELS"), "line 6: the usage is ''"),
    ],
)
def test_load_explains_bad_data_in_one_sentence(broken: Callable[[Path], Path], sentence: str, own: Path) -> None:
    source = broken(own)
    before = sorted(own.rglob("*"))
    with pytest.raises(EmojifyError, match=sentence):
        load(source)
    assert sorted(own.rglob("*")) == before  # no half-written cache


def test_load_does_not_decode_huge_pictures(own: Path) -> None:
    huge = np.zeros((9000, 9000), np.uint8)
    cv2.imwrite(str(own / "train" / "happy" / "Training_90000.png"), huge)
    assert load(own).unreadable == ("train/happy/Training_90000.png",)


def test_load_ignores_macos_files_in_zips(own: Path, tmp_path: Path) -> None:
    (own / "__MACOSX" / "train" / "happy").mkdir(parents=True)
    (own / "__MACOSX" / "train" / "happy" / "._Training_1.png").write_bytes(b"resource fork")
    assert load(zip_folder(own, tmp_path / "mac.zip")).unreadable == ()


def test_drawn_faces_are_reproducible(tmp_path: Path, faces: Path) -> None:
    assert_same(load(write_faces(tmp_path / "again")), load(faces))


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
