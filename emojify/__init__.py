"""Emojify: turn the face in a webcam into an emoji, live.

Example:
    >>> import cv2
    >>> from emojify import read_faces
    >>> for reading in read_faces(cv2.imread("photo.jpg")):
    ...     print(reading.box, reading.emotion.label, f"{reading.confidence:.0%}")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emojify.api import read_faces as read_faces

__version__ = "0.1.0"
__all__ = ["__version__", "read_faces"]


def __getattr__(name: str) -> object:
    """Import the API when it is first used: OpenCV and LiteRT take half a second, which ``import emojify`` saves."""
    if name == "read_faces":
        from emojify.api import read_faces

        return read_faces
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
