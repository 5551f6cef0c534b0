"""How the browser and the app reach each other, and what is asked of the camera."""

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
    """For both ends of the connection.

    The list must be there even when it is empty: without it both ends fall back to a public STUN
    server, and the first frame waits 5 seconds for it where it cannot be reached.
    """
    now_s = time.time() if now_s is None else now_s
    return {"iceServers": [_with_credential(server, now_s) for server in settings.ice_servers]}


def _with_credential(server: dict[str, Any], now_s: float) -> dict[str, Any]:
    """A secret stays here; what goes to the browser is made from it and ends by itself, one to two days later.

    That is what coturn calls ``use-auth-secret`` (draft-uberti-behave-turn-rest-00): every visitor can read their own
    credential, and with one that lasts they could use the TURN server for whatever they like. It changes once a day,
    not with every run of the page.
    """
    if "secret" not in server:
        return dict(server)
    username = f"{int(now_s // DAY_S + 2) * DAY_S}:emojify"
    digest = hmac.digest(server["secret"].encode(), username.encode(), "sha1")
    return {"urls": server["urls"], "username": username, "credential": base64.b64encode(digest).decode()}
