"""The store of one's own pictures: whole recordings, varied pictures, and nothing lost when something fails."""

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


def test_what_is_kept_comes_back_to_the_pixel(store: SampleStore) -> None:
    given = cutouts(1, 6)
    saved = store.add(Emotion.SAD, given)
    kept = store.samples()
    assert (saved.kept, saved.notes) == (6, ())
    assert {sample.recording for sample in kept} == {saved.recording}
    for sample, cutout in zip(kept, given, strict=True):
        assert (sample.emotion, sample.box) == (Emotion.SAD, cutout.box)
        assert np.array_equal(sample.cutout().picture, cutout.picture)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.3])
def test_a_cutout_gives_the_very_crop_that_the_classifier_saw(margin: float) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (480, 640)).astype(np.uint8)
    for box in (Box(200, 150, 180, 180), Box(2, 3, 120, 120), Box(500, 350, 170, 170)):
        assert np.array_equal(cut_out(scene, box).crop(margin), crop_face(scene, box, margin))


def test_a_large_face_is_kept_small() -> None:
    cutout = cut_out(np.zeros((3000, 4000), np.uint8), Box(500, 500, 2000, 2000))
    assert max(cutout.picture.shape) == MAX_SIDE_PX
    assert cutout.crop(0.0).shape == (48, 48)


def test_thirty_copies_of_one_frame_are_refused_and_the_words_say_to_move(store: SampleStore) -> None:
    with pytest.raises(EmojifyError, match=r"all alike: of 30 only 1 differ.*move your head"):
        store.add(Emotion.HAPPY, cutouts(1, 1) * 30)
    assert store.samples() == []


def test_a_single_photo_is_enough(store: SampleStore) -> None:
    assert store.add(Emotion.HAPPY, cutouts(1, 1), PHOTOS).kept == 1


def test_what_is_here_already_is_not_kept_twice(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    saved = store.add(Emotion.HAPPY, [*cutouts(1, 2), *cutouts(2, 5)])
    assert saved.kept == 5
    assert saved.notes == ("2 pictures were left out: the same is here already.",)


def test_the_same_picture_as_happy_and_as_sad_is_refused(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    with pytest.raises(EmojifyError, match="can't be both happy and sad"):
        store.add(Emotion.SAD, cutouts(1, 5))
    assert {sample.emotion for sample in store.samples()} == {Emotion.HAPPY}


def test_a_full_disk_keeps_nothing_of_it_and_all_of_the_rest(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    before = sorted(store.folder.rglob("*"))

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EmojifyError, match=r"No space left on device.*all that was here still is"):
        store.add(Emotion.SAD, cutouts(2, 5))
    assert sorted(store.folder.rglob("*")) == before


def test_single_pictures_go_and_a_recording_goes_with_its_last(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    first, *rest = store.samples()
    store.delete([first])
    assert store.samples() == rest
    store.delete(rest)
    assert list(store.folder.iterdir()) == []


def test_delete_all_leaves_nothing_on_the_disk(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    (store.folder / ".half-written").mkdir()
    store.delete_all()
    assert not store.folder.exists()
    store.delete_all()  # once more does no harm
    assert store.samples() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"emotion": "jolly", "boxes": {}}', '{"emotion": "sad"}'])
def test_a_damaged_recording_is_named_and_the_others_are_read(store: SampleStore, content: str) -> None:
    broken = store.add(Emotion.HAPPY, cutouts(1, 5)).recording
    store.add(Emotion.SAD, cutouts(2, 5))
    (store.folder / broken / "recording.json").write_text(content)
    assert {sample.emotion for sample in store.samples()} == {Emotion.SAD}
    (problem,) = store.problems()
    assert broken in problem


def test_a_damaged_picture_is_named(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    sample = store.samples()[0]
    sample.path.write_bytes(b"half a file")
    with pytest.raises(EmojifyError, match=r"00\.png is damaged"):
        sample.cutout()


def test_a_damaged_picture_does_not_cost_what_was_recorded_now(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    store.samples()[0].path.write_bytes(b"half a file")
    assert store.add(Emotion.SAD, cutouts(2, 5)).kept == 5


def test_what_is_recorded_anew_goes_when_the_new_one_is_here_and_not_before(store: SampleStore) -> None:
    old = store.add(Emotion.HAPPY, cutouts(1, 5)).recording
    before = store.samples()
    with pytest.raises(EmojifyError, match="all alike"):
        store.add(Emotion.HAPPY, cutouts(2, 1) * 30, replaces=old)
    assert store.samples() == before
    new = store.add(Emotion.SAD, [*cutouts(1, 3), *cutouts(2, 2)], replaces=old)  # it may look like what it replaces
    assert (new.kept, new.notes) == (5, ())
    assert {sample.recording for sample in store.samples()} == {new.recording}
    assert not (store.folder / old).exists()


def test_there_is_an_end_to_recordings(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDINGS", 1)
    store.add(Emotion.HAPPY, cutouts(1, 5))
    with pytest.raises(EmojifyError, match="1 recordings already"):
        store.add(Emotion.HAPPY, cutouts(2, 5))
    (old,) = {sample.recording for sample in store.samples()}
    assert store.add(Emotion.HAPPY, cutouts(2, 5), replaces=old).kept == 5


def test_a_recording_of_a_moving_face_is_kept_nearly_whole(store: SampleStore, record: Record) -> None:
    assert store.add(Emotion.ANGRY, record(Emotion.ANGRY)).kept >= 9


def test_a_store_that_was_moved_by_hand_is_simply_empty(store: SampleStore) -> None:
    store.add(Emotion.HAPPY, cutouts(1, 5))
    shutil.rmtree(store.folder)
    assert store.samples() == store.problems() == []
