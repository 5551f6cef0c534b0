"""Where things lie and how this copy is deployed. Said once; every other module asks here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Deployment switches, each from an environment variable; an empty one counts as not set.

    Attributes:
        models: folder of models; ``EMOJIFY_MODELS``.
        emojis: folder of emoji packs; ``EMOJIFY_EMOJIS``.
        data: folder of what people bring, kept for as long as they want; ``EMOJIFY_DATA``.
        ice_servers: STUN and TURN servers for both ends of a connection, as WebRTC writes them;
            ``EMOJIFY_ICE_SERVERS``, a JSON list. None by default: on one machine or in one network
            none is needed, and nothing outside is contacted.
    """

    models: Path = ROOT / "models"
    emojis: Path = ROOT / "emojis"
    data: Path = ROOT / "data"
    ice_servers: tuple[dict[str, Any], ...] = ()

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
            ice_servers=_parse_ice_servers(environment.get("EMOJIFY_ICE_SERVERS") or "[]"),
        )


def _parse_ice_servers(text: str) -> tuple[dict[str, Any], ...]:
    try:
        servers = json.loads(text)
    except json.JSONDecodeError:
        servers = None
    if not isinstance(servers, list) or not all(isinstance(server, dict) and server.get("urls") for server in servers):
        raise EmojifyError(
            "EMOJIFY_ICE_SERVERS must be a JSON list such as "
            '[{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}].'
        )
    return tuple(servers)
