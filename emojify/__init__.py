"""Emojify: turn the face in a webcam into an emoji, live."""

__version__ = "0.1.0"
