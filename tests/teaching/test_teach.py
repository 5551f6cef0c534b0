"""Making a draft of a personal model from recordings, and the hints before it."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.models import CARD, Model
from emojify.teaching import teach as module
from emojify.teaching.fit import TaughtHead
from emojify.teaching.head import TeachableModel
from emojify.teaching.hints import advice, read_pictures
from emojify.teaching.samples import Sample, SampleStore, stack_crops
from emojify.teaching.teach import MODEL, RESULT, held_out_recordings, teach
from emojify.vision.readings import Box
from tests.helpers.recordings import Record

pytestmark = pytest.mark.slow


def ignore(done: float, step: str) -> None:
    """Progress callback that does nothing."""


@pytest.fixture
def recorded(store: SampleStore, record: Record) -> SampleStore:
    """A store with two recordings of angry and one of happy."""
    for emotion, day in ((Emotion.ANGRY, 1), (Emotion.ANGRY, 2), (Emotion.HAPPY, 1)):
        store.add(emotion, record(emotion, day))
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "teaching"
    folder.mkdir()
    return folder


def test_teach_writes_model_that_reads_person(base: Model, recorded: SampleStore, folder: Path) -> None:
    steps: list[tuple[float, str]] = []
    result = teach(base, recorded, folder, lambda done, step: steps.append((done, step)))
    draft = Model(folder / MODEL)
    classifier = draft.open()
    samples = recorded.samples()
    read = [classifier.classify(sample.cutout().crop(0.0)).argmax() for sample in samples]
    assert np.mean([answer == sample.emotion for answer, sample in zip(read, samples, strict=True)]) > 0.9
    assert draft.card["based_on"] == "seed"
    content = (folder / MODEL / "model.tflite").read_bytes()
    assert draft.card["tflite"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert draft.accuracy("private") is None  # the base's figure does not hold for the draft
    assert "rehearsal" not in draft.card
    assert json.loads((folder / RESULT).read_text()) == result
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == 1.0


def test_figures_come_from_held_out_recordings(base: Model, recorded: SampleStore, folder: Path) -> None:
    result = teach(base, recorded, folder, ignore)
    angry = sorted({sample.recording for sample in recorded.samples() if sample.emotion is Emotion.ANGRY})
    assert result["held_out_recordings"] == [angry[-1]]
    held_out = [sample for sample in recorded.samples() if sample.recording == angry[-1]]
    assert result["own"]["n"] == len(held_out)
    assert set(result["own"]["emotions"]) == {"angry"}
    assert result["others"]["n"] > 0
    assert result["others"]["after"] >= result["others"]["before"] - 0.01


def test_held_out_recordings_are_not_trained_on(
    base: Model, recorded: SampleStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    fit = module.fit

    def spy(head: Any, features: Any, labels: Any, *rest: Any, **settings: Any) -> Any:
        counts.append(len(labels))
        return fit(head, features, labels, *rest, **settings)

    monkeypatch.setattr(module, "fit", spy)
    result = teach(base, recorded, folder, ignore)
    versions = 6
    everything = len(recorded.samples())
    assert counts == [versions * (everything - result["own"]["n"]), versions * everything]


def test_single_recording_has_no_figure(base: Model, store: SampleStore, record: Record, folder: Path) -> None:
    store.add(Emotion.SAD, record(Emotion.SAD))
    result = teach(base, store, folder, ignore)
    assert result["own"] is None
    classifier = Model(folder / MODEL).open()
    crops = stack_crops([sample.cutout() for sample in store.samples()])
    assert np.mean([classifier.classify(crop).argmax() == Emotion.SAD for crop in crops]) > 0.9


def test_held_out_recordings_needs_two_recordings() -> None:
    samples = [
        Sample(Path("x"), recording, emotion, Box(0, 0, 1, 1))
        for recording, emotion in [
            ("1", Emotion.SAD), ("1", Emotion.SAD), ("2", Emotion.SAD), ("3", Emotion.HAPPY), ("4", Emotion.SAD),
        ]
    ]  # fmt: skip
    assert held_out_recordings(samples) == {"4"}


def test_teach_refuses_without_pictures(base: Model, store: SampleStore, folder: Path) -> None:
    with pytest.raises(EmojifyError, match="no pictures to learn from"):
        teach(base, store, folder, ignore)
    assert list(folder.iterdir()) == []


def test_teach_refuses_contradicting_labels(base: Model, recorded: SampleStore, folder: Path) -> None:
    happy = next(sample for sample in recorded.samples() if sample.emotion is Emotion.HAPPY)
    copy = shutil.copytree(happy.path.parent, happy.path.parent.with_name("by-hand"))
    content = json.loads((copy / "recording.json").read_text())
    (copy / "recording.json").write_text(json.dumps(content | {"emotion": "sad"}))
    with pytest.raises(EmojifyError, match="saved as happy and as sad"):
        teach(base, recorded, folder, ignore)
    assert list(folder.iterdir()) == []


def test_teach_on_full_disk_leaves_nothing(
    base: Model, recorded: SampleStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EmojifyError, match=r"nothing was changed: the disk is full"):
        teach(base, recorded, folder, ignore)
    assert list(folder.iterdir()) == []


def test_teach_refuses_damaged_base(base: Model, recorded: SampleStore, folder: Path) -> None:
    with (base.folder / "model.tflite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(EmojifyError, match="damaged"):
        teach(Model(base.folder), recorded, folder, ignore)


def test_draft_has_no_base_weights(base: Model, recorded: SampleStore, folder: Path) -> None:
    np.savez(base.folder / "weights.npz", allow_pickle=False, kernel=np.zeros((1024, 7), np.float16))
    card = json.loads((base.folder / CARD).read_text()) | {"weights": {"file": "weights.npz"}}
    (base.folder / CARD).write_text(json.dumps(card))
    teach(Model(base.folder), recorded, folder, ignore)
    assert sorted(path.name for path in (folder / MODEL).iterdir()) == [CARD, "model.tflite"]
    assert "weights" not in json.loads((folder / MODEL / CARD).read_text())


def test_unlearned_draft_equals_base(
    base: Model, recorded: SampleStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "fit", lambda head, *rest, **settings: TaughtHead(head, math.inf, 0.0))
    result = teach(base, recorded, folder, ignore)
    assert result["learned"] is False
    assert result["others"]["before"] == result["others"]["after"]
    assert (folder / MODEL / "model.tflite").read_bytes() == (base.folder / "model.tflite").read_bytes()


def test_teach_refuses_file_with_other_readings(
    base: Model, recorded: SampleStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TeachableModel, "with_branch", lambda self, branch: (base.folder / "model.tflite").read_bytes())
    with pytest.raises(EmojifyError, match="differently from what was learned"):
        teach(base, recorded, folder, ignore)
    assert list(folder.iterdir()) == []


def test_read_pictures_gives_accuracy_and_confusion(base: Model, recorded: SampleStore) -> None:
    classifier = base.open()
    samples = recorded.samples()
    stats = read_pictures(samples, classifier)
    assert set(stats) == {Emotion.ANGRY, Emotion.HAPPY}
    for emotion, read in stats.items():
        mine = [sample for sample in samples if sample.emotion is emotion]
        answers = [int(classifier.classify(sample.cutout().crop(0.0)).argmax()) for sample in mine]
        assert read.pictures == len(mine)
        assert read.accuracy == pytest.approx(np.mean([answer == emotion for answer in answers]))
        wrong = [answer for answer in answers if answer != emotion]
        assert read.confused_with == (max(set(wrong), key=wrong.count) if wrong else None)


def test_advice_names_missing_recordings(recorded: SampleStore) -> None:
    samples = recorded.samples()
    happy = [sample for sample in samples if sample.emotion is Emotion.HAPPY]
    assert any("Record neutral as well" in sentence and "taken for happy" in sentence for sentence in advice(happy))
    assert any("Record neutral as well" in sentence for sentence in advice(samples))
    neutral = [replace(sample, emotion=Emotion.NEUTRAL) for sample in happy]
    assert not any("Record neutral" in sentence for sentence in advice(neutral + happy))
    assert any("taken for one that you record" in sentence for sentence in advice(neutral + happy))
    every = [replace(sample, emotion=emotion) for sample in happy for emotion in Emotion]
    assert not any("leave out" in sentence for sentence in advice(every))
    assert any("only 3 pictures of happy" in sentence for sentence in advice(happy[:3]))
    assert any("only one picture of happy" in sentence for sentence in advice(happy[:1]))
    assert [sentence for sentence in advice(samples) if "Recorded once: happy." in sentence]
    assert advice([]) == []
