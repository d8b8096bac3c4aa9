"""An OpenID provider: the authorization code flow with PKCE, and what its ID token must say.

Facts of OpenID Connect Core 1.0 that are held to here: one issuer is believed, to the letter (3.1.3.7, 2); the ID token
is for us and nobody else (3); it is signed by a key that the issuer publishes, never by our secret or not at all (6);
it is fresh (9) and answers our own request (11). Names that the token leaves out are asked of the userinfo endpoint and
must be of the same person (5.3.2).
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from callgrade.access.elsewhere import Begun, ProviderRefusedError
from callgrade.domain.errors import NotReadyError, SettingsError
from callgrade.settings import OIDCSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
LEEWAY_S = 60
KEPT_S = 3600.0
"""How long the provider's description and keys are believed; an unknown key asks anew, once a minute at most."""
TIMEOUT_S = 10.0
LARGEST = 1_000_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenIDProvider:
    """The one that the settings name. One a process; threads share it."""

    def __init__(
        self, settings: OIDCSettings, *, http: httpx.Client | None = None, clock: Callable[[], float] = time.time
    ):
        """Connects to nothing yet. Raises SettingsError where its settings are not whole."""
        if settings.issuer is None or not settings.client_id:
            raise SettingsError("CALLGRADE_OIDC__ISSUER and CALLGRADE_OIDC__CLIENT_ID go together")
        if urlsplit(settings.issuer).scheme != "https" and urlsplit(settings.issuer).hostname not in LOOPBACK:
            raise SettingsError("CALLGRADE_OIDC__ISSUER: must be https: what it says is who somebody is")
        self.issuer: str = settings.issuer
        self._settings, self._clock = settings, clock
        self._http = http or httpx.Client(timeout=TIMEOUT_S)
        self._lock = threading.Lock()
        self._described: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def close(self) -> None:
        self._http.close()

    def begin(self, redirect_url: str) -> Begun:
        """Where to send the browser, and what to remember of it. Raises NotReadyError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=redirect_url,
            scope=self._settings.scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(url=url, state=state, nonce=nonce, verifier=verifier)

    def finish(
        self, code: str, *, nonce: str, verifier: str, redirect_url: str, wanted: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        """What the provider says of who has just signed in there: `sub`, and the `wanted` claims where it tells them.

        Raises ProviderRefusedError, NotReadyError.
        """
        answer = self._redeem(code, verifier, redirect_url)
        claims = dict(self._checked(answer, nonce))
        if any(name not in claims for name in wanted):
            claims = {**self._userinfo(answer, str(claims["sub"])), **claims}
        return claims

    def _redeem(self, code: str, verifier: str, redirect_url: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_url}
        form["code_verifier"] = verifier
        secret, auth = self._settings.client_secret, None
        methods = self._description().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret is None:
            form["client_id"] = self._settings.client_id
        elif "client_secret_basic" not in methods and "client_secret_post" in methods:
            form |= {"client_id": self._settings.client_id, "client_secret": secret.get_secret_value()}
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they are joined
            auth = (quote(self._settings.client_id, safe=""), quote(secret.get_secret_value(), safe=""))
        return self._fetched("POST", self._endpoint("token_endpoint"), data=form, auth=auth)

    def _checked(self, answer: dict[str, Any], nonce: str) -> Mapping[str, Any]:
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderRefusedError("no-id-token")
        decoded = self._decoded(token)
        audience = {"essential": True, "value": self._settings.client_id}
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={"iss": {"essential": True, "value": self.issuer}, "aud": audience, "sub": {"essential": True}},
            params={
                "nonce": nonce,
                "client_id": self._settings.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(self._clock()), leeway=LEEWAY_S)
        except JoseError as error:
            # which claim it was helps whoever runs the service; its value is nobody's business
            raise ProviderRefusedError(f"id-token-{error.error}".replace("_", "-")) from None
        told: Mapping[str, Any] = claims
        return told

    def _decoded(self, token: str) -> jwt.Token:
        for anew in (False, True):
            try:
                return jwt.decode(token, self._keyset(anew=anew), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError, TypeError, KeyError):
                # a key that is not among those we know may be a new one
                continue
        raise ProviderRefusedError("id-token-signature")

    def _userinfo(self, answer: dict[str, Any], subject: str) -> dict[str, Any]:
        url, token = self._description().get("userinfo_endpoint"), answer.get("access_token")
        if not isinstance(url, str) or not isinstance(token, str):
            return {}
        told = self._fetched("GET", self._checked_url(url), headers={"Authorization": f"Bearer {token}"})
        if told.get("sub") != subject:
            raise ProviderRefusedError("userinfo-of-somebody-else")
        return told

    def _description(self) -> dict[str, Any]:
        with self._lock:
            if self._described is not None and self._clock() - self._described[0] < KEPT_S:
                return self._described[1]
        found = self._fetched("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise NotReadyError("the OpenID provider calls itself by another name than CALLGRADE_OIDC__ISSUER says")
        with self._lock:
            self._described = (self._clock(), found)
        return found

    def _keyset(self, *, anew: bool) -> KeySet:
        age = KEPT_S if not anew else 60.0
        with self._lock:
            if self._keys is not None and self._clock() - self._keys[0] < age:
                return self._keys[1]
        told = self._fetched("GET", self._endpoint("jwks_uri"))
        keys = KeySet([key for it in told.get("keys", []) if (key := _signing_key(it)) is not None])
        with self._lock:
            self._keys = (self._clock(), keys)
        return keys

    def _endpoint(self, name: str) -> str:
        url = self._description().get(name)
        if not isinstance(url, str):
            raise NotReadyError(f"the OpenID provider does not tell its {name}")
        return self._checked_url(url)

    @staticmethod
    def _checked_url(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise NotReadyError("the OpenID provider names an endpoint that is not https")
        return url

    def _fetched(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(
                method, url, headers={"Accept": "application/json", **more.pop("headers", {})}, **more
            )
        except httpx.HTTPError as error:
            raise NotReadyError(f"the OpenID provider cannot be reached ({type(error).__name__})") from None
        if answer.status_code >= 500:
            raise NotReadyError(f"the OpenID provider answers {answer.status_code}")
        try:
            told = answer.json() if len(answer.content) <= LARGEST else None
        except ValueError:
            told = None
        if answer.status_code != 200 or not isinstance(told, dict):
            raise ProviderRefusedError(f"answer-{answer.status_code}")
        return told


def _signing_key(told: Any) -> Key | None:
    """None for a key of a kind that we do not know: providers publish others beside those they sign with."""
    if not isinstance(told, dict) or told.get("use", "sig") != "sig" or told.get("kty") == "oct":
        return None
    try:
        return import_key(told)
    except (JoseError, KeyError, TypeError, ValueError):
        return None
