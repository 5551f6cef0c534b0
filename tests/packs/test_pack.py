import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.pack import EmojiPack
from emojify.pictures import open_picture
from emojify.vision.annotators import Head


def test_load_reads_picture_of_each_emotion(packs_folder: Path) -> None:
    pack = EmojiPack.load(packs_folder / "classic")
    assert list(pack.pictures) == list(Emotion)
    for emotion, picture in pack.pictures.items():
        assert picture.shape == (64, 64, 4)
        assert picture.dtype == np.uint8
        blue, green, red, alpha = picture[32, 32].tolist()
        assert f"#{red:02X}{green:02X}{blue:02X}" == emotion.color
        assert (alpha, picture[0, 0, 3]) == (255, 0)


def test_load_reads_texts_of_manifest(packs_folder: Path) -> None:
    pack = EmojiPack.load(packs_folder / "squares")
    assert (pack.id, pack.name, pack.author, pack.license) == ("squares", "Squares", "The tests", "MIT")


@pytest.mark.parametrize("manifest", [{}, {"name": ""}, {"name": None}])
def test_name_defaults_to_folder_name(manifest: dict[str, str | None], packs_folder: Path) -> None:
    (packs_folder / "classic" / "pack.json").write_text(json.dumps(manifest), encoding="utf-8")
    pack = EmojiPack.load(packs_folder / "classic")
    assert (pack.name, pack.author) == ("classic", "")


def test_head_is_read_or_default(packs_folder: Path) -> None:
    assert EmojiPack.load(packs_folder / "classic").head == Head()
    (packs_folder / "classic" / "pack.json").write_text('{"head": {"y": 0.4, "width": 0.6}}', encoding="utf-8")
    assert EmojiPack.load(packs_folder / "classic").head == Head(x=0.5, y=0.4, width=0.6)


def test_load_names_missing_pictures(packs_folder: Path) -> None:
    for label in ("sad", "fearful"):
        (packs_folder / "classic" / f"{label}.png").unlink()
    with pytest.raises(EmojifyError, match=r"^The pack classic has no picture for: fearful, sad\.$"):
        EmojiPack.load(packs_folder / "classic")


def test_load_treats_folder_as_missing_picture(packs_folder: Path) -> None:
    path = packs_folder / "classic" / "happy.png"
    path.unlink()
    path.mkdir()
    with pytest.raises(EmojifyError, match="no picture for: happy"):
        EmojiPack.load(packs_folder / "classic")


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.unlink(),
        lambda manifest: manifest.write_text('{"name": "Cla'),
        lambda manifest: manifest.write_text("[]"),
        lambda manifest: manifest.write_bytes(b"\xff\xfe"),
        lambda manifest: manifest.write_text('{"head": "large"}'),
        lambda manifest: manifest.write_text('{"head": {"x": "left"}}'),
        lambda manifest: manifest.write_text('{"head": {"x": null}}'),
        lambda manifest: manifest.write_text('{"head": {"tilt": 3}}'),
    ],
    ids=["missing", "cut short", "a list", "no text", "head a word", "head's x a word", "head's x null", "head's tilt"],
)
def test_load_rejects_broken_manifest(damage: Callable[[Path], object], packs_folder: Path) -> None:
    damage(packs_folder / "classic" / "pack.json")
    with pytest.raises(EmojifyError, match=r"The pack classic has no readable pack\.json"):
        EmojiPack.load(packs_folder / "classic")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "happy.png of the pack classic is damaged"),
        (lambda path: path.write_bytes(b"GIF89a"), "happy.png of the pack classic is not a picture"),
        (lambda path: path.unlink(), "happy.png of the pack classic cannot be read: no such file"),
    ],
    ids=["cut short", "not a picture", "removed since it was listed"],
)
def test_pictures_name_the_broken_file(damage: Callable[[Path], object], sentence: str, packs_folder: Path) -> None:
    pack = EmojiPack.load(packs_folder / "classic")
    damage(pack.path(Emotion.HAPPY))
    with pytest.raises(EmojifyError, match=sentence):
        _ = pack.pictures


def test_sessions_share_the_pictures_of_a_stored_pack(packs_folder: Path) -> None:
    with patch("emojify.packs.pack.open_picture", wraps=open_picture) as decode:
        first, second = (EmojiPack.load(packs_folder / "classic").emoji for _ in range(2))
    assert first is second
    assert decode.call_count == len(Emotion)


def test_changed_pack_is_decoded_again(packs_folder: Path) -> None:
    before = EmojiPack.load(packs_folder / "classic").emoji
    (packs_folder / "classic" / "pack.json").write_text('{"name": "New", "head": {"width": 0.5}}', encoding="utf-8")
    after = EmojiPack.load(packs_folder / "classic").emoji
    assert after is not before
    assert after.head.width == 0.5
