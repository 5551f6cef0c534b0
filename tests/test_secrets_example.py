"""The example file of secrets is valid."""

import tomllib

from emojify.settings import ROOT, Settings

EXAMPLE = tomllib.loads((ROOT / ".streamlit" / "secrets.toml.example").read_text(encoding="utf-8"))


def test_example_settings_are_valid() -> None:
    environment = {name: value for name, value in EXAMPLE.items() if name != "auth"}
    assert all(isinstance(value, str) for value in environment.values())
    settings = Settings.from_environment(environment)
    assert settings.public
    assert settings.max_sessions == 2
    assert len(settings.admins) == 2
    assert len(settings.ice_servers) == 1


def test_example_provider_is_complete() -> None:
    needed = {"redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"}
    assert set(EXAMPLE["auth"]) == needed
    assert EXAMPLE["auth"]["redirect_uri"].endswith("/oauth2callback")  # the only path that Streamlit handles
