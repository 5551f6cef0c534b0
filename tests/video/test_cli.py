"""The command ``python -m emojify render``."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest

from emojify.__main__ import main
from emojify.video.cli import duration
from emojify.vision.detectors.yunet import find_model_file
from tests.helpers.pack_files import folder_contents
from tests.helpers.programs import end, run_in_terminal
from tests.helpers.sample_videos import FACE, SampleVideo, astronaut, decode, wall

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_workspace(models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return SampleVideo(audio="aac").write(tmp_path / "my party – ü.mp4")


def test_render_writes_video_and_csv(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(video), str(tmp_path / "out.mp4"), "--csv", str(tmp_path / "seconds.csv")]) == 0
    captured = capsys.readouterr()
    assert "out.mp4 is written: 1.0 s, 25 frames" in captured.out
    assert "100%" in captured.err
    assert len(decode(tmp_path / "out.mp4").frames) == 25
    rows = {row["emotion"]: float(row["seconds"]) for row in csv.DictReader((tmp_path / "seconds.csv").open())}
    assert rows["neutral"] == pytest.approx(1.0)
    assert sum(rows.values()) == pytest.approx(1.0)


def test_render_uses_named_pack_and_style(video: Path, tmp_path: Path) -> None:
    assert main(["render", str(video), str(tmp_path / "a.mp4"), "--seconds", "0.2"]) == 0
    assert main(["render", str(video), str(tmp_path / "b.mp4"), "--seconds", "0.2", "--pack", "squares"]) == 0
    assert main(["render", str(video), str(tmp_path / "c.mp4"), "--seconds", "0.2", "--style", "side-by-side"]) == 0
    first, second, third = (decode(tmp_path / f"{name}.mp4").frames[3] for name in "abc")
    colors = [picture[FACE].astype(int).mean(axis=(0, 1)) for picture in (first, second)]
    assert colors[1] == pytest.approx(255 - colors[0], abs=12)  # the squares have the opposite colors
    assert third.shape[1] == 2 * first.shape[1]


@pytest.mark.parametrize("name", ["in.png", "in.mp4"])
def test_render_detects_faces_as_asked(video: Path, tmp_path: Path, name: str) -> None:
    source, limit = video, ["--seconds", "0.2"]
    if name == "in.png":
        source, limit = tmp_path / name, []
        cv2.imwrite(str(source), astronaut())
    target = str(tmp_path / f"out{source.suffix}")
    with patch("emojify.vision.detectors.combined.find_model_file", wraps=find_model_file) as second_detector:
        assert main(["render", str(source), target, *limit, "--detector", "haar"]) == 0
        assert not second_detector.called
        assert main(["render", str(source), target, *limit, "--overwrite"]) == 0
        assert second_detector.called


def test_render_reports_unexpected_error(video: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    broken = patch("emojify.video.render.VideoSink.write", side_effect=ZeroDivisionError("oops"))
    with broken, pytest.raises(ZeroDivisionError):
        main(["render", str(video), str(tmp_path / "out.mp4"), "--report", str(report)])
    content = json.loads(report.read_text())
    assert content["state"] == "failed"
    assert "an error in Emojify (ZeroDivisionError: oops)" in content["problem"]


def test_render_writes_image(tmp_path: Path) -> None:
    (tmp_path / "me.png").write_bytes(cv2.imencode(".png", astronaut())[1].tobytes())
    assert main(["render", str(tmp_path / "me.png"), str(tmp_path / "out.jpg")]) == 0
    drawn = np.asarray(cv2.imread(str(tmp_path / "out.jpg")))
    assert np.abs(drawn[FACE].astype(int) - astronaut()[FACE]).mean() > 20


def test_render_prints_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = SampleVideo(image=lambda time_s: wall()).write(tmp_path / "wall.mp4")
    assert main(["render", str(video), str(tmp_path / "out.mp4")]) == 0
    assert "emojify: No face was found anywhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["IN", "out.mp4", "--pack", "nope"], "There is no pack 'nope'"),
        (["IN", "out.mp4", "--model", "nope"], "There is no model 'nope'"),
        (["IN", "out.mp4", "--seconds", "0"], "--seconds must be more than 0"),
        (["IN", "out.mp4", "--size", "9"], "The size must be between 0.5 and 2"),
        (["IN", "out.mp4", "--rise", "-1"], "The rise must be between -0.5 and 0.5"),
        (["IN", "out.txt"], "A video becomes a video"),
        (["IN", "nowhere/out.mp4"], "does not exist"),
        (["missing.mp4", "out.mp4"], "missing.mp4 cannot be read: no such file"),
        (["text.mp4", "out.mp4"], "text.mp4 is not a video that can be opened"),
    ],
)
def test_render_bad_arguments_exit_with_2(
    video: Path, tmp_path: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    before = folder_contents(tmp_path)
    source, target, *rest = arguments
    source_path = video if source == "IN" else tmp_path / source
    assert main(["render", str(source_path), str(tmp_path / target), *rest]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert folder_contents(tmp_path) == before


@pytest.mark.parametrize("flag", ["--csv", "--report"])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("in.mp4", "would replace"),
        ("link.mp4", "would replace"),
        ("out.mp4", "would replace"),
        ("nowhere/a.csv", "nowhere does not exist"),
        ("folder", "not a regular file"),
    ],
)
def test_render_refuses_bad_extra_files(
    tmp_path: Path, flag: str, name: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    video = SampleVideo().write(tmp_path / "in.mp4")
    (tmp_path / "link.mp4").hardlink_to(video)
    (tmp_path / "folder").mkdir()
    before = folder_contents(tmp_path)
    assert main(["render", str(video), str(tmp_path / "out.mp4"), flag, str(tmp_path / name), "--overwrite"]) == 2
    assert sentence in capsys.readouterr().err
    assert folder_contents(tmp_path) == before


def test_render_replaces_csv_only_with_overwrite(video: Path, tmp_path: Path) -> None:
    table = tmp_path / "precious.csv"
    table.write_text("precious")
    command = ["render", str(video), str(tmp_path / "out.mp4"), "--csv", str(table)]
    assert main(command) == 2
    assert table.read_text() == "precious"
    assert not (tmp_path / "out.mp4").exists()
    assert main([*command, "--overwrite"]) == 0
    assert table.read_text().startswith("emotion,")


@pytest.mark.parametrize("rest", [["--csv", "a.csv"], ["--seconds", "1"], ["--estimate"]])
def test_render_refuses_video_options_for_image(
    tmp_path: Path, rest: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "me.png").write_bytes(cv2.imencode(".png", astronaut())[1].tobytes())
    assert main(["render", str(tmp_path / "me.png"), str(tmp_path / "out.png"), *rest]) == 2
    assert f"me.png is a picture, and {rest[0]} is for videos" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_render_estimates_beginning_for_gif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = SampleVideo(image=lambda time_s: wall(), times_ms=tuple(range(0, 100_000, 2000))).write(tmp_path / "in.mp4")
    assert main(["render", str(video), str(tmp_path / "out.gif"), "--estimate", "--seconds", "50"]) == 0
    assert "50 s of video: about" in capsys.readouterr().err


def test_render_estimates_long_video_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times_ms = tuple(range(0, 700_000, 5000))
    video = SampleVideo(image=lambda time_s: wall(), times_ms=times_ms).write(tmp_path / "long.mp4")
    assert main(["render", str(video), str(tmp_path / "out.mp4"), "--estimate"]) == 0
    assert "11 min 40 s of video: about" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()
    assert main(["render", str(video), str(tmp_path / "out.mp4")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "11 min 40 s of video: about" in lines[0]
    assert "100%" in lines[-2] or "100%" in lines[-1]


def test_render_refuses_too_small_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times_ms = tuple(range(0, 700_000, 5000))
    video = SampleVideo(image=lambda time_s: wall(), times_ms=times_ms).write(tmp_path / "long.mp4")
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("emojify.video.cli.shutil.disk_usage", lambda folder: usage)
    assert main(["render", str(video), str(tmp_path / "out.mp4")]) == 2
    assert "has room for 0 MB only" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def test_render_report_has_each_state(video: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert main(["render", str(video), str(tmp_path / "out.mp4"), "--report", str(report)]) == 0
    content = json.loads(report.read_text())
    assert (content["state"], content["outcome"]["pictures"]) == ("done", 25)
    assert main(["render", str(video), str(tmp_path / "out.mp4"), "--report", str(report)]) == 2
    assert json.loads(report.read_text())["state"] == "failed"
    assert "exists already" in json.loads(report.read_text())["problem"]
    assert main(["render", str(video), str(tmp_path / "new.mp4"), "--report", str(report), "--estimate"]) == 0
    assert json.loads(report.read_text())["estimate"]["duration_s"] == pytest.approx(1.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_render_stopped_by_signal_leaves_no_file(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    video = SampleVideo(times_ms=tuple(range(0, 20_000, 40)), options={"preset": "ultrafast", "crf": "40"}).write(
        tmp_path / "long.mp4"
    )
    before = set(tmp_path.iterdir())
    report = tmp_path / "report.json"
    arguments = ("-m", "emojify", "render", str(video), str(tmp_path / "out.mp4"), "--report", str(report))
    with run_in_terminal(tmp_path_factory.mktemp("said"), *arguments) as program:
        deadline = time.monotonic() + 60
        while not report.exists():
            assert time.monotonic() < deadline
            assert program.process.poll() is None
            time.sleep(0.02)
        end(program.process, number)
    assert program.process.returncode == 130
    assert "Stopped." in program.errors
    assert "Traceback" not in program.errors
    assert set(tmp_path.iterdir()) - before == {report}
    assert json.loads(report.read_text())["state"] == "stopped"


def test_render_write_error_leaves_no_file(tmp_path: Path) -> None:
    """A limit on the file size replaces a full disk: the system refuses the write in the same way."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (256, 256, 3), np.uint8)
    video = SampleVideo(image=lambda time_s: noise).write(tmp_path / "noise.mp4")
    before = set(tmp_path.iterdir())

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    command = [sys.executable, "-m", "emojify", "render", str(video), str(tmp_path / "out.mp4")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limit, env=os.environ, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "out.mp4 cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7260, "2 h 1 min")])
def test_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
