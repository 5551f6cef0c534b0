"""Two processes behind nginx, as `emojify deploy` configures them: a visitor stays with one until it is killed."""

from __future__ import annotations

import datetime
import http.client
import shlex
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Page, Playwright, expect

from emojify.deploy.cli import ENVIRONMENT, NGINX, SERVICE, render_files
from tests.helpers.browser import (
    TIMEOUT_MS,
    component,
    component_frame,
    find_program,
    free_port,
    launch_chromium,
    run_app_on_port,
    start,
    wait_for_emoji,
)
from tests.helpers.pack_files import encode_image
from tests.helpers.programs import end, wait_until

HOST = "emojify.test"  # a host name that only this browser resolves
SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
STREAM = "/_stcore/stream"  # the WebSocket of a session
DOCUMENTED_LOG = "access_log /var/log/nginx/emojify.log emojify;"
NGINX_CONFIG = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log warn;
events {{}}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi; scgi_temp_path s;
    log_format who "$visitor $uri $upstream_addr";
    access_log off;
    include {configuration};
}}
"""


@dataclass(frozen=True)
class Host:
    """nginx and the two app processes, by their address."""

    url: str
    apps: dict[str, subprocess.Popen[bytes]]
    log: Path

    def served_by(self, page: Page) -> str:
        """Return the address of the process that answered this browser last."""
        return self.requests()[visitor_of(page)][-1]

    @property
    def error_log(self) -> str:
        """nginx's warnings."""
        return self.log.with_name("error.log").read_text()

    def requests(self, prefix: str = "/") -> dict[str, list[str]]:
        """Return the processes of each visitor's requests in order; two for a request that was tried again.

        nginx logs a request when it is answered, a WebSocket when it is closed.
        """
        requests: dict[str, list[str]] = {}
        for line in self.log.read_text().splitlines():
            visitor, address, processes = line.split(" ", 2)
            if address.startswith(prefix):
                requests.setdefault(visitor, []).extend(processes.split(", "))
        return requests


def visitor_of(page: Page) -> str:
    return next(str(cookie["value"]) for cookie in page.context.cookies() if cookie["name"] == "emojify")


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def adapt_nginx(text: str, folder: Path, port: int) -> str:
    """Return the written configuration with another port and other paths, and with a log of requests."""
    for documented, tested in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/emojify/cert.pem", str(folder / "cert.pem")),
        ("/etc/ssl/emojify/key.pem", str(folder / "key.pem")),
        (DOCUMENTED_LOG, f"{DOCUMENTED_LOG.replace('/var/log/nginx/', '')} access_log access.log who;"),
        ("error_log /var/log/nginx/error.log emerg;", "error_log documented.log emerg; error_log error.log warn;"),
    ):
        assert text.count(documented) == 1
        text = text.replace(documented, tested)
    return text


def start_command(service: str, port: int) -> list[str]:
    """Return the command of a systemd unit's instance."""
    (line,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    return shlex.split(line.removeprefix("ExecStart=").replace("%i", str(port)))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    program = find_program(("nginx",), "nginx")
    port, ports = free_port(), [free_port(), free_port()]
    write_certificate(tmp_path)
    files = render_files(HOST, ports, "emojify")
    (tmp_path / "emojify.conf").write_text(adapt_nginx(files[NGINX], tmp_path, port))
    (tmp_path / "nginx.conf").write_text(NGINX_CONFIG.format(configuration=tmp_path / "emojify.conf"))
    environment = dict(line.split("=", 1) for line in files[ENVIRONMENT].splitlines())
    environment |= {
        "EMOJIFY_MAX_SESSIONS": "4",  # both visitors end in one process; a slow machine may measure less
        "STREAMLIT_SERVER_ALLOWED_HOSTS": f"localhost {HOST}",  # the tests ask each process at localhost too
    }
    with ExitStack() as stack:
        apps = {
            f"127.0.0.1:{number}": stack.enter_context(
                run_app_on_port(number, command=start_command(files[SERVICE], number), **environment)
            )
            for number in ports
        }
        nginx = subprocess.Popen([program, "-p", str(tmp_path), "-c", "nginx.conf", "-e", "error.log"])
        try:
            for _ in range(100):
                if (tmp_path / "access.log").exists() and (tmp_path / "nginx.pid").exists():
                    break
                assert nginx.poll() is None, (tmp_path / "error.log").read_text()
                time.sleep(0.05)
            yield Host(f"https://{HOST}:{port}", apps, tmp_path / "access.log")
        finally:
            end(nginx)


@pytest.fixture
def browser_of_host(playwright: Playwright, chromium: str, camera_file: Path) -> Iterator[Browser]:
    flags = ("--ignore-certificate-errors", f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
    with launch_chromium(playwright, chromium, camera_file, *flags) as browser:
        yield browser


def visit(browser: Browser, host: Host) -> Page:
    """Open a new browser session with one request."""
    page = browser.new_context().new_page()
    page.goto(f"{host.url}/_stcore/health")
    return page


def visit_both_processes(browser: Browser, host: Host) -> tuple[Page, Page]:
    first = visit(browser, host)
    for _ in range(30):
        other = visit(browser, host)
        if host.served_by(other) != host.served_by(first):
            return first, other
        other.context.close()
    pytest.fail("30 visitors reached the same process")


def seconds_played(page: Page) -> float:
    return float(component_frame(page).evaluate("() => document.querySelector('video').currentTime"))


def test_visitor_of_killed_process_continues_in_the_other(
    browser_of_host: Browser, host: Host, camera_file: Path
) -> None:
    anna, ben = visit_both_processes(browser_of_host, host)
    for page in (anna, ben):
        page.goto(host.url)
        start(page)
        expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
    lost, kept = host.served_by(anna), host.served_by(ben)
    assert lost != kept
    assert set(host.requests()[visitor_of(anna)]) == {lost}
    (cookie,) = [cookie for cookie in anna.context.cookies() if cookie["name"] == "emojify"]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")

    host.apps[lost].kill()
    expect(component(anna).get_by_role("button", name="Start")).to_be_visible(timeout=TIMEOUT_MS)
    before_s = seconds_played(ben)
    start(anna)
    wait_for_emoji(anna, "classic", camera_file)
    expect(anna.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
    assert host.served_by(anna) == kept
    assert seconds_played(ben) > before_s
    expect(component(ben).get_by_role("button", name="Stop")).to_be_visible()
    names = visitor_of(anna), visitor_of(ben)
    for page in (anna, ben):
        page.context.close()
    for _ in range(100):
        if names[1] in host.requests(STREAM):
            break
        time.sleep(0.05)
    assert host.requests(STREAM)[names[0]][0] == lost
    assert set(host.requests()[names[1]]) == {kept}
    assert host.requests(STREAM)[names[1]] == [kept]


def test_nginx_buffers_uploads_in_memory(browser_of_host: Browser, host: Host) -> None:
    """nginx logs a warning for every request or answer that it writes to a temporary file."""
    page = browser_of_host.new_context().new_page()
    page.goto(host.url)
    page.get_by_text("Photo", exact=True).click(timeout=TIMEOUT_MS)
    photo = encode_image(PillowImage.effect_noise((2000, 1500), 100))
    page.locator('input[type="file"]').set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": photo}, timeout=TIMEOUT_MS
    )
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Download", exact=True).click(timeout=TIMEOUT_MS)
    assert Path(download.value.path()).stat().st_size > 1_000_000
    assert "temporary file" not in host.error_log


def test_nginx_log_names_no_visitor_and_no_session(host: Host) -> None:
    """The access log replaces the error log, which contains the paths of refused uploads."""
    path = f"/_stcore/upload_file/{SESSION}/file"
    assert request(host, "PUT", path, bytes(21_000_000)).status == 413
    for app in host.apps.values():
        app.kill()
        app.wait()
    answer = request(host, "GET", f"{path}?pack=Annabel")
    assert answer.status == 502
    assert answer.getheader("Content-Security-Policy") == "frame-ancestors 'self'"
    folder = host.log.parent
    wait_until(lambda: " GET 502 " in (folder / "emojify.log").read_text())  # written after the answer
    log = (folder / "emojify.log").read_text()
    assert " PUT 413 " in log
    for text in (log, (folder / "documented.log").read_text()):
        assert not any(word in text for word in (SESSION, "Annabel", "client", "- 127.0.0.1"))


def test_nginx_closes_metrics_and_half_sent_requests(host: Host) -> None:
    assert request(host, "GET", "/_stcore/metrics").status == 404
    with connect(host) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(100) == b""  # nginx closes it after client_header_timeout


def connect(host: Host) -> ssl.SSLSocket:
    """Return an encrypted connection to nginx."""
    port = urlsplit(host.url).port
    return ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", port), 30))


def request(host: Host, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
    """Send a request without a browser; nginx may answer before it has all of ``body``."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", urlsplit(host.url).port, timeout=30, context=ssl._create_unverified_context()
    )
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", HOST)
    connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders()
    return connection.getresponse()
