"""``python -m emojify bench``: what a frame costs here, by stage, beside the tutorial's loop on the same frames."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.settings import ROOT, Settings

SCENE_PACK, PACK = "person", "classic"  # whose faces are found, and what is laid on them
FRAMES_BETWEEN_REFERENCES = 10  # so many frames of ours to each of the slow loop's, in turns
WARM_UP_FRAMES = 30
STAGES = ("convert", "detect", "classify", "smooth", "draw", "whole", "analysis")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` to a parser's commands."""
    bench = commands.add_parser("bench", help="what a frame costs on this machine, stage by stage")
    bench.add_argument("--size", default="640x480", metavar="WxH", help="of the frames; default: 640x480")
    bench.add_argument("--faces", type=int, default=1, help="in each frame; default: 1")
    bench.add_argument("--sessions", type=int, default=1, help="also so many cameras at once; default: 1")
    bench.add_argument("--seconds", type=float, default=10.0, help="how long; default: 10")
    bench.add_argument("--model", metavar="ID", help="instead of the live one")
    bench.add_argument(
        "--no-reference", action="store_true", help="leave out the tutorial's loop, which needs TensorFlow"
    )
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> None:
    from emojify.bench.scene import draw_scene

    width, height = _size(options.size)
    if not 0.5 <= options.seconds <= 3600:
        raise EmojifyError(f"--seconds must lie between 0.5 and 3600, not {options.seconds}.")
    if not 1 <= options.sessions <= 64:
        raise EmojifyError(f"--sessions must lie between 1 and 64, not {options.sessions}.")
    frames = draw_scene(Settings.from_environment().emojis / SCENE_PACK, width, height, options.faces)
    result = _measure(options, frames)
    print(json.dumps(result) if options.json else _words(result))


def _measure(options: argparse.Namespace, frames: Sequence[Any]) -> dict[str, Any]:
    import av
    import psutil

    from emojify.bench.stages import StageTimer, quantiles, run_sessions
    from emojify.live.processor import LiveSettings
    from emojify.models import ModelStore
    from emojify.packs.store import list_packs
    from emojify.vision.annotators import Sticker

    settings = Settings.from_environment()
    store = ModelStore(settings.models)
    model = store.get(options.model) if options.model else store.open().model
    live = LiveSettings(model.open(), Sticker(list_packs(settings.emojis).get(PACK).emoji))
    others = [] if options.no_reference else ["tutorial", *(["fer"] if importlib.util.find_spec("fer") else [])]
    theirs: dict[str, list[float]] = {kind: [] for kind in others}
    with StageTimer(live) as timer, _references(others, frames) as ask:
        for number in range(WARM_UP_FRAMES):
            timer.process(av.VideoFrame.from_ndarray(frames[number % len(frames)], format="bgr24"))
        timer.times.clear()
        process = psutil.Process()
        resident_mb, threads = [process.memory_info().rss / 1e6], [process.num_threads()]
        began, number, faces = time.perf_counter(), 0, 0
        while time.perf_counter() - began < options.seconds or number < FRAMES_BETWEEN_REFERENCES:
            timer.process(av.VideoFrame.from_ndarray(frames[number % len(frames)], format="bgr24"))
            faces += timer.faces
            if number % FRAMES_BETWEEN_REFERENCES == 0:
                for kind in others:
                    theirs[kind].append(ask(kind, number % len(frames)))
            number += 1
        resident_mb.append(process.memory_info().rss / 1e6)
        threads.append(process.num_threads())
    result: dict[str, Any] = {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "model": model.id,
        "size": options.size,
        "frames": number,
        "faces_found": round(faces / number, 2),
        "stages_ms": {stage: quantiles(timer.times[stage]) for stage in STAGES},
        "analysis_ms": quantiles(timer.times["analysis"]),
        "fps": round(1000 * number / sum(timer.times["whole"]), 1),
        "resident_mb": [round(mb, 1) for mb in resident_mb],
        "threads": threads,
    }
    for kind, times in theirs.items():
        name = "reference" if kind == "tutorial" else kind
        result[f"{name}_ms"] = quantiles(times)
        ratio = result[f"{name}_ms"]["p50"] / result["analysis_ms"]["p50"]
        result["ratio_p50" if kind == "tutorial" else f"ratio_p50_{kind}"] = round(ratio, 1)
    if options.sessions > 1:
        result["sessions"] = run_sessions(live, frames, options.sessions, options.seconds)
    return result


@contextmanager
def _references(kinds: Sequence[str], frames: Sequence[Any]) -> Iterator[Any]:
    """Start the slow loops, each in a process of its own; gives a function of kind and frame number: milliseconds."""
    import numpy as np

    processes: dict[str, subprocess.Popen[str]] = {}

    def answer(kind: str) -> str:
        stdout = processes[kind].stdout
        line = stdout.readline().strip() if stdout else ""
        if not line:
            raise EmojifyError(f"The loop to compare with ({kind}) does not run here. Leave it out: --no-reference.")
        return line

    def ask(kind: str, number: int) -> float:
        stdin = processes[kind].stdin
        if stdin:
            print(number, file=stdin, flush=True)
        return float(answer(kind))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.npy"
        if kinds:
            np.save(path, np.stack(frames))
        try:
            for kind in kinds:
                command = [sys.executable, "-m", "emojify.training.reference", kind, str(path)]
                pipe = subprocess.PIPE
                processes[kind] = subprocess.Popen(
                    command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
                )
                while answer(kind) != "ready":
                    pass  # what its libraries have to say
            yield ask
        finally:
            for process in processes.values():
                process.kill()
                process.wait()


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = map(int, text.lower().split("x"))
    except ValueError as error:
        raise EmojifyError(f"--size is {text!r}; it must be width x height, such as 640x480.") from error
    return width, height


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _words(result: dict[str, Any]) -> str:
    lines = [
        f"{result['machine']['cpu']}, {result['machine']['cores']} cores; {result['size']}, model {result['model']}"
    ]
    lines.append(f"{result['frames']} frames, {result['faces_found']} faces found in each")
    lines.append(f"{'ms a frame':12}{'p50':>8}{'p90':>8}")
    for stage in STAGES:
        figures = result["stages_ms"][stage]
        lines.append(f"{stage:12}{figures['p50']:8.2f}{figures['p90']:8.2f}")
    lines.append(f"{result['fps']} frames/s, one thread")
    (mb_before, mb_after), (threads_before, threads_after) = result["resident_mb"], result["threads"]
    lines.append(f"memory {mb_before} MB, then {mb_after}; threads {threads_before}, then {threads_after}")
    for name, ratio, words in (
        ("reference_ms", "ratio_p50", "the tutorial's loop"),
        ("fer_ms", "ratio_p50_fer", "the package fer"),
    ):
        if name in result:
            figures = result[name]
            lines.append(f"{words}: p50 {figures['p50']} ms, p90 {figures['p90']} ms; {result[ratio]} times ours")
    for number, session in enumerate(result.get("sessions", ()), start=1):
        late = session["late_ms"]
        lines.append(
            f"session {number}: {session['fps']} frames/s, {session['dropped']} dropped, "
            f"drawn {late['p50']} ms (p90 {late['p90']}) after it came"
        )
    return "\n".join(lines)
