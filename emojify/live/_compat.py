"""Reaches into parts of aiortc that it does not offer as settings. Kept here, and nowhere else.

aiortc 1.16: ``aiortc.codecs.vpx`` reads its bit rates from module constants; it starts at 500 kbit/s,
which looks soft at 640x480 for the first seconds, and no argument of aiortc or streamlit-webrtc reaches them.
"""

from aiortc.codecs import vpx

START_BITRATE_BPS = 2_500_000
MAX_BITRATE_BPS = 4_000_000


def start_sharp() -> None:
    """Let VP8 begin at a bit rate that shows a sharp picture. Call before the first connection."""
    vpx.DEFAULT_BITRATE = START_BITRATE_BPS
    vpx.MAX_BITRATE = MAX_BITRATE_BPS
