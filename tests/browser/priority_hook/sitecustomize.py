"""Run renders and fits at ordinary priority, so that they end while other tests use the processor.

Python runs this module at start if its folder is on PYTHONPATH. ``tests/test_processes.py`` checks the priorities.
"""

from emojify import processes

processes._lower_priority = lambda *_: None
