"""Annotators draw readings on an image: ``annotate(scene, readings) -> scene``. :data:`STYLES` lists them for users."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.placement import Placement
from emojify.vision.readings import Image, Reading, main_reading

Pictures = Mapping[Emotion, NDArray[np.uint8]]
"""One picture per emotion, each (H, W, 4) uint8 BGRA."""

HEAD_WIDTH = 1.38  # width of a head relative to the Haar box, which leaves out ears, chin and hair
HEAD_RISE = 0.05  # share of the box's height by which the center of the head is above the center of the box
# Stickers are drawn in multiples of this size, so that small changes of a face's size reuse a cached picture.
SIZE_STEP_PX = 4
MAX_CACHED_STICKERS = 64
MIN_ROLL = 2.0  # degrees; a picture that is turned by less would only lose its sharpness
# Height of a label: a share of its face, within these shares of the scene's longer side, so that it can be read in a
# photo of any size that is shrunk to fit a page.
LABEL_SHARE = 0.16
LABEL_SCENE_SHARES = (0.022, 0.06)
MIN_LABEL_PX = 14
PANEL_COLOR = (58, 38, 31)  # BGR
WHITE = (255, 255, 255, 255)


@dataclass(frozen=True)
class Head:
    """The position of the head in a pack's pictures: its center and width, as shares of the picture's side.

    Raises:
        EmojifyError: if the head is not inside the picture or narrower than a tenth of it.
    """

    x: float = 0.5
    y: float = 0.5
    width: float = 0.95

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1 and 0.1 <= self.width <= 1):
            raise EmojifyError(f"A head must lie inside its picture and fill a tenth of it, not {self}.")


class Annotator(Protocol):
    """Draws readings on an image.

    Example:
        >>> shown = BoxLabel().annotate(image, analyze_photo(image, classifier))
    """

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        """Return the image with the readings drawn.

        Args:
            scene: (H, W, 3) uint8 BGR. The annotator may draw on it.
            readings: the faces of the scene, in any order. Their boxes may extend beyond the scene.

        Returns:
            (H', W', 3) uint8 BGR, ``scene`` itself or an image of another size.
        """
        ...


def premultiply(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert a BGRA picture to the format of :func:`overlay`: BGR times alpha, and 255 - alpha as fourth channel.

    Pictures in this format get no dark rim when they are scaled, and are drawn with one multiplication.
    """
    alpha = picture[:, :, 3:].astype(np.float32) / 255
    return np.dstack([np.rint(picture[:, :, :3] * alpha).astype(np.uint8), 255 - picture[:, :, 3]])


def scale(picture: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Return a premultiplied picture resized to (size_px, size_px, 4)."""
    method = cv2.INTER_AREA if size_px < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size_px, size_px), interpolation=method), np.uint8)


def overlay(scene: Image, picture: NDArray[np.uint8], x: int, y: int) -> None:
    """Draw a picture on a scene, in place. Parts beyond the scene are cut off.

    Args:
        scene: (H, W, 3) uint8 BGR.
        picture: (h, w, 4) uint8, from :func:`premultiply`.
        x, y: position of the picture's top left corner in the scene; may be negative.
    """
    height, width = scene.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + picture.shape[1]), min(height, y + picture.shape[0])
    if right <= left or bottom <= top:
        return
    part = picture[top - y : bottom - y, left - x : right - x]
    background = scene[top:bottom, left:right]
    # OpenCV extracts every fourth byte in half the time of a NumPy slice.
    transparency = cv2.cvtColor(cv2.extractChannel(part, 3), cv2.COLOR_GRAY2BGR)
    colors = cv2.cvtColor(part, cv2.COLOR_BGRA2BGR)
    scene[top:bottom, left:right] = cv2.add(colors, cv2.multiply(background, transparency, scale=1 / 255))


def turn(picture: NDArray[np.uint8], roll: float) -> NDArray[np.uint8]:
    """Return a premultiplied picture turned clockwise around its center; it gets larger, so that nothing is cut off.

    Args:
        picture: (h, w, 4) uint8, from :func:`premultiply`.
        roll: degrees.
    """
    if abs(roll) < MIN_ROLL:
        return picture
    height, width = picture.shape[:2]
    cos, sin = abs(math.cos(math.radians(roll))), abs(math.sin(math.radians(roll)))
    size = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -roll, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderValue=(0, 0, 0, 255)), np.uint8)


def overlay_turned(scene: Image, picture: NDArray[np.uint8], center: tuple[float, float], roll: float) -> None:
    """Draw a picture on a scene, in place, turned clockwise by ``roll`` degrees around its center."""
    turned = turn(picture, roll)
    overlay(scene, turned, round(center[0] - turned.shape[1] / 2), round(center[1] - turned.shape[0] / 2))


def _from_face(reading: Reading, right: float, down: float) -> tuple[float, float]:
    """Return the point of the scene that is right of and below the face's center, as the tilted head sees it."""
    roll = reading.face.roll if abs(reading.face.roll) >= MIN_ROLL else 0.0
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    x, y = reading.box.center
    return x + cos * right - sin * down, y + sin * right + cos * down


class Emoji(Protocol):
    """The picture for a face: one of seven, or a drawing that follows the probabilities."""

    @property
    def head(self) -> Head:
        """Where the head is in the pictures."""
        ...

    def picture(self, reading: Reading, size_px: int) -> NDArray[np.uint8]:
        """Return the picture for a reading.

        Returns:
            (size_px, size_px, 4) uint8 in the format of :func:`premultiply`. Other callers share it: do not change it.
        """
        ...


class StaticEmoji:
    """An emoji of seven fixed pictures, one per emotion."""

    def __init__(self, pictures: Pictures, head: Head | None = None) -> None:
        self.head = head or Head()
        premultiplied = {emotion: premultiply(picture) for emotion, picture in pictures.items()}
        self._scaled = lru_cache(MAX_CACHED_STICKERS)(lambda emotion, size_px: scale(premultiplied[emotion], size_px))

    def picture(self, reading: Reading, size_px: int) -> NDArray[np.uint8]:
        return self._scaled(reading.emotion, size_px)


class Sticker:
    """Covers each face with the emoji: the head of the picture lies on the head of the person and turns with it."""

    def __init__(self, emoji: Emoji, placement: Placement | None = None) -> None:
        self._emoji = emoji
        self._placement = placement or Placement()

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        longest_px = 2 * max(scene.shape[:2])
        head = self._emoji.head
        for reading in sorted(readings, key=lambda reading: reading.box.area):
            box = reading.box
            exact_px = min(longest_px, round(box.width * HEAD_WIDTH * self._placement.size / head.width))
            size_px = max(SIZE_STEP_PX, exact_px // SIZE_STEP_PX * SIZE_STEP_PX)
            rise_px = box.height * (HEAD_RISE + self._placement.rise)
            right, down = size_px * (0.5 - head.x), size_px * (0.5 - head.y) - rise_px
            center = _from_face(reading, right, down)
            overlay_turned(scene, self._emoji.picture(reading, size_px), center, reading.face.roll)
        return scene


class SideBySide:
    """Puts the scene on the left and a panel with the emoji of the main face and its emotion on the right."""

    def __init__(self, emoji: Emoji) -> None:
        self._emoji = emoji

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        main = main_reading(readings)
        height, width = scene.shape[:2]
        panel_width = max(2, min(height, width) // 2 * 2)
        if main is not None:
            _draw_outline(scene, main)
        result = np.empty((height, width + panel_width, 3), np.uint8)
        result[:, :width] = scene
        self._draw_panel(result[:, width:], main)
        return result

    def _draw_panel(self, panel: Image, reading: Reading | None) -> None:
        panel[:] = PANEL_COLOR
        height, width = panel.shape[:2]
        caption = "no face in view" if reading is None else reading.caption
        text = text_picture(caption, max(8, height // 12), WHITE)
        size_px = min(width, height - 2 * text.shape[0]) * 9 // 10
        if reading is not None and size_px > 0:
            picture = self._emoji.picture(reading, size_px)
            overlay(panel, picture, (width - size_px) // 2, (height - text.shape[0] - size_px) // 2)
        text_y = (height - text.shape[0]) // 2 if reading is None else height - text.shape[0] * 3 // 2
        overlay(panel, text, (width - text.shape[1]) // 2, text_y)


class BoxLabel:
    """Draws a box around each face with the emotion and its probability."""

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        for reading in readings:
            _draw_outline(scene, reading)
            text = f"{reading.caption} {reading.confidence:.0%}" if reading.sure else reading.caption
            label = text_picture(text, _label_px(scene, reading), WHITE, _emotion_bgr(reading)[::-1])
            self._draw_label(scene, reading, label)
        return scene

    def _draw_label(self, scene: Image, reading: Reading, label: NDArray[np.uint8]) -> None:
        """Draw a label above the face, turned with it; below its upper edge if the scene ends above."""
        box, (height, width) = reading.box, label.shape[:2]
        right = (width - box.width) / 2
        x, y = _from_face(reading, right, -(box.height + height) / 2)
        if y < height / 2:
            x, y = _from_face(reading, right, -(box.height - height) / 2)
        # A label that reaches beyond the scene moves inside, as far as it fits.
        x = max(width / 2, min(scene.shape[1] - width / 2, x))
        overlay_turned(scene, label, (x, y), reading.face.roll)


class ChromaKeyAnnotator:
    """Replaces the scene by one color, then draws with another annotator: only the emoji remain visible.

    Args:
        annotator: draws the emoji.
        color: the background, ``"#RRGGBB"``. Streaming programs make pure green transparent.
    """

    def __init__(self, annotator: Annotator, color: str) -> None:
        self._annotator = annotator
        self._background = np.array(_hex_to_bgr(color), np.uint8)

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        scene[:] = self._background
        return self._annotator.annotate(scene, readings)


@dataclass(frozen=True)
class AnnotatorStyle:
    """One way to show readings, as users choose it.

    Attributes:
        key: the name on the command line, in addresses and in saved files.
        label: the name on the pages.
        help: what it shows, in one sentence.
        create: makes the annotator for an emoji and its placement on a face.
    """

    key: str
    label: str
    help: str
    create: Callable[[Emoji, Placement], Annotator]


STYLES: dict[str, AnnotatorStyle] = {
    style.key: style
    for style in (
        AnnotatorStyle("sticker", "On the face", "The emoji covers each face.", Sticker),
        AnnotatorStyle(
            "side-by-side",
            "Side by side",
            "The camera's picture, and next to it the emoji of the largest face.",
            lambda emoji, _: SideBySide(emoji),
        ),
        AnnotatorStyle(
            "box", "Box and label", "A box around each face with its emotion; no emoji.", lambda *_: BoxLabel()
        ),
    )
}
"""All styles by key. The pages and the command line offer exactly these, so a new style is one entry here."""

DEFAULT_STYLE = "sticker"
STYLES_HELP = " ".join(f"{style.label}: {style.help}" for style in STYLES.values())


@lru_cache(256)
def text_picture(
    text: str, height_px: int, color: tuple[int, int, int, int], background: tuple[int, int, int] | None = None
) -> NDArray[np.uint8]:
    """Return a line of text as a picture for :func:`overlay`.

    Args:
        height_px: height of the picture; its width follows from the text.
        color: of the text, RGBA.
        background: RGB; None for a transparent background.
    """
    font = ImageFont.load_default(height_px * 0.72)
    padding = height_px // 4
    width = round(font.getlength(text)) + 2 * padding
    picture = PillowImage.new("RGBA", (width, height_px), (*background, 255) if background else (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((padding, height_px / 2), text, fill=color, font=font, anchor="lm")
    return premultiply(np.asarray(picture, np.uint8)[:, :, [2, 1, 0, 3]])


def _label_px(scene: Image, reading: Reading) -> int:
    longer = max(scene.shape[:2])
    smallest, largest = (share * longer for share in LABEL_SCENE_SHARES)
    return max(MIN_LABEL_PX, round(max(smallest, min(largest, reading.box.height * LABEL_SHARE))))


def _draw_outline(scene: Image, reading: Reading) -> None:
    half_x, half_y = reading.box.width / 2, reading.box.height / 2
    corners = [(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)]
    outline = np.array([_from_face(reading, *corner) for corner in corners]).round().astype(np.int32)
    thickness = max(1, round(reading.box.width / 60), round(max(scene.shape[:2]) / 500))
    for color, thickness_px in (((255, 255, 255), thickness + 2), (_emotion_bgr(reading), thickness)):
        cv2.polylines(scene, [outline], True, color, thickness_px, cv2.LINE_AA)


def _emotion_bgr(reading: Reading) -> tuple[int, int, int]:
    return _hex_to_bgr(reading.emotion.color)


def _hex_to_bgr(color: str) -> tuple[int, int, int]:
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)
