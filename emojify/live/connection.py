"""How the browser and the app reach each other, and what is asked of the camera."""

from __future__ import annotations

from typing import Any

from emojify.settings import Settings

MEDIA_CONSTRAINTS: dict[str, Any] = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
    "audio": False,
}


def rtc_configuration(settings: Settings) -> dict[str, Any]:
    """For both ends of the connection.

    The list must be there even when it is empty: without it both ends fall back to a public STUN
    server, and the first frame waits 5 seconds for it where it cannot be reached.
    """
    return {"iceServers": [dict(server) for server in settings.ice_servers]}
