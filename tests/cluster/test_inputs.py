"""What travels to a cluster: which files, as which archive."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from emojify.cluster import inputs
from emojify.cluster.inputs import config_inputs, packed, with_paths
from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig


def names(path: Path) -> list[str]:
    with packed(config_inputs(FitConfig(str(path)))[str(path)]) as (_, archive), tarfile.open(fileobj=archive) as tar:
        return tar.getnames()


def digest(path: Path) -> str:
    with packed(config_inputs(FitConfig(str(path)))[str(path)]) as (digest, _):
        return digest


def write(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_csv_travels_with_the_votes_beside_it(tmp_path: Path) -> None:
    for name in ("fer2013.csv", "fer2013new.csv", "other.csv"):
        write(tmp_path / name)
    assert names(tmp_path / "fer2013.csv") == ["fer2013.csv", "fer2013new.csv"]


def test_zip_travels_alone_and_folder_whole(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train" / "happy" / "1.png")
    write(tmp_path / "data" / "labels.csv")
    write(tmp_path / "labels.csv")
    assert names(write(tmp_path / "faces.zip")) == ["faces.zip"]
    assert names(tmp_path / "data") == ["data/labels.csv", "data/train/happy/1.png"]


def test_linked_folders_travel_once(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train" / "1.png")
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    assert names(tmp_path / "data") == ["data/train/1.png"]


def test_equal_files_are_one_archive(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a" / "faces.zip"), write(tmp_path / "b" / "faces.zip")
    second.touch()
    assert digest(first) == digest(second)
    write(second, "y")
    assert digest(first) != digest(second)


def test_teachers_travel_with_what_find_trained_reads(tmp_path: Path) -> None:
    data, run, model = write(tmp_path / "faces.zip"), tmp_path / "run", tmp_path / "model"
    for path in ("run/config.json", "run/best.weights.h5", "run/checkpoint-001.weights.h5"):
        write(tmp_path / path)
    for path in ("model/card.json", "model/weights.npz", "model/model.tflite"):
        write(tmp_path / path)
    config = FitConfig(str(data), teachers=(str(run), str(model)), teacher_weight=0.5)
    items = config_inputs(config)
    assert sorted(items[str(run)].files) == ["run/best.weights.h5", "run/config.json"]
    assert sorted(items[str(model)].files) == ["model/card.json", "model/weights.npz"]
    there = with_paths(config, {path: f"/there/{item.name}" for path, item in items.items()})
    assert (there.data, there.teachers) == ("/there/faces.zip", ("/there/run", "/there/model"))
    assert there.added_data == there.begin_with == ""


def test_missing_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="There is no "):
        config_inputs(FitConfig(str(tmp_path / "gone.zip")))


def test_data_too_large_to_ship_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_INPUT_BYTES", 10)
    with pytest.raises(EmojifyError, match=r"faces\.zip has .* are sent to a cluster"):
        digest(write(tmp_path / "faces.zip", "x" * 11))
