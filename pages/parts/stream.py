"""The video component: from the user's camera to the processor and back."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit_webrtc
from streamlit_webrtc.config import VideoHTMLAttributes

from emojify.live._compat import offers_admitted_by
from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.live.process import prepare_process
from emojify.live.processor import EmojiVideoProcessor
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


def show_stream(key: str, processor: EmojiVideoProcessor, settings: Settings) -> bool:
    """Show the video with its Start button; return True if it plays.

    Raises:
        EmojifyError: if the browser asked for a connection and gets none, because every place for live video is taken
            or because it offers several cameras.
    """
    prepare_process()
    with offers_admitted_by(partial(processor.limiter.connect, processor)):
        context = _show_component(key, processor, settings)
    show_camera_errors()
    return bool(context.state.playing)


def _show_component(
    key: str, processor: EmojiVideoProcessor, settings: Settings
) -> streamlit_webrtc.WebRtcStreamerContext[Any, Any]:
    return streamlit_webrtc.webrtc_streamer(
        key=key,
        mode=streamlit_webrtc.WebRtcMode.SENDRECV,
        queued_video_frames_callback=processor.recv_queued,
        on_video_ended=processor.on_ended,
        frontend_rtc_configuration=rtc_configuration(settings),
        server_rtc_configuration=rtc_configuration(settings),
        media_stream_constraints=MEDIA_CONSTRAINTS,
        media_toggle_controls=False,
        translations={"start": "Start", "stop": "Stop", "select_device": "Choose camera"},
        video_html_attrs=VIDEO_ATTRIBUTES,
    )
