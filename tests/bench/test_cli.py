"""``bench`` prints figures as text or JSON, and rejects options that it cannot measure."""

import json
import subprocess
import sys

import pytest

from emojify.__main__ import main
from emojify.bench import cli
from emojify.models import ModelStore
from emojify.settings import Settings

pytestmark = pytest.mark.slow

QUICK = ("bench", "--no-reference", "--seconds", "0.5")


def test_bench_json_has_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--json", "--sessions", "2", "--size", "320x240"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["stages_ms"]) == set(cli.STAGES)
    assert {"p50", "p90"} == set(result["analysis_ms"])
    assert (result["size"], result["model"], len(result["sessions"])) == (
        "320x240",
        ModelStore(Settings().models).live_id,
        2,
    )
    assert result["frames"] >= 10
    assert all(mb > 10 for mb in result["resident_mb"])
    assert "ratio_p50" not in result  # --no-reference


def test_bench_text_names_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--faces", "0"]) == 0
    out = capsys.readouterr().out
    assert all(stage in out for stage in cli.STAGES)
    assert "0.0 faces found in each" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--size", "huge"), "--size is 'huge'; it must be width x height"),
        (("--size", "1x1"), "not 1x1"),
        (("--faces", "99"), "0 to 9 faces"),
        (("--seconds", "0"), "--seconds must lie between"),
        (("--seconds", "nan"), "--seconds must lie between"),
        (("--sessions", "0"), "--sessions must lie between"),
        (("--model", "nobody"), "There is no model 'nobody'"),
    ],
)
def test_bench_rejects_what_it_cannot_measure(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK, *arguments]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


def test_bench_reports_a_failing_comparison(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert main(["bench", "--seconds", "0.5"]) == 2
    assert "--no-reference" in capsys.readouterr().err


def test_parser_imports_nothing_heavy() -> None:
    code = "import sys, emojify.bench.cli; print({'cv2', 'numpy', 'av', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
