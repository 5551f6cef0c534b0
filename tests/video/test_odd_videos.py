"""Videos as phones, cameras, browsers and editors really write them: joined, turned, mirrored, interlaced, untagged."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.video.frames import FrameConverter
from emojify.video.outcome import RenderStyle
from emojify.video.render import render
from emojify.video.source import Frame, VideoSource
from emojify.vision.readings import Image
from tests.helpers.sample_videos import BEEP_S, SampleVideo, astronaut, covered_with, decode, wall

pytestmark = pytest.mark.slow

WEBM = {"codec": "libvpx", "audio": "libopus", "options": {"deadline": "realtime", "cpu-used": "-8"}}


def frames_of(path: Path) -> list[Frame]:
    with VideoSource(path) as video:
        return [item for item in video if isinstance(item, Frame)]


@pytest.mark.parametrize("suffix", [".ts", ".webm", ".ogv"])
def test_joined_parts_keep_length_and_sound(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    part = SampleVideo(
        times_ms=tuple(range(0, 2000, 40)),
        **({"audio": "aac"} if suffix == ".ts" else WEBM),
    ).write(tmp_path / f"part{suffix}")
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(part.read_bytes() * 2)
    result = render(joined, tmp_path / "out.mp4", style)
    after = decode(tmp_path / "out.mp4")
    assert result.duration_s == pytest.approx(4.0, abs=0.1)
    assert len(after.frames) == pytest.approx(100, abs=2)
    assert np.diff(after.times_s).max() < 0.2
    assert after.audio_end_s == pytest.approx(4.0, abs=0.15)
    beeps = beep_starts(tmp_path / "out.mp4")
    assert len(beeps) == 2
    assert beeps[1] - beeps[0] == pytest.approx(2.0, abs=0.06)
    assert after.times_s[0] + BEEP_S == pytest.approx(beeps[0], abs=0.06)
    assert all(covered_with(picture) for picture in after.frames)
    assert result.notes == ()


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".mp4", "libx264", {}),
        (".mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        (".flv", "libx264", {}),
        (".wmv", "wmv2", {}),
    ],
)
def test_joined_parts_that_cannot_be_read_are_noted(
    style: RenderStyle, tmp_path: Path, suffix: str, codec: str, options: dict[str, str]
) -> None:
    part = SampleVideo(codec=codec, container_options=options, options={}).write(tmp_path / f"part{suffix}")
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(part.read_bytes() * 2)
    alone = render(part, tmp_path / "alone.mp4", style)
    assert alone.notes == ()
    result = render(joined, tmp_path / "out.mp4", style)
    assert result.duration_s == pytest.approx(alone.duration_s, abs=0.1)
    assert [note.split(". ")[0] for note in result.notes] == [f"{joined.name} holds several videos one after another"]


def beep_starts(path: Path) -> list[float]:
    """Return when each beep starts, in seconds."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    loud = [float(piece.time or 0) for piece in pieces if np.abs(piece.to_ndarray()).max() > 0.1]
    return [time_s for before, time_s in zip([-9.0, *loud], loud, strict=False) if time_s - before > 0.5]


def test_clock_that_jumps_forward_in_stream_is_closed(style: RenderStyle, tmp_path: Path) -> None:
    first = SampleVideo(audio="aac").write(tmp_path / "first.ts")
    later = SampleVideo(audio="aac", container_options={"output_ts_offset": "100"}).write(tmp_path / "later.ts")
    (tmp_path / "joined.ts").write_bytes(first.read_bytes() + later.read_bytes())
    assert render(tmp_path / "joined.ts", tmp_path / "out.mp4", style).duration_s == pytest.approx(2.0, abs=0.1)


def test_size_change_gets_bars(style: RenderStyle, tmp_path: Path) -> None:
    wide = np.hstack([wall(), astronaut(), wall()])[:, 64:-64]
    first = SampleVideo(image=lambda time_s: wide).write(tmp_path / "first.ts")
    tall = np.vstack([wall(), astronaut(), wall()])[64:-64]
    second = SampleVideo(image=lambda time_s: tall).write(tmp_path / "second.ts")
    (tmp_path / "turned.ts").write_bytes(first.read_bytes() + second.read_bytes())
    frames = frames_of(tmp_path / "turned.ts")
    assert {frame.image.shape for frame in frames} == {wide.shape}
    last = frames[-1].image
    assert last[:, :260].max() < 30  # a bar
    assert last[:, -260:].max() < 30
    shrunken = cv2.resize(tall, (102, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(last[:, 269:371].astype(int) - shrunken).mean() < 8
    render(tmp_path / "turned.ts", tmp_path / "out.mp4", style)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["hflip", "vflip"])
def test_mirrored_track_is_shown_as_players_do(tmp_path: Path, rotation: int, flip: str) -> None:
    upright = astronaut()[:250]
    mirrored = upright[:, ::-1] if flip == "hflip" else upright[::-1]  # the matrix rotates, then mirrors
    stored = np.ascontiguousarray(np.rot90(mirrored, -rotation // 90))
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = stored.shape[0], stored.shape[1], "yuv420p"
        stream.set_display_rotation(rotation, **{flip: True})
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, format="bgr24")))
        container.mux(stream.encode(None))
    shown = frames_of(path)[2].image
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(int) - upright).mean() < 6


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), 1), ((640, 480), 5)])
def test_untagged_colors_follow_size(size: tuple[int, int], matrix: int) -> None:
    red = np.full((size[1], size[0], 3), (30, 40, 220), np.uint8)
    frame = av.VideoFrame.from_ndarray(red, format="bgr24").reformat(format="yuv420p", dst_colorspace=matrix)
    frame.colorspace = 2
    image, _ = FrameConverter("film.mp4").convert(frame, Fraction(1))
    assert np.abs(image[200, 300].astype(int) - (30, 40, 220)).max() <= 4


def test_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    def image(time_s: float) -> Image:
        """Draw a bar that moves by 16 pixels between the two fields of a frame."""
        fields = []
        for number in range(2):
            field = np.full((256, 256, 3), 40, np.uint8)
            left = round(time_s * 800) % 160 + 16 * number
            field[:, left : left + 40] = 220
            fields.append(field)
        fields[0][1::2] = fields[1][1::2]
        return fields[0]

    options = {"preset": "ultrafast", "crf": "10", "x264-params": "interlaced=1:tff=1"}
    path = SampleVideo(image=image, options=options).write(tmp_path / "in.ts")
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    frames = frames_of(path)
    assert len(frames) == 25
    assert np.diff([frame.ticks for frame in frames]) == pytest.approx(3600, abs=2)
    combs = [np.abs(np.diff(frame.image[20:236, :, 0].astype(int), axis=0)).mean() for frame in frames]
    raw = np.abs(np.diff(image(0.2)[20:236, :, 0].astype(int), axis=0)).mean()
    assert max(combs) < raw / 5


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_transparent_gif_stays_transparent(style: RenderStyle, tmp_path: Path, suffix: str) -> None:
    pictures = []
    for shift in range(6):
        picture = PillowImage.fromarray(astronaut()[:, :, ::-1]).convert("RGBA")
        hole = PillowImage.new("L", picture.size, 255)
        hole.paste(0, (0, 180 + 4 * shift, 256, 256))
        picture.putalpha(hole)
        pictures.append(picture)
    source = tmp_path / "in.gif"
    pictures[0].save(source, save_all=True, append_images=pictures[1:], duration=100, loop=0, disposal=2)
    result = render(source, tmp_path / f"out{suffix}", style)
    assert result.faces == 1
    shown = [
        np.asarray(item.convert("RGBA")) for item in ImageSequence.Iterator(PillowImage.open(tmp_path / f"out{suffix}"))
    ]
    assert len(shown) == 6
    for number, drawn in enumerate(shown):
        assert drawn[220:, :60, 3].max() == 0, number
        assert drawn[10:150, :, 3].min() == 255
        assert covered_with(np.ascontiguousarray(drawn[:, :, 2::-1]))


def test_transparent_gif_is_white_in_video(style: RenderStyle, tmp_path: Path) -> None:
    picture = PillowImage.new("RGBA", (64, 64), (0, 0, 0, 0))
    other = picture.copy()
    other.putpixel((5, 5), (255, 0, 0, 255))
    picture.save(tmp_path / "in.gif", save_all=True, append_images=[other], duration=100, disposal=2)
    render(tmp_path / "in.gif", tmp_path / "out.mp4", style)
    assert decode(tmp_path / "out.mp4").frames[0][40:, 40:].min() > 240


def write_tracks(path: Path, codecs: Sequence[str], empty: Sequence[int] = ()) -> Path:
    """Write a video with several audio tracks: each has a beep of its own volume, or no packet at all."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        assert isinstance(video, VideoStream)
        video.height, video.width, video.pix_fmt = 64, 64, "yuv420p"
        tracks = [container.add_stream(codec, rate=48_000, layout="mono") for codec in codecs]
        for _ in range(25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="bgr24")))
        container.mux(video.encode(None))
        for number, track in enumerate(tracks):
            assert isinstance(track, AudioStream)
            if number in empty:
                continue
            wave = np.full((1, 48_000), 0.2 * (number + 1), np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            track.codec_context.open(strict=False)
            resampler = av.AudioResampler(track.codec_context.format, "mono", 48_000, track.codec_context.frame_size)
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    ("codecs", "empty", "kept"),
    [
        (["aac", "aac"], [], 1),
        (["aac", "libmp3lame"], [0], 2),
        (["tta", "aac"], [], 2),
    ],
)
def test_first_usable_sound_is_kept(
    style: RenderStyle, tmp_path: Path, codecs: list[str], empty: list[int], kept: int
) -> None:
    source = write_tracks(tmp_path / "in.mkv", codecs, empty)
    result = render(source, tmp_path / "out.mp4", style)
    assert f"in.mkv has 2 sound tracks. Track {kept} is kept." in result.notes
    after = decode(tmp_path / "out.mp4")
    assert after.audio_codec is not None
    assert after.audio_end_s == pytest.approx(1.0, abs=0.1)
    assert result.notes[-1].startswith("No face")
    assert "sound" not in " ".join(render(source, tmp_path / "out.gif", style).notes)
