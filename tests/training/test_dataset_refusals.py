"""Data sets that are refused with one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.training.dataset import load
from tests.helpers.dataset_files import write_by_class, write_csv, zip_folder


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
