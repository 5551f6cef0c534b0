"""The command ``python -m emojify phone``: start the app for a phone in the same network, over HTTPS.

Browsers allow a page to use the camera over HTTPS only. The command makes its own certificate, about which the phone
warns once; the certificate is kept, so that the phone does not warn again. ``cryptography`` and ``segno`` are
imported in the functions that need them, so that no other command loads them.
"""

from __future__ import annotations

import argparse
import io
import ipaddress
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.files import make_private_folder, write_atomically
from emojify.os_errors import os_error_reason, readable_os_errors
from emojify.settings import ROOT, Settings

CERTIFICATE = "phone.pem"
_WHITE_ON_BLACK, _RESET = "\x1b[97;40m", "\x1b[0m"
VALID_FOR = timedelta(days=365)
PORT = 8501
# RFC 5737: an address for documentation, which no machine has. Looking up the route to it sends nothing.
_REMOTE = ("192.0.2.1", 9)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``phone`` to a parser's commands."""
    phone = commands.add_parser(
        "phone",
        help="start the app for a phone in the same network, over HTTPS",
        description="Start the app with a certificate of its own, so that a phone in the same network can use its "
        "camera. Prints the address to open on the phone. Ctrl-C ends the app.",
        epilog="example: %(prog)s --port 8443",
    )
    phone.add_argument("--address", metavar="IP", help="IPv4 address of this machine (default: looked up)")
    phone.add_argument("--port", metavar="N", type=int, default=PORT, help="default: %(default)s")
    phone.set_defaults(run=_phone)


def local_ipv4_address() -> str:
    """Return this machine's IPv4 address in the network of its default route.

    Raises:
        EmojifyError: if the machine is in no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_REMOTE)
        except OSError as error:
            raise EmojifyError("This machine seems to be in no network. Name its address with --address.") from error
        return str(probe.getsockname()[0])


def ensure_certificate(address: str, folder: Path) -> Path:
    """Return a PEM file with a certificate for ``address`` and its key; make one if the last one is no longer valid.

    Only the file's owner can read it.

    Raises:
        EmojifyError: if the file can't be written.
    """
    path = folder / CERTIFICATE
    if not _is_valid(path, address):
        with readable_os_errors(f"{path} can't be written"):
            make_private_folder(folder)
            write_atomically(path, _make_certificate(address), mode=0o600)
    return path


def _is_valid(path: Path, address: str) -> bool:
    """Return True if the certificate is for ``address`` and still valid tomorrow."""
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress) and (
        certificate.not_valid_before_utc < tomorrow < certificate.not_valid_after_utc
    )


def _make_certificate(address: str) -> bytes:
    """Return a new self-signed certificate and its key, in PEM format."""
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
        .not_valid_before(now - timedelta(days=1))  # the phone's clock may be slow
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def qr_code(text: str) -> str:
    """Return a QR code as lines for a terminal, white on black whatever the terminal's own colors are."""
    import segno

    lines = io.StringIO()
    segno.make(text, error="m").terminal(lines, compact=True)
    return "\n".join(f"{_WHITE_ON_BLACK}{line}{_RESET}" for line in lines.getvalue().splitlines())


def _phone(options: argparse.Namespace) -> None:
    address = options.address or local_ipv4_address()
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise EmojifyError(f"--address must be an IPv4 address such as 192.168.1.20, not {address!r}.") from error
    _check_port(options.port)
    settings = Settings.from_environment()
    certificate = str(ensure_certificate(address, settings.data).absolute())
    url = f"https://{address}:{options.port}"
    if sys.stdout.isatty():
        print(qr_code(url))
    print(f"On the phone, open  {url}")
    print("The phone warns once, because it does not know who made the certificate. Continue anyway.")
    if not settings.public:
        print("Everyone in this network can now do all that you can do. To prevent that, set EMOJIFY_PUBLIC=1.")
    print("Press Ctrl-C to stop.", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    command += ["--server.address", "0.0.0.0", "--server.port", str(options.port)]
    command += ["--server.sslCertFile", certificate, "--server.sslKeyFile", certificate]
    command += ["--browser.serverAddress", address]
    for host in (address, "localhost", "127.0.0.1"):
        command += ["--server.allowedHosts", host]
    os.chdir(ROOT)
    os.execv(sys.executable, command)  # replaces this process, so a signal to it ends the app


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise EmojifyError(f"--port must be a number from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            reason = os_error_reason(error)
            raise EmojifyError(f"Port {port} can't be used: {reason}. Choose another one with --port.") from error
