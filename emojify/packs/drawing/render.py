"""SVG to pixels, with ThorVG.

Measured at 256 px on one drawing of a person, on one busy core: ThorVG 4 ms, resvg 56 ms of CPU. Skia needs
the system's libEGL and libGL, which a server without a screen does not have.
"""

import threading

import numpy as np
from numpy.typing import NDArray
from thorvg_python import Colorspace, Engine, Picture, Result, SwCanvas

_ENGINE = Engine(threads=0)
# ThorVG's software renderer shares its working memory between canvases.
_LOCK = threading.Lock()
# The binding makes a ctypes type for every length of a document and never forgets one.
_LENGTH_STEP_BYTES = 8192


def render(svg: str, size_px: int) -> NDArray[np.uint8]:
    """Draw a square SVG document of ours (ThorVG can be crashed by one that breaks off). From any thread.

    Returns:
        (size_px, size_px, 4) uint8 BGRA.

    Raises:
        ValueError: if the SVG cannot be read.
    """
    return _draw(svg, size_px, Colorspace.ARGB8888S)


def render_over(svg: str, below: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw a document as :func:`render` does, over a picture.

    Args:
        below: (size, size, 4) uint8 BGRA with B, G and R multiplied by A; it stays as it is.

    Returns:
        Both together, in the same form.
    """
    return _draw(svg, below.shape[0], Colorspace.ARGB8888, below)


def _draw(svg: str, size_px: int, form: Colorspace, below: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    written = svg.encode()
    written += b" " * (-len(written) % _LENGTH_STEP_BYTES)
    with _LOCK:
        canvas = SwCanvas(_ENGINE)
        try:
            canvas.set_target(size_px, size_px, cs=form)
            assert canvas.buffer_arr is not None  # set_target made it
            pixels = np.ctypeslib.as_array(canvas.buffer_arr).view(np.uint8).reshape(size_px, size_px, 4)
            if below is not None:
                pixels[:] = below
            picture = Picture(_ENGINE)
            canvas.add(picture)  # from here on destroying the canvas frees the picture too
            if picture.load_data(written, "svg", None, copy=True) is not Result.SUCCESS:
                raise ValueError("this is not an SVG document that can be drawn")
            picture.set_size(size_px, size_px)
            canvas.draw(clear=below is None)
            canvas.sync()
        finally:
            canvas.destroy()
    return pixels
