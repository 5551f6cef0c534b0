"""``python -m emojify bench``: the time per frame on this machine by stage, compared with the tutorial's loop."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emojify.errors import EmojifyError
from emojify.settings import Settings

if TYPE_CHECKING:  # these load OpenCV and PyAV, which the command line does not need for its help
    from emojify.bench.stages import StageTimer
    from emojify.live.processor import LiveSettings
    from emojify.vision.readings import Image

SCENE_PACK = "person"  # its pictures are the faces of the scene
STICKER_PACK = "classic"  # its pictures are drawn on those faces
FRAMES_PER_REFERENCE_FRAME = 10  # the reference loops are slow, so they get every tenth frame
WARM_UP_FRAMES = 30
STAGES = ("convert", "detect", "classify", "smooth", "draw", "whole", "analysis")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` to a parser's commands."""
    bench = commands.add_parser(
        "bench",
        help="measure the time per frame on this machine, by stage",
        description="Measure how long each stage of a frame takes on this machine: detection, recognition, drawing. "
        "Prints the times in milliseconds, the frames per second, and the times of the tutorial's loop on the same "
        "frames. No camera is needed.",
        epilog="example: %(prog)s --no-reference --size 1280x720 --sessions 2",
    )
    bench.add_argument("--size", default="640x480", metavar="WxH", help="size of the frames (default: %(default)s)")
    bench.add_argument("--faces", type=int, default=1, help="faces in each frame (default: %(default)s)")
    bench.add_argument(
        "--sessions", type=int, default=1, help="also measure this many cameras at once (default: %(default)s)"
    )
    bench.add_argument("--seconds", type=float, default=10.0, help="duration of the measurement (default: %(default)g)")
    bench.add_argument("--model", metavar="ID", help="the measured model (default: the live model)")
    bench.add_argument(
        "--no-reference", action="store_true", help="leave out the tutorial's loop, which needs TensorFlow"
    )
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> None:
    # streamlit-webrtc warns of a missing Streamlit server while it is imported.
    logging.disable(logging.WARNING)
    from emojify.bench.scene import draw_scene
    from emojify.bench.stages import run_sessions

    logging.disable(logging.NOTSET)
    width, height = _parse_size(options.size)
    if not 0.5 <= options.seconds <= 3600:
        raise EmojifyError(f"--seconds must lie between 0.5 and 3600, not {options.seconds}.")
    if not 1 <= options.sessions <= 64:
        raise EmojifyError(f"--sessions must lie between 1 and 64, not {options.sessions}.")
    frames = draw_scene(Settings.from_environment().emojis / SCENE_PACK, width, height, options.faces)
    live = _live_settings(options.model)
    machine = {"cpu": _cpu_name(), "cores": os.cpu_count(), "python": platform.python_version()}
    result = {"machine": machine, "model": live.classifier.name, "size": options.size}
    result |= _measure(live, frames, options.seconds, reference=not options.no_reference)
    if options.sessions > 1:
        result["sessions"] = run_sessions(live, frames, options.sessions, options.seconds)
    print(json.dumps(result) if options.json else _as_text(result))


def _live_settings(model_id: str | None) -> LiveSettings:
    """Return the settings of the measured processor."""
    from emojify.live.processor import LiveSettings
    from emojify.models import ModelStore
    from emojify.packs.store import list_packs
    from emojify.vision.annotators import Sticker

    settings = Settings.from_environment()
    classifier = ModelStore(settings.models).open_classifier(model_id, on_problem=_warn)
    return LiveSettings(classifier, Sticker(list_packs(settings.emojis).get(STICKER_PACK).emoji))


def _warn(problem: str) -> None:
    print(f"emojify: {problem}", file=sys.stderr)


def _measure(live: LiveSettings, frames: Sequence[Image], seconds: float, *, reference: bool) -> dict[str, Any]:
    """Return the figures of one camera, with those of the reference loops on the same frames."""
    import psutil

    from emojify.bench.references import installed_references, run_references
    from emojify.bench.stages import StageTimer

    references_ms: dict[str, list[float]] = {name: [] for name in (installed_references() if reference else [])}
    with StageTimer(live) as timer, run_references(list(references_ms), frames) as time_reference:
        for number in range(WARM_UP_FRAMES):
            timer.process(frames[number % len(frames)])
        timer.times.clear()
        process = psutil.Process()
        resident_mb, threads = [process.memory_info().rss / 1e6], [process.num_threads()]
        started_s, count, faces = time.perf_counter(), 0, 0
        while time.perf_counter() - started_s < seconds or count < FRAMES_PER_REFERENCE_FRAME:
            timer.process(frames[count % len(frames)])
            faces += timer.faces
            if count % FRAMES_PER_REFERENCE_FRAME == 0:
                for name, times_ms in references_ms.items():
                    times_ms.append(time_reference(name, count % len(frames)))
            count += 1
        resident_mb.append(process.memory_info().rss / 1e6)
        threads.append(process.num_threads())
    result = {"frames": count, "faces_found": round(faces / count, 2)} | _summarize(timer, references_ms)
    return result | {"resident_mb": [round(mb, 1) for mb in resident_mb], "threads": threads}


def _summarize(timer: StageTimer, references_ms: dict[str, list[float]]) -> dict[str, Any]:
    from emojify.bench.stages import quantiles

    whole_ms = timer.times["whole"]
    result: dict[str, Any] = {
        "stages_ms": {stage: quantiles(timer.times[stage]) for stage in STAGES},
        "analysis_ms": quantiles(timer.times["analysis"]),
        "fps": round(1000 * len(whole_ms) / sum(whole_ms), 1),
    }
    for name, times_ms in references_ms.items():
        key = "reference" if name == "tutorial" else name
        result[f"{key}_ms"] = quantiles(times_ms)
        ratio = result[f"{key}_ms"]["p50"] / result["analysis_ms"]["p50"]
        result["ratio_p50" if name == "tutorial" else f"ratio_p50_{name}"] = round(ratio, 1)
    return result


def _parse_size(text: str) -> tuple[int, int]:
    try:
        width, height = map(int, text.lower().split("x"))
    except ValueError as error:
        raise EmojifyError(f"--size is {text!r}; it must be width x height, such as 640x480.") from error
    return width, height


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _as_text(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores; {result['size']}, model {result['model']}",
        f"{result['frames']} frames, {result['faces_found']} faces found in each",
        f"{'ms per frame':12}{'p50':>8}{'p90':>8}",
    ]
    for stage in STAGES:
        figures = result["stages_ms"][stage]
        lines.append(f"{stage:12}{figures['p50']:8.2f}{figures['p90']:8.2f}")
    lines.append(f"{result['fps']} frames/s, one thread")
    (mb_before, mb_after), (threads_before, threads_after) = result["resident_mb"], result["threads"]
    lines.append(f"memory {mb_before} MB, then {mb_after}; threads {threads_before}, then {threads_after}")
    for name, ratio, label in (
        ("reference_ms", "ratio_p50", "the tutorial's loop"),
        ("fer_ms", "ratio_p50_fer", "the package fer"),
    ):
        if name in result:
            figures = result[name]
            lines.append(f"{label}: p50 {figures['p50']} ms, p90 {figures['p90']} ms; {result[ratio]} times ours")
    for number, session in enumerate(result.get("sessions", ()), start=1):
        late = session["late_ms"]
        lines.append(
            f"session {number}: {session['fps']} frames/s, {session['dropped']} dropped, "
            f"drawn {late['p50']} ms (p90 {late['p90']}) after arrival"
        )
    return "\n".join(lines)
