import errno
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.errors import EmojifyError
from emojify.video import animated_webp
from emojify.video.outcome import RenderStyle
from emojify.video.render import is_image, render
from tests.helpers.sample_videos import astronaut, covered_with, decode


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_render_keeps_long_last_picture(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    source = write_animation(tmp_path / "in.gif", [200, 100, 500, 700])
    render(source, tmp_path / f"out{suffix}", style)
    assert durations_ms_of(tmp_path / f"out{suffix}") == pytest.approx([200, 100, 500, 700], abs=1)


def test_render_reads_animated_webp(style: RenderStyle, tmp_path: Path) -> None:
    source = write_animation(tmp_path / "in.webp", [200, 100, 500, 700])
    assert not is_image(source)
    result = render(source, tmp_path / "out.mp4", style)
    assert (result.frames, result.faces) == (4, 1)
    assert result.duration_s == pytest.approx(1.5, abs=0.001)
    assert all(covered_with(picture) for picture in decode(tmp_path / "out.mp4").frames)
    render(source, tmp_path / "out.webp", style)
    assert durations_ms_of(tmp_path / "out.webp") == pytest.approx([200, 100, 500, 700], abs=1)


def test_render_refuses_too_large_animated_webp(style: RenderStyle, tmp_path: Path) -> None:
    source = write_animation(tmp_path / "in.webp", [200, 100])
    with (
        patch.object(animated_webp, "MAX_MEGAPIXELS", 0.1),
        pytest.raises(EmojifyError, match="too large: 2 pictures of 256 x 256 pixels"),
    ):
        render(source, tmp_path / "out.mp4", style)
    assert list(tmp_path.iterdir()) == [source]


def test_render_refuses_animated_webp_with_giant_pictures(style: RenderStyle, tmp_path: Path) -> None:
    pictures = [PillowImage.new("RGB", (9000, 4000), color) for color in ("red", "blue")]
    pictures[0].save(tmp_path / "in.webp", save_all=True, append_images=pictures[1:], method=0, quality=1)
    with pytest.raises(EmojifyError, match="too large: 2 pictures of 9000 x 4000 pixels"):
        render(tmp_path / "in.webp", tmp_path / "out.mp4", style)


def test_full_disk_is_not_called_a_damaged_file(style: RenderStyle, tmp_path: Path) -> None:
    source = write_animation(tmp_path / "in.webp", [200, 100])
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        patch.object(animated_webp, "_write", side_effect=full),
        pytest.raises(EmojifyError, match=r"in\.webp can't be read: the disk is full"),
    ):
        render(source, tmp_path / "out.mp4", style)


@pytest.mark.parametrize("length", range(22))
def test_start_of_a_file_is_not_an_animated_webp(tmp_path: Path, length: int) -> None:
    source = write_animation(tmp_path / "in.webp", [200, 100])
    source.write_bytes(source.read_bytes()[:length])
    assert animated_webp.is_animated_webp(source) is (length == 21)


@pytest.mark.parametrize("length", [21, 300, -300])
def test_render_refuses_damaged_animated_webp(style: RenderStyle, tmp_path: Path, length: int) -> None:
    source = write_animation(tmp_path / "in.webp", [200, 100])
    source.write_bytes(source.read_bytes()[:length])
    with pytest.raises(EmojifyError, match="damaged or cut short"):
        render(source, tmp_path / "out.mp4", style)
    assert list(tmp_path.iterdir()) == [source]


def write_animation(path: Path, durations_ms: list[int]) -> Path:
    """Write the astronaut with a mark in another place in each picture."""
    pictures = [PillowImage.fromarray(astronaut()[:, :, ::-1]) for _ in durations_ms]
    for number, picture in enumerate(pictures):
        picture.paste("red", (20 * number, 240, 20 * number + 15, 255))
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations_ms, loop=0)
    return path


def durations_ms_of(path: Path) -> list[int]:
    shown = []
    for picture in ImageSequence.Iterator(PillowImage.open(path)):
        picture.load()
        shown.append(picture.info["duration"])
    return shown
