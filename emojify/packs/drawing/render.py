"""SVG to pixels."""

import io

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image


def render(svg: str, size_px: int) -> NDArray[np.uint8]:
    """Draw a square SVG document.

    Returns:
        (size_px, size_px, 4) uint8 RGBA, not premultiplied.

    Raises:
        ValueError: if the SVG cannot be read.
    """
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size_px, height=size_px, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.array(picture.convert("RGBA"), dtype=np.uint8)
