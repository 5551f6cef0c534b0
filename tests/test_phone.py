"""The command ``phone``: its certificate, the address of this machine, and errors."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from cryptography import x509

from emojify import phone
from emojify.__main__ import main
from emojify.errors import EmojifyError


def days_left(path: Path) -> float:
    until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return (until - datetime.now(UTC)) / timedelta(days=1)


def test_certificate_is_for_address_and_private(tmp_path: Path) -> None:
    path = phone.ensure_certificate("192.168.1.20", tmp_path / "data")
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.168.1.20")]
    assert days_left(path) == pytest.approx(365, abs=1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, path)  # raises if key and certificate do not match


def test_certificate_is_kept_while_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = phone.ensure_certificate("192.168.1.20", tmp_path)
    first = path.read_bytes()
    assert phone.ensure_certificate("192.168.1.20", tmp_path).read_bytes() == first
    assert phone.ensure_certificate("192.168.1.21", tmp_path).read_bytes() != first
    monkeypatch.setattr(phone, "VALID_FOR", timedelta(hours=5))
    expiring = phone.ensure_certificate("192.168.1.22", tmp_path).read_bytes()
    monkeypatch.undo()
    assert phone.ensure_certificate("192.168.1.22", tmp_path).read_bytes() != expiring  # it would expire today
    path.write_text("no certificate")
    phone.ensure_certificate("192.168.1.22", tmp_path)
    assert days_left(path) > 300


def test_qr_code_has_the_address() -> None:
    url = "https://192.168.100.200:65535"
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in phone.qr_code(url).splitlines()]
    assert max(map(len, lines)) <= 80
    halves = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    pixels = np.array([[halves[character] for character in line] for line in lines], np.uint8)
    image = pixels.transpose(0, 2, 1).reshape(2 * len(lines), -1).repeat(8, axis=0).repeat(8, axis=1)
    assert cv2.QRCodeDetector().detectAndDecode(image)[0] == url


def test_local_ipv4_address_can_be_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    class UnreachableSocket(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", UnreachableSocket)
    with pytest.raises(EmojifyError, match="in no network"):
        phone.local_ipv4_address()
    monkeypatch.undo()
    try:
        address = phone.local_ipv4_address()
    except EmojifyError:
        return  # a machine without a network
    with socket.socket() as probe:
        probe.bind((address, 0))  # only an address of this machine can be bound


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--address", "my laptop"], "must be an IPv4 address such as 192.168.1.20, not 'my laptop'"),
        (["--address", "127.0.0.1", "--port", "70000"], "must be a number from 1 to 65535, not 70000"),
    ],
)
def test_phone_bad_arguments_make_no_certificate(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    assert main(["phone", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_phone_answers_its_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with patch("os.execv") as execv, socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
        probe.close()
        assert main(["phone", "--address", "192.0.2.7", "--port", str(port)]) == 0
    command = execv.call_args.args[1]
    hosts = [value for name, value in pairwise(command) if name == "--server.allowedHosts"]
    assert hosts == ["192.0.2.7", "localhost", "127.0.0.1"]


def test_phone_refuses_used_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["phone", "--address", "127.0.0.1", "--port", str(port)]) == 2
    assert f"Port {port} can't be used" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_certificate_in_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(EmojifyError, match=r"phone\.pem can't be written"):
        phone.ensure_certificate("127.0.0.1", tmp_path / "data")
