"""The video component: from the user's camera to the processor and back."""

from __future__ import annotations

import streamlit_webrtc

from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.live.process import prepare_process
from emojify.live.processor import EmojiVideoProcessor
from emojify.settings import Settings
from pages.parts.video_frame import show_camera_errors


def show_stream(key: str, processor: EmojiVideoProcessor, settings: Settings) -> bool:
    """Show the video with its Start button; return True if it plays."""
    prepare_process()
    context = streamlit_webrtc.webrtc_streamer(
        key=key,
        mode=streamlit_webrtc.WebRtcMode.SENDRECV,
        queued_video_frames_callback=processor.recv_queued,
        on_video_ended=processor.on_ended,
        frontend_rtc_configuration=rtc_configuration(settings),
        server_rtc_configuration=rtc_configuration(settings),
        media_stream_constraints=MEDIA_CONSTRAINTS,
        media_toggle_controls=False,
        translations={"start": "Start", "stop": "Stop", "select_device": "Choose camera"},
        video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}},
    )
    show_camera_errors()
    return bool(context.state.playing)
