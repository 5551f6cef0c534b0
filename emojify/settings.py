"""Paths and deployment settings, read from environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import parse_json

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the project."""
ICE_URL = re.compile(r"stuns?:[^?:\s]+(:[0-9]{1,5})?|turns?:[^?:\s]+(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
"""URL of a STUN or TURN server as in RFC 7064 and 7065, without IPv6 addresses, which aiortc 1.16 can't parse."""
_RAY_ADDRESS = re.compile(r"auto|(ray://)?[A-Za-z0-9.-]+:[0-9]{1,5}")
"""Address of a Ray cluster."""

MEASURED = 0
"""In place of a number of sessions: as many as this machine can serve. Code that does not know it admits nobody."""


@dataclass(frozen=True)
class Settings:
    """Deployment settings. Each is read from an environment variable; an empty one counts as not set. ::

        settings = Settings.from_environment()
        store = ModelStore(settings.models)

    Attributes:
        models: folder of the models; ``EMOJIFY_MODELS``.
        emojis: folder of the emoji packs; ``EMOJIFY_EMOJIS``.
        data: folder of the data sets, and of everything that users upload and record; ``EMOJIFY_DATA``.
        runs: folder of the training runs; ``EMOJIFY_RUNS``.
        ice_servers: STUN and TURN servers for both ends of a WebRTC connection, in the format of WebRTC's
            ``iceServers``; ``EMOJIFY_ICE_SERVERS``, a JSON list. Empty by default: within one machine or network no
            server is needed, and nothing outside is contacted. A TURN server needs a username and a credential, or a
            secret that it shares with the app, see :mod:`emojify.live.connection`.
        public: True if visitors may use live video but not change anything, see :mod:`emojify.public`;
            ``EMOJIFY_PUBLIC``, 1 or 0.
        admins: e-mail addresses, in lower case, of the users who may do everything in public mode after signing in, see
            :mod:`emojify.public`; ``EMOJIFY_ADMINS``, separated by commas.
        max_sessions: most sessions with live video at the same time in this process; None for no limit,
            :data:`MEASURED` for what :mod:`emojify.deploy.capacity` measures at start; ``EMOJIFY_MAX_SESSIONS``, a
            number or auto.
        processes: the number of app processes that share this machine; ``EMOJIFY_PROCESSES``.
        ray_address: the Ray cluster to which the training page can send fits, empty for none; ``EMOJIFY_RAY_ADDRESS``.
    """

    models: Path = ROOT / "models"
    emojis: Path = ROOT / "emojis"
    data: Path = ROOT / "data"
    runs: Path = ROOT / "runs"
    ice_servers: tuple[dict[str, Any], ...] = ()
    public: bool = False
    admins: frozenset[str] = frozenset()
    max_sessions: int | None = None
    processes: int = 1
    ray_address: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from environment variables.

        Raises:
            EmojifyError: if a variable has an invalid value.
        """
        return cls(
            models=Path(environment.get("EMOJIFY_MODELS") or cls.models),
            emojis=Path(environment.get("EMOJIFY_EMOJIS") or cls.emojis),
            data=Path(environment.get("EMOJIFY_DATA") or cls.data),
            runs=Path(environment.get("EMOJIFY_RUNS") or cls.runs),
            ice_servers=_parse_ice_servers(environment.get("EMOJIFY_ICE_SERVERS") or "[]"),
            public=_parse_public(environment.get("EMOJIFY_PUBLIC") or "0"),
            admins=_parse_admins(environment.get("EMOJIFY_ADMINS") or ""),
            max_sessions=_parse_max_sessions(environment.get("EMOJIFY_MAX_SESSIONS") or ""),
            processes=_parse_count("EMOJIFY_PROCESSES", environment.get("EMOJIFY_PROCESSES") or "1"),
            ray_address=parse_ray_address(environment.get("EMOJIFY_RAY_ADDRESS") or "", "EMOJIFY_RAY_ADDRESS"),
        )


def parse_ray_address(text: str, name: str) -> str:
    """Return the address of a Ray cluster; an empty text stays empty.

    Args:
        text: the address.
        name: of the variable or option, for the error.

    Raises:
        EmojifyError: if it is not written as an address.
    """
    if text and not _RAY_ADDRESS.fullmatch(text):
        raise EmojifyError(
            f"{name} is {text!r}, which is no address of a Ray cluster. Use ray://HOST:10001 from outside of it, "
            "HOST:6379 or auto on one of its machines."
        )
    return text


def _parse_public(text: str) -> bool:
    if text not in ("0", "1"):  # guessing could open what must be closed
        raise EmojifyError(f"EMOJIFY_PUBLIC must be 1 or 0, not {text!r}.")
    return text == "1"


def _parse_admins(text: str) -> frozenset[str]:
    admins = [email.strip() for email in text.split(",") if email.strip()]
    for email in admins:
        if not email.isascii() or not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise EmojifyError(
                f"EMOJIFY_ADMINS must be e-mail addresses such as anna@example.org,ben@example.org, not {email!r}."
            )
    return frozenset(email.lower() for email in admins)


def _parse_max_sessions(text: str) -> int | None:
    if text == "auto":
        return MEASURED
    return _parse_count("EMOJIFY_MAX_SESSIONS", text, "auto or a number from 1 on") if text else None


def _parse_count(name: str, text: str, allowed: str = "a number from 1 on") -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise EmojifyError(f"{name} must be {allowed}, not {text!r}.")
    return int(text)


def _parse_ice_servers(text: str) -> tuple[dict[str, Any], ...]:
    try:
        servers = parse_json(text)
    except ValueError:
        servers = None
    if not isinstance(servers, list) or not all(isinstance(server, dict) and server.get("urls") for server in servers):
        raise EmojifyError(
            "EMOJIFY_ICE_SERVERS must be a JSON list such as "
            '[{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}].'
        )
    for server in servers:
        _check_ice_server(server)
    return tuple(servers)


def _check_ice_server(server: dict[str, Any]) -> None:
    """Check a server at start-up. The browser or aiortc would reject it only when a user presses Start, unexplained.

    Raises:
        EmojifyError: if a URL or the credentials are not valid.
    """
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    for url in urls:
        if not isinstance(url, str) or not ICE_URL.fullmatch(url):
            raise EmojifyError(
                f"EMOJIFY_ICE_SERVERS: {url!r} must look like turn:turn.example.org:3478?transport=tcp; "
                "turns:, stun: and stuns: work too, transport may be left out."
            )
    values = [server.get(key) for key in ("username", "credential", "secret")]
    given = [bool(value) and isinstance(value, str) for value in values]
    if any(url.startswith("turn") for url in urls) and given not in ([True, True, False], [False, False, True]):
        raise EmojifyError(f"EMOJIFY_ICE_SERVERS: {urls[0]} needs either a username and a credential, or a secret.")
