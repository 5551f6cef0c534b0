"""The tutorial's loop, timed by ``bench`` in a process of its own."""

import json
import subprocess
import sys


def test_bench_times_tutorial_on_same_frames() -> None:
    command = [sys.executable, "-m", "emojify", "bench", "--seconds", "0.5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["reference_ms"]["p90"] >= result["reference_ms"]["p50"] > 0
    assert result["ratio_p50"] > 1  # the tutorial builds its cascade anew for every frame
