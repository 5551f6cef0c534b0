"""Facts about this machine's processor, without TensorFlow."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_name() -> str:
    """Return the processor's name, as in ``AMD EPYC 9B14``."""
    return cpu_info("model name") or platform.processor()


def cpu_info(key: str) -> str:
    """Return a field of the first core from ``/proc/cpuinfo``, or "" where the system has no such file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
