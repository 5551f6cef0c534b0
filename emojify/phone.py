"""``python -m emojify phone``: the app for a phone in the same network, with a certificate made here.

A browser gives a page a camera over HTTPS alone. The certificate is this machine's own, so the phone warns once; it is
kept, so that it does not warn again next time. ``cryptography`` is imported where it is used, for this command alone.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.files import write_atomically
from emojify.settings import ROOT, Settings

CERTIFICATE = "phone.pem"
VALID_FOR = timedelta(days=365)
PORT = 8501
# RFC 5737: an address for documents, which nobody has. Asking for the way there sends nothing.
_ELSEWHERE = ("192.0.2.1", 9)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser's; it sets ``run`` as the others do."""
    phone = commands.add_parser("phone", help="start the app for a phone in the same network, over HTTPS")
    phone.add_argument("--address", metavar="IP", help="this machine's in that network; default: it is looked up")
    phone.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    phone.set_defaults(run=_phone)


def local_ipv4_address() -> str:
    """This machine's IPv4 address in the network that leads elsewhere.

    Raises:
        EmojifyError: if it is in no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError as error:
            raise EmojifyError("This machine seems to be in no network. Name its address with --address.") from error
        return str(probe.getsockname()[0])


def ensure_certificate(address: str, folder: Path) -> Path:
    """A certificate and its key in one PEM file, only for its owner to read; the one of last time if it still serves.

    Raises:
        EmojifyError: if it can't be written.
    """
    path = folder / CERTIFICATE
    if not _serves(path, address):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, _made(address), mode=0o600)
        except OSError as error:
            raise EmojifyError(f"{path} can't be written: {error.strerror}.") from error
    return path


def _serves(path: Path, address: str) -> bool:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    soon = datetime.now(UTC) + timedelta(days=1)
    return ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress) and (
        certificate.not_valid_before_utc < soon < certificate.not_valid_after_utc
    )


def _made(address: str) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Emojify on {address}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the phone's clock may be late
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _phone(options: argparse.Namespace) -> None:
    address = options.address or local_ipv4_address()
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise EmojifyError(f"--address must be an IPv4 address such as 192.168.1.20, not {address!r}.") from error
    _check_port(options.port)
    settings = Settings.from_environment()
    certificate = str(ensure_certificate(address, settings.data).absolute())
    print(f"On the phone, open  https://{address}:{options.port}")
    print("It warns once, since it does not know who made the certificate: go on all the same.")
    if not settings.public:
        print("Everybody in this network can now do all that you can; with EMOJIFY_PUBLIC=1 they can't.")
    print("Ctrl-C ends it.", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    command += ["--server.address", "0.0.0.0", "--server.port", str(options.port)]
    command += ["--server.sslCertFile", certificate, "--server.sslKeyFile", certificate]
    command += ["--browser.serverAddress", address]
    os.chdir(ROOT)
    os.execv(sys.executable, command)  # in this process' place: whoever ends it ends the app


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise EmojifyError(f"--port must be a number from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise EmojifyError(f"Port {port} can't be had: {error.strerror}. Name another one with --port.") from error
