"""A small OpenID provider on this machine, with a key of its own made on the spot: who somebody is, they may choose."""

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

CLIENT, CLIENT_SECRET = "emojify", "only the app and the provider know it"


class Provider(ThreadingHTTPServer):
    """OpenID Connect Core 1.0, as much of it as signing in with a code takes.

    Attributes:
        asked: the paths of all requests so far.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256", "kid": "here"})
        self.granted: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def token(self, asked: dict[str, str]) -> dict[str, object]:
        """For a code, once, and for the client that it was made out for."""
        grant = self.granted.pop(asked["code"])
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


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.server.asked.append(address.path)
        asked = {key: values[0] for key, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            self._answer(json.dumps(self.server.configuration()))
        elif address.path == "/keys":
            self._answer(json.dumps({"keys": [self.server.key.as_dict(private=False)]}))
        elif address.path == "/authorize" and asked["client_id"] == CLIENT:
            self._answer(_choice(asked), "text/html")
        elif address.path == "/chosen":
            code = secrets.token_hex()
            self.server.granted[code] = asked
            self.send_response(302)
            self.send_header("Location", f"{asked['to']}?{urlencode({'code': code, 'state': asked['state']})}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(json.dumps(self.server.token({key: values[0] for key, values in parse_qs(body).items()})))

    def _answer(self, text: str, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *values: object) -> None:
        """Nothing: `asked` keeps what a test wants to know."""


def _choice(asked: dict[str, str]) -> str:
    people = [("anna@example.org", "yes"), ("ben@example.org", "yes"), ("anna@example.org", "no")]
    links = []
    for email, verified in people:
        chosen = {"email": email, "verified": verified, "nonce": asked["nonce"]}
        query = urlencode({**chosen, "to": asked["redirect_uri"], "state": asked["state"]})
        name = email if verified == "yes" else f"{email}, not verified"
        links.append(f'<p><a href="/chosen?{escape(query)}">{name}</a>')
    return "<title>Who are you?</title>" + "".join(links)


@contextmanager
def provide() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.serve_forever, args=[0.05])
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()
