"""The built-in packs are drawn by code: the numbers blend, and the committed pictures are what they draw."""

import json
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emojify.emotions import Emotion
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.drawing.__main__ import PACKS_DIR
from emojify.packs.drawing.appearance import Beard, Earrings, Glasses, Hair, Hat, Person, Skin
from emojify.packs.drawing.expression import EXPRESSIONS, Expression, blend
from emojify.packs.drawing.person import person_svg
from emojify.packs.drawing.person_renderer import PersonRenderer
from emojify.packs.drawing.render import render

# The share of a 64 px picture that must differ: the closest two of ours differ by 0.059, the near-copies
# below by at most 0.022.
THRESHOLD = 0.05

PICTURES = [(pack_id, emotion) for pack_id in BUILT_IN_PACKS for emotion in Emotion]


def committed(pack_id: str, emotion: Emotion) -> Path:
    return PACKS_DIR / pack_id / f"{emotion.label}.png"


def one_hot(emotion: Emotion) -> NDArray[np.float64]:
    return np.eye(len(Emotion))[emotion]


def uniform() -> NDArray[np.float64]:
    return np.full(len(Emotion), 1 / len(Emotion))


@pytest.mark.parametrize(("pack_id", "emotion"), PICTURES)
def test_the_committed_picture_is_what_the_code_draws(pack_id: str, emotion: Emotion) -> None:
    drawn = render(BUILT_IN_PACKS[pack_id].svg(EXPRESSIONS[emotion]), 512)[:, :, [2, 1, 0, 3]].astype(int)
    with Image.open(committed(pack_id, emotion)) as picture:
        assert picture.mode == "RGBA"
        kept = np.array(picture).astype(int)
    assert kept.shape == (512, 512, 4)
    # Another processor may round an edge pixel differently; nobody sees 2 of 255.
    assert np.mean(np.abs(drawn - kept).max(axis=2) > 2) < 0.001


@pytest.mark.parametrize(("pack_id", "emotion"), PICTURES)
def test_a_picture_is_light_and_leaves_its_corners_clear(pack_id: str, emotion: Emotion) -> None:
    assert committed(pack_id, emotion).stat().st_size < 150_000
    with Image.open(committed(pack_id, emotion)) as picture:
        alpha = np.array(picture)[..., 3]
    corners = (alpha[:16, :16], alpha[:16, -16:], alpha[-8:, :8], alpha[-8:, -8:])
    assert all(corner.max() == 0 for corner in corners)
    assert alpha[:2].max() == 0, "the drawing is cut off at the top"
    assert 0.4 < np.mean(alpha == 255) < 0.9


def brightness_at_64_px(picture: Image.Image) -> NDArray[np.float64]:
    """The picture on mid-gray, 0 to 1: what is left of it small and without color."""
    small = picture.resize((64, 64), Image.Resampling.BOX)
    canvas = Image.new("RGBA", small.size, (128, 128, 128, 255))
    canvas.alpha_composite(small)
    return np.array(canvas.convert("L"), dtype=np.float64) / 255


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The share of pixels that a glance tells apart, wherever the second picture is moved by up to 2 pixels.

    Only shape counts: a change of brightness of the whole picture is no difference.
    """
    first, second = first - np.median(first), second - np.median(second)
    moves = [np.roll(second, (dy, dx), axis=(0, 1)) for dy in range(-2, 3) for dx in range(-2, 3)]
    return min(float(np.mean(np.abs(first - moved) > 0.2)) for moved in moves)


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
def test_the_seven_differ_at_64_px_without_color(pack_id: str) -> None:
    small = {}
    for emotion in Emotion:
        with Image.open(committed(pack_id, emotion)) as picture:
            small[emotion] = brightness_at_64_px(picture)
    alike = {
        (first.label, second.label): difference(small[first], small[second])
        for first, second in combinations(Emotion, 2)
        if difference(small[first], small[second]) < THRESHOLD
    }
    assert not alike


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
@pytest.mark.parametrize(
    "change",
    [
        {"mouth_curve": 0.25},  # a faint smile
        {"brow_left_raise": 0.4, "brow_right_raise": 0.4},
        {"gaze_x": 0.5},
        {"red": 0.6},  # color alone
    ],
)
def test_that_measure_would_catch_a_near_copy(pack_id: str, change: dict[str, float]) -> None:
    neutral = EXPRESSIONS[Emotion.NEUTRAL]
    first, second = (
        brightness_at_64_px(Image.fromarray(render(BUILT_IN_PACKS[pack_id].svg(expression), 512)[:, :, [2, 1, 0, 3]]))
        for expression in (neutral, replace(neutral, **change))
    )
    assert difference(first, second) < THRESHOLD


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
def test_a_pack_card_says_who_made_it_and_what_is_allowed(pack_id: str) -> None:
    card = json.loads((PACKS_DIR / pack_id / "pack.json").read_text(encoding="utf-8"))
    assert set(card) - {"avatar"} == {"name", "author", "license", "description", "head"}
    assert card["license"] == "MIT"
    assert all(card.values())


@pytest.mark.parametrize("emotion", Emotion)
def test_a_certain_emotion_is_its_own_expression(emotion: Emotion) -> None:
    assert asdict(blend(one_hot(emotion))) == pytest.approx(asdict(EXPRESSIONS[emotion]))


def test_a_blend_lies_where_the_probabilities_put_it() -> None:
    mixed = blend(0.25 * one_hot(Emotion.HAPPY) + 0.75 * one_hot(Emotion.SAD))
    happy, sad = EXPRESSIONS[Emotion.HAPPY], EXPRESSIONS[Emotion.SAD]
    assert mixed.mouth_curve == pytest.approx(0.25 * happy.mouth_curve + 0.75 * sad.mouth_curve)
    assert mixed.tears == pytest.approx(0.75)


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
@pytest.mark.parametrize("emotion", Emotion)
def test_a_blend_and_its_picture_move_without_jumps(pack_id: str, emotion: Emotion) -> None:
    shares = np.linspace(0, 1, 41)
    blends = [blend((1 - share) * uniform() + share * one_hot(emotion)) for share in shares]
    values = np.array([list(asdict(expression).values()) for expression in blends])
    assert np.abs(np.diff(values, n=2, axis=0)).max() < 1e-9, "a blend is a straight line in its numbers"
    pictures = np.array([render(BUILT_IN_PACKS[pack_id].svg(expression), 64) for expression in blends], dtype=float)
    steps = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 4 * steps.mean() + 0.1


@pytest.mark.parametrize(
    "probabilities",
    [
        [1.0],  # too few
        np.full((1, 7), 1 / 7),  # a batch
        np.zeros(7),
        np.full(7, 1.0),  # not normalized
        [1.5, -0.5, 0, 0, 0, 0, 0],
        [float("nan"), 1, 0, 0, 0, 0, 0],
    ],
)
def test_what_is_no_distribution_is_refused(probabilities: object) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        blend(probabilities)  # type: ignore[arg-type]


def test_single_precision_probabilities_are_good_enough() -> None:
    blend(np.array([0.1, 0.2, 0.05, 0.4, 0.05, 0.1, 0.1], dtype=np.float32))


@pytest.mark.parametrize("change", [{"tears": 1.2}, {"mouth_curve": -1.1}, {"gaze_x": float("nan")}])
def test_a_number_out_of_its_range_is_refused_by_name(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Expression(**change)


PEOPLE = [
    *(Person(hair=hair) for hair in Hair),
    *(Person(skin=skin) for skin in Skin if skin is not Person().skin),
    *(Person(hat=hat, hair=hair) for hat in (Hat.CAP, Hat.BEANIE, Hat.CROWN) for hair in (Hair.AFRO, Hair.PIGTAILS)),
    Person(hat=Hat.HIJAB),
    *(Person(beard=beard, glasses=glasses) for beard in Beard for glasses in (Glasses.ROUND, Glasses.SUN)),
    *(Person(earrings=earrings) for earrings in Earrings if earrings is not Earrings.NONE),
]


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_every_person_can_be_drawn_inside_the_picture(person: Person) -> None:
    for emotion in (Emotion.DISGUSTED, Emotion.FEARFUL, Emotion.HAPPY):  # the most tilted and the widest
        alpha = render(person_svg(person, EXPRESSIONS[emotion]), 128)[..., 3]
        border = np.concatenate([alpha[0], alpha[:, 0], alpha[:, -1]])
        assert border.max() == 0
        assert np.mean(alpha == 255) > 0.4


def test_choices_change_the_picture() -> None:
    neutral = EXPRESSIONS[Emotion.NEUTRAL]
    drawn = {person: render(person_svg(person, neutral), 64).tobytes() for person in PEOPLE}
    assert len(set(drawn.values())) == len(drawn)


@pytest.mark.parametrize("person", [Person(), Person(hair=Hair.LONG, hat=Hat.CAP, glasses=Glasses.SUN)], ids=str)
@pytest.mark.parametrize("emotion", Emotion)
def test_painting_in_layers_gives_the_picture_of_the_whole_document(person: Person, emotion: Emotion) -> None:
    painted = PersonRenderer(person, 128).render(EXPRESSIONS[emotion]).astype(float)
    whole = render(person_svg(person, EXPRESSIONS[emotion]), 128).astype(float)
    whole[:, :, :3] *= whole[:, :, 3:] / 255
    assert np.abs(painted - whole).mean() < 0.5
    assert np.mean(np.abs(painted - whole).max(axis=2) > 12) < 0.005  # rounding, and edges that were smoothed twice


def test_painting_twice_gives_the_same_and_leaves_the_first_alone() -> None:
    painter = PersonRenderer(Person(), 64)
    first = painter.render(EXPRESSIONS[Emotion.HAPPY])
    kept = first.copy()
    painter.render(EXPRESSIONS[Emotion.SAD])
    assert np.array_equal(first, kept)
    assert np.array_equal(painter.render(EXPRESSIONS[Emotion.HAPPY]), kept)


def test_what_is_no_svg_is_refused() -> None:
    with pytest.raises(ValueError, match="SVG"):
        render("not a drawing", 16)
