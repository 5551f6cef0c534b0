from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from emojify.__main__ import main
from emojify.emotions import LABELS
from emojify.settings import ROOT
from emojify.tables import print_table
from emojify.vision.quiet import without_start_up_lines
from emojify.vision.readings import Image
from tests.helpers.pack_files import pack_zip

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _small_workspace(models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))


@pytest.fixture
def photo(tmp_path: Path, astronaut: Image) -> Path:
    path = tmp_path / "an astronaut – ü.png"
    path.write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    return path


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    path = tmp_path / "wall.png"
    path.write_bytes(cv2.imencode(".png", np.full((200, 200, 3), 180, np.uint8))[1].tobytes())
    return path


def test_predict_json_has_every_picture(photo: Path, wall: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--json", str(photo), str(wall)]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert abs(first["faces"][0]["roll"]) < 15
    assert first["file"] == str(photo)
    (face,) = first["faces"]
    assert len(face["box"]) == 4
    assert list(face["probabilities"]) == list(LABELS)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert face["emotion"] == max(face["probabilities"], key=face["probabilities"].__getitem__)
    assert second == {"file": str(wall), "faces": []}


def test_predict_text_names_picture_without_face(photo: Path, wall: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(photo), str(wall)]) == 0
    out = capsys.readouterr().out
    assert f"{photo}: 1 face\n" in out
    assert f"{wall}: no face found" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "not a picture"),
    ],
    ids=["missing", "empty", "svg", "png in name only"],
)
def test_predict_names_bad_picture_and_goes_on(
    photo: Path, wall: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = wall.with_name("bad.png")
    if content is not None:
        bad.write_bytes(content)
    assert main(["predict", str(photo), str(bad), str(wall)]) == 2
    captured = capsys.readouterr()
    assert f"{photo}: 1 face\n" in captured.out
    assert f"{wall}: no face found" in captured.out
    assert captured.err.startswith(f"emojify: {bad}")
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert main(["predict", "--json", str(photo), str(bad), str(wall)]) == 2
    first, second, third = json.loads(capsys.readouterr().out)
    assert len(first["faces"]) == 1
    assert (second["file"], third["faces"]) == (str(bad), [])
    assert words in second["error"]


def test_predict_opens_photo_by_content(tmp_path: Path, astronaut: Image, capsys: pytest.CaptureFixture[str]) -> None:
    picture = PillowImage.fromarray(np.ascontiguousarray(astronaut[:, :, ::-1]))
    paths = [tmp_path / f"holiday {number}.png" for number in range(5)]
    for path, file_format in zip(paths, ("TIFF", "BMP", "GIF", "AVIF", "JPEG"), strict=True):
        picture.save(path, file_format)
    assert main(["predict", "--json", *map(str, paths)]) == 0
    assert [len(entry["faces"]) for entry in json.loads(capsys.readouterr().out)] == [1] * 5


def test_predict_unknown_model_lists_known_models(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--model", "missing", str(photo)]) == 2
    assert "seed" in capsys.readouterr().err


def test_predict_named_model_is_not_replaced(
    photo: Path, models_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models_folder / "seed" / "model.tflite").write_bytes(b"damaged")
    assert main(["predict", "--model", "seed", str(photo)]) == 2
    assert "SHA-256" in capsys.readouterr().err


def test_models_marks_live_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    bare = capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out == bare
    assert bare.startswith("* seed")


def test_models_rollback_without_earlier_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "rollback"]) == 2
    assert "no model to go back to" in capsys.readouterr().err


def test_packs_list_names_broken_pack(packs_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = sorted(path for path in packs_folder.iterdir() if path.is_dir())[0]
    (first / "sad.png").unlink()
    assert main(["packs", "list"]) == 0
    captured = capsys.readouterr()
    assert f"The pack {first.name} has no picture for: sad." in captured.err
    assert first.name not in captured.out
    assert captured.out


def test_packs_check_add_export_remove(
    tmp_path: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cats.zip").write_bytes(pack_zip())
    assert main(["packs", "check", "cats.zip"]) == 0
    assert "whole pack of 7 pictures" in capsys.readouterr().out
    assert not (packs_folder / "cats").exists()
    assert main(["packs", "add", "cats.zip"]) == 0
    assert capsys.readouterr().out == "cats is added: cats\n"
    assert main(["packs", "export", "cats", "again.zip"]) == 0
    assert main(["packs", "check", "again.zip"]) == 0
    assert main(["packs", "remove", "cats"]) == 0
    assert not (packs_folder / "cats").exists()


def test_packs_add_fills_missing_only_when_asked(
    tmp_path: Path, packs_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cats.zip"
    file.write_bytes(pack_zip(leave_out=["fearful.png"]))
    assert main(["packs", "add", str(file)]) == 2
    assert "no picture: fearful" in capsys.readouterr().err
    assert main(["packs", "add", str(file), "--fill-missing"]) == 0
    assert "fearful: the neutral picture is used" in capsys.readouterr().err
    pictures = packs_folder / "cats"
    assert (pictures / "fearful.png").read_bytes() == (pictures / "neutral.png").read_bytes()


def test_packs_export_keeps_existing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("squares.zip").write_bytes(b"mine")
    assert main(["packs", "export", "squares"]) == 2
    assert "already exists" in capsys.readouterr().err
    assert Path("squares.zip").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "nowhere.zip"], "no such file or folder"),
        (["check", "."], "is not a file"),
        (["add", "/dev/zero"], "is a pipe or a device"),
        (["remove", "missing"], "no pack 'missing'"),
        (["remove", "classic"], "comes with Emojify"),
        (["export", "missing"], "no pack 'missing'"),
        (["export", "squares", "--out", "nowhere/squares.zip"], "cannot be written"),
    ],
    ids=" ".join,
)
def test_packs_bad_input_exits_with_2(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["packs", *arguments]) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_unknown_command_exits_with_2() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["frobnicate"])
    assert stopped.value.code == 2


CONSOLE_SCRIPT = "import sys; from emojify.__main__ import main; sys.exit(main())"  # as pip writes it


@pytest.mark.parametrize("start", [["-m", "emojify"], ["-c", CONSOLE_SCRIPT]], ids=["module", "console script"])
def test_interrupt_while_loading_prints_no_traceback(start: list[str], tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise KeyboardInterrupt")  # is imported by the commands
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, *start, "models"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


COMMANDS = (
    "predict", "render", "models", "packs", "packs add", "packs check", "packs remove", "packs export", "train",
    "evaluate", "export", "data", "data check", "teach", "bench", "phone",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*command.split(), "--help"])
    assert stopped.value.code == 0
    assert f"example: python -m emojify {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["predict", "{photo}"], ["bench", "--seconds", "0.5", "--no-reference"]])
def test_commands_print_no_library_messages(command: list[str], photo: Path) -> None:
    arguments = [part.format(photo=photo) for part in command]
    environment = os.environ | {"EMOJIFY_EMOJIS": str(ROOT / "emojis"), "EMOJIFY_MODELS": str(ROOT / "models")}
    done = subprocess.run(
        [sys.executable, "-m", "emojify", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize(
    "line",
    [
        "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "I0000 00:00:1795797845.587387    3468 port.cc:153] oneDNN custom operations are on. You may see",
        "I0000 00:00:1795797845.589217    3468 cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU",
        "E0000 00:00:1795797849.939660    3468 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error",
        "fully_quantize: 0, inference_type: 6, input_inference_type: FLOAT32, output_inference_type: FLOAT32",
    ],
)
def test_without_start_up_lines_keeps_other_output(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    with without_start_up_lines():
        os.write(2, f"{line}\nE0000 00:00:1 1 a.cc:1] something else\n".encode())
    assert capfd.readouterr().err == "E0000 00:00:1 1 a.cc:1] something else\n"


def test_tables_keep_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("a", "Short", "one"), ("a-very-long-id-of-forty-letters-and-more", "Longer name", "two")])
    first, second = capsys.readouterr().out.splitlines()
    assert first.index("one") == second.index("two")
    assert first.index("Short") == second.index("Longer")


@pytest.mark.parametrize(("model_id", "words"), [("seed", "already"), ("My Model", "can't name a model")])
@pytest.mark.parametrize("command", ["export", "refit"])
def test_bad_id_is_refused_before_the_work(
    command: str, model_id: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "seed", "--id", model_id]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
