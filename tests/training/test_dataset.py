"""Loading data sets: splits, formats and votes."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.training.dataset import load, load_joined, load_unsplit
from emojify.training.labeled_faces import LabeledFace
from emojify.training.splits import SPLITS, split_faces
from emojify.vision.classifier import crop_face
from emojify.vision.detectors.haar import HaarDetector
from tests.helpers.dataset_files import FERPLUS_HEADER, USAGES, assert_same, write_by_class, write_csv, zip_folder
from tests.helpers.drawn_faces import draw_face, write_faces


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


def test_load_ignores_macos_files_in_zips(own: Path, tmp_path: Path) -> None:
    (own / "__MACOSX" / "train" / "happy").mkdir(parents=True)
    (own / "__MACOSX" / "train" / "happy" / "._Training_1.png").write_bytes(b"resource fork")
    assert load(zip_folder(own, tmp_path / "mac.zip")).unreadable == ()


def test_drawn_faces_are_reproducible(tmp_path: Path, faces: Path) -> None:
    assert_same(load(write_faces(tmp_path / "again")), load(faces))
