"""The video component: from the user's camera to the processor and back."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit_webrtc
from streamlit_webrtc import WebRtcMode
from streamlit_webrtc.config import VideoHTMLAttributes

from emojify.live._compat import offers_admitted_by
from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.live.process import prepare_process
from emojify.live.processor import EmojiVideoProcessor
from emojify.live.sample_face import FPS, sample_frame
from emojify.settings import Settings
from pages.parts.video_frame import show_camera_errors

# Safari on an iPhone plays a video inside the page only with playsInline, and by itself only if it is muted.
# video_frame.js shows the browser's controls if the video does not play by itself, as in the low power mode.
VIDEO_ATTRIBUTES: VideoHTMLAttributes = {
    "autoPlay": True,
    "playsInline": True,
    "controls": False,
    "muted": True,
    "style": {"width": "100%"},
}


def show_stream(key: str, processor: EmojiVideoProcessor, settings: Settings, *, sample: bool = False) -> bool:
    """Show the video with its Start button; return True if it plays.

    Args:
        key: of the component.
        processor: gets the frames.
        settings: of this copy.
        sample: show a drawn face, at once, in place of the camera.

    Raises:
        EmojifyError: if the browser asked for a connection and gets none, because every place for live video is taken
            or because it offers several cameras.
    """
    prepare_process()
    with offers_admitted_by(partial(processor.limiter.connect, processor)):
        context = _show_component(key, processor, settings, _sample_source() if sample else _CAMERA)
    show_camera_errors()
    return bool(context.state.playing)


_CAMERA: dict[str, Any] = {"mode": WebRtcMode.SENDRECV, "media_stream_constraints": MEDIA_CONSTRAINTS}


def _sample_source() -> dict[str, Any]:
    """Return the arguments for a video that comes from the app: the browser asks for no camera, and plays at once."""
    track = streamlit_webrtc.create_video_source_track(sample_frame, key="sample_face", fps=FPS)
    return {"mode": WebRtcMode.RECVONLY, "source_video_track": track, "desired_playing_state": True}


def _show_component(
    key: str, processor: EmojiVideoProcessor, settings: Settings, source: dict[str, Any]
) -> streamlit_webrtc.WebRtcStreamerContext[Any, Any]:
    return streamlit_webrtc.webrtc_streamer(
        key=key,
        queued_video_frames_callback=processor.recv_queued,
        on_video_ended=processor.on_ended,
        frontend_rtc_configuration=rtc_configuration(settings),
        server_rtc_configuration=rtc_configuration(settings),
        media_toggle_controls=False,
        translations={"start": "Start", "stop": "Stop", "select_device": "Choose camera"},
        video_html_attrs=VIDEO_ATTRIBUTES,
        **source,
    )
