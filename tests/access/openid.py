"""An OpenID provider on loopback, that signs with its own key, keeps to PKCE and lies on demand."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from callgrade.settings import OIDCSettings

__all__ = ["CLIENT_ID", "SECRET", "OpenID", "openid"]

CLIENT_ID, SECRET = "desk", "s3cret/with+signs"


@dataclass
class OpenID:
    """`claims` are of whoever signs in next; `lies` replace claims of the ID token, None leaves one out."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "p-1", "preferred_username": "lee"})
    lies: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    sign_with: str = "RS256"
    refuse: str | None = None
    down: bool = False
    keys: list[RSAKey] = field(default_factory=lambda: [_first_key()])
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        self.keys = [_new_key()]

    def settings(self, **more: Any) -> OIDCSettings:
        told = {"issuer": self.url, "client_id": CLIENT_ID, "client_secret": SECRET, **more}
        return OIDCSettings.model_validate(told)

    def visit(self, url: str) -> dict[str, str]:
        """As a browser does that is sent there: what it is sent back with."""
        answer = httpx.get(url)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    # what it answers

    def authorize(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        back = {"state": asked["state"], "iss": self.url}
        if self.refuse:
            return f"{asked['redirect_uri']}?{urlencode({**back, 'error': self.refuse})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if "client_secret" in form:
            known = (form["client_id"], form["client_secret"])
        else:
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            known = (unquote(name), unquote(secret))
        if known != (CLIENT_ID, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        told = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        told = {name: value for name, value in {**told, **self.lies}.items() if value is not None}
        key = self.keys[0]
        if self.sign_with == "none":
            return f"{_joined({'alg': 'none'}, told)}."
        if self.sign_with == "HS256":  # with what everybody can read, which careless programs take for a secret
            signed = _joined({"alg": "HS256", "kid": key.kid}, told)
            made = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_encoded(made)}"
        return jwt.encode({"alg": self.sign_with, "kid": key.kid}, told, key)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _joined(*parts: Any) -> str:
    return ".".join(_encoded(json.dumps(part).encode()) for part in parts)


@cache
def _first_key() -> RSAKey:
    """Made once: it takes a moment."""
    return _new_key()


def _new_key() -> RSAKey:
    key = RSAKey.generate_key(2048, parameters={"use": "sig"})
    key.ensure_kid()
    return key


def _handler(provider: OpenID) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.down:
                self.tell(503, {})
            elif parts.path == "/.well-known/openid-configuration":
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
                names["userinfo_endpoint"] = "userinfo"
                told = {name: f"{provider.url}/{path}" for name, path in names.items()}
                self.tell(200, {"issuer": provider.url, **told, **provider.description})
            elif parts.path == "/jwks":
                public = [key.as_dict(private=False) for key in provider.keys]
                self.tell(200, {"keys": [*public, {"kty": "quantum"}, {"kty": "RSA", "use": "enc"}]})
            elif parts.path == "/userinfo":
                good = self.headers["Authorization"] == "Bearer at"
                self.tell(200 if good else 401, {"sub": provider.claims["sub"], **provider.userinfo})
            else:
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.tell(*provider.token(form, self.headers.get("Authorization", "")))

        def tell(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def openid() -> Iterator[OpenID]:
    provider = OpenID()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()
