"""Round trips: what goes in comes out, with emoji."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.video.lookahead import LookAhead
from emojify.video.render import Progress, RenderStyle, estimate, render
from emojify.video.source import VideoSource
from emojify.vision.annotators import SideBySide, StaticEmoji
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image
from tests.helpers.films import BEEP_S, COLORS, FACE, Film, astronaut, wall, watch
from tests.helpers.pack_files import folder_contents


def covered_with(picture: Image, emotion: Emotion = Emotion.NEUTRAL, face: tuple[slice, slice] = FACE) -> bool:
    """Whether the face wears the emotion's color, as far as a codec leaves it."""
    return bool(np.abs(picture[face].astype(int).mean(axis=(0, 1)) - COLORS[emotion]).max() < 12)


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "h264"), (".webm", "vp9")])
def test_pictures_times_and_sound_are_kept_and_every_face_is_covered(
    style: RenderStyle, tmp_path: Path, ending: str, codec: str
) -> None:
    source = Film(sound="aac").write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / f"out{ending}", style)
    before, after = watch(source), watch(tmp_path / f"out{ending}")
    assert (len(after.pictures), after.video_codec) == (25, codec)
    assert after.times_s == pytest.approx(before.times_s, abs=0.001)
    assert after.ends_s == pytest.approx(before.ends_s, abs=0.001)
    assert before.beep_s == pytest.approx(BEEP_S, abs=0.02)
    assert after.beep_s == pytest.approx(before.beep_s, abs=0.02)
    assert after.sound_s == pytest.approx(before.sound_s, abs=0.03)
    assert all(covered_with(picture) for picture in after.pictures)  # from the first one on
    far = (slice(190, 256), slice(0, 60))
    for old, new in zip(before.pictures, after.pictures, strict=True):
        assert np.abs(old[far].astype(int) - new[far]).mean() < 6
    assert (outcome.frames, outcome.faces, outcome.notes) == (25, 1, ())
    assert outcome.duration_s == pytest.approx(1.0)
    assert outcome.size_bytes == (tmp_path / f"out{ending}").stat().st_size


@pytest.mark.parametrize(
    ("sound", "rate", "channels", "wrapped", "ending", "becomes"),
    [
        ("aac", 44_100, 2, ".mp4", ".mp4", "aac"),  # copied
        ("mp3", 44_100, 2, ".mkv", ".mp4", "mp3"),  # copied
        ("libopus", 48_000, 2, ".mkv", ".webm", "opus"),  # copied
        ("aac", 22_050, 1, ".mp4", ".webm", "opus"),  # another codec, at another rate
        ("pcm_s16le", 11_025, 1, ".avi", ".mp4", "aac"),
        ("libopus", 48_000, 2, ".mkv", ".mp4", "aac"),
        ("aac", 48_000, 2, ".ts", ".mp4", "aac"),  # framed otherwise in a transport stream
    ],
)
def test_any_sound_is_kept_in_time(
    style: RenderStyle, tmp_path: Path, sound: str, rate: int, channels: int, wrapped: str, ending: str, becomes: str
) -> None:
    film = Film(image=lambda time_s: wall(), sound=sound, sound_rate=rate, channels=channels)
    source = film.write(tmp_path / f"in{wrapped}")
    render(source, tmp_path / f"out{ending}", style)
    before, after = watch(source), watch(tmp_path / f"out{ending}")
    assert after.sound_codec == becomes
    assert before.beep_s is not None
    assert after.beep_s is not None
    assert after.beep_s - after.times_s[0] == pytest.approx(before.beep_s - before.times_s[0], abs=0.02)
    assert len(after.pictures) == len(before.pictures)


def test_sound_that_begins_late_stays_late(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(image=lambda time_s: wall(), sound="aac", sound_late_ms=300).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    assert watch(source).beep_s == pytest.approx(BEEP_S + 0.3, abs=0.02)
    assert watch(tmp_path / "out.mp4").beep_s == pytest.approx(BEEP_S + 0.3, abs=0.02)


def test_uneven_times_stay_as_they_are(style: RenderStyle, tmp_path: Path) -> None:
    times_ms = (0, 33, 40, 300, 310, 700, 733, 1500, 1540)
    source = Film(times_ms=times_ms).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    after = watch(tmp_path / "out.mp4")
    assert after.times_s == pytest.approx([time_ms / 1000 for time_ms in times_ms], abs=0.001)
    assert after.ends_s == pytest.approx(1.58, abs=0.001)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_video_comes_out_upright_and_its_face_is_found(
    style: RenderStyle, tmp_path: Path, turned: int
) -> None:
    lying = np.asarray(np.rot90(astronaut()[:250], -turned // 90), np.uint8)  # as the camera was held
    source = Film(image=lambda time_s: lying, turned=turned).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    picture = watch(tmp_path / "out.mp4").pictures[5]
    assert picture.shape == (250, 256, 3)
    assert covered_with(picture)


def test_pixels_that_are_no_squares_are_made_square(style: RenderStyle, tmp_path: Path) -> None:
    narrow = np.asarray(cv2.resize(astronaut(), (192, 256), interpolation=cv2.INTER_AREA), np.uint8)
    source = Film(image=lambda time_s: narrow, square=Fraction(4, 3)).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    picture = watch(tmp_path / "out.mp4").pictures[5]
    assert picture.shape == (256, 256, 3)
    assert covered_with(picture)


def test_sound_of_a_rare_kind_is_left_out_and_that_is_said(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(sound="adpcm_ms").write(tmp_path / "in.avi")
    outcome = render(source, tmp_path / "out.mp4", style)
    assert outcome.notes == ("The sound of in.avi is in a format that is not supported (adpcm_ms). It is left out.",)
    assert (outcome.frames, watch(tmp_path / "out.mp4").beep_s) == (25, None)


@pytest.mark.parametrize(("ending", "size"), [(".mp4", (252, 256)), (".webm", (251, 255)), (".gif", (251, 255))])
def test_odd_sizes_lose_no_row(style: RenderStyle, tmp_path: Path, ending: str, size: tuple[int, int]) -> None:
    odd = np.ascontiguousarray(astronaut()[:251, :255])
    source = Film(image=lambda time_s: odd, pixels="yuv444p").write(tmp_path / "in.mp4")
    render(source, tmp_path / f"out{ending}", style)
    picture = watch(tmp_path / f"out{ending}").pictures[5]
    assert picture.shape[:2] == size
    assert covered_with(picture)


def test_ten_bits_are_taken(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(pixels="yuv420p10le").write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    after = watch(tmp_path / "out.mp4")
    assert covered_with(after.pictures[5])
    assert np.abs(after.pictures[5][190:, :60].astype(int) - astronaut()[190:, :60]).mean() < 6


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_looping_pictures_run_as_long_with_at_most_fifteen_a_second(
    style: RenderStyle, tmp_path: Path, ending: str
) -> None:
    # Each picture is a little darker: those that are the same would be joined.
    source = Film(image=lambda time_s: astronaut(1 - time_s / 50), sound="aac").write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / f"out{ending}", style)
    picture = PillowImage.open(tmp_path / f"out{ending}")
    durations_ms, covered = [], []
    for shown in ImageSequence.Iterator(picture):
        shown.load()
        durations_ms.append(shown.info["duration"])
        covered.append(covered_with(np.asarray(shown.convert("RGB"))[:, :, ::-1]))
    assert picture.info["loop"] == 0
    assert outcome.frames == len(durations_ms) == 13
    assert sum(durations_ms) == pytest.approx(1000, abs=45)
    assert all(covered)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_the_last_of_looping_pictures_stays_for_those_left_out_after_it(
    style: RenderStyle, tmp_path: Path, ending: str
) -> None:
    times_ms = tuple(range(0, 960, 40))  # every other one is kept, so not the last
    source = Film(image=lambda time_s: astronaut(1 - time_s / 50), times_ms=times_ms).write(tmp_path / "in.mp4")
    render(source, tmp_path / f"out{ending}", style)
    durations_ms = []
    for shown in ImageSequence.Iterator(PillowImage.open(tmp_path / f"out{ending}")):
        shown.load()
        durations_ms.append(shown.info["duration"])
    assert sum(durations_ms) == pytest.approx(960, abs=15)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_video_of_a_few_pictures_has_its_face_found(style: RenderStyle, tmp_path: Path, count: int) -> None:
    source = Film(times_ms=tuple(range(0, 40 * count, 40))).write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / "out.mp4", style)
    assert (outcome.frames, outcome.faces, outcome.notes) == (count, 1, ())
    assert all(covered_with(picture) for picture in watch(tmp_path / "out.mp4").pictures)


def test_a_last_picture_that_is_cut_by_an_edit_list_ends_with_the_video(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(image=lambda time_s: wall(), times_ms=(0, 40, 80, 120, 220)).write(tmp_path / "in.mp4")
    with patch("emojify.video.source._duration_s", return_value=0.25):
        outcome = render(source, tmp_path / "out.mp4", style)
    assert outcome.duration_s == pytest.approx(0.25, abs=0.001)
    assert watch(tmp_path / "out.mp4").ends_s == pytest.approx(0.25, abs=0.001)


def test_side_by_side_is_wider(classifier: Classifier, stills: StaticEmoji, tmp_path: Path) -> None:
    source = Film().write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", RenderStyle(classifier, SideBySide(stills)))
    picture = watch(tmp_path / "out.mp4").pictures[5]
    assert picture.shape == (256, 512, 3)
    middle = (slice(90, 130), slice(360, 400))
    assert covered_with(picture, face=middle)


def test_the_seconds_of_each_emotion_add_up_to_the_video(style: RenderStyle, tmp_path: Path) -> None:
    def image(time_s: float) -> Image:
        return wall() if time_s < 1 else astronaut(0.85 if time_s < 2.2 else 1.0)

    source = Film(image=image, times_ms=tuple(range(0, 3000, 40))).write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / "out.mp4", style)
    assert outcome.timeline is not None
    seconds = outcome.timeline["seconds"]
    assert sum(seconds.values()) == pytest.approx(3.0)
    assert seconds["no face"] == pytest.approx(1.0, abs=0.05)
    assert seconds["happy"] == pytest.approx(1.2, abs=0.15)
    assert seconds["neutral"] == pytest.approx(0.8, abs=0.15)


def test_no_face_anywhere_is_said_and_the_video_is_whole(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(image=lambda time_s: wall()).write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / "out.mp4", style)
    assert "No face was found" in outcome.notes[0]
    assert len(watch(tmp_path / "out.mp4").pictures) == 25


@pytest.mark.parametrize("kept", [0.5, 0.8])
@pytest.mark.parametrize("wrapped", [".mp4", ".webm", ".mkv"])
def test_a_torn_file_is_rendered_as_far_as_it_goes_and_that_is_said(
    style: RenderStyle, tmp_path: Path, wrapped: str, kept: float
) -> None:
    rng = np.random.default_rng(1)
    noisy = [np.clip(astronaut().astype(int) + rng.integers(-9, 9, (256, 256, 3)), 0, 255) for _ in range(4)]
    film = Film(
        image=lambda time_s: noisy[round(time_s * 25) % 4].astype(np.uint8),
        times_ms=tuple(range(0, 4000, 40)),
        codec="libvpx" if wrapped == ".webm" else "libx264",
        options={"deadline": "realtime", "cpu-used": "-8", "b": "4000000"}
        if wrapped == ".webm"
        else {"preset": "ultrafast", "g": "25"},
        container_options={"movflags": "+faststart"} if wrapped == ".mp4" else {},
    )
    source = film.write(tmp_path / f"in{wrapped}")
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * kept)])
    outcome = render(source, tmp_path / "out.mp4", style)
    assert "cut short: it says 4.0 s, but its pictures end after" in outcome.notes[0]
    after = watch(tmp_path / "out.mp4")
    assert len(after.pictures) == pytest.approx(100 * kept, abs=8)
    assert len(after.pictures) == outcome.frames
    assert covered_with(after.pictures[10])


def test_damage_in_the_middle_is_said_and_the_rest_is_rendered(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(times_ms=tuple(range(0, 4000, 40)), options={"preset": "ultrafast", "g": "10"}).write(
        tmp_path / "in.mkv"
    )
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    source.write_bytes(content)
    outcome = render(source, tmp_path / "out.mp4", style)
    assert 50 <= outcome.frames <= 100
    assert len(watch(tmp_path / "out.mp4").pictures) == outcome.frames


def test_only_the_first_seconds_with_their_sound(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(sound="aac", times_ms=tuple(range(0, 3000, 40))).write(tmp_path / "in.mp4")
    outcome = render(source, tmp_path / "out.mp4", style, until_s=1.0)
    after = watch(tmp_path / "out.mp4")
    assert len(after.pictures) == outcome.frames == 25
    assert after.beep_s == pytest.approx(BEEP_S, abs=0.02)
    assert after.sound_s == pytest.approx(1.0, abs=0.05)


def test_progress_goes_forward_to_the_end(style: RenderStyle, tmp_path: Path) -> None:
    source = Film().write(tmp_path / "in.mp4")
    seen: list[Progress] = []
    with patch("emojify.video.render.REPORT_EVERY_S", 0):
        render(source, tmp_path / "out.mp4", style, on_progress=seen.append)
    shares = [progress.share for progress in seen]
    assert shares == sorted(share for share in shares if share is not None)
    assert shares[-1] == 1
    assert all(progress.total_s == pytest.approx(1.0) for progress in seen)


def test_what_is_left_is_told_from_what_is_done() -> None:
    assert Progress(done_s=10, total_s=40, elapsed_s=5).left_s == pytest.approx(15)
    assert Progress(done_s=10, total_s=None, elapsed_s=5).left_s is None
    assert Progress(done_s=0.1, total_s=40, elapsed_s=0.2).left_s is None  # too early to say
    assert Progress(done_s=40, total_s=40, elapsed_s=9).left_s is None


def test_an_estimate_is_of_the_whole_video_and_leaves_nothing(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(times_ms=tuple(range(0, 12_000, 80))).write(tmp_path / "in.mp4")
    before = folder_contents(tmp_path)
    guess = estimate(source, ".mp4", style)
    assert folder_contents(tmp_path) == before
    assert guess is not None
    assert guess.duration_s == pytest.approx(12, abs=0.1)
    real = render(source, tmp_path / "out.mp4", style)
    assert real.size_bytes / 4 < guess.size_bytes < real.size_bytes * 4


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_a_picture_becomes_a_picture(style: RenderStyle, tmp_path: Path, ending: str) -> None:
    (tmp_path / "in.dat").write_bytes(cv2.imencode(".png", astronaut())[1].tobytes())  # told by its content
    outcome = render(tmp_path / "in.dat", tmp_path / f"out{ending}", style)
    assert covered_with(np.asarray(cv2.imread(str(tmp_path / f"out{ending}")), np.uint8))
    assert (outcome.faces, outcome.timeline) == (1, None)
    with pytest.raises(EmojifyError, match="A picture becomes a picture"):
        render(tmp_path / "in.dat", tmp_path / "out.mp4", style)


def test_a_gif_that_moves_is_a_video(style: RenderStyle, tmp_path: Path) -> None:
    source = Film().write(tmp_path / "in.mp4")
    render(source, tmp_path / "in.gif", style)
    assert render(tmp_path / "in.gif", tmp_path / "out.mp4", style).frames == 13


def test_what_is_held_back_does_not_grow_with_the_video(style: RenderStyle, tmp_path: Path) -> None:
    source = Film(image=lambda time_s: wall(), times_ms=tuple(range(0, 8000, 40))).write(tmp_path / "in.mp4")
    ahead, held = LookAhead(style.classifier), []
    with VideoSource(source) as video:
        for picture in video:
            ahead.push(picture)  # type: ignore[arg-type]  # a film without sound
            held.append(len(ahead._held) + len(ahead._past))
    assert max(held[60:]) == held[60] < 60
