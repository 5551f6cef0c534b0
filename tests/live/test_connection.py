from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.settings import Settings


def test_rtc_configuration_lists_no_servers_by_default() -> None:
    assert rtc_configuration(Settings()) == {"iceServers": []}  # {} would mean a public STUN server


def test_rtc_configuration_includes_the_settings_servers() -> None:
    turn = {"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}
    assert rtc_configuration(Settings(ice_servers=(turn,))) == {"iceServers": [turn]}


def test_media_constraints_exclude_the_microphone() -> None:
    assert MEDIA_CONSTRAINTS["audio"] is False


def test_rtc_configuration_replaces_secret_by_expiring_credential() -> None:
    settings = Settings(ice_servers=({"urls": "turn:turn.example.org", "secret": "s3cret"},))
    noon_s = 1_767_268_800  # 1 January 2026
    (server,) = rtc_configuration(settings, noon_s)["iceServers"]
    # echo -n 1767398400:emojify | openssl dgst -sha1 -hmac s3cret -binary | base64
    assert server == {
        "urls": "turn:turn.example.org",
        "username": "1767398400:emojify",
        "credential": "GosuKJkf2+YH2HFvZyH0UTnuF3w=",
    }
    assert rtc_configuration(settings, noon_s + 60) == rtc_configuration(settings, noon_s)
    assert 24 <= (1_767_398_400 - noon_s) / 3600 <= 48
