from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.settings import Settings


def test_without_settings_no_server_is_asked_and_the_list_is_there() -> None:
    assert rtc_configuration(Settings()) == {"iceServers": []}  # {} would mean a public STUN server


def test_servers_from_the_settings_are_passed_on() -> None:
    turn = {"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}
    assert rtc_configuration(Settings(ice_servers=(turn,))) == {"iceServers": [turn]}


def test_the_microphone_is_not_asked_for() -> None:
    assert MEDIA_CONSTRAINTS["audio"] is False


def test_a_secret_stays_here_and_what_is_made_from_it_ends_by_itself() -> None:
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
