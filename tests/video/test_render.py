"""Rendering real video files: frames, times and sound are kept, and every face is covered."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.errors import EmojifyError
from emojify.video.lookahead import LookAhead
from emojify.video.outcome import Progress, RenderStyle
from emojify.video.render import estimate, render
from emojify.video.sink import OUTPUT_FORMATS
from emojify.video.source import VideoSource
from emojify.vision.annotators import SideBySide, StaticEmoji
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image
from tests.helpers.pack_files import folder_contents
from tests.helpers.sample_videos import BEEP_S, SampleVideo, astronaut, covered_with, decode, wall

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".webm", "vp9")])
def test_render_keeps_frames_times_and_sound(style: RenderStyle, tmp_path: Path, suffix: str, codec: str) -> None:
    source = SampleVideo(audio="aac").write(tmp_path / "in.mp4")
    result = render(source, tmp_path / f"out{suffix}", style)
    before, after = decode(source), decode(tmp_path / f"out{suffix}")
    assert (len(after.frames), after.video_codec) == (25, codec)
    assert after.times_s == pytest.approx(before.times_s, abs=0.001)
    assert after.end_s == pytest.approx(before.end_s, abs=0.001)
    assert before.beep_s == pytest.approx(BEEP_S, abs=0.02)
    assert after.beep_s == pytest.approx(before.beep_s, abs=0.02)
    assert after.audio_end_s == pytest.approx(before.audio_end_s, abs=0.03)
    assert all(covered_with(picture) for picture in after.frames)
    far = (slice(190, 256), slice(0, 60))
    for old, new in zip(before.frames, after.frames, strict=True):
        assert np.abs(old[far].astype(int) - new[far]).mean() < 6
    assert (result.frames, result.faces, result.notes) == (25, 1, ())
    assert result.duration_s == pytest.approx(1.0)
    assert result.size_bytes == (tmp_path / f"out{suffix}").stat().st_size


def test_encoder_keeps_few_frames_of_large_videos() -> None:
    mp4 = OUTPUT_FORMATS[".mp4"]
    assert mp4.encoder_options(3840, 2160) == mp4.options
    assert "rc-lookahead=0" in mp4.encoder_options(3842, 2160)["x264-params"]


def test_render_keeps_few_frames_of_large_videos(
    style: RenderStyle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SampleVideo(image=lambda time_s: wall()).write(tmp_path / "in.mp4")
    monkeypatch.setattr("emojify.video.sink.LARGE_PIXELS", 100)
    monkeypatch.setattr("emojify.video.source.LARGE_PIXELS", 100)
    with VideoSource(source) as video:
        next(iter(video))
        assert video._container.streams.video[0].thread_type.name == "SLICE"
    render(source, tmp_path / "out.mp4", style)
    assert len(decode(tmp_path / "out.mp4").frames) == 25


@pytest.mark.parametrize(
    ("audio", "rate", "channels", "source_suffix", "target_suffix", "target_audio"),
    [
        ("aac", 44_100, 2, ".mp4", ".mp4", "aac"),  # copied
        ("mp3", 44_100, 2, ".mkv", ".mp4", "mp3"),  # copied
        ("libopus", 48_000, 2, ".mkv", ".webm", "opus"),  # copied
        ("aac", 22_050, 1, ".mp4", ".webm", "opus"),  # another codec, at another rate
        ("pcm_s16le", 11_025, 1, ".avi", ".mp4", "aac"),
        ("libopus", 48_000, 2, ".mkv", ".mp4", "aac"),
        ("aac", 48_000, 2, ".ts", ".mp4", "aac"),  # with headers in its packets, as in every transport stream
    ],
)
def test_render_keeps_any_sound_in_sync(
    style: RenderStyle,
    tmp_path: Path,
    audio: str,
    rate: int,
    channels: int,
    source_suffix: str,
    target_suffix: str,
    target_audio: str,
) -> None:
    video = SampleVideo(image=lambda time_s: wall(), audio=audio, audio_rate=rate, channels=channels)
    source = video.write(tmp_path / f"in{source_suffix}")
    render(source, tmp_path / f"out{target_suffix}", style)
    before, after = decode(source), decode(tmp_path / f"out{target_suffix}")
    assert after.audio_codec == target_audio
    assert before.beep_s is not None
    assert after.beep_s is not None
    assert after.beep_s - after.times_s[0] == pytest.approx(before.beep_s - before.times_s[0], abs=0.02)
    assert len(after.frames) == len(before.frames)


def test_render_keeps_delay_of_sound(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(image=lambda time_s: wall(), audio="aac", audio_delay_ms=300).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    assert decode(source).beep_s == pytest.approx(BEEP_S + 0.3, abs=0.02)
    assert decode(tmp_path / "out.mp4").beep_s == pytest.approx(BEEP_S + 0.3, abs=0.02)


def test_render_keeps_irregular_frame_times(style: RenderStyle, tmp_path: Path) -> None:
    times_ms = (0, 33, 40, 300, 310, 700, 733, 1500, 1540)
    source = SampleVideo(times_ms=times_ms).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    after = decode(tmp_path / "out.mp4")
    assert after.times_s == pytest.approx([time_ms / 1000 for time_ms in times_ms], abs=0.001)
    assert after.end_s == pytest.approx(1.58, abs=0.001)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_render_rotates_frames_upright(style: RenderStyle, tmp_path: Path, rotation: int) -> None:
    stored = np.asarray(np.rot90(astronaut()[:250], -rotation // 90), np.uint8)
    source = SampleVideo(image=lambda time_s: stored, rotation=rotation).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    picture = decode(tmp_path / "out.mp4").frames[5]
    assert picture.shape == (250, 256, 3)
    assert covered_with(picture)


def test_render_makes_pixels_square(style: RenderStyle, tmp_path: Path) -> None:
    narrow = np.asarray(cv2.resize(astronaut(), (192, 256), interpolation=cv2.INTER_AREA), np.uint8)
    source = SampleVideo(image=lambda time_s: narrow, pixel_aspect=Fraction(4, 3)).write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    picture = decode(tmp_path / "out.mp4").frames[5]
    assert picture.shape == (256, 256, 3)
    assert covered_with(picture)


def test_render_notes_unsupported_sound(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(audio="adpcm_ms").write(tmp_path / "in.avi")
    result = render(source, tmp_path / "out.mp4", style)
    assert result.notes == ("The sound of in.avi is in a format that is not supported (adpcm_ms). It is left out.",)
    assert (result.frames, decode(tmp_path / "out.mp4").beep_s) == (25, None)


@pytest.mark.parametrize(("suffix", "size"), [(".mp4", (252, 256)), (".webm", (251, 255)), (".gif", (251, 255))])
def test_render_keeps_all_rows_of_odd_sizes(
    style: RenderStyle, tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    odd = np.ascontiguousarray(astronaut()[:251, :255])
    source = SampleVideo(image=lambda time_s: odd, pixel_format="yuv444p").write(tmp_path / "in.mp4")
    render(source, tmp_path / f"out{suffix}", style)
    picture = decode(tmp_path / f"out{suffix}").frames[5]
    assert picture.shape[:2] == size
    assert covered_with(picture)


def test_render_reads_ten_bit_video(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(pixel_format="yuv420p10le").write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", style)
    after = decode(tmp_path / "out.mp4")
    assert covered_with(after.frames[5])
    assert np.abs(after.frames[5][190:, :60].astype(int) - astronaut()[190:, :60]).mean() < 6


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_render_limits_frame_rate_of_animations(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    # Each frame is a little darker, because an encoder joins frames that are equal.
    source = SampleVideo(image=lambda time_s: astronaut(1 - time_s / 50), audio="aac").write(tmp_path / "in.mp4")
    result = render(source, tmp_path / f"out{suffix}", style)
    picture = PillowImage.open(tmp_path / f"out{suffix}")
    durations_ms, covered = [], []
    for shown in ImageSequence.Iterator(picture):
        shown.load()
        durations_ms.append(shown.info["duration"])
        covered.append(covered_with(np.asarray(shown.convert("RGB"))[:, :, ::-1]))
    assert picture.info["loop"] == 0
    assert result.frames == len(durations_ms) == 13
    assert sum(durations_ms) == pytest.approx(1000, abs=45)
    assert all(covered)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_render_extends_last_frame_of_animations(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    times_ms = tuple(range(0, 960, 40))  # every other frame is kept, and the last one is not
    source = SampleVideo(image=lambda time_s: astronaut(1 - time_s / 50), times_ms=times_ms).write(tmp_path / "in.mp4")
    render(source, tmp_path / f"out{suffix}", style)
    durations_ms = []
    for shown in ImageSequence.Iterator(PillowImage.open(tmp_path / f"out{suffix}")):
        shown.load()
        durations_ms.append(shown.info["duration"])
    assert sum(durations_ms) == pytest.approx(960, abs=15)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_render_finds_face_in_shortest_videos(style: RenderStyle, tmp_path: Path, count: int) -> None:
    source = SampleVideo(times_ms=tuple(range(0, 40 * count, 40))).write(tmp_path / "in.mp4")
    result = render(source, tmp_path / "out.mp4", style)
    assert (result.frames, result.faces, result.notes) == (count, 1, ())
    assert all(covered_with(picture) for picture in decode(tmp_path / "out.mp4").frames)


def test_render_cuts_last_frame_at_header_duration(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(image=lambda time_s: wall(), times_ms=(0, 40, 80, 120, 220)).write(tmp_path / "in.mp4")
    with patch("emojify.video.source._duration_s", return_value=0.25):
        result = render(source, tmp_path / "out.mp4", style)
    assert result.duration_s == pytest.approx(0.25, abs=0.001)
    assert decode(tmp_path / "out.mp4").end_s == pytest.approx(0.25, abs=0.001)


def test_render_side_by_side_doubles_width(classifier: Classifier, stills: StaticEmoji, tmp_path: Path) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    render(source, tmp_path / "out.mp4", RenderStyle(classifier, SideBySide(stills)))
    picture = decode(tmp_path / "out.mp4").frames[5]
    assert picture.shape == (256, 512, 3)
    middle = (slice(90, 130), slice(360, 400))
    assert covered_with(picture, face=middle)


def test_render_timeline_adds_up_to_duration(style: RenderStyle, tmp_path: Path) -> None:
    def image(time_s: float) -> Image:
        return wall() if time_s < 1 else astronaut(0.85 if time_s < 2.2 else 1.0)

    source = SampleVideo(image=image, times_ms=tuple(range(0, 3000, 40))).write(tmp_path / "in.mp4")
    result = render(source, tmp_path / "out.mp4", style)
    assert result.timeline is not None
    seconds = result.timeline["seconds"]
    assert sum(seconds.values()) == pytest.approx(3.0)
    assert seconds["no face"] == pytest.approx(1.0, abs=0.05)
    assert seconds["happy"] == pytest.approx(1.2, abs=0.15)
    assert seconds["neutral"] == pytest.approx(0.8, abs=0.15)


def test_render_without_faces_notes_it(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(image=lambda time_s: wall()).write(tmp_path / "in.mp4")
    result = render(source, tmp_path / "out.mp4", style)
    assert "No face was found" in result.notes[0]
    assert len(decode(tmp_path / "out.mp4").frames) == 25


@pytest.mark.parametrize("kept", [0.5, 0.8])
@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv"])
def test_render_truncated_file_until_its_end(style: RenderStyle, tmp_path: Path, suffix: str, kept: float) -> None:
    rng = np.random.default_rng(1)
    noisy = [np.clip(astronaut().astype(int) + rng.integers(-9, 9, (256, 256, 3)), 0, 255) for _ in range(4)]
    video = SampleVideo(
        image=lambda time_s: noisy[round(time_s * 25) % 4].astype(np.uint8),
        times_ms=tuple(range(0, 4000, 40)),
        codec="libvpx" if suffix == ".webm" else "libx264",
        options={"deadline": "realtime", "cpu-used": "-8", "b": "4000000"}
        if suffix == ".webm"
        else {"preset": "ultrafast", "g": "25"},
        container_options={"movflags": "+faststart"} if suffix == ".mp4" else {},
    )
    source = video.write(tmp_path / f"in{suffix}")
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * kept)])
    result = render(source, tmp_path / "out.mp4", style)
    assert "cut short: it says 4.0 s, but its pictures end after" in result.notes[0]
    after = decode(tmp_path / "out.mp4")
    assert len(after.frames) == pytest.approx(100 * kept, abs=8)
    assert len(after.frames) == result.frames
    assert covered_with(after.frames[10])


def test_render_skips_damaged_part(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(times_ms=tuple(range(0, 4000, 40)), options={"preset": "ultrafast", "g": "10"}).write(
        tmp_path / "in.mkv"
    )
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    source.write_bytes(content)
    result = render(source, tmp_path / "out.mp4", style)
    assert 50 <= result.frames <= 100
    assert len(decode(tmp_path / "out.mp4").frames) == result.frames


def test_render_stops_at_until_s(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(audio="aac", times_ms=tuple(range(0, 3000, 40))).write(tmp_path / "in.mp4")
    result = render(source, tmp_path / "out.mp4", style, until_s=1.0)
    after = decode(tmp_path / "out.mp4")
    assert len(after.frames) == result.frames == 25
    assert after.beep_s == pytest.approx(BEEP_S, abs=0.02)
    assert after.audio_end_s == pytest.approx(1.0, abs=0.05)


def test_render_progress_increases_to_one(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    reports: list[Progress] = []
    with patch("emojify.video.render.REPORT_EVERY_S", 0):
        render(source, tmp_path / "out.mp4", style, on_progress=reports.append)
    shares = [progress.share for progress in reports]
    assert shares == sorted(share for share in shares if share is not None)
    assert shares[-1] == 1
    assert all(progress.total_s == pytest.approx(1.0) for progress in reports)


def test_progress_left_s_extrapolates() -> None:
    assert Progress(done_s=10, total_s=40, elapsed_s=5).left_s == pytest.approx(15)
    assert Progress(done_s=10, total_s=None, elapsed_s=5).left_s is None
    assert Progress(done_s=0.1, total_s=40, elapsed_s=0.2).left_s is None  # too early for an estimate
    assert Progress(done_s=40, total_s=40, elapsed_s=9).left_s is None


def test_estimate_covers_whole_video(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(times_ms=tuple(range(0, 12_000, 80))).write(tmp_path / "in.mp4")
    before = folder_contents(tmp_path)
    expected = estimate(source, ".mp4", style)
    assert folder_contents(tmp_path) == before
    assert expected is not None
    assert expected.duration_s == pytest.approx(12, abs=0.1)
    real = render(source, tmp_path / "out.mp4", style)
    assert real.size_bytes / 4 < expected.size_bytes < real.size_bytes * 4


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_render_image_by_content(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "in.dat").write_bytes(cv2.imencode(".png", astronaut())[1].tobytes())
    result = render(tmp_path / "in.dat", tmp_path / f"out{suffix}", style)
    assert covered_with(np.asarray(cv2.imread(str(tmp_path / f"out{suffix}")), np.uint8))
    assert (result.faces, result.timeline) == (1, None)
    with pytest.raises(EmojifyError, match="A picture becomes a picture"):
        render(tmp_path / "in.dat", tmp_path / "out.mp4", style)


def test_render_treats_animated_gif_as_video(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo().write(tmp_path / "in.mp4")
    render(source, tmp_path / "in.gif", style)
    assert render(tmp_path / "in.gif", tmp_path / "out.mp4", style).frames == 13


def test_look_ahead_holds_limited_frames(style: RenderStyle, tmp_path: Path) -> None:
    source = SampleVideo(image=lambda time_s: wall(), times_ms=tuple(range(0, 8000, 40))).write(tmp_path / "in.mp4")
    ahead, held = LookAhead(style.classifier), []
    with VideoSource(source) as video:
        for frame in video:
            ahead.push(frame)  # type: ignore[arg-type]  # the video has no audio
            held.append(len(ahead._held) + len(ahead._past))
    assert max(held[60:]) == held[60] < 60
