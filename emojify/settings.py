"""Where things lie and how this copy is deployed. Said once; every other module asks here."""

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
ICE_URL = re.compile(r"stuns?:[^?:\s]+(:[0-9]{1,5})?|turns?:[^?:\s]+(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
"""RFC 7064 and 7065, less addresses of IPv6, which aiortc 1.16 does not read here."""


@dataclass(frozen=True)
class Settings:
    """Deployment switches, each from an environment variable; an empty one counts as not set.

    Attributes:
        models: folder of models; ``EMOJIFY_MODELS``.
        emojis: folder of emoji packs; ``EMOJIFY_EMOJIS``.
        data: folder of data sets to train on, and of what people bring and record of themselves; ``EMOJIFY_DATA``.
        runs: folder of training runs; ``EMOJIFY_RUNS``.
        ice_servers: STUN and TURN servers for both ends of a connection, as WebRTC writes them;
            ``EMOJIFY_ICE_SERVERS``, a JSON list. None by default: on one machine or in one network
            none is needed, and nothing outside is contacted. A TURN server has a username and a credential, or a
            secret that it shares with the app, see :mod:`emojify.live.connection`.
        public: whether visitors may only look and wear, see :mod:`emojify.public`; ``EMOJIFY_PUBLIC``, 1 or 0.
        admins: e-mail addresses, in small letters, of those who may do everything in public mode once they have signed
            in, see :mod:`emojify.public`; ``EMOJIFY_ADMINS``, with commas between them.
        max_sessions: how many may have live video at once; ``EMOJIFY_MAX_SESSIONS``, None for any number.
    """

    models: Path = ROOT / "models"
    emojis: Path = ROOT / "emojis"
    data: Path = ROOT / "data"
    runs: Path = ROOT / "runs"
    ice_servers: tuple[dict[str, Any], ...] = ()
    public: bool = False
    admins: frozenset[str] = frozenset()
    max_sessions: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the switches.

        Raises:
            EmojifyError: if one of them cannot be understood.
        """
        return cls(
            models=Path(environment.get("EMOJIFY_MODELS") or cls.models),
            emojis=Path(environment.get("EMOJIFY_EMOJIS") or cls.emojis),
            data=Path(environment.get("EMOJIFY_DATA") or cls.data),
            runs=Path(environment.get("EMOJIFY_RUNS") or cls.runs),
            ice_servers=_parse_ice_servers(environment.get("EMOJIFY_ICE_SERVERS") or "[]"),
            public=_parse_public(environment.get("EMOJIFY_PUBLIC") or "0"),
            admins=_parse_admins(environment.get("EMOJIFY_ADMINS") or ""),
            max_sessions=_parse_max_sessions(environment.get("EMOJIFY_MAX_SESSIONS")),
        )


def _parse_public(text: str) -> bool:
    if text not in ("0", "1"):  # a guess could leave open what was meant to be closed
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


def _parse_max_sessions(text: str | None) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise EmojifyError(f"EMOJIFY_MAX_SESSIONS must be a number from 1 on, not {text!r}.")
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
    """What browser or aiortc would refuse only once somebody presses Start, and without saying why."""
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    for url in urls:
        if not isinstance(url, str) or not ICE_URL.fullmatch(url):
            raise EmojifyError(
                f"EMOJIFY_ICE_SERVERS: {url!r} must look like turn:turn.example.org:3478?transport=tcp; "
                "turns:, stun: and stuns: work too, transport may be left out."
            )
    words = [server.get(key) for key in ("username", "credential", "secret")]
    if any(url.startswith("turn") for url in urls) and [bool(word) and isinstance(word, str) for word in words] not in (
        [True, True, False],
        [False, False, True],
    ):
        raise EmojifyError(f"EMOJIFY_ICE_SERVERS: {urls[0]} needs either a username and a credential, or a secret.")
