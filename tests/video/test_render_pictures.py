"""Rendering of pictures in the formats of phones and cameras. The content decides, not the name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.video.outcome import RenderStyle
from emojify.video.render import is_image, render
from tests.test_pictures import HEIC

pytestmark = pytest.mark.slow


def test_render_keeps_whole_heic(style: RenderStyle, tmp_path: Path) -> None:
    source, target = tmp_path / "IMG_0001.JPG", tmp_path / "out.png"
    source.write_bytes(HEIC)
    assert render(source, target, style).timeline is None
    shown = cv2.imread(str(target))
    assert shown is not None
    assert shown.shape == (48, 64, 3)
    assert np.abs(shown[10, 8].astype(int) - (40, 100, 200)).max() <= 8


@pytest.mark.parametrize("file_format", ["AVIF", "TIFF", "BMP", "GIF", "MPO"])
def test_render_opens_photo_by_content(style: RenderStyle, tmp_path: Path, file_format: str) -> None:
    source, target = tmp_path / "in.mov", tmp_path / "out.png"
    options = {"save_all": True, "append_images": [PillowImage.new("RGB", (16, 12))]} if file_format == "MPO" else {}
    PillowImage.new("RGB", (64, 48), "red").save(source, file_format, **options)
    assert render(source, target, style).timeline is None
    shown = cv2.imread(str(target))
    assert shown is not None
    assert shown.shape == (48, 64, 3)
    assert np.abs(shown.reshape(-1, 3).mean(0) - (0, 0, 255)).max() <= 6


def test_render_refuses_damaged_heic(style: RenderStyle, tmp_path: Path) -> None:
    source, target = tmp_path / "in.heic", tmp_path / "out.mp4"
    source.write_bytes(HEIC[:300])
    with pytest.raises(EmojifyError, match="A picture becomes a picture"):
        render(source, target, style)
    with pytest.raises(EmojifyError, match=r"can be opened|damaged"):
        render(source, tmp_path / "out.png", style)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(("frames", "expected"), [(1, True), (2, False)])
def test_is_image_is_false_for_moving_gif(tmp_path: Path, frames: int, expected: bool) -> None:
    pictures = [PillowImage.new("RGB", (16, 12), color) for color in ("red", "blue")[:frames]]
    pictures[0].save(tmp_path / "in.gif", save_all=True, append_images=pictures[1:])
    assert is_image(tmp_path / "in.gif") is expected
