from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.settings import Settings


def test_without_settings_no_server_is_asked_and_the_list_is_there() -> None:
    assert rtc_configuration(Settings()) == {"iceServers": []}  # {} would mean a public STUN server


def test_servers_from_the_settings_are_passed_on() -> None:
    turn = {"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}
    assert rtc_configuration(Settings(ice_servers=(turn,))) == {"iceServers": [turn]}


def test_the_microphone_is_not_asked_for() -> None:
    assert MEDIA_CONSTRAINTS["audio"] is False
