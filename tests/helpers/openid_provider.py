"""A small OpenID provider on this machine. A user who signs in chooses one of three accounts."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, CLIENT_SECRET = "emojify", "the secret of the app and the provider"


class Provider(ThreadingHTTPServer):
    """The authorization code flow of OpenID Connect Core 1.0.

    Attributes:
        requested_paths: the paths of all requests so far.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256", "kid": "here"})
        self.granted: dict[str, dict[str, str]] = {}
        self.requested_paths: list[str] = []

    def token(self, parameters: dict[str, str]) -> dict[str, object]:
        """Exchange a code, once, for the tokens of its account."""
        grant = self.granted.pop(parameters["code"])
        now_s = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": grant["email"], "iat": now_s, "exp": now_s + 600,
            "email": grant["email"], "email_verified": grant["verified"] == "yes", "nonce": grant["nonce"],
        }  # fmt: skip
        id_token = jwt.encode({"alg": "RS256", "kid": "here"}, claims, self.key)
        return {"token_type": "Bearer", "access_token": secrets.token_hex(), "expires_in": 600, "id_token": id_token}

    def configuration(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.server.requested_paths.append(address.path)
        parameters = {key: values[0] for key, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            self._answer(json.dumps(self.server.configuration()))
        elif address.path == "/keys":
            self._answer(json.dumps({"keys": [self.server.key.as_dict(private=False)]}))
        elif address.path == "/authorize" and parameters["client_id"] == CLIENT:
            self._answer(_account_page(parameters), "text/html")
        elif address.path == "/chosen":
            code = secrets.token_hex()
            self.server.granted[code] = parameters
            self.send_response(302)
            self.send_header(
                "Location", f"{parameters['to']}?{urlencode({'code': code, 'state': parameters['state']})}"
            )
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.requested_paths.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(json.dumps(self.server.token({key: values[0] for key, values in parse_qs(body).items()})))

    def _answer(self, text: str, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *values: object) -> None:
        """Log nothing: ``requested_paths`` is enough."""


def _account_page(parameters: dict[str, str]) -> str:
    accounts = [("anna@example.org", "yes"), ("ben@example.org", "yes"), ("anna@example.org", "no")]
    links = []
    for email, verified in accounts:
        chosen = {"email": email, "verified": verified, "nonce": parameters["nonce"]}
        query = urlencode({**chosen, "to": parameters["redirect_uri"], "state": parameters["state"]})
        name = email if verified == "yes" else f"{email}, not verified"
        links.append(f'<p><a href="/chosen?{escape(query)}">{name}</a>')
    return "<title>Who are you?</title>" + "".join(links)


@contextmanager
def run_provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.serve_forever, args=[0.05])
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()
