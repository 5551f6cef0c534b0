from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.settings import ROOT, Settings


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"EMOJIFY_MODELS": "", "EMOJIFY_EMOJIS": "", "EMOJIFY_ICE_SERVERS": ""},  # as compose files write "not set"
    ],
)
def test_unset_everything_lies_in_the_project_and_no_server_is_contacted(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert settings == Settings(models=ROOT / "models", emojis=ROOT / "emojis", ice_servers=())
    assert (ROOT / "emojify" / "settings.py").is_file()


def test_each_switch_is_taken_from_its_variable() -> None:
    settings = Settings.from_environment(
        {
            "EMOJIFY_MODELS": "/srv/models",
            "EMOJIFY_EMOJIS": "/srv/emojis",
            "EMOJIFY_ICE_SERVERS": '[{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}]',
        }
    )
    assert settings.models == Path("/srv/models")
    assert settings.emojis == Path("/srv/emojis")
    assert settings.ice_servers == ({"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"},)


@pytest.mark.parametrize(
    "servers",
    [
        "turn:turn.example.org",  # no JSON
        '[{"urls": "turn:a"}',  # cut short
        '{"urls": "turn:a"}',  # no list
        '["turn:a"]',  # not of objects
        '[{"url": "turn:a"}]',  # misspelt
        '[{"urls": ""}]',
        "null",
    ],
)
def test_servers_that_cannot_be_understood_are_refused_with_an_example(servers: str) -> None:
    with pytest.raises(EmojifyError, match=r'EMOJIFY_ICE_SERVERS must be a JSON list such as \[\{"urls"'):
        Settings.from_environment({"EMOJIFY_ICE_SERVERS": servers})
