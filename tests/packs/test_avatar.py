"""Avatars: their JSON, their drawing, their animation, and packs made from them."""

import json
import random
import threading
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.avatar import HEAD, LIVE_PX, AnimatedAvatar, Avatar
from emojify.packs.drawing.appearance import PARTS, Clothes, Hair, HairColor, Hat, Person, Skin
from emojify.packs.drawing.expression import EXPRESSIONS
from emojify.packs.importer import read_picture, read_zip
from emojify.packs.pack import EmojiPack
from emojify.packs.store import add_pack, export_pack
from emojify.vision.annotators import StaticEmoji
from emojify.vision.readings import Box, Face, Reading

AVATAR = Avatar(Person(hair=Hair.BOB, skin=Skin.COCOA))


def probability_array(**probabilities: float) -> NDArray[np.float32]:
    array = np.zeros(len(Emotion), np.float32)
    for name, probability in probabilities.items():
        array[Emotion[name.upper()]] = probability
    return array


def reading(sure: bool = True, **probabilities: float) -> Reading:
    array = probability_array(**probabilities)
    emotion = Emotion(int(array.argmax())) if sure else Emotion.NEUTRAL
    return Reading(Face(Box(0, 0, 100, 100), 1), array, emotion, sure)


def certain(emotion: Emotion) -> Reading:
    return Reading(Face(Box(0, 0, 100, 100), 1), np.eye(7, dtype=np.float32)[emotion], emotion, True)


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(np.abs(first.astype(float) - second).mean())


class TestJson:
    def test_from_json_reverses_to_json(self) -> None:
        for seed in range(20):
            avatar = Avatar.random(random.Random(seed))
            assert Avatar.from_json(json.loads(json.dumps(avatar.to_json()))) == avatar

    def test_parts_cover_all_fields_of_person(self) -> None:
        assert set(PARTS) == set(AVATAR.to_json()) == set(Person.__dataclass_fields__)

    def test_from_json_uses_defaults_for_missing_parts(self) -> None:
        assert Avatar.from_json({"hair": "bob"}) == Avatar(Person(hair=Hair.BOB))

    def test_from_json_reads_the_parts_of_version_0_1_0(self) -> None:
        avatar = Avatar.from_json({"hair_colour": "pink", "hat": "cap", "hat_colour": "sky"})
        assert avatar == Avatar(Person(hair_color=HairColor.PINK, hat=Hat.CAP, hat_color=Clothes.SKY))

    @pytest.mark.parametrize(
        ("choices", "message"),
        [
            ({"skin": "plaid"}, "An avatar's skin can't be 'plaid'. There are: porcelain, "),
            ({"skin": "Honey"}, "can't be 'Honey'"),
            ({"skin": None}, "can't be None"),
            ({"skin": 3}, "can't be 3"),
            ({"skin": True}, "can't be True"),
            ({"antlers": "large"}, "An avatar has no 'antlers'. Its parts are: skin, hair, "),
            ({"hair": "bob", "hat": "<svg>"}, "hat can't be '<svg>'"),
        ],
    )
    def test_from_json_rejects_unknown_parts_and_choices(self, choices: Mapping[str, object], message: str) -> None:
        with pytest.raises(EmojifyError) as caught:
            Avatar.from_json(choices)
        assert message in str(caught.value)

    def test_random_uses_all_choices_and_often_none(self) -> None:
        people = [Avatar.random(random.Random(seed)).person for seed in range(300)]
        for part, choices in PARTS.items():
            assert {getattr(person, part) for person in people} == set(choices)
        assert sum(person.hat is Hat.NONE for person in people) > 120


class TestDrawing:
    @pytest.mark.parametrize("size_px", [1, 64, 300, 1024])
    def test_draw_returns_bgra_of_requested_size(self, size_px: int) -> None:
        picture = AVATAR.draw(EXPRESSIONS[Emotion.HAPPY], size_px)
        assert (picture.shape, picture.dtype) == ((size_px, size_px, 4), np.uint8)

    def test_draw_orders_channels_as_bgra(self) -> None:
        blue, green, red, alpha = AVATAR.draw(EXPRESSIONS[Emotion.NEUTRAL], 256)[150, 128].tolist()
        assert alpha == 255
        assert red > green > blue

    def test_draw_accepts_probabilities_or_expression(self) -> None:
        drawn = AVATAR.draw(probability_array(sad=1), 64)
        assert np.array_equal(drawn, AVATAR.draw(EXPRESSIONS[Emotion.SAD], 64))

    def test_draw_rejects_invalid_probabilities(self) -> None:
        with pytest.raises(ValueError, match="probabilities"):
            AVATAR.draw(np.zeros(7), 64)


class TestAnimated:
    def test_certain_reading_looks_like_its_expression(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        for emotion in Emotion:
            picture = animated.picture(certain(emotion), LIVE_PX)
            others = {
                other: difference(picture, as_overlay(AVATAR.draw(EXPRESSIONS[other], LIVE_PX))) for other in Emotion
            }
            assert min(others, key=others.__getitem__) is emotion
            assert others[emotion] < 1

    def test_unsure_reading_shows_neutral_face(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        unsure = animated.picture(reading(sure=False, angry=0.3, sad=0.3, fearful=0.4), 128)
        assert np.array_equal(unsure, animated.picture(reading(neutral=1.0), 128))

    def test_picture_moves_in_small_steps(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        pictures = [
            animated.picture(reading(happy=float(share), sad=float(1 - share)), 128) for share in np.linspace(0, 1, 41)
        ]
        steps = [difference(*pair) for pair in pairwise(pictures)]
        assert max(steps) < 0.15 * difference(pictures[0], pictures[-1])
        assert sum(step > 0 for step in steps) > 25

    def test_small_probabilities_hardly_show(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        sure, nearly = reading(happy=1.0), reading(happy=0.85, sad=0.1, fearful=0.05)
        still, moved = animated.picture(sure, 128), animated.picture(nearly, 128)
        assert difference(still, moved) < 0.25 * difference(still, animated.picture(reading(sad=1.0), 128))

    def test_similar_blend_reuses_drawing(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        first = animated.picture(reading(happy=0.9, neutral=0.1), LIVE_PX)
        assert animated.picture(reading(happy=0.902, neutral=0.098), LIVE_PX) is first
        assert animated.picture(reading(happy=0.5, neutral=0.5), LIVE_PX) is not first
        assert animated.picture(reading(happy=0.9, neutral=0.1), LIVE_PX) is first

    def test_picture_is_right_after_many_blends(self) -> None:
        animated = AnimatedAvatar(AVATAR)
        for share in np.linspace(0, 1, 60):
            animated.picture(reading(angry=float(share), surprised=float(1 - share)), 64)
        assert difference(animated.picture(reading(angry=1.0), 64), animated.picture(reading(surprised=1.0), 64)) > 1

    def test_picture_is_thread_safe(self) -> None:
        animated, pictures = AnimatedAvatar(AVATAR), []

        def ask(emotion: Emotion) -> None:
            pictures.append((emotion, animated.picture(certain(emotion), 64)))

        threads = [threading.Thread(target=ask, args=(emotion,)) for emotion in Emotion for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(pictures) == len(threads)
        for emotion, picture in pictures:
            assert difference(picture, animated.picture(certain(emotion), 64)) < 0.5


def as_overlay(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = picture[:, :, 3:].astype(float) / 255
    return np.dstack([np.rint(picture[:, :, :3] * alpha), 255 - picture[:, :, 3]]).astype(np.uint8)


class TestPack:
    def test_saved_avatar_is_an_animated_pack(self, tmp_path: Path) -> None:
        pack = add_pack(tmp_path, AVATAR.to_draft("My twin", "Me"))
        assert (pack.id, pack.name, pack.author, pack.head) == ("my-twin", "My twin", "Me", HEAD)
        assert pack.avatar == AVATAR
        assert isinstance(pack.emoji, AnimatedAvatar)
        for emotion, picture in pack.pictures.items():
            assert np.array_equal(picture, AVATAR.draw(EXPRESSIONS[emotion], 512))
            assert not read_picture(pack.path(emotion).read_bytes(), emotion.label).notes

    def test_avatar_survives_export_and_import(self, tmp_path: Path) -> None:
        pack = add_pack(tmp_path, AVATAR.to_draft("My twin", "Me"))
        again = add_pack(tmp_path, read_zip(export_pack(pack), "my-twin.zip"))
        assert again.id != pack.id
        assert again.avatar == AVATAR

    def test_ordinary_pack_uses_stills(self, packs_folder: Path) -> None:
        pack = EmojiPack.load(packs_folder / "classic")
        assert pack.avatar is None
        assert isinstance(pack.emoji, StaticEmoji)

    def test_avatar_of_newer_version_falls_back_to_pictures(self, packs_folder: Path) -> None:
        manifest = packs_folder / "classic" / "pack.json"
        manifest.write_text(json.dumps({"name": "Newer", "avatar": {"antlers": "large"}}), encoding="utf-8")
        pack = EmojiPack.load(packs_folder / "classic")
        assert pack.avatar is None
        assert isinstance(pack.emoji, StaticEmoji)
