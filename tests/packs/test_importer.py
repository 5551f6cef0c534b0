from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from emojify.__main__ import main
from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.packs.importer import CheckedPicture, Draft, emotion_from_file_name, read_files, read_picture, read_zip
from emojify.packs.manifest import PackManifest
from emojify.packs.store import add_pack
from emojify.vision.annotators import Head
from tests.helpers.hostile_packs import HARMLESS, HOSTILE, HostileZip
from tests.helpers.pack_files import (
    HAPPY,
    PICTURES,
    Maker,
    disc,
    encode_image,
    film,
    folder_contents,
    pack_zip,
    with_manifest,
    zipped,
)

ROOT = Path(__file__).resolve().parents[2]
VALID_ZIPS = {row.valid: f"of {row.name}" for row in reversed(HOSTILE)}
"""Each valid counterpart once, with the name of the first row that has it."""


def opened(picture: CheckedPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png))


@pytest.mark.filterwarnings("ignore:Duplicate name", "ignore:Image size")  # from making one; as outside of pytest
@pytest.mark.parametrize("row", HOSTILE, ids=[row.name for row in HOSTILE])
def test_hostile_zip_is_refused_and_store_unchanged(
    row: HostileZip,
    packs_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    file = tmp_path / "cats.zip"
    file.write_bytes(row.bad())
    before = folder_contents(packs_folder)
    for command in ("check", "add"):
        assert main(["packs", command, str(file)]) == 2
        captured = capsys.readouterr()
        assert row.reason in captured.err
        assert captured.err.count("\n") == 1
        assert captured.err.strip().isprintable()
        assert captured.out == ""
    assert folder_contents(packs_folder) == before


def test_large_picture_is_refused_without_warnings(tmp_path: Path) -> None:
    """Run in another process, because pytest captures warnings."""
    (row,) = (row for row in HOSTILE if "144" in row.name)
    (tmp_path / "cats.zip").write_bytes(row.bad())
    command = [sys.executable, "-m", "emojify", "packs", "check", str(tmp_path / "cats.zip")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "emojify: happy.png is too large: 12000 x 12000 pixels. The limit is 16 megapixels; shrink it first.\n"
    )


@pytest.mark.parametrize("make", VALID_ZIPS, ids=VALID_ZIPS.values())
def test_valid_counterpart_is_accepted(make: Maker, packs_folder: Path) -> None:
    pack = add_pack(packs_folder, read_zip(make(), "cats.zip"))
    assert len(pack.pictures) == 7


def test_read_zip_returns_pictures_and_name() -> None:
    draft = read_zip(pack_zip(), "My cats.zip")
    assert draft.manifest.name == "My cats"
    assert draft.missing == ()
    assert draft.notes == ()
    for emotion, picture in draft.pictures.items():
        original = Image.open(io.BytesIO(PICTURES[f"{emotion.label}.png"]))
        assert np.array_equal(np.asarray(opened(picture)), np.asarray(original))


def test_read_zip_drops_unknown_manifest_keys() -> None:
    manifest = {
        "name": "Cats",
        "author": "Me",
        "license": "CC BY 4.0",
        "description": "Meow",
        "head": {"x": 0.4, "y": 0.5, "width": 0.6},
        "avatar": {"skin": 3, "hair": "bob", "glasses": None, "blush": 0.5},
        "built_in": True,
        "run": "rm -rf /",
    }
    draft = read_zip(with_manifest(manifest), "x.zip")
    del manifest["built_in"], manifest["run"]
    assert draft.manifest == PackManifest(**{**manifest, "head": Head(0.4, 0.5, 0.6)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file_name", "label"),
    [
        ("angry.png", "angry"),
        ("DISGUST.PNG", "disgusted"),
        ("disgusted.webp", "disgusted"),
        ("Fear.jpg", "fearful"),
        ("fearful.jpeg", "fearful"),
        ("Happy.JPEG", "happy"),
        ("neutral.png", "neutral"),
        ("sad.WebP", "sad"),
        ("surprise.png", "surprised"),
        (" Surprised .png", "surprised"),
        ("happy.gif", "happy"),
        ("anger.png", "angry"),
        ("Happiness.png", "happy"),
        ("sadness.webp", "sad"),
        ("Sad_Face2.png", "sad"),
        ("my-happy cat (1).png", "happy"),
        ("AngryFace.png", "angry"),
        ("0.png", "angry"),
        ("4.png", "sad"),
        ("6.png", "neutral"),
        ("7.png", None),
        ("unhappy.png", None),
        ("happy_or_sad.png", None),
        ("happy.svg", None),
        ("happy", None),
        (".png", None),
        ("smile.png", None),
    ],
)
def test_emotion_from_file_name(file_name: str, label: str | None) -> None:
    emotion = emotion_from_file_name(file_name)
    assert (emotion.label if emotion is not None else None) == label


@pytest.mark.parametrize("name", HARMLESS)
def test_read_picture_encodes_odd_picture_again(name: str) -> None:
    picture = opened(read_picture(HARMLESS[name](), "happy.png"))
    assert (picture.format, picture.mode, getattr(picture, "n_frames", 1)) == ("PNG", "RGBA", 1)
    assert np.abs(np.asarray(picture)[8, 8].astype(int) - (255, 165, 0, 255)).max() < 12
    assert "JPEG" in name or "CMYK" in name or np.asarray(picture)[0, 0, 3] == 0


def test_read_picture_keeps_brightness_of_16_bits() -> None:
    gray = Image.fromarray(np.full((16, 16), 0x8000, np.uint16))
    assert np.asarray(opened(read_picture(encode_image(gray), "happy.png")))[8, 8].tolist() == [128, 128, 128, 255]


def test_read_picture_removes_metadata() -> None:
    manifest = Image.Exif()
    manifest[ExifTags.Base.Artist] = "a secret"
    content = encode_image(disc(), exif=manifest) + b"<script>a secret</script>"
    assert b"secret" in content
    assert b"secret" not in read_picture(content, "happy.png").png


@pytest.mark.parametrize(
    ("size", "side"),
    [((40, 20), 40), ((20, 40), 40), ((1000, 500), 512), ((3000, 3000), 512), ((1, 9000), 512), ((1, 1), 1)],
)
def test_read_picture_pads_and_shrinks(size: tuple[int, int], side: int) -> None:
    picture = opened(read_picture(encode_image(Image.new("RGBA", size, "orange")), "happy.png"))
    assert picture.size == (side, side)
    alpha = np.asarray(picture)[:, :, 3]
    assert alpha.any()
    width, height = size
    if width > height:
        assert not alpha[0].any()
        assert alpha[side // 2].all()
    if height > width:
        assert not alpha[:, 0].any()
    if height == width:
        assert alpha.all()


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG"])
def test_animated_picture_notes_first_frame(kind: str) -> None:
    assert "first frame" in read_picture(film(kind, 4), "happy").notes[0]


def test_place_head_measures_padding_of_all_pictures() -> None:
    """OpenMoji's pictures have a wide border, so the sticker would cover two thirds of the face."""
    files = [(name, encode_image(padded((20, 10, 80, 70)))) for name in PICTURES if name != "sad.png"]
    draft = read_files([*files, ("sad.png", encode_image(padded((20, 30, 80, 80))))])
    head = draft.place_head().manifest.head
    assert (head.x, head.y) == (0.5, pytest.approx(0.45))
    assert head.width == pytest.approx(0.7 * Head().width)


def test_place_head_keeps_head_of_manifest() -> None:
    draft = read_zip(with_manifest({"name": "Cats", "head": {"x": 0.4, "y": 0.5, "width": 0.6}}), "x.zip")
    assert draft.place_head() is draft


def test_place_head_keeps_full_pictures() -> None:
    files = [(name, encode_image(padded((0, 1, 100, 99)))) for name in PICTURES]
    assert read_files(files).place_head().manifest.head == Head()


def padded(box: tuple[int, int, int, int]) -> Image.Image:
    """Return a transparent picture of 100 x 100 pixels with an orange box."""
    picture = Image.new("RGBA", (100, 100))
    picture.paste("orange", box)
    return picture


def test_added_pack_has_measured_head(packs_folder: Path) -> None:
    files = [(name, encode_image(padded((20, 20, 80, 80)))) for name in PICTURES]
    draft = replace(read_files(files), manifest=PackManifest("Padded"))
    assert add_pack(packs_folder, draft).head.width == pytest.approx(0.6 * Head().width)


def test_read_zip_leaves_out_other_files() -> None:
    names = ("run.exe", "inner.zip", "model.keras", "index.html", "LICENSE.txt")
    draft = read_zip(pack_zip(*((name, b"never read") for name in names)), "cats.zip")
    assert draft.missing == ()
    assert [problem.split()[1] for problem in draft.problems] == list(names)


def test_read_zip_keeps_good_pictures_beside_bad_one() -> None:
    draft = read_zip(pack_zip(("sad.png", HAPPY[:50]), leave_out=["sad.png"]), "cats.zip")
    assert draft.missing == (Emotion.SAD,)
    assert draft.problems == ("sad.png is damaged or cut short. Use another copy of it.",)


def test_read_zip_understands_numbers_and_nouns() -> None:
    numbered = zipped((f"{number}.png", HAPPY) for number in range(7))
    assert read_zip(numbered, "fer.zip").missing == ()
    nouns = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    assert read_zip(zipped((f"{noun}.png", HAPPY) for noun in nouns), "nouns.zip").missing == ()


def test_opaque_picture_notes_its_background() -> None:
    assert "transparent" in read_picture(encode_image(Image.new("RGB", (9, 9))), "happy.png").notes[0]
    assert read_picture(HAPPY, "happy.png").notes == ()


def test_fill_missing_uses_neutral_picture() -> None:
    draft = read_zip(pack_zip(leave_out=["fearful.png", "sad.png"]), "cats.zip")
    assert draft.missing == (Emotion.FEARFUL, Emotion.SAD)
    with pytest.raises(EmojifyError, match="no picture: fearful, sad"):
        draft.check_complete()
    filled = draft.fill_missing()
    filled.check_complete()
    assert filled.pictures[Emotion.SAD].png == draft.pictures[Emotion.NEUTRAL].png
    assert filled.pictures[Emotion.HAPPY] == draft.pictures[Emotion.HAPPY]


def test_fill_missing_without_neutral_changes_nothing() -> None:
    draft = read_zip(pack_zip(leave_out=["neutral.png", "sad.png"]), "cats.zip")
    assert draft.fill_missing() == draft


def test_missing_lists_all_without_pictures() -> None:
    assert [emotion.label for emotion in Draft(PackManifest("Cats"), {}).missing] == list(LABELS)


def test_read_files_sorts_pictures_and_lists_problems() -> None:
    draft = read_files(
        [("FEAR.PNG", HAPPY), ("happy.webp", HAPPY), ("happy.png", HAPPY), ("grin.png", HAPPY), ("sad.png", b"hello")]
    )
    problems = draft.problems
    assert list(draft.pictures) == [Emotion.FEARFUL, Emotion.HAPPY]
    assert [problem.split(" ")[0] for problem in problems] == ["happy.png", "grin.png", "sad.png"]
    assert ["second picture" in problems[0], "not named" in problems[1], "not a picture" in problems[2]] == [True] * 3


def test_read_files_takes_one_zip_alone() -> None:
    draft = read_files([("Cats.ZIP", pack_zip())])
    assert (draft.manifest.name, draft.missing, draft.problems) == ("Cats", (), ())
    draft = read_files([("Cats.ZIP", pack_zip()), ("sad.png", HAPPY)])
    assert list(draft.pictures) == [Emotion.SAD]
    assert "Add the zip alone" in draft.problems[0]


def test_read_files_names_format_that_cannot_be_opened() -> None:
    draft = read_files([("happy.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("sad.pdf", b"%PDF-1.7")])
    assert ["an SVG drawing" in draft.problems[0], "a PDF" in draft.problems[1]] == [True, True]


def test_read_files_explains_bad_zip() -> None:
    draft = read_files([("cats.zip", b"hello")])
    assert draft.pictures == {}
    assert "not a zip" in draft.problems[0]
