"""The guard is tried against a server of our own on loopback, which tests may reach; what must never be reached is
asked for through a resolver and a network that are ours too."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.fetching import Fetcher, FetchRefusedError, Limits
from callgrade.adapters.guarded import FetchFailedError
from callgrade.calls.urls import UrlRefusedError
from callgrade.domain.errors import CallgradeError, TooLargeError

SOUND = b"RIFF" + bytes(range(256)) * 40
METADATA = "http://169.254.169.254/latest/meta-data/iam"


class Storage(BaseHTTPRequestHandler):
    """Answers by path. `server.seen` is what was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        getattr(self, "do_" + self.path.strip("/").split("/")[0].split("?")[0].replace("-", "_"))()

    def sound(self, status: int = 200, body: bytes = SOUND, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_sound(self) -> None:
        self.sound(Content_Type="text/html; this is no type at all")

    def do_empty(self) -> None:
        self.sound(body=b"")

    def do_zipped(self) -> None:
        self.sound(Content_Encoding="gzip")

    def do_status(self) -> None:
        self.sound(int(self.path.rpartition("/")[2]))

    def do_to(self) -> None:
        self.sound(302, b"", Location=self.path.split("?", 1)[1])

    def do_loop(self) -> None:
        self.sound(307, b"", Location="/loop/" + self.path.rpartition("/")[2] + "x")

    def do_nowhere(self) -> None:
        self.sound(302, b"")

    def do_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(SOUND) * 2))
        self.end_headers()
        self.wfile.write(SOUND)
        self.close_connection = True

    def do_endless(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"x" * 4096
        try:
            while True:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        except OSError:
            self.close_connection = True

    def do_dripping_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.drip(b"x")

    def do_dripping_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.drip(b"X-A: b\r\n")

    def do_nonsense(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self.close_connection = True

    def do_recovering(self) -> None:
        first = sum(path == self.path for path, _ in self.server.seen) == 1  # type: ignore[attr-defined]
        self.sound(503 if first else 200)

    def drip(self, piece: bytes) -> None:
        try:
            while not self.server.over.is_set():  # type: ignore[attr-defined]
                self.wfile.write(piece)
                time.sleep(0.02)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Storage)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield running
    running.over.set()
    running.shutdown()
    running.server_close()


def fetched(url: str, **settings: Any) -> bytes:
    settings.setdefault("allow_private", True)
    with Fetcher(**settings).open(url) as stream:
        return stream.read()


# what comes in


def test_the_bytes_come_whatever_they_are_called(server: Server) -> None:
    assert fetched(f"{server.url}/sound/a.wav?sig=1") == SOUND
    path, headers = server.seen[0]
    assert path == "/sound/a.wav?sig=1"
    assert headers["Host"] == server.url.removeprefix("http://")
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Authorization", "Cookie", "Referer"} & headers.keys()


def test_goes_into_the_blob_store_whole(server: Server, tmp_path: Path) -> None:
    blobs = FsspecBlobs(str(tmp_path))
    blob = Fetcher(allow_private=True).keep(f"{server.url}/sound/a.wav", blobs)
    assert blob.size == len(SOUND)
    with blobs.open(blob.sha256) as stream:
        assert stream.read() == SOUND


@pytest.mark.parametrize("path", ["/cut", "/endless", "/empty"])
def test_or_not_at_all(server: Server, tmp_path: Path, path: str) -> None:
    fetcher = Fetcher(allow_private=True, limits=Limits(bytes=100_000))
    with pytest.raises(CallgradeError):
        fetcher.keep(server.url + path, FsspecBlobs(str(tmp_path)))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_size_is_counted_not_believed(server: Server) -> None:
    with pytest.raises(TooLargeError):
        fetched(f"{server.url}/endless", limits=Limits(bytes=1_000_000))


def test_a_size_that_is_announced_too_large_is_not_waited_for(server: Server) -> None:
    with pytest.raises(TooLargeError):
        fetched(f"{server.url}/sound", limits=Limits(bytes=len(SOUND) - 1))
    assert fetched(f"{server.url}/sound", limits=Limits(bytes=len(SOUND))) == SOUND


@pytest.mark.parametrize("path", ["/dripping-body", "/dripping-headers"])
def test_whoever_drips_is_cut_off(server: Server, path: str) -> None:
    with pytest.raises(FetchFailedError, match="too long"):
        fetched(server.url + path, limits=Limits(seconds=0.3))


@pytest.mark.parametrize("path", ["/cut", "/nonsense", "/status/500", "/status/503", "/status/429"])
def test_what_may_work_later(server: Server, path: str) -> None:
    with pytest.raises(FetchFailedError) as caught:
        fetched(server.url + path)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "path", ["/status/404", "/status/403", "/status/206", "/status/204", "/empty", "/zipped", "/nowhere"]
)
def test_what_will_not(server: Server, path: str) -> None:
    with pytest.raises(FetchRefusedError) as caught:
        fetched(server.url + path)
    assert (caught.value.status, caught.value.retryable) == (422, False)


def test_each_try_is_one_request_for_whoever_tries_again(server: Server, tmp_path: Path) -> None:
    fetcher, blobs = Fetcher(allow_private=True), FsspecBlobs(str(tmp_path))
    with pytest.raises(FetchFailedError):
        fetcher.keep(f"{server.url}/recovering", blobs)
    assert fetcher.keep(f"{server.url}/recovering", blobs).size == len(SOUND)
    assert len(server.seen) == 2


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(FetchFailedError, match="cannot be reached"):
            fetched(f"http://127.0.0.1:{taken.getsockname()[1]}/")


# redirects


def test_redirects_are_followed(server: Server) -> None:
    assert fetched(f"{server.url}/to?/sound") == SOUND
    assert fetched(f"{server.url}/to?{server.url}/to?{server.url}/sound") == SOUND


def test_but_not_for_ever(server: Server) -> None:
    with pytest.raises(FetchRefusedError, match="redirects more than 5 times"):
        fetched(f"{server.url}/loop/")
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "location",
    [
        METADATA,
        "//169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/latest",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://storage.example.com@169.254.169.254/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "http://[/",
        "http://a.b:99999/",
    ],
)
def test_every_redirect_is_checked_like_the_first_url(server: Server, location: str) -> None:
    with pytest.raises(UrlRefusedError):
        fetched(f"{server.url}/to?{location}")
    assert len(server.seen) == 1


def test_a_redirect_to_a_name_is_resolved_and_checked(server: Server) -> None:
    with pytest.raises(UrlRefusedError):
        fetched(f"{server.url}/to?http://innocent.example/", resolve=lambda host, port: ["169.254.169.254"])
    assert len(server.seen) == 1


def test_hosts_that_are_named_may_be_private_and_no_others_are_asked(server: Server) -> None:
    assert fetched(f"{server.url}/sound", allow_private=False, hosts=["127.0.0.1"]) == SOUND
    for url in ("http://93.184.216.34/a", f"{server.url}/to?http://93.184.216.34/a"):
        with pytest.raises(UrlRefusedError, match="none of those"):
            fetched(url, hosts=["127.0.0.1"])


# which address is connected to


class Network(httpcore.MockBackend):
    """Notes the addresses that are connected to. `down` are those that nobody answers at."""

    def __init__(self, answers: Iterable[bytes] = (), down: Iterable[str] = ()):
        body = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SOUND), SOUND)
        super().__init__(list(answers) or [body])
        self.down = set(down)
        self.connected: list[tuple[str, int]] = []

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        if host in self.down:
            raise httpcore.ConnectError("down")
        return super().connect_tcp(host, port, *args, **kwargs)


class Names:
    """A resolver that gives the next answer each time, and the last one for ever."""

    def __init__(self, *answers: list[str]):
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_the_checked_address_is_the_one_connected_to() -> None:
    network, names = Network(), Names(["93.184.216.34"], ["127.0.0.1"])
    assert fetched("http://rebinding.example/a", allow_private=False, resolve=names, network=network) == SOUND
    assert network.connected == [("93.184.216.34", 80)]
    assert names.asked == 1


def test_a_name_that_answers_anew_after_a_redirect_is_checked_anew() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://rebinding.example/b\r\nContent-Length: 0\r\n\r\n"
    network, names = Network([answer]), Names(["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(UrlRefusedError):
        fetched("http://rebinding.example/a", allow_private=False, resolve=names, network=network)
    assert network.connected == [("93.184.216.34", 80)]


@pytest.mark.parametrize("location", ["http://127.0.0.1/", "http://[::1]/", "http://redis:6379/", "http://localhost/"])
def test_a_redirect_into_our_own_network_is_refused(location: str) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location.encode()
    network, names = Network([answer]), Names(["93.184.216.34"])
    with pytest.raises(UrlRefusedError):
        fetched("http://public.example/a", allow_private=False, resolve=names, network=network)
    assert network.connected == [("93.184.216.34", 80)]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
        ["2606:4700::1111", "::1"],
        ["::ffff:93.184.216.34"],
        ["64:ff9b::5db8:d822"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
        ["0.0.0.0"],
    ],
)
def test_one_address_out_of_bounds_refuses_the_name(addresses: list[str]) -> None:
    network = Network()
    with pytest.raises(UrlRefusedError) as caught:
        fetched("https://two.example/a", allow_private=False, resolve=Names(addresses), network=network)
    assert network.connected == []
    assert not any(address in str(caught.value) for address in addresses)


def test_of_several_good_addresses_the_first_that_answers() -> None:
    network = Network(down=["93.184.216.34"])
    names = Names(["93.184.216.34", "93.184.216.35"])
    assert fetched("http://two.example/a", allow_private=False, resolve=names, network=network) == SOUND
    assert network.connected == [("93.184.216.34", 80), ("93.184.216.35", 80)]
    many = Network(down={f"93.184.216.{i}" for i in range(99)})
    with pytest.raises(FetchFailedError):
        fetched("http://x.example/", resolve=Names([f"93.184.216.{i}" for i in range(99)]), network=many)
    assert len(many.connected) == 4


def test_a_name_that_nobody_has() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchFailedError, match="cannot be reached"):
        fetched("https://nobody.example/", resolve=nobody, network=Network())
    with pytest.raises(FetchFailedError):
        fetched("https://nobody.example/", resolve=lambda host, port: [], network=Network())


def test_loopback_is_refused_unless_it_is_allowed(server: Server) -> None:
    for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(UrlRefusedError):
            fetched(url, allow_private=False)
    with pytest.raises(UrlRefusedError):
        fetched(server.url.replace("127.0.0.1", "public.example"), allow_private=False, resolve=Names(["127.0.0.1"]))
    assert server.seen == []


def test_a_proxy_of_the_environment_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetched(f"{server.url}/sound") == SOUND


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For storage.example, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=storage.example",
         "-addext", "subjectAltName=DNS:storage.example"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def secured(server: Server, certificate: Path) -> tuple[Server, list[str | None], ssl.SSLContext]:
    """(server, the names it was asked for, a context that trusts it)."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server, asked, ssl.create_default_context(cafile=str(certificate / "cert.pem"))


def test_tls_asks_for_the_name_at_the_checked_address(secured: tuple[Server, list[str | None], ssl.SSLContext]) -> None:
    server, asked, trusting = secured
    port = server.server_address[1]
    names = Names(["127.0.0.1"])
    assert fetched(f"https://storage.example:{port}/sound", resolve=names, ssl_context=trusting) == SOUND
    assert asked == ["storage.example"]
    assert server.seen[0][1]["Host"] == f"storage.example:{port}"
    assert names.asked == 1


def test_a_certificate_of_somebody_else_is_refused(secured: tuple[Server, list[str | None], ssl.SSLContext]) -> None:
    server, _, trusting = secured
    port = server.server_address[1]
    with pytest.raises(FetchFailedError, match="certificate"):
        fetched(f"https://other.example:{port}/sound", resolve=Names(["127.0.0.1"]), ssl_context=trusting)
    with pytest.raises(FetchFailedError, match="certificate"):
        fetched(f"https://storage.example:{port}/sound", resolve=Names(["127.0.0.1"]))
    assert server.seen == []


def test_no_redirect_leads_from_https_to_http(secured: tuple[Server, list[str | None], ssl.SSLContext]) -> None:
    server, _, trusting = secured
    url = f"https://storage.example:{server.server_address[1]}/to?http://storage.example/sound"
    with pytest.raises(UrlRefusedError, match="from https to http"):
        fetched(url, resolve=Names(["127.0.0.1"]), ssl_context=trusting)
