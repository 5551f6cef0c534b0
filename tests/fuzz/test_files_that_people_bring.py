"""Pictures, packs and data sets: whatever comes is taken, or refused in a sentence, and a refusal changes nothing."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emojify.errors import EmojifyError
from emojify.packs.importer import SIDE_PX, read_files, read_picture, read_zip
from emojify.packs.store import add_pack, export_pack, list_packs
from emojify.pictures import MAX_SIDE_PX, read_photo
from emojify.training.dataset import load
from tests.fuzz.inputs import fuzzed, json_files, picture_files, spoilt
from tests.helpers.pack_files import HAPPY, pack_zip, tree, with_manifest

PICTURES = picture_files()
MANIFEST = {
    "name": "Cats", "author": "me", "licence": "MIT", "description": "", "head": {"x": 0.5, "y": 0.5, "width": 0.6},
    "avatar": {"skin": "light", "hair": "short"},
}  # fmt: skip
NAMES = st.sampled_from(
    ["happy.png", "HAPPY.PNG", "sad.jpg", "a/neutral.webp", "b/fear.png", "pack.json", "../angry.png", "__MACOSX/x",
     "/etc/happy.png", "disgust.png", "surprise.png", "a\\happy.png", "C:happy.png", "happy.png/", ".DS_Store"]
) | st.text(min_size=1, max_size=12)  # fmt: skip
ROW = b"0,%b,Training\n" % b" ".join([b"7"] * 48 * 48)
CSV = b"emotion,pixels,Usage\n" + b"".join(b"%d%b" % (n % 7, ROW[1:]) for n in range(14))
LABELS_CSV = b"file,ferplus_anger,ferplus_happiness,clean\nhappy/1.png,3,7,1\n"


def refusal_of(attempt: Callable[[], object]) -> str | None:
    """The sentence of a refusal, None if all went well. Any other exception is a crash, and fails the test."""
    try:
        attempt()
    except EmojifyError as error:
        return str(error)
    return None


@fuzzed
@given(spoilt(*PICTURES) | st.binary(max_size=60))
def test_a_picture_opens_or_is_refused(content: bytes) -> None:
    def photo() -> None:
        height, width, channels = read_photo(content, "me.png").shape
        assert max(height, width) <= MAX_SIDE_PX
        assert channels == 3

    refusal_of(photo)
    refusal_of(lambda: read_picture(content, "happy.png"))


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name in draw(st.lists(NAMES, max_size=9)):
            content = draw(st.sampled_from([HAPPY, b"", b"\0" * 5000, *PICTURES]) | json_files(MANIFEST))
            archive.writestr(name.encode("utf-8", "replace").decode().lstrip("\0") or "?", content)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@fuzzed
@given(
    zips()
    | spoilt(pack_zip(), with_manifest(MANIFEST))
    | json_files(MANIFEST).map(lambda it: pack_zip(("pack.json", it)))
)
def test_a_pack_is_whole_and_comes_back_or_the_store_is_as_it_was(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "emojis"
        store.mkdir()
        before = tree(store)
        if refusal_of(lambda: add_pack(store, read_zip(content, "cats.zip"))) is not None:
            assert tree(store) == before
            return
        (pack,) = list_packs(store).packs
        assert all(picture.shape[0] == picture.shape[1] <= SIDE_PX for picture in pack.pictures.values())
        assert pack.emoji is not None
        assert read_zip(export_pack(pack), "again.zip").manifest == pack.manifest


@fuzzed
@given(st.lists(st.tuples(NAMES, st.sampled_from([HAPPY, *PICTURES]) | st.binary(max_size=30)), max_size=4))
def test_dropped_files_are_sorted_or_named(files: list[tuple[str, bytes]]) -> None:
    draft, problems = read_files(files)
    assert len(draft.pictures) + len(problems) == len(files)


def data_zip(content: bytes, labels: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for emotion in ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"):
            for split in ("train", "test"):
                archive.writestr(f"{split}/{emotion}/1.png", content if emotion == "sad" else PICTURES[0])
        archive.writestr("labels.csv", labels)
    return buffer.getvalue()


@fuzzed
@example((data_zip(PICTURES[0], LABELS_CSV).replace(b"labels.csv", b"\0abels.csv"), ".zip"))  # an entry without a name
@given(
    spoilt(CSV, b"\xef\xbb\xbf" + CSV[:4000], CSV.replace(b"7 ", b'"7" ', 9)).map(lambda content: (content, ".csv"))
    | spoilt(data_zip(PICTURES[0], LABELS_CSV)).map(lambda content: (content, ".zip"))
    | st.tuples(spoilt(*PICTURES), spoilt(LABELS_CSV, LABELS_CSV.replace(b"7", b"9" * 5000), b'"' * 200_000)).map(
        lambda parts: (data_zip(*parts), ".zip")
    )
)
def test_a_data_set_is_read_or_refused_and_never_written(file: tuple[bytes, str]) -> None:
    content, ending = file
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"faces{ending}"
        path.write_bytes(content)
        refusal_of(lambda: load(path))
        assert path.read_bytes() == content
        assert len(list(Path(name).iterdir())) == 1
