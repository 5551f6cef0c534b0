"""Fuzzes the targets with Atheris, which changes inputs towards branches of the code that none has reached yet.

    python -m tests.fuzz.run [--minutes 60] [--target NAME] [--keep DIR]

Each target has a process of its own and an equal share of the time. A finding is anything raised but an EmojifyError,
more than 2 s of processor time for one input, more than 500 MB of memory, or a store that a refusal changed. It ends
the target, its input is kept, and the command exits with 1. Put the input into ``tests/fuzz/corpus/<target>/`` with
the mend: the suite then tries it each time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from emojify.settings import ROOT

CORPUS = Path(__file__).with_name("corpus")
INSTRUMENTED = ["emojify", "zipfile", "csv", "json"]
MAX_SECONDS = 2.0  # of processor time for one input; what waits for a busy machine is no hang
MAX_SILENT_S = 60  # of any time: it will not come back
MAX_MEMORY_MB = 500
MAX_INPUT_BYTES = 20_000


@dataclass(frozen=True)
class Outcome:
    """What fuzzing one target came to.

    Attributes:
        executions: inputs tried.
        slowest_s: processor time of the slowest one.
        memory_mb: the most that its process had, with Python and all libraries.
        finding: what was wrong, with where its input lies; empty if nothing was.
    """

    target: str
    executions: int
    slowest_s: float
    memory_mb: int
    finding: str = ""


def fuzz(target: str, seconds: int, keep: Path, module: str = "tests.fuzz.targets") -> Outcome:
    """Try the corpus, then look for more for so many seconds; 0 for the corpus alone.

    Args:
        keep: folder for inputs that reached something new, which the next run goes on from, and for findings.
        module: where the target is defined.
    """
    grown, found = keep / target / "corpus", keep / target / "found"
    for place in (grown, found):
        place.mkdir(parents=True, exist_ok=True)
    figures = keep / target / "figures.json"
    figures.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.run", "--child", module, target, str(figures), str(grown)]
    command += [str(CORPUS / target)] if (CORPUS / target).is_dir() else []
    command += [f"-artifact_prefix={found}/", f"-timeout={MAX_SILENT_S}", "-print_final_stats=1"]
    command += [f"-rss_limit_mb={MAX_MEMORY_MB}", f"-max_len={MAX_INPUT_BYTES}", "-close_fd_mask=0"]
    command += [f"-max_total_time={seconds}"] if seconds else ["-runs=0"]
    # Python draws how it hashes texts; drawn anew each time, the same input would not take the same way. A program that
    # is started inherits its starter's peak of memory, which libFuzzer would take for its own, unless a small one that
    # forks stands between them.
    done = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    said = done.stdout + done.stderr
    seen = json.loads(figures.read_text()) if figures.exists() else {}
    peak = re.search(r"peak_rss_mb:\s+(\d+)", said)
    finding = ""
    if done.returncode != 0:
        inputs = re.findall(r"Test unit written to (\S+)", said)
        finding = f"{_reason(said)} (input: {', '.join(inputs) or 'none kept'})"
    return Outcome(target, seen.get("executions", 0), seen.get("slowest_s", 0.0), int(peak[1]) if peak else 0, finding)


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if "Uncaught Python exception" in line:
            trace = [one for one in lines[number + 1 :] if not one.startswith("===")]
            return " | ".join(trace[:1] + [one for one in trace if one.startswith("File ") and "emojify" in one][-1:])
    return next((line for line in lines if "ERROR: libFuzzer" in line), lines[-1] if lines else "it said nothing")


def _child(module: str, name: str, figures: Path, arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        target = getattr(import_module(module), name)
    executions, slowest_s, told_s = 0, 0.0, time.monotonic()

    def tell() -> None:
        figures.write_text(json.dumps({"executions": executions, "slowest_s": round(slowest_s, 3)}))

    def one_input(content: bytes) -> None:
        nonlocal executions, slowest_s, told_s
        began_s = time.process_time()
        try:
            target(content)
        finally:
            took_s = time.process_time() - began_s
            executions += 1
            slowest_s = max(slowest_s, took_s)
            if time.monotonic() - told_s > 0.2 or executions < 200:
                told_s = time.monotonic()
                tell()
        assert took_s < MAX_SECONDS, f"took {took_s:.1f} s"

    os.fsync = lambda fd: None  # slow, and of use only where the power fails
    if Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def main() -> int:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="in all; the targets share it")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--keep", type=Path, default=ROOT / ".fuzz", help="where inputs that are worth it are kept")
    options = parser.parse_args()
    names = [options.target] if options.target else list(TARGETS)
    print(f"{'target':12} {'executions':>12} {'slowest':>10} {'memory':>9}  finding", flush=True)
    outcomes = []
    for name in names:
        one = fuzz(name, max(1, round(options.minutes * 60 / len(names))), options.keep)
        outcomes.append(one)
        print(f"{name:12} {one.executions:12,} {one.slowest_s:8.3f} s {one.memory_mb:6} MB  {one.finding or 'none'}",
              flush=True)  # fmt: skip
    findings = [one for one in outcomes if one.finding]
    print(f"{sum(one.executions for one in outcomes):,} executions, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5:])
    else:
        sys.exit(main())
