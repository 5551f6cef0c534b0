"""The settings of the process for live video."""

import gc
import sys

from emojify.live.process import SWITCH_INTERVAL_S, prepare_process


def test_prepare_process_runs_once() -> None:
    """Each run of a page calls it. Freezing again would exclude live connections from all later collections."""
    prepare_process()
    frozen = gc.get_freeze_count()
    made_since: list[list[int]] = [[] for _ in range(100)]
    prepare_process()
    assert gc.get_freeze_count() < frozen + len(made_since)


def test_prepare_process_shortens_the_switch_interval() -> None:
    prepare_process()
    assert abs(sys.getswitchinterval() - SWITCH_INTERVAL_S) < 1e-6
