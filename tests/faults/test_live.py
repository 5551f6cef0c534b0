"""Live video continues after failing frames, clock changes and damaged models."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from emojify.errors import EmojifyError
from emojify.live.processor import TIMED_FRAMES, EmojiVideoProcessor, LiveSettings
from emojify.models import ModelStore
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image, Reading
from tests.helpers.stores import write_model

FRAMES = 100_000  # an hour of video
EVERY = 7
MAX_GROWTH_BYTES = 20_000_000


class Clock:
    """A clock that the test sets, forwards or backwards."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class FailsEverySeventh:
    """An annotator that fails at every seventh frame."""

    def __init__(self) -> None:
        self.frames = 0

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        self.frames += 1
        if self.frames % EVERY == 0:
            raise RuntimeError(f"frame {self.frames}")
        return scene


def test_processor_survives_an_hour_of_failing_frames(tiny_model: bytes, caplog: pytest.LogCaptureFixture) -> None:
    clock, annotator = Clock(), FailsEverySeventh()
    processor = EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), annotator, mirror=False), clock_s=clock)
    frame = av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), format="bgr24")
    threads, begun = threading.active_count(), 0
    for number in range(FRAMES):
        clock.now_s += 1 / 30
        assert processor.process(frame) is not None
        if number == FRAMES // 10:
            begun = psutil.Process().memory_info().rss
    status = processor.status()
    failed = FRAMES // EVERY
    assert (status.processed, status.failed) == (FRAMES - failed, failed)
    assert status.fps == pytest.approx(30 * (1 - 1 / EVERY), abs=1)
    assert status.problem == f"RuntimeError: frame {failed * EVERY}"
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert threading.active_count() == threads
    assert psutil.Process().memory_info().rss - begun < MAX_GROWTH_BYTES
    assert len(processor._latencies_ms) <= TIMED_FRAMES


def test_processor_continues_when_the_clock_is_set_back(tiny_model: bytes, astronaut: Image) -> None:
    clock = Clock()
    processor = EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), BoxLabel(), mirror=False), clock_s=clock)
    frame = av.VideoFrame.from_ndarray(astronaut, format="bgr24")
    for step_s in [1 / 30] * 8 + [-3600.0] + [1 / 30] * 8 + [86_400.0] + [1 / 30] * 8:
        clock.now_s += step_s
        processor.process(frame)
        assert np.isfinite(processor.status().latency_ms)
    status = processor.status()
    assert (status.processed, status.failed) == (26, 0)
    (reading,) = status.readings
    assert np.isfinite(reading.probabilities).all()
    assert float(reading.probabilities.sum()) == pytest.approx(1, abs=1e-3)


def replace(folder: Path, tiny_model: bytes) -> None:
    (folder / "model.tflite").write_bytes(tiny_model[::-1])


def truncate(folder: Path, tiny_model: bytes) -> None:
    (folder / "model.tflite").write_bytes(tiny_model[:-9])


def empty(folder: Path, tiny_model: bytes) -> None:
    (folder / "model.tflite").write_bytes(b"")


def delete(folder: Path, tiny_model: bytes) -> None:
    (folder / "model.tflite").unlink()


def delete_card(folder: Path, tiny_model: bytes) -> None:
    (folder / "card.json").unlink()


def spoil_card(folder: Path, tiny_model: bytes) -> None:
    (folder / "card.json").write_text(json.dumps({"tflite": []}))


@pytest.mark.parametrize("fault", [replace, truncate, empty, delete, delete_card, spoil_card])
def test_damaged_live_model_keeps_running_and_is_reported(
    models_folder: Path, tiny_model: bytes, astronaut: Image, fault: Callable[[Path, bytes], None]
) -> None:
    write_model(models_folder / "mine", tiny_model)
    store = ModelStore(models_folder)
    store.promote("mine")
    clock = Clock()
    live = LiveSettings(store.open().classifier, BoxLabel(), mirror=False)
    processor = EmojiVideoProcessor(live, clock_s=clock)
    frame = av.VideoFrame.from_ndarray(astronaut, format="bgr24")

    def play() -> tuple[Reading, ...]:
        for _ in range(8):
            clock.now_s += 1 / 30
            processor.process(frame)
        return processor.status().readings

    (before,) = play()
    fault(models_folder / "mine", tiny_model)
    (after,) = play()
    assert processor.status().failed == 0
    assert after.emotion is before.emotion

    opened = store.open()
    assert opened.model.id == "seed"
    assert len(opened.problems) == 1
    assert "mine" in opened.problems[0]
    with pytest.raises(EmojifyError, match="mine"):
        store.promote("mine")
