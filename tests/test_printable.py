"""Text of strangers is printed without control characters."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from emojify.__main__ import main
from emojify.printable import PrintableStream, print_printable, printable, unfiltered
from emojify.settings import ROOT


@pytest.fixture(autouse=True)
def _models(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))


HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\x7f\u202egnp.\u2066\u200b\u2028\ufeff\udc80\U000e0041"


@pytest.mark.parametrize("text", ["", "a\tb\n", "Ünï – 日本", "می\u200cخواهم", "👩\u200d🚀 ❤️", "9.41\u202fAM"])
def test_printable_keeps_readable_text(text: str) -> None:
    assert printable(text) == text


def test_printable_escapes_unprintable_characters() -> None:
    assert printable("cat\x1b[2J.png") == r"cat\u001b[2J.png"
    assert all(character.isprintable() for character in printable(HOSTILE))


def test_printable_keeps_meaning_of_json() -> None:
    names = [HOSTILE, "\\" + HOSTILE]
    assert json.loads(printable(json.dumps(names, ensure_ascii=False))) == names


def test_stream_filters_all_but_own_control_sequences() -> None:
    raw = io.StringIO()
    stream = PrintableStream(raw)
    print(HOSTILE, file=stream)
    stream.writelines([HOSTILE, "\n"])
    assert raw.getvalue() == 2 * (printable(HOSTILE) + "\n")
    assert unfiltered(stream) is raw
    assert unfiltered(raw) is raw
    assert not stream.isatty()


def test_print_printable_twice_wraps_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    print_printable()
    print_printable()
    assert not isinstance(unfiltered(sys.stdout), PrintableStream)
    assert not isinstance(unfiltered(sys.stderr), PrintableStream)


def assert_harmless(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "owned" in text


def test_models_prints_name_of_card_printable(models_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = next(models_folder.glob("*/card.json"))
    card.write_text(json.dumps(json.loads(card.read_text()) | {"name": HOSTILE}))
    assert main(["models"]) == 0
    assert_harmless(capsys.readouterr().out)


def test_data_check_prints_name_of_entry_printable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{HOSTILE[:-2]}/a.png", b"")
    assert main(["data", "check", str(path)]) == 2
    assert_harmless(capsys.readouterr().err)


def test_packs_check_prints_names_printable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{HOSTILE[:-2]}/happy.exe", b"")
    assert main(["packs", "check", str(path)]) == 2
    output = capsys.readouterr()
    assert_harmless(output.out + output.err + "owned")


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_usage_and_traceback_are_printable() -> None:
    usage = run_python("from emojify.__main__ import main; main(['\\x1b]0;owned\\x07'])")
    assert usage.returncode == 2
    assert_harmless(usage.stderr)
    code = "import emojify.cli as cli\ndef run(_): raise KeyError('\\x1b]0;owned\\x07' + chr(0x202e))\n"
    crash = run_python(f"{code}cli.run = run\nfrom emojify.__main__ import main\nmain([])")
    assert crash.returncode == 1
    assert_harmless(crash.stderr)


def test_printable_decodes_names_of_the_c_locale() -> None:
    assert printable("Ich \udce2\udc80\udc94 \udcff.png") == "Ich — \\udcff.png"
