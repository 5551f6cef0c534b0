"""A short look with Atheris at every target: its corpus, and a few seconds of what it makes of that.

``make fuzz`` looks for an hour.
"""

from pathlib import Path

import pytest

from tests.fuzz.run import CORPUS, MAX_MEMORY_MB, fuzz
from tests.fuzz.targets import TARGETS

SECONDS = 1
MAX_CORPUS_BYTES = 200_000


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="Atheris comes for Linux on x86-64 alone")
    outcome = fuzz(target, SECONDS, tmp_path)
    assert outcome.finding == ""
    assert outcome.executions >= len(list((CORPUS / target).iterdir()))
    assert 0 < outcome.memory_mb < MAX_MEMORY_MB


@pytest.mark.parametrize(("target", "said"), [("raises", "KeyError"), ("hangs", "took"), ("eats", "out-of-memory")])
def test_a_crash_a_hang_and_a_glutton_are_found(target: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="Atheris comes for Linux on x86-64 alone")
    outcome = fuzz(target, SECONDS, tmp_path, "tests.fuzz.broken")
    assert said in outcome.finding
    assert list((tmp_path / target / "found").iterdir())


def test_the_memory_of_whoever_starts_it_is_not_counted(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="Atheris comes for Linux on x86-64 alone")
    held = b"x" * (MAX_MEMORY_MB * 1_000_000)
    assert fuzz("settings", 0, tmp_path).memory_mb < len(held) / 2e6


def test_the_corpus_is_small_and_there_for_every_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MAX_CORPUS_BYTES
