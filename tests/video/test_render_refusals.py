"""Rendering that is refused or interrupted: no file is lost, and no new file is left."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import patch

import av
import pytest

from emojify.errors import EmojifyError
from emojify.video.outcome import RenderStyle
from emojify.video.render import render
from emojify.video.sink import VideoSink
from tests.helpers.pack_files import folder_contents
from tests.helpers.sample_videos import SampleVideo, decode, wall

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"), [("flashsv2", "bgr24", ".flv"), ("huffyuv", "yuv422p", ".avi")]
)
def test_render_refuses_unsupported_codec(
    style: RenderStyle, tmp_path: Path, codec: str, pixel_format: str, suffix: str
) -> None:
    source = SampleVideo(codec=codec, pixel_format=pixel_format, options={}).write(tmp_path / f"in{suffix}")
    with pytest.raises(EmojifyError, match=rf"not supported \({codec}\)"):
        render(source, tmp_path / "out.mp4", style)
    assert list(tmp_path.iterdir()) == [source]


def write_audio_only(path: Path) -> None:
    SampleVideo(audio="aac").write(path)
    with av.open(str(path)) as source, av.open(str(path.with_suffix(".m4a")), "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path.with_suffix(".m4a").replace(path)


def write_without_index(path: Path) -> None:
    SampleVideo().write(path)
    path.write_bytes(path.read_bytes()[:3000])  # the index is at its end


def write_without_frames(path: Path) -> None:
    """Write a header and then nothing that a decoder can use."""
    SampleVideo().write(path.with_suffix(".mkv"))
    content = path.with_suffix(".mkv").read_bytes()
    start = content.index(b"\x1f\x43\xb6\x75")  # Matroska's first cluster
    path.write_bytes(content[: start + 60])
    path.with_suffix(".mkv").unlink()


BAD = {
    "missing": (lambda path: None, "cannot be read: no such file"),
    "empty": (lambda path: path.write_bytes(b""), "not a video that can be opened"),
    "text": (lambda path: path.write_text("hello " * 500), "not a video that can be opened"),
    "a folder": (lambda path: path.mkdir(), "cannot be read"),
    "a playlist": (
        lambda path: path.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        "not a video that can be opened",
    ),
    "audio only": (write_audio_only, "no video track, only sound"),
    "no index": (write_without_index, "not a video that can be opened"),
    "no frame": (write_without_frames, "has no frame that can be read"),
}


@pytest.mark.parametrize("case", BAD)
def test_render_refuses_bad_input(style: RenderStyle, tmp_path: Path, case: str) -> None:
    make, sentence = BAD[case]
    make(tmp_path / "in.mp4")
    before = folder_contents(tmp_path)
    with pytest.raises(EmojifyError, match=sentence):
        render(tmp_path / "in.mp4", tmp_path / "out.mp4", style)
    assert folder_contents(tmp_path) == before


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("in.mp4", "would replace the file it is made from"),
        ("existing.mp4", "exists already"),
        ("out.png", "A video becomes a video"),
        ("out", "A video becomes a video"),
        ("nowhere/out.mp4", "The folder .* does not exist"),
        ("folder.mp4", "not a regular file"),
    ],
)
def test_render_refuses_bad_target(style: RenderStyle, tmp_path: Path, target: str, sentence: str) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    (tmp_path / "existing.mp4").write_text("precious")
    (tmp_path / "folder.mp4").mkdir()
    before = folder_contents(tmp_path)
    with pytest.raises(EmojifyError, match=sentence):
        render(source, tmp_path / target, style)
    assert folder_contents(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_render_refuses_pipe(style: RenderStyle, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.mp4")
    with pytest.raises(EmojifyError, match="is a pipe or a device"):
        render(tmp_path / "in.mp4", tmp_path / "out.mp4", style)


def test_render_overwrite_keeps_old_file_until_end(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    target = tmp_path / "out.mp4"
    target.write_text("precious")
    contents: set[str] = set()
    with patch("emojify.video.render.REPORT_EVERY_S", 0):
        render(source, target, style, overwrite=True, on_progress=lambda progress: contents.add(target.read_text()))
    assert contents == {"precious"}
    assert len(decode(target).frames) == 25


@pytest.mark.parametrize("failing", ["write", "close"])
@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), EmojifyError, "out.mp4 cannot be written: the disk is full"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), EmojifyError, "cannot be written: Input/output error"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
    ids=["no space", "broken disk", "Ctrl-C"],
)
def test_render_failure_keeps_old_file(
    style: RenderStyle, tmp_path: Path, failing: str, error: BaseException, raised: type[BaseException], sentence: str
) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    (tmp_path / "out.mp4").write_text("precious")
    before = folder_contents(tmp_path)
    with patch.object(VideoSink, failing, side_effect=error), pytest.raises(raised, match=sentence):
        render(source, tmp_path / "out.mp4", style, overwrite=True)
    assert folder_contents(tmp_path) == before


def test_render_refuses_long_gif(style: RenderStyle, tmp_path: Path) -> None:
    times_ms = tuple(range(0, 62_000, 1000))
    source = SampleVideo(image=lambda time_s: wall(), times_ms=times_ms).write(tmp_path / "in.mp4")
    with pytest.raises(EmojifyError, match="limit is 60 s"):
        render(source, tmp_path / "out.gif", style)
    result = render(source, tmp_path / "out.gif", style, until_s=5)
    assert result.duration_s == pytest.approx(5.0)
