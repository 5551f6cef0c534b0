"""Data in: every form that people have, and every way in which it can be broken."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.training.dataset import Dataset, load
from tests.helpers.drawn_faces import FOLDERS, draw_face, write_faces

# The original csv's class numbers, not ours.
CSV_NUMBER = {"angry": 0, "disgust": 1, "fear": 2, "happy": 3, "sad": 4, "surprise": 5, "neutral": 6}
USAGES = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}
FERPLUS_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def zipped(folder: Path, target: Path, inside: str = "") -> Path:
    assert folder not in target.parents  # a zip that grows by zipping itself ends with the disk full
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, inside + file.relative_to(folder).as_posix())
    return target


def as_csv(data: Dataset, target: Path) -> Path:
    names = dict(zip(LABELS, FOLDERS, strict=True))
    rows = ["emotion,pixels,Usage"]
    for image, label, split in zip(data.images, data.labels, data.splits, strict=True):
        number = CSV_NUMBER[names[LABELS[label]]]
        rows.append(f"{number},{' '.join(map(str, image.ravel()))},{USAGES[split]}")
    target.write_text("\n".join(rows) + "\n")
    return target


def by_class(folder: Path, count: int) -> Path:
    random = np.random.default_rng(3)
    for emotion, label in enumerate(LABELS):
        (folder / label.upper()).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / label.upper() / f"{number}.jpg"), draw_face(emotion, random))
    return folder


@pytest.fixture
def own(faces: Path, tmp_path: Path) -> Path:
    """A copy of the drawn set that a test may break."""
    return shutil.copytree(faces, tmp_path / "own")


def same(one: Dataset, other: Dataset) -> None:
    """The same pictures with the same labels in the same splits, in any order."""

    def rows(data: Dataset) -> list[tuple[str, int, bytes]]:
        columns = zip(data.splits, data.labels, data.images, strict=True)
        return sorted((str(split), int(label), image.tobytes()) for split, label, image in columns)

    assert rows(one) == rows(other)


def test_kaggles_folder_gives_the_official_split(faces: Path) -> None:
    data = load(faces)
    assert {split: len(data.split(split)) for split in ("train", "public", "private")} == {
        "train": 140,
        "public": 42,
        "private": 42,
    }
    assert data.images.shape == (224, 48, 48)
    assert data.images.dtype == np.uint8
    assert np.bincount(data.split("train").labels).tolist() == [20] * 7
    assert data.name == "FER-2013"
    assert not data.votes.any()


def test_every_form_gives_the_same_data(faces: Path, tmp_path: Path) -> None:
    data = load(faces)
    table = as_csv(data, tmp_path / "fer2013.csv")
    same(load(zipped(faces, tmp_path / "plain.zip")), data)
    same(load(zipped(faces, tmp_path / "nested.zip", inside="archive/fer2013/")), data)
    same(load(table), data)
    (tmp_path / "folder").mkdir()
    shutil.copy(table, tmp_path / "folder" / "icml_face_data.csv")
    same(load(tmp_path / "folder"), data)
    same(load(zipped(tmp_path / "folder", tmp_path / "csv.zip")), data)


def test_ones_own_pictures_are_split_by_the_seed_each_class_alike(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "mine", 10)
    data = load(folder)
    for split, count in {"train": 8, "public": 1, "private": 1}.items():
        assert np.bincount(data.split(split).labels).tolist() == [count] * 7
    assert (load(folder).splits == data.splits).all()
    assert (load(folder, seed=7).splits != data.splits).any()
    assert data.name == "mine"


def test_a_test_folder_without_fer_names_is_halved(faces: Path, tmp_path: Path) -> None:
    for file in faces.rglob("*.png"):
        target = tmp_path / "plain" / file.relative_to(faces).parent / file.name.split("_")[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    data = load(tmp_path / "plain")
    assert [len(data.split(split)) for split in ("train", "public", "private")] == [140, 42, 42]


@pytest.mark.parametrize("spelling", ["Disgusted", "DISGUST", "disgust"])
def test_class_folders_go_by_any_usual_name(spelling: str, own: Path) -> None:
    for parent in ("train", "test"):
        (own / parent / "disgust").rename(own / parent / spelling)
    assert (load(own).labels == Emotion.DISGUSTED).sum() == 32


def test_color_and_large_pictures_are_converted_and_named(own: Path) -> None:
    picture = own / "train" / "happy" / "Training_90000.jpg"
    cv2.imwrite(str(picture), np.full((200, 100, 3), (20, 90, 200), np.uint8))
    data = load(own)
    assert data.converted == ("train/happy/Training_90000.jpg",)
    assert data.images[data.files == data.converted[0]].shape == (1, 48, 48)


def test_a_few_pictures_that_do_not_open_are_left_out_and_named(own: Path) -> None:
    (own / "train" / "happy" / "Training_90000.png").write_bytes(b"no picture")
    data = load(own)
    assert data.unreadable == ("train/happy/Training_90000.png",)
    assert len(data) == 224


def test_votes_and_marks_of_a_labels_csv(own: Path) -> None:
    names = sorted(file.relative_to(own).as_posix() for file in own.rglob("*.png"))
    header = "file,ferplus_anger,ferplus_happiness,ferplus_nf,clean"
    (own / "labels.csv").write_text("\n".join([header, *(f"{name},1,7,2,{i % 2}" for i, name in enumerate(names))]))
    data = load(own)
    assert data.votes[0].tolist() == [1, 0, 0, 7, 0, 0, 0, 0, 0, 2]
    assert data.clean is not None
    assert data.clean.mean() == 0.5
    same(load(own), data)


def test_ferplus_votes_are_found_by_row(faces: Path, tmp_path: Path) -> None:
    data = load(faces)
    table = as_csv(data, tmp_path / "fer2013.csv")
    rows = [f"{USAGES[split]},fer{i:07d}.png,0,0,{i % 10},0,0,0,0,0,0,0" for i, split in enumerate(data.splits)]
    (tmp_path / "fer2013new.csv").write_text("\n".join([FERPLUS_HEADER, *rows]))
    assert load(table).votes[:, Emotion.SURPRISED].tolist() == [i % 10 for i in range(len(data))]


def test_votes_are_not_given_to_pictures_of_another_split(own: Path) -> None:
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
    (folder / "train" / "contempt").mkdir()
    shutil.copy(next(folder.rglob("*.png")), folder / "train" / "contempt" / "Training_1.png")
    return folder


def truncate_zip(folder: Path) -> Path:
    whole = zipped(folder, folder.with_suffix(".zip"))
    whole.write_bytes(whole.read_bytes()[:50_000])
    return whole


def damage_zip(folder: Path) -> Path:
    content = bytearray(zipped(folder, folder.with_suffix(".zip")).read_bytes())
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
    return by_class(folder / "few", 2)


def bad_row(row: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        table = as_csv(load(folder), folder / "fer2013.csv")
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
        (add_strange_class, "contempt/Training_1.png .* one of the seven"),
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
def test_bad_data_is_named_in_one_sentence(broken: Callable[[Path], Path], sentence: str, own: Path) -> None:
    source = broken(own)
    before = sorted(own.rglob("*"))
    with pytest.raises(EmojifyError, match=sentence):
        load(source)
    assert sorted(own.rglob("*")) == before  # no half-written cache


def test_a_bomb_is_not_opened(own: Path) -> None:
    huge = np.zeros((9000, 9000), np.uint8)
    cv2.imwrite(str(own / "train" / "happy" / "Training_90000.png"), huge)
    assert load(own).unreadable == ("train/happy/Training_90000.png",)


def test_what_a_mac_leaves_in_zips_is_no_picture(own: Path, tmp_path: Path) -> None:
    (own / "__MACOSX" / "train" / "happy").mkdir(parents=True)
    (own / "__MACOSX" / "train" / "happy" / "._Training_1.png").write_bytes(b"resource fork")
    assert load(zipped(own, tmp_path / "mac.zip")).unreadable == ()


def test_drawn_faces_are_the_same_every_time(tmp_path: Path, faces: Path) -> None:
    same(load(write_faces(tmp_path / "again")), load(faces))
