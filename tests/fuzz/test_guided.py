"""Run Atheris on every target for a second each, starting from the corpus. ``make fuzz`` takes an hour."""

from pathlib import Path

import pytest

from tests.fuzz.run import CORPUS, MAX_MEMORY_MB, fuzz
from tests.fuzz.targets import TARGETS

SECONDS = 1
MAX_CORPUS_BYTES = 200_000


def test_corpus_covers_every_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MAX_CORPUS_BYTES


class TestFuzz:
    @pytest.fixture(autouse=True)
    def atheris(self) -> None:
        pytest.importorskip("atheris", reason="Atheris has wheels for Linux on x86-64 only")

    @pytest.mark.parametrize("target", TARGETS)
    def test_fuzz_finds_no_fault(self, target: str, tmp_path: Path) -> None:
        outcome = fuzz(target, SECONDS, tmp_path)
        assert outcome.finding == ""
        assert outcome.executions >= len(list((CORPUS / target).iterdir()))
        assert 0 < outcome.memory_mb < MAX_MEMORY_MB

    @pytest.mark.parametrize(
        ("target", "message"), [("raises", "KeyError"), ("hangs", "took"), ("allocates", "out-of-memory")]
    )
    def test_fuzz_reports_faulty_targets(self, target: str, message: str, tmp_path: Path) -> None:
        outcome = fuzz(target, SECONDS, tmp_path, "tests.fuzz.faulty_targets")
        assert message in outcome.finding
        assert list((tmp_path / target / "found").iterdir())

    def test_fuzz_does_not_count_its_callers_memory(self, tmp_path: Path) -> None:
        held = b"x" * (MAX_MEMORY_MB * 1_000_000)
        assert fuzz("settings", 0, tmp_path).memory_mb < len(held) / 2e6
