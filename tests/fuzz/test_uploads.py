"""Uploaded pictures, packs and data sets with any content: accepted, or refused with a sentence and no change."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz import oracles
from tests.fuzz.strategies import corrupted, fuzz_settings, json_files
from tests.fuzz.valid_files import LABELS_CSV, MANIFEST, PICTURES, ROW, dataset_zip
from tests.helpers.pack_files import HAPPY, pack_zip, with_manifest

NAMES = st.sampled_from(
    ["happy.png", "HAPPY.PNG", "sad.jpg", "a/neutral.webp", "b/fear.png", "pack.json", "../angry.png", "__MACOSX/x",
     "/etc/happy.png", "disgust.png", "surprise.png", "a\\happy.png", "C:happy.png", "happy.png/", ".DS_Store"]
) | st.text(min_size=1, max_size=12)  # fmt: skip
CSV = b"emotion,pixels,Usage\n" + b"".join(b"%d%b" % (number % 7, ROW[1:]) for number in range(14))


@fuzz_settings
@given(corrupted(*PICTURES) | st.binary(max_size=60))
def test_picture_opens_or_is_refused(content: bytes) -> None:
    oracles.check_picture(content)


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name in draw(st.lists(NAMES, max_size=9)):
            content = draw(st.sampled_from([HAPPY, b"", b"\0" * 5000, *PICTURES]) | json_files(MANIFEST))
            archive.writestr(name.encode("utf-8", "replace").decode().lstrip("\0") or "?", content)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@fuzz_settings
@given(
    zips()
    | corrupted(pack_zip(), with_manifest(MANIFEST))
    | json_files(MANIFEST).map(lambda manifest: pack_zip(("pack.json", manifest)))
)
def test_pack_is_complete_or_the_store_unchanged(content: bytes) -> None:
    oracles.check_pack(content)


@fuzz_settings
@given(st.lists(st.tuples(NAMES, st.sampled_from([HAPPY, *PICTURES]) | st.binary(max_size=30)), max_size=4))
def test_dropped_files_are_pictures_or_problems(files: list[tuple[str, bytes]]) -> None:
    oracles.check_dropped_files(files)


@fuzz_settings
@example((dataset_zip().replace(b"labels.csv", b"\0abels.csv"), ".zip"))  # an entry with an empty name
@given(
    corrupted(CSV, b"\xef\xbb\xbf" + CSV[:4000], CSV.replace(b"7 ", b'"7" ', 9)).map(lambda content: (content, ".csv"))
    | corrupted(dataset_zip()).map(lambda content: (content, ".zip"))
    | st.tuples(corrupted(*PICTURES), corrupted(LABELS_CSV, LABELS_CSV.replace(b"7", b"9" * 5000), b'"' * 200_000)).map(
        lambda parts: (dataset_zip(*parts), ".zip")
    )
)
def test_dataset_is_read_or_refused_unchanged(file: tuple[bytes, str]) -> None:
    content, suffix = file
    oracles.check_dataset({f"faces{suffix}": content})
