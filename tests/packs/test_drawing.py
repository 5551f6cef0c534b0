"""The built-in packs: expressions blend, and the committed pictures match what the code draws."""

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

# The share of a 64 px picture that must differ: the two most similar built-in pictures differ by 0.059, the near
# copies below by at most 0.022.
THRESHOLD = 0.05

PICTURES = [(pack_id, emotion) for pack_id in BUILT_IN_PACKS for emotion in Emotion]


def committed(pack_id: str, emotion: Emotion) -> Path:
    return PACKS_DIR / pack_id / f"{emotion.label}.png"


def one_hot(emotion: Emotion) -> NDArray[np.float64]:
    return np.eye(len(Emotion))[emotion]


def uniform() -> NDArray[np.float64]:
    return np.full(len(Emotion), 1 / len(Emotion))


@pytest.mark.parametrize(("pack_id", "emotion"), PICTURES)
def test_committed_picture_matches_drawing(pack_id: str, emotion: Emotion) -> None:
    drawn = render(BUILT_IN_PACKS[pack_id].svg(EXPRESSIONS[emotion]), 512)[:, :, [2, 1, 0, 3]].astype(int)
    with Image.open(committed(pack_id, emotion)) as picture:
        assert picture.mode == "RGBA"
        kept = np.array(picture).astype(int)
    assert kept.shape == (512, 512, 4)
    # Another processor may round pixels at edges differently; a difference of 2 of 255 is invisible.
    assert np.mean(np.abs(drawn - kept).max(axis=2) > 2) < 0.001


@pytest.mark.parametrize(("pack_id", "emotion"), PICTURES)
def test_picture_is_small_with_clear_corners(pack_id: str, emotion: Emotion) -> None:
    assert committed(pack_id, emotion).stat().st_size < 150_000
    with Image.open(committed(pack_id, emotion)) as picture:
        alpha = np.array(picture)[..., 3]
    corners = (alpha[:16, :16], alpha[:16, -16:], alpha[-8:, :8], alpha[-8:, -8:])
    assert all(corner.max() == 0 for corner in corners)
    assert alpha[:2].max() == 0, "the drawing is cut off at the top"
    assert 0.4 < np.mean(alpha == 255) < 0.9


def brightness_at_64_px(picture: Image.Image) -> NDArray[np.float64]:
    """Return the brightness, 0 to 1, of the picture on medium gray at 64 x 64: no color is left."""
    small = picture.resize((64, 64), Image.Resampling.BOX)
    canvas = Image.new("RGBA", small.size, (128, 128, 128, 255))
    canvas.alpha_composite(small)
    return np.array(canvas.convert("L"), dtype=np.float64) / 255


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the share of clearly different pixels, at the best of all shifts by up to 2 pixels.

    The medians are subtracted first: a change of the overall brightness is no difference.
    """
    first, second = first - np.median(first), second - np.median(second)
    shifts = [np.roll(second, (dy, dx), axis=(0, 1)) for dy in range(-2, 3) for dx in range(-2, 3)]
    return min(float(np.mean(np.abs(first - shifted) > 0.2)) for shifted in shifts)


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
def test_emotions_differ_at_64_px_without_color(pack_id: str) -> None:
    small = {}
    for emotion in Emotion:
        with Image.open(committed(pack_id, emotion)) as picture:
            small[emotion] = brightness_at_64_px(picture)
    similar = {
        (first.label, second.label): difference(small[first], small[second])
        for first, second in combinations(Emotion, 2)
        if difference(small[first], small[second]) < THRESHOLD
    }
    assert not similar


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
def test_difference_is_low_for_near_copies(pack_id: str, change: dict[str, float]) -> None:
    neutral = EXPRESSIONS[Emotion.NEUTRAL]
    first, second = (
        brightness_at_64_px(Image.fromarray(render(BUILT_IN_PACKS[pack_id].svg(expression), 512)[:, :, [2, 1, 0, 3]]))
        for expression in (neutral, replace(neutral, **change))
    )
    assert difference(first, second) < THRESHOLD


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
def test_manifest_is_complete(pack_id: str) -> None:
    manifest = json.loads((PACKS_DIR / pack_id / "pack.json").read_text(encoding="utf-8"))
    assert set(manifest) - {"avatar"} == {"name", "author", "license", "description", "head"}
    assert manifest["license"] == "MIT"
    assert all(manifest.values())


@pytest.mark.parametrize("emotion", Emotion)
def test_blend_of_certain_emotion_is_its_expression(emotion: Emotion) -> None:
    assert asdict(blend(one_hot(emotion))) == pytest.approx(asdict(EXPRESSIONS[emotion]))


def test_blend_is_weighted_mean() -> None:
    mixed = blend(0.25 * one_hot(Emotion.HAPPY) + 0.75 * one_hot(Emotion.SAD))
    happy, sad = EXPRESSIONS[Emotion.HAPPY], EXPRESSIONS[Emotion.SAD]
    assert mixed.mouth_curve == pytest.approx(0.25 * happy.mouth_curve + 0.75 * sad.mouth_curve)
    assert mixed.tears == pytest.approx(0.75)


@pytest.mark.parametrize("pack_id", BUILT_IN_PACKS)
@pytest.mark.parametrize("emotion", Emotion)
def test_blend_and_picture_change_smoothly(pack_id: str, emotion: Emotion) -> None:
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
def test_blend_rejects_invalid_probabilities(probabilities: object) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        blend(probabilities)  # type: ignore[arg-type]


def test_blend_accepts_float32() -> None:
    blend(np.array([0.1, 0.2, 0.05, 0.4, 0.05, 0.1, 0.1], dtype=np.float32))


@pytest.mark.parametrize("change", [{"tears": 1.2}, {"mouth_curve": -1.1}, {"gaze_x": float("nan")}])
def test_expression_rejects_number_out_of_range(change: dict[str, float]) -> None:
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
def test_every_person_fits_the_picture(person: Person) -> None:
    for emotion in (Emotion.DISGUSTED, Emotion.FEARFUL, Emotion.HAPPY):  # the most tilted and the widest
        alpha = render(person_svg(person, EXPRESSIONS[emotion]), 128)[..., 3]
        border = np.concatenate([alpha[0], alpha[:, 0], alpha[:, -1]])
        assert border.max() == 0
        assert np.mean(alpha == 255) > 0.4


def test_every_choice_changes_the_picture() -> None:
    neutral = EXPRESSIONS[Emotion.NEUTRAL]
    drawn = {person: render(person_svg(person, neutral), 64).tobytes() for person in PEOPLE}
    assert len(set(drawn.values())) == len(drawn)


@pytest.mark.parametrize("person", [Person(), Person(hair=Hair.LONG, hat=Hat.CAP, glasses=Glasses.SUN)], ids=str)
@pytest.mark.parametrize("emotion", Emotion)
def test_person_renderer_matches_whole_document(person: Person, emotion: Emotion) -> None:
    rendered = PersonRenderer(person, 128).render(EXPRESSIONS[emotion]).astype(float)
    whole = render(person_svg(person, EXPRESSIONS[emotion]), 128).astype(float)
    whole[:, :, :3] *= whole[:, :, 3:] / 255
    assert np.abs(rendered - whole).mean() < 0.5
    assert np.mean(np.abs(rendered - whole).max(axis=2) > 12) < 0.005  # rounding, and edges that were smoothed twice


def test_person_renderer_keeps_earlier_pictures() -> None:
    renderer = PersonRenderer(Person(), 64)
    first = renderer.render(EXPRESSIONS[Emotion.HAPPY])
    kept = first.copy()
    renderer.render(EXPRESSIONS[Emotion.SAD])
    assert np.array_equal(first, kept)
    assert np.array_equal(renderer.render(EXPRESSIONS[Emotion.HAPPY]), kept)


def test_render_rejects_invalid_svg() -> None:
    with pytest.raises(ValueError, match="SVG"):
        render("not a drawing", 16)
