import re
from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.settings import MEASURED, ROOT, Settings


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {
            "EMOJIFY_MODELS": "",
            "EMOJIFY_EMOJIS": "",
            "EMOJIFY_ICE_SERVERS": "",
        },  # as Docker Compose passes unset ones
    ],
)
def test_settings_defaults_without_environment(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert settings == Settings(models=ROOT / "models", emojis=ROOT / "emojis", ice_servers=())
    assert (ROOT / "emojify" / "settings.py").is_file()


def test_settings_from_every_variable() -> None:
    settings = Settings.from_environment(
        {
            "EMOJIFY_MODELS": "/srv/models",
            "EMOJIFY_EMOJIS": "/srv/emojis",
            "EMOJIFY_ICE_SERVERS": '[{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}]',
            "EMOJIFY_PUBLIC": "1",
            "EMOJIFY_MAX_SESSIONS": "12",
            "EMOJIFY_PROCESSES": "4",
            "EMOJIFY_ADMINS": "Anna@example.org, ben@example.org,",
        }
    )
    assert settings.models == Path("/srv/models")
    assert settings.emojis == Path("/srv/emojis")
    assert settings.ice_servers == ({"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"},)
    assert (settings.public, settings.max_sessions, settings.processes) == (True, 12, 4)
    assert settings.admins == {"anna@example.org", "ben@example.org"}


@pytest.mark.parametrize(
    "text", ["anna", "anna@", "@example.org", "anna@example.org ben@example.org", "ännä@example.org"]
)
def test_settings_rejects_invalid_admins(text: str) -> None:
    with pytest.raises(EmojifyError, match=f"EMOJIFY_ADMINS must be e-mail addresses such as .*, not '{text}'"):
        Settings.from_environment({"EMOJIFY_ADMINS": text})


@pytest.mark.parametrize("text", ["true", "yes", "2", " 1", "on", "0 "])
def test_settings_rejects_ambiguous_public(text: str) -> None:
    with pytest.raises(EmojifyError, match=f"EMOJIFY_PUBLIC must be 1 or 0, not '{text}'"):
        Settings.from_environment({"EMOJIFY_PUBLIC": text})


def test_max_sessions_can_be_measured() -> None:
    assert Settings.from_environment({"EMOJIFY_MAX_SESSIONS": "auto"}).max_sessions == MEASURED


@pytest.mark.parametrize("text", ["0", "auto", "two"])
def test_settings_rejects_invalid_processes(text: str) -> None:
    with pytest.raises(EmojifyError, match="EMOJIFY_PROCESSES must be a number from 1 on"):
        Settings.from_environment({"EMOJIFY_PROCESSES": text})


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "1e3", "٣", "9999999", "AUTO"])
def test_settings_rejects_invalid_max_sessions(text: str) -> None:
    with pytest.raises(EmojifyError, match="EMOJIFY_MAX_SESSIONS must be auto or a number from 1 on"):
        Settings.from_environment({"EMOJIFY_MAX_SESSIONS": text})


@pytest.mark.parametrize(
    "servers",
    [
        "turn:turn.example.org",  # not JSON
        '[{"urls": "turn:a"}',  # cut short
        '{"urls": "turn:a"}',  # not a list
        '["turn:a"]',  # not a list of objects
        '[{"url": "turn:a"}]',  # misspelled key
        '[{"urls": ""}]',
        "null",
        "[" * 100_000,
    ],
)
def test_settings_rejects_unparsable_ice_servers(servers: str) -> None:
    with pytest.raises(EmojifyError, match=r'EMOJIFY_ICE_SERVERS must be a JSON list such as \[\{"urls"'):
        Settings.from_environment({"EMOJIFY_ICE_SERVERS": servers})


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ('{"urls": "http://turn.example.org"}', "'http://turn.example.org' must look like turn:"),
        ('{"urls": "turn.example.org"}', "must look like turn:"),
        ('{"urls": "turn:turn.example.org?transport=tls", "secret": "s"}', "must look like turn:"),
        ('{"urls": "stun:stun.example.org?transport=udp"}', "must look like turn:"),  # browsers reject it
        ('{"urls": "turn:[2001:db8::1]:3478", "secret": "s"}', "must look like turn:"),
        ('{"urls": ["stun:a.example.org", 7]}', "7 must look like turn:"),
        ('{"urls": "turn:a"}', "turn:a needs either a username and a credential, or a secret"),
        ('{"urls": ["stun:a", "turn:a"], "username": "me"}', "needs either"),
        ('{"urls": "turn:a", "username": "me", "credential": 7}', "needs either"),
        ('{"urls": "turn:a", "username": "me", "credential": "c", "secret": "s"}', "needs either"),
    ],
)
def test_settings_rejects_invalid_ice_server(server: str, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=re.escape(sentence)):
        Settings.from_environment({"EMOJIFY_ICE_SERVERS": f"[{server}]"})


@pytest.mark.parametrize(
    "server",
    [
        '{"urls": "stun:stun.example.org"}',
        '{"urls": ["turn:a.example.org:3478?transport=udp", "turns:a.example.org?transport=tcp"], "secret": "s"}',
        '{"urls": "turn:192.0.2.1:3478", "username": "me", "credential": "secret"}',
    ],
)
def test_settings_accepts_valid_ice_servers(server: str) -> None:
    assert len(Settings.from_environment({"EMOJIFY_ICE_SERVERS": f"[{server}]"}).ice_servers) == 1


@pytest.mark.parametrize("address", ["", "auto", "10.0.0.1:6379", "ray://head.lab.example:10001"])
def test_ray_address(address: str) -> None:
    assert Settings.from_environment({"EMOJIFY_RAY_ADDRESS": address}).ray_address == address


@pytest.mark.parametrize("address", ["head", "http://head:8265", "head:6379 --x", "ray://:10001", "head:"])
def test_settings_rejects_invalid_ray_address(address: str) -> None:
    with pytest.raises(EmojifyError, match=r"EMOJIFY_RAY_ADDRESS is .* no address of a Ray cluster"):
        Settings.from_environment({"EMOJIFY_RAY_ADDRESS": address})
