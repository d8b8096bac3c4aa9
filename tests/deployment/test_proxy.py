"""docs/deployment/nginx.conf in front of the real service, over TLS on loopback."""

import datetime as dt
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api.made import *  # noqa: F403
from tests.api.made import RUBRIC, Service, transcript
from tests.api.wire import *  # noqa: F403
from tests.db.databases import *  # noqa: F403

CONFIG = Path(__file__).parents[2] / "docs" / "deployment" / "nginx.conf"
HOST = "qa.example.com"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="NOT CHECKED: no nginx here")


@dataclass
class Proxy:
    """A client that speaks to nginx as to qa.example.com, and nginx's access log."""

    http: httpx.Client
    log: Path
    service: Service


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain, pkcs8 = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))


def adapted(folder: Path, upstream: tuple[str, int], plain: int, tls: int) -> Path:
    """The file as it is, but for ports, folders and the service's address, and a frame around it."""
    text = CONFIG.read_text("utf-8")
    changes = {
        "server 127.0.0.1:8080;": f"server {upstream[0]}:{upstream[1]};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "/etc/ssl/callgrade/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
    }
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    (folder / "callgrade.conf").write_text(text)
    temporary = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\ndaemon off;\nerror_log {folder}/error.log warn;\nevents {{}}\n"
        f"http {{\n{temporary}  include {folder}/callgrade.conf;\n}}\n"
    )
    return folder / "nginx.conf"


@pytest.fixture
def proxy(service: Service, address: tuple[str, int], tmp_path: Path) -> Iterator[Proxy]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    certificate(folder)
    tls = free_port()
    config = adapted(folder, address, free_port(), tls)
    checked = subprocess.run(["nginx", "-t", "-q", "-c", str(config)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    trusted.check_hostname = False
    with (
        subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL) as running,
        httpx.Client(
            base_url=f"https://127.0.0.1:{tls}",
            headers={"Host": HOST, **service.key()},
            verify=trusted,
            timeout=60,  # a slow machine is no fault of the proxy's
            trust_env=False,
        ) as http,
    ):
        _await(http)
        yield Proxy(http, folder / "callgrade.log", service)
        running.terminate()


def _await(http: httpx.Client) -> None:
    for _ in range(200):
        try:
            http.get("/healthz")
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("nginx did not come up")


def test_calls_batches_and_watchers_pass_through(proxy: Proxy) -> None:
    sound = b"RIFF" + "您好".encode() * 100_000
    files = {"audio": ("x.wav", sound, "audio/wav"), "metadata": (None, json.dumps({"call_id": "C-1"}))}
    made = proxy.http.post("/v1/calls", files=files)
    assert made.status_code == 202, made.text
    part = proxy.http.get(f"/v1/calls/{made.json()['id']}/audio", headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content.decode()) == (206, "您好")

    lines = "\n".join(json.dumps(transcript(f"B-{number}")) for number in range(30))
    sent = {"params": {"rubric": RUBRIC}, "headers": {"Content-Type": "application/x-ndjson"}}
    batch = proxy.http.post("/v1/batches", content=lines.encode(), **sent).json()["batch_id"]
    with proxy.http.stream("GET", f"/v1/batches/{batch}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert "event: end" in "".join(events.iter_text())
    results = proxy.http.get(f"/v1/batches/{batch}/results").text.splitlines()
    assert len(results) == 30


def test_figures_are_not_for_the_public_and_the_log_holds_no_query(proxy: Proxy) -> None:
    assert proxy.http.get("/metrics").status_code == 404
    listed = proxy.http.get("/v1/calls?agent=8031")
    assert listed.status_code == 200
    assert listed.headers["strict-transport-security"]
    assert listed.headers["server"] == "nginx"
    logged = _logged(proxy, "GET /v1/calls ")
    assert f"GET /v1/calls 200 {len(listed.content)}" in logged
    assert listed.headers["x-request-id"] in logged
    assert "8031" not in logged


def _logged(proxy: Proxy, line: str) -> str:
    """The access log, once it holds the line: nginx writes it after the answer has left."""
    for _ in range(200):
        if line in (logged := proxy.log.read_text("utf-8")):
            return logged
        time.sleep(0.05)
    raise AssertionError(f"{line!r} did not come into the log: {logged}")


def test_what_is_too_large_is_told_by_the_service_and_not_cut_off(proxy: Proxy) -> None:
    files = {"audio": ("x.wav", b"RIFF" + bytes(2_000_000), "audio/wav"), "metadata": (None, '{"call_id": "C-1"}')}
    refused = proxy.http.post("/v1/calls", files=files)
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
