"""The annotators, pixel by pixel, with pictures of one color per emotion."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.pack import EmojiPack
from emojify.vision.annotators import (
    DEFAULT_STYLE,
    PANEL_COLOR,
    STYLES,
    STYLES_HELP,
    Annotator,
    BoxLabel,
    ChromaKeyAnnotator,
    Head,
    SideBySide,
    StaticEmoji,
    Sticker,
    overlay,
    premultiply,
    scale,
)
from emojify.vision.placement import Placement
from emojify.vision.readings import Box, Face, Image, Reading

Pictures = Mapping[Emotion, NDArray[np.uint8]]

GRAY = 100
SIZES = [(1, 1), (1, 40), (40, 1), (2, 2), (33, 47), (480, 640)]  # rows, columns


def color(emotion: Emotion) -> tuple[int, int, int]:
    """Return the emotion's color as BGR."""
    red, green, blue = bytes.fromhex(emotion.color[1:])
    return blue, green, red


def reading(box: Box, emotion: Emotion = Emotion.HAPPY, sure: bool = True) -> Reading:
    return Reading(Face(box, 1), np.eye(7, dtype=np.float32)[Emotion.HAPPY], emotion, sure)


def plain(rows: int, columns: int) -> Image:
    return np.full((rows, columns, 3), GRAY, np.uint8)


def changed(image: Image) -> NDArray[np.bool_]:
    return (image != GRAY).any(axis=2)


def square(size: int, alpha: int, shade: int = 200) -> NDArray[np.uint8]:
    return premultiply(np.dstack([np.full((size, size, 3), shade, np.uint8), np.full((size, size), alpha, np.uint8)]))


@pytest.fixture
def pictures() -> Pictures:
    """One opaque square per emotion, in its color."""
    return {emotion: np.full((64, 64, 4), (*color(emotion), 255), np.uint8) for emotion in Emotion}


@pytest.fixture(params=sorted(STYLES))
def annotator(request: pytest.FixtureRequest, pictures: Pictures) -> Annotator:
    return STYLES[request.param].create(StaticEmoji(pictures), Placement())


class TestOverlay:
    @pytest.mark.parametrize(
        ("alpha", "expected"),
        [
            (255, 200),
            (0, GRAY),
            (128, 150),  # half of 200 and half of 100
            (51, 120),  # a fifth of 200 and four fifths of 100
        ],
    )
    def test_overlay_blends_by_alpha(self, alpha: int, expected: int) -> None:
        scene = plain(8, 8)
        overlay(scene, square(8, alpha), 0, 0)
        assert np.abs(scene.astype(int) - expected).max() <= 1

    @pytest.mark.parametrize(
        ("x", "y", "rows", "columns"),
        [
            (3, 2, slice(2, 6), slice(3, 7)),
            (-2, -1, slice(0, 3), slice(0, 2)),
            (8, 9, slice(9, 10), slice(8, 10)),
            (10, 0, slice(0, 0), slice(0, 0)),  # just outside
            (-4, 0, slice(0, 0), slice(0, 0)),
            (900, -900, slice(0, 0), slice(0, 0)),
        ],
    )
    def test_overlay_clips_at_the_scene(self, x: int, y: int, rows: slice, columns: slice) -> None:
        scene, expected = plain(10, 10), plain(10, 10)
        expected[rows, columns] = 200
        overlay(scene, square(4, 255), x, y)
        assert np.array_equal(scene, expected)

    def test_scaled_picture_has_no_dark_rim(self) -> None:
        picture = np.zeros((64, 64, 4), np.uint8)  # a white square on transparent black
        picture[16:48, 16:48] = 255
        scene = plain(24, 24)
        overlay(scene, scale(premultiply(picture), 24), 0, 0)
        assert scene.min() >= GRAY - 1
        assert scene.max() >= 254


class TestSticker:
    def test_sticker_covers_only_the_face(self, pictures: Pictures) -> None:
        scene = Sticker(StaticEmoji(pictures)).annotate(plain(480, 640), [reading(Box(200, 150, 100, 100))])
        mark = changed(scene)
        assert mark[150:250, 200:300].all()
        rows, columns = np.flatnonzero(mark.any(axis=1)), np.flatnonzero(mark.any(axis=0))
        assert mark.sum() == len(rows) * len(columns) == 144**2  # one square
        assert abs((columns[0] + columns[-1] + 1) / 2 - 250) <= 1  # in the middle of the face
        assert 0 < 200 - (rows[0] + rows[-1] + 1) / 2 < 10  # slightly above the box, as the head is

    @pytest.mark.parametrize(("size", "rise"), [(0.5, 0.0), (1.5, 0.3), (2.0, -0.5)])
    def test_sticker_follows_placement(self, pictures: Pictures, size: float, rise: float) -> None:
        face = reading(Box(300, 200, 100, 100))
        rows = [
            np.flatnonzero(changed(sticker.annotate(plain(480, 640), [face])).any(axis=1))
            for sticker in (Sticker(StaticEmoji(pictures)), Sticker(StaticEmoji(pictures), Placement(size, rise)))
        ]
        (before, after), (middle_before, middle_after) = map(len, rows), (row.mean() for row in rows)
        assert after / before == pytest.approx(size, abs=0.06)
        assert middle_before - middle_after == pytest.approx(100 * rise, abs=2)

    def test_sticker_aligns_the_pictures_head_with_the_face(self, pictures: Pictures) -> None:
        head = (slice(8, 32), slice(20, 44))  # 24 of 64 pixels wide, centered, above a body
        for picture in pictures.values():
            picture[head] = (0, 0, 0, 255)
        sticker = Sticker(StaticEmoji(pictures, Head(x=0.5, y=20 / 64, width=24 / 64)))
        scene = sticker.annotate(plain(640, 640), [reading(Box(250, 250, 100, 100))])
        rows, columns = np.nonzero((scene < 3).all(axis=2))
        assert abs(columns.mean() - 300) < 2
        assert 0 < 300 - rows.mean() < 10
        assert 120 < np.ptp(columns) < 150

    @pytest.mark.parametrize("emotion", Emotion)
    def test_sticker_shows_the_emotions_picture(self, emotion: Emotion, pictures: Pictures) -> None:
        scene = Sticker(StaticEmoji(pictures)).annotate(plain(200, 200), [reading(Box(60, 60, 80, 80), emotion)])
        assert tuple(scene[100, 100].tolist()) == color(emotion)

    def test_sticker_shows_neutral_if_unsure(self, pictures: Pictures) -> None:
        unsure = reading(Box(60, 60, 80, 80), Emotion.NEUTRAL, sure=False)
        scene = Sticker(StaticEmoji(pictures)).annotate(plain(200, 200), [unsure])
        assert tuple(scene[100, 100].tolist()) == color(Emotion.NEUTRAL)

    @pytest.mark.parametrize("turned", [False, True])
    def test_sticker_draws_larger_face_on_top(self, turned: bool, pictures: Pictures) -> None:
        readings = [reading(Box(60, 60, 80, 80), Emotion.SAD), reading(Box(100, 60, 100, 100), Emotion.HAPPY)]
        scene = Sticker(StaticEmoji(pictures)).annotate(plain(240, 320), readings[::-1] if turned else readings)
        assert tuple(scene[100, 120].tolist()) == color(Emotion.HAPPY)  # where both faces overlap
        assert tuple(scene[100, 65].tolist()) == color(Emotion.SAD)

    @pytest.mark.parametrize(
        "box", [Box(-50, -50, 100, 100), Box(600, 440, 100, 100), Box(-100, 100, 100, 100), Box(0, 0, 640, 480)]
    )
    def test_sticker_covers_faces_at_the_edge(self, box: Box, pictures: Pictures) -> None:
        mark = changed(Sticker(StaticEmoji(pictures)).annotate(plain(480, 640), [reading(box)]))
        inside = mark[max(0, box.y) : box.y + box.height, max(0, box.x) : box.x + box.width]
        assert inside.all()
        assert mark.any()

    def test_sticker_keeps_transparent_parts_visible(self, packs_folder: Path) -> None:
        pack = EmojiPack.load(packs_folder / "classic")
        scene = Sticker(pack.emoji).annotate(plain(480, 640), [reading(Box(200, 150, 100, 100))])
        mark = changed(scene)
        assert tuple(scene[200, 250].tolist()) == color(Emotion.HAPPY)
        assert mark.sum() == pytest.approx(np.pi * 72**2, rel=0.05)  # the area of a disc; a square has 27 % more

    @pytest.mark.parametrize("roll", [-90, 90])
    def test_sticker_turns_with_the_head(self, roll: int) -> None:
        picture = np.full((64, 64, 4), (0, 0, 0, 255), np.uint8)
        picture[:20] = 255  # white hair, the rest black
        tilted = Reading(Face(Box(150, 150, 100, 100), 1, roll=roll), np.eye(7, dtype=np.float32)[3], Emotion(3), True)
        scene = Sticker(StaticEmoji(dict.fromkeys(Emotion, picture))).annotate(plain(400, 400), [tilted])
        right, left = scene[200, 240, 0], scene[200, 160, 0]
        assert (right, left) == ((255, 0) if roll > 0 else (0, 255))  # clockwise: the hair is on the right

    def test_sticker_does_not_change_the_pictures(self, pictures: Pictures) -> None:
        Sticker(StaticEmoji(pictures)).annotate(plain(200, 200), [reading(Box(60, 60, 80, 80))])
        assert tuple(pictures[Emotion.HAPPY][0, 0].tolist()) == (*color(Emotion.HAPPY), 255)


class FollowingEmoji:
    """An emoji whose shade follows the probability of happy."""

    head = Head()

    def picture(self, reading: Reading, size_px: int) -> NDArray[np.uint8]:
        return square(size_px, 255, round(100 * float(reading.probabilities[Emotion.HAPPY])))


@pytest.mark.parametrize(("style", "x"), [("sticker", 100), ("side-by-side", 300)])
@pytest.mark.parametrize("happy", [0.25, 0.5, 0.75])
def test_annotators_draw_the_emoji_of_each_reading(style: str, x: int, happy: float) -> None:
    probabilities = np.full(7, (1 - happy) / 6, np.float32)
    probabilities[Emotion.HAPPY] = happy
    face = Reading(Face(Box(60, 60, 80, 80), 1), probabilities, Emotion.HAPPY, True)
    scene = STYLES[style].create(FollowingEmoji(), Placement()).annotate(plain(200, 200), [face])
    assert tuple(scene[90, x].tolist()) == (round(100 * happy),) * 3


class TestSideBySide:
    @pytest.mark.parametrize(
        ("rows", "columns", "panel"), [(480, 640, 480), (640, 480, 480), (33, 47, 32), (1, 1, 2), (1, 40, 2)]
    )
    def test_panel_has_frame_height_and_even_width(
        self, rows: int, columns: int, panel: int, pictures: Pictures
    ) -> None:
        assert SideBySide(StaticEmoji(pictures)).annotate(plain(rows, columns), []).shape == (rows, columns + panel, 3)

    def test_panel_shows_the_main_face_large(self, pictures: Pictures) -> None:
        small, large = reading(Box(20, 20, 60, 60), Emotion.SAD), reading(Box(300, 200, 120, 120), Emotion.HAPPY)
        scene = SideBySide(StaticEmoji(pictures)).annotate(plain(480, 640), [small, large])
        camera, panel = scene[:, :640], scene[:, 640:]
        share = (panel == color(Emotion.HAPPY)).all(axis=2).mean()
        assert share > 0.4
        assert not (panel == color(Emotion.SAD)).all(axis=2).any()
        assert not changed(camera[:150]).any()
        assert (camera[:, 300] == color(Emotion.HAPPY)).all(axis=1).any()  # the outline of the main face
        assert (camera[230:290, 330:390] == GRAY).all()

    def test_panel_shows_the_caption_below_the_picture(self, pictures: Pictures) -> None:
        faces = [[reading(Box(20, 20, 60, 60))], [reading(Box(20, 20, 60, 60), Emotion.NEUTRAL, sure=False)]]
        panels = [
            SideBySide(StaticEmoji(pictures)).annotate(plain(480, 640), readings)[400:, 640:] for readings in faces
        ]
        assert all((panel == 255).all(axis=2).sum() > 100 for panel in panels)
        assert not np.array_equal(*[(panel == 255).all(axis=2) for panel in panels])  # happy, unsure

    def test_panel_shows_only_text_without_a_face(self, pictures: Pictures) -> None:
        scene = SideBySide(StaticEmoji(pictures)).annotate(plain(480, 640), [])
        assert not changed(scene[:, :640]).any()
        panel = scene[:, 640:]
        assert tuple(panel[0, 0].tolist()) == PANEL_COLOR
        assert (panel == 255).all(axis=2).sum() > 100
        for emotion in Emotion:
            assert not (panel == color(emotion)).all(axis=2).any()


class TestBoxLabel:
    def test_box_label_outlines_each_face_in_its_color(self) -> None:
        boxes = {Emotion.HAPPY: Box(50, 100, 120, 120), Emotion.SAD: Box(350, 200, 120, 120)}
        scene = BoxLabel().annotate(plain(480, 640), [reading(box, emotion) for emotion, box in boxes.items()])
        for emotion, (x, y, width, height) in boxes.items():
            assert tuple(scene[y + height // 2, x].tolist()) == color(emotion)
            assert tuple(scene[y + height, x + width // 2].tolist()) == color(emotion)
            assert (scene[y + 10 : y + height - 10, x + 10 : x + width - 10] == GRAY).all()

    def test_box_turns_with_the_head(self) -> None:
        tilted = Reading(Face(Box(150, 150, 100, 100), 1, roll=45), np.eye(7, dtype=np.float32)[3], Emotion(3), True)
        drawn = changed(BoxLabel().annotate(plain(400, 400), [tilted]))
        assert drawn[200, 125:135].any()  # a corner: half of the diagonal to the left
        assert not drawn[240:260, 140:155].any()  # where the corner of the straight box was

    @pytest.mark.parametrize("rows", [480, 3000])
    def test_label_is_readable_in_a_picture_of_any_size(self, rows: int) -> None:
        box = Box(rows // 2, rows // 2, rows // 30, rows // 30)
        drawn = changed(BoxLabel().annotate(plain(rows, rows), [reading(box)]))
        above = np.flatnonzero(drawn[: rows // 2 - 3].any(axis=1))
        assert len(above) >= 0.015 * rows

    @pytest.mark.parametrize(
        ("y", "rows"), [(100, slice(81, 98)), (0, slice(3, 17))], ids=["above", "inside, at the top"]
    )
    def test_label_is_readable_at_the_frames_top(self, y: int, rows: slice) -> None:
        scene = BoxLabel().annotate(plain(480, 640), [reading(Box(50, y, 120, 120))])
        assert (scene[rows, 55:120] == color(Emotion.HAPPY)).all(axis=2).mean() > 0.3
        assert (scene[rows, 55:120] > 240).all(axis=2).any()


@pytest.mark.parametrize("head", [(-0.1, 0.5, 0.5), (0.5, 1.1, 0.5), (0.5, 0.5, 0.05), (0.5, 0.5, float("nan"))])
def test_head_outside_its_picture_is_rejected(head: tuple[float, float, float]) -> None:
    with pytest.raises(EmojifyError, match="A head must lie inside its picture"):
        Head(*head)


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize(
    "box", [Box(0, 0, 1, 1), Box(-20, -20, 60, 60), Box(5000, 5000, 60, 60), Box(-2000, -2000, 9000, 9000)]
)
def test_annotators_accept_any_frame_and_box(rows: int, columns: int, box: Box, annotator: Annotator) -> None:
    for sure in (True, False):
        result = annotator.annotate(plain(rows, columns), [reading(box, sure=sure)])
        assert result.dtype == np.uint8
        assert result.shape[0] == rows
        assert result.shape[1] >= columns


@pytest.mark.parametrize("style", ["sticker", "box"])
def test_annotators_draw_nothing_without_readings(style: str, pictures: Pictures) -> None:
    assert not changed(STYLES[style].create(StaticEmoji(pictures), Placement()).annotate(plain(33, 47), [])).any()


def test_styles_have_unique_labels_and_help() -> None:
    assert all(key == style.key for key, style in STYLES.items())
    assert len({style.label for style in STYLES.values()}) == len(STYLES)
    assert all(style.help in STYLES_HELP for style in STYLES.values())
    assert DEFAULT_STYLE in STYLES


def test_chroma_key_replaces_the_scene_by_its_color(pictures: Pictures) -> None:
    annotator = ChromaKeyAnnotator(Sticker(StaticEmoji(pictures)), "#00FF40")
    scene = annotator.annotate(plain(200, 200), [reading(Box(60, 60, 80, 80))])
    assert tuple(scene[0, 0].tolist()) == (0x40, 0xFF, 0)
    assert tuple(scene[100, 100].tolist()) == color(Emotion.HAPPY)
