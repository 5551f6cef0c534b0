"""The store of recordings: diverse pictures, no duplicates, and nothing lost when a write fails."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.teaching import samples as module
from emojify.teaching.samples import PHOTOS, SampleStore
from emojify.vision.classifier import crop_face
from emojify.vision.cutout import MAX_SIDE_PX, Cutout, cut_out
from emojify.vision.readings import Box
from tests.helpers.recordings import Record, noise


def cutouts(seed: int, number: int) -> list[Cutout]:
    return [Cutout(picture, Box(4, 4, 40, 40)) for picture in noise(seed, number)]


def test_samples_keep_pixels_and_boxes(store: SampleStore) -> None:
    given = cutouts(1, 6)
    saved = store.add(Emotion.SAD, given)
    kept = store.samples()
    assert (saved.kept, saved.notes) == (6, ())
    assert {sample.recording for sample in kept} == {saved.recording}
    for sample, cutout in zip(kept, given, strict=True):
        assert (sample.emotion, sample.box) == (Emotion.SAD, cutout.box)
        assert np.array_equal(sample.cutout().picture, cutout.picture)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.3])
def test_cutout_gives_classifier_crop(margin: float) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (480, 640)).astype(np.uint8)
    for box in (Box(200, 150, 180, 180), Box(2, 3, 120, 120), Box(500, 350, 170, 170)):
        assert np.array_equal(cut_out(scene, box).crop(margin), crop_face(scene, box, margin))


def test_cutout_limits_side() -> None:
    cutout = cut_out(np.zeros((3000, 4000), np.uint8), Box(500, 500, 2000, 2000))
    assert max(cutout.picture.shape) == MAX_SIDE_PX
    assert cutout.crop(0.0).shape == (48, 48)


def test_add_refuses_recording_without_motion(store: SampleStore) -> None:
    with pytest.raises(EmojifyError, match=r"all alike: of 30 only 1 differ.*move your head"):
        store.add(Emotion.HAPPY, cutouts(1, 1) * 30)
    assert store.samples() == []


def test_add_accepts_single_photo(store: SampleStore) -> None:
    assert store.add(Emotion.HAPPY, cutouts(1, 1), PHOTOS).kept == 1


def test_add_skips_duplicates(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    saved = store.add(Emotion.HAPPY, [*cutouts(1, 2), *cutouts(2, 5)])
    assert saved.kept == 5
    assert saved.notes == ("2 pictures were left out: you already saved the same.",)


def test_add_refuses_contradicting_labels(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    with pytest.raises(EmojifyError, match="can't be both happy and sad"):
        store.add(Emotion.SAD, cutouts(1, 5))
    assert {sample.emotion for sample in store.samples()} == {Emotion.HAPPY}


def test_add_on_full_disk_changes_nothing(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    before = sorted(store.folder.rglob("*"))

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EmojifyError, match=r"the disk is full\. Make room"):
        store.add(Emotion.SAD, cutouts(2, 5))
    assert sorted(store.folder.rglob("*")) == before


def test_delete_removes_recording_with_last_picture(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    first, *rest = store.samples()
    store.delete([first])
    assert store.samples() == rest
    store.delete(rest)
    assert list(store.folder.iterdir()) == []


def test_delete_all_removes_folder(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    (store.folder / ".half-written").mkdir()
    store.delete_all()
    assert not store.folder.exists()
    store.delete_all()  # a second time is not an error
    assert store.samples() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"emotion": "jolly", "boxes": {}}', '{"emotion": "sad"}'])
def test_damaged_recording_is_a_problem(store: SampleStore, content: str) -> None:
    broken = store.add(Emotion.HAPPY, cutouts(1, 5)).recording
    store.add(Emotion.SAD, cutouts(2, 5))
    (store.folder / broken / "recording.json").write_text(content)
    assert {sample.emotion for sample in store.samples()} == {Emotion.SAD}
    (problem,) = store.problems()
    assert broken in problem


def test_cutout_names_damaged_picture(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    sample = store.samples()[0]
    sample.path.write_bytes(b"half a file")
    with pytest.raises(EmojifyError, match=r"00\.png is damaged"):
        sample.cutout()


def test_add_ignores_damaged_pictures(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    store.samples()[0].path.write_bytes(b"half a file")
    assert store.add(Emotion.SAD, cutouts(2, 5)).kept == 5


def test_add_replaces_recording_after_success_only(store: SampleStore) -> None:
    old = store.add(Emotion.HAPPY, cutouts(1, 5)).recording
    before = store.samples()
    with pytest.raises(EmojifyError, match="all alike"):
        store.add(Emotion.HAPPY, cutouts(2, 1) * 30, replaces=old)
    assert store.samples() == before
    # Duplicates of the replaced recording are kept.
    new = store.add(Emotion.SAD, [*cutouts(1, 3), *cutouts(2, 2)], replaces=old)
    assert (new.kept, new.notes) == (5, ())
    assert {sample.recording for sample in store.samples()} == {new.recording}
    assert not (store.folder / old).exists()


def test_add_limits_recordings(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDINGS", 1)
    store.add(Emotion.HAPPY, cutouts(1, 5))
    with pytest.raises(EmojifyError, match="1 recordings already"):
        store.add(Emotion.HAPPY, cutouts(2, 5))
    (old,) = {sample.recording for sample in store.samples()}
    assert store.add(Emotion.HAPPY, cutouts(2, 5), replaces=old).kept == 5


def test_add_keeps_most_of_moving_face(store: SampleStore, record: Record) -> None:
    assert store.add(Emotion.ANGRY, record(Emotion.ANGRY)).kept >= 9


def test_missing_folder_is_empty_store(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    shutil.rmtree(store.folder)
    assert store.samples() == store.problems() == []
