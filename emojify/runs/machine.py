"""What this machine's processor is, asked without TensorFlow."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_name() -> str:
    return cpu_info("model name") or platform.processor()


def cpu_info(key: str) -> str:
    """A field of the first core, empty where the system has no /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
