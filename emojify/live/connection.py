"""The configuration of the WebRTC connection between the browser and the app."""

from __future__ import annotations

import base64
import hmac
import time
from typing import Any

from emojify.settings import Settings

MEDIA_CONSTRAINTS: dict[str, Any] = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
    "audio": False,
}
DAY_S = 24 * 60 * 60


def rtc_configuration(settings: Settings, now_s: float | None = None) -> dict[str, Any]:
    """Return the ``RTCConfiguration`` for both ends of the connection.

    The list of ICE servers is present even if it is empty. Without it both ends would use a public STUN server, and
    where that cannot be reached, the first frame would wait 5 seconds for it.

    Args:
        now_s: Unix time in seconds; the current time by default.
    """
    now_s = time.time() if now_s is None else now_s
    return {"iceServers": [_with_credential(server, now_s) for server in settings.ice_servers]}


def _with_credential(server: dict[str, Any], now_s: float) -> dict[str, Any]:
    """Replace a server's shared secret by a credential that expires one to two days later.

    This is coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00). Visitors can read their own credential;
    with a permanent one they could use the TURN server for anything. The credential changes once a day, not with
    every run of the page.
    """
    if "secret" not in server:
        return dict(server)
    username = f"{int(now_s // DAY_S + 2) * DAY_S}:emojify"
    digest = hmac.digest(server["secret"].encode(), username.encode(), "sha1")
    return {"urls": server["urls"], "username": username, "credential": base64.b64encode(digest).decode()}
