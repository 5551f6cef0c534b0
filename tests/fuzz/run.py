"""Fuzz the targets with Atheris, which changes inputs to reach new branches of the code.

    python -m tests.fuzz.run [--minutes 60] [--target NAME] [--keep DIR]

Each target runs in a process of its own, for an equal share of the time. A finding is an error other than EmojifyError,
more than 2 s of processor time for one input, more than 500 MB of memory, or a store that a refused file changed. It
ends the target's run, its input is kept, and the command exits with status 1. Commit the input to
``tests/fuzz/corpus/<target>/`` together with the fix: the suite then tries it in each run.
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
MAX_SECONDS = 2.0  # processor time for one input, so that a busy machine does not look like a hang
MAX_WALL_S = 60  # time for one input on the clock, for endless waits
MAX_MEMORY_MB = 500
MAX_INPUT_BYTES = 20_000


@dataclass(frozen=True)
class Outcome:
    """Result of fuzzing one target.

    Attributes:
        executions: number of inputs tried.
        slowest_s: processor time of the slowest input.
        memory_mb: peak resident memory of the process, with Python and all libraries.
        finding: the fault and the path of its input; empty if there is none.
    """

    target: str
    executions: int
    slowest_s: float
    memory_mb: int
    finding: str = ""


def fuzz(target: str, seconds: int, keep: Path, module: str = "tests.fuzz.targets") -> Outcome:
    """Try the corpus, then search for ``seconds``; 0 tries the corpus only.

    Args:
        keep: folder for inputs that reached new branches, from which the next run continues, and for findings.
        module: the module that defines the target.
    """
    grown, found = keep / target / "corpus", keep / target / "found"
    for place in (grown, found):
        place.mkdir(parents=True, exist_ok=True)
    figures = keep / target / "figures.json"
    figures.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.run", "--child", module, target, str(figures), str(grown)]
    command += [str(CORPUS / target)] if (CORPUS / target).is_dir() else []
    command += [f"-artifact_prefix={found}/", f"-timeout={MAX_WALL_S}", "-print_final_stats=1"]
    command += [f"-rss_limit_mb={MAX_MEMORY_MB}", f"-max_len={MAX_INPUT_BYTES}", "-close_fd_mask=0"]
    command += [f"-max_total_time={seconds}"] if seconds else ["-runs=0"]
    # PYTHONHASHSEED: with random hashes the same input would take different branches in each run. sh: a new process
    # inherits the peak memory of its parent, which libFuzzer would count; a small shell in between resets it.
    done = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    output = done.stdout + done.stderr
    seen = json.loads(figures.read_text()) if figures.exists() else {}
    peak = re.search(r"peak_rss_mb:\s+(\d+)", output)
    finding = ""
    if done.returncode != 0:
        inputs = re.findall(r"Test unit written to (\S+)", output)
        finding = f"{_reason(output)} (input: {', '.join(inputs) or 'none kept'})"
    return Outcome(target, seen.get("executions", 0), seen.get("slowest_s", 0.0), int(peak[1]) if peak else 0, finding)


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if "Uncaught Python exception" in line:
            trace = [one for one in lines[number + 1 :] if not one.startswith("===")]
            return " | ".join(trace[:1] + [one for one in trace if one.startswith("File ") and "emojify" in one][-1:])
    return next((line for line in lines if "ERROR: libFuzzer" in line), lines[-1] if lines else "no output")


def _child(module: str, name: str, figures: Path, arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        target = getattr(import_module(module), name)
    executions, slowest_s, written_s = 0, 0.0, time.monotonic()

    def write_figures() -> None:
        figures.write_text(json.dumps({"executions": executions, "slowest_s": round(slowest_s, 3)}))

    def one_input(content: bytes) -> None:
        nonlocal executions, slowest_s, written_s
        began_s = time.process_time()
        try:
            target(content)
        finally:
            took_s = time.process_time() - began_s
            executions += 1
            slowest_s = max(slowest_s, took_s)
            if time.monotonic() - written_s > 0.2 or executions < 200:
                written_s = time.monotonic()
                write_figures()
        assert took_s < MAX_SECONDS, f"took {took_s:.1f} s"

    os.fsync = lambda fd: None  # slow, and needed only for power failures
    if Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def main() -> int:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="total time, shared by the targets")
    parser.add_argument("--target", choices=TARGETS, help="run this target only")
    parser.add_argument("--keep", type=Path, default=ROOT / ".fuzz", help="folder for new inputs and findings")
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
