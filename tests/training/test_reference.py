"""The tutorial's loop, in a process of its own as ``bench`` runs it."""

import json
import subprocess
import sys


def test_bench_measures_it_on_the_same_frames() -> None:
    command = [sys.executable, "-m", "emojify", "bench", "--seconds", "0.5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["reference_ms"]["p90"] >= result["reference_ms"]["p50"] > 0
    assert result["ratio_p50"] > 1  # one builds its cascade once, the other at every frame
