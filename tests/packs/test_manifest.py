import json
import re

import pytest

from emojify.packs.manifest import MAX_CHARACTERS, PackManifest, make_id
from emojify.vision.annotators import Head

ASTRONAUT = "\N{WOMAN}\u200d\N{ROCKET}"  # one emoji, written with a joiner


@pytest.mark.parametrize(
    ("name", "shown", "pack_id"),
    [
        ("Cats", "Cats", "cats"),
        ("  My\t Cats  ", "My Cats", "my-cats"),
        ("Crème brûlée", "Crème brûlée", "creme-brulee"),
        ("../../etc/passwd", "../../etc/passwd", "etc-passwd"),
        ("C:\\Windows", "C:\\Windows", "c-windows"),
        (".hidden", ".hidden", "hidden"),
        ("__MACOSX", "__MACOSX", "macosx"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", "script-alert-1-script"),
        ("a\0b\x1b[31mc\x7f", "ab[31mc", "ab-31mc"),
        ("\u202egnp.exe", "gnp.exe", "gnp-exe"),  # reverses the text that follows
        ("two\u2028lines\nhere", "two lines here", "two-lines-here"),
        ("CON", "CON", "pack-con"),
        ("😀🎉", "😀🎉", "pack"),
        (ASTRONAUT, ASTRONAUT, "pack"),
        ("وجوه مضحكة", "وجوه مضحكة", "pack"),
        ("می‌خندم", "می‌خندم", "pack"),  # Persian is written with a zero-width non-joiner
        ("猫の顔", "猫の顔", "pack"),
        ("x" * 300, "x" * 60, "x" * 40),
        ("\0\x1b", "", "pack"),
    ],
)
def test_make_id_is_safe_for_any_name(name: str, shown: str, pack_id: str) -> None:
    assert PackManifest(name).name == shown
    assert make_id(PackManifest(name).name) == pack_id
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", pack_id)


def test_parse_reverses_to_json() -> None:
    manifest = PackManifest(f"Cats {ASTRONAUT}", "I", "MIT", "وجوه", Head(0.4, 0.5, 0.6), {"skin": 3, "hair": "bob"})
    assert PackManifest.parse(manifest.to_json()) == manifest
    assert "avatar" not in json.loads(PackManifest("Cats").to_json())


def test_manifest_cuts_long_texts() -> None:
    long = "x" * 1000
    manifest = PackManifest(long, long, long, long)
    assert {key: len(getattr(manifest, key)) for key in MAX_CHARACTERS} == MAX_CHARACTERS


def test_parse_reads_the_keys_of_version_0_1_0() -> None:
    written_by_0_1_0 = b'{"name": "Cats", "author": "me", "licence": "CC BY 4.0", "description": ""}'
    assert PackManifest.parse(written_by_0_1_0).license == "CC BY 4.0"
