"""What goes over the wire when it does not go well. No service behind it."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from callgrade.client import AsyncClient, Client, UnreachableError, problem_of
from callgrade.client.bodies import PIECE
from callgrade.domain.errors import (
    CallgradeError,
    ConflictError,
    InputError,
    NotReadyError,
    TooManyRequestsError,
    TranscriptError,
    UnexpectedError,
)

URL = "https://callgrade.example.com"
MADE = {"call_id": "C-1", "id": "1" * 32, "evaluation_id": None}
ACCEPTED = {"batch_id": "2" * 32, "total": 3}
LINE = {"line": 1, "call_id": "C-1", "evaluation_id": None, "status": "failed", "scorecard": None, "error": None}


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses: list[float]) -> Iterator[Client]:
    with Client(URL, "cg_id_secret", sleep=pauses.append) as opened:
        yield opened


def problem(status: int, type_: str, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    content = {"type": f"urn:callgrade:problem:{type_}", "title": "t", "status": status, "detail": "why", **more}
    return httpx.Response(status, headers={"Content-Type": "application/problem+json", **headers}, json=content)


def test_a_busy_service_is_asked_again_with_the_same_key(
    wire: respx.MockRouter, client: Client, pauses: list[float]
) -> None:
    route = wire.post("/v1/calls").mock(
        side_effect=[
            problem(503, "not-ready", retryable=True),
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("slow"),
            httpx.Response(502, text="<html>bad gateway"),
            httpx.Response(202, json=MADE),
            httpx.Response(202, json=MADE),
        ]
    )
    assert client.calls.submit_transcript({"call_id": "C-1"}, rubric="r").id == "1" * 32
    requests = [call.request for call in route.calls]
    assert len(requests) == 5
    assert len({request.headers["Idempotency-Key"] for request in requests}) == 1
    assert {request.content for request in requests} == {b'{"call_id":"C-1"}'}
    assert requests[0].url.query == b"rubric=r"
    assert requests[0].headers["Authorization"] == "Bearer cg_id_secret"
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses))
    client.calls.submit_transcript({"call_id": "C-1"})
    assert route.calls.last.request.headers["Idempotency-Key"] != requests[0].headers["Idempotency-Key"]


def test_not_for_ever(wire: respx.MockRouter, client: Client, pauses: list[float]) -> None:
    route = wire.get("/v1/batches/b").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(UnreachableError):
        client.batches.get("b")
    assert (route.call_count, len(pauses)) == (5, 4)


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (problem(409, "conflict", retryable=False), ConflictError),
        (problem(422, "transcript", retryable=False), TranscriptError),
        (problem(422, "newer-than-this-client", retryable=False), InputError),
        (problem(500, "unexpected", retryable=False), UnexpectedError),
        (problem(503, "not-ready", retryable=False), NotReadyError),
        (httpx.Response(200, text="<html>a login page"), UnexpectedError),
    ],
)
def test_what_cannot_help_is_not_repeated(
    wire: respx.MockRouter, client: Client, answer: httpx.Response, raised: type[CallgradeError]
) -> None:
    route = wire.post("/v1/calls").mock(return_value=answer)
    with pytest.raises(raised) as caught:
        client.calls.submit_transcript({"call_id": "C-1"})
    assert type(caught.value) is raised
    assert route.call_count == 1


def test_the_services_word_counts_most(wire: respx.MockRouter, client: Client) -> None:
    wire.post("/v1/calls").mock(
        side_effect=[problem(409, "still-at-work", retryable=True), httpx.Response(202, json=MADE)]
    )
    assert client.calls.submit_transcript({"call_id": "C-1"}).call_id == "C-1"


@pytest.mark.parametrize(
    "asked", ["7", (datetime.now(UTC) + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")], ids=["s", "date"]
)
def test_retry_after_is_honoured(wire: respx.MockRouter, client: Client, pauses: list[float], asked: str) -> None:
    wire.get("/v1/calls/c").mock(
        side_effect=[
            problem(429, "too-many-requests", retryable=True, headers={"Retry-After": asked}),
            httpx.Response(404),
        ]
    )
    with pytest.raises(CallgradeError):
        client.calls.get("c")
    assert len(pauses) == 1
    assert asked != "7" or 7.0 <= pauses[0] <= 8.4


def test_too_long_a_wait_is_the_callers_to_decide(wire: respx.MockRouter, client: Client, pauses: list[float]) -> None:
    wire.get("/v1/calls/c").mock(
        return_value=problem(429, "too-many-requests", retryable=True, headers={"Retry-After": "3600"})
    )
    with pytest.raises(TooManyRequestsError) as caught:
        client.calls.get("c")
    assert caught.value.retry_after_s == 3600.0
    assert str(caught.value) == "why"
    assert pauses == []


def test_a_proxys_page_is_not_repeated_in_the_error(wire: respx.MockRouter, client: Client) -> None:
    wire.get("/v1/calls/c").mock(
        return_value=httpx.Response(403, text="<html>secret page", headers={"X-Request-ID": "r1"})
    )
    with pytest.raises(CallgradeError) as caught:
        client.calls.get("c")
    found = problem_of(caught.value)
    assert found is not None
    assert (found.status, found.request_id, str(caught.value)) == (403, "r1", "the answer was 403 Forbidden")


# bodies that are sent again


def lines_of(request: httpx.Request) -> list[Any]:
    return [json.loads(line) for line in request.content.splitlines()]


@pytest.mark.parametrize("once", [True, False])
def test_a_batch_is_sent_again_from_its_first_line(wire: respx.MockRouter, client: Client, once: bool) -> None:
    seen: list[list[Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(lines_of(request))
        return httpx.Response(503) if len(seen) < 3 else httpx.Response(202, json=ACCEPTED)

    wire.post("/v1/batches").mock(side_effect=answer)
    documents = [{"call_id": f"C-{number}", "turns": ["x" * PIECE]} for number in range(3)]
    client.batches.submit(iter(documents) if once else documents, rubric="r")
    assert seen == [documents] * 3


def test_a_line_that_broke_in_the_middle_loses_nothing(client: Client, pauses: list[float]) -> None:
    seen: list[bytes] = []

    class Breaking(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            pieces = iter(request.stream)
            if not seen:
                seen.append(b"".join(itertools.islice(pieces, 2)))
                raise httpx.WriteError("broken pipe")
            seen.append(b"".join(pieces))
            return httpx.Response(202, json=ACCEPTED)

    breaking = Client(URL, "k", transport=Breaking(), sleep=pauses.append)
    made = breaking.batches.submit(({"call_id": f"C-{n}", "x": "y" * PIECE} for n in range(5)), rubric="r")
    assert made.total == 3
    assert len(seen[0]) < len(seen[1])
    assert seen[1].startswith(seen[0])
    assert [json.loads(line)["call_id"] for line in seen[1].splitlines()] == [f"C-{n}" for n in range(5)]


def test_a_source_that_failed_is_never_sent_as_if_it_were_whole(wire: respx.MockRouter, client: Client) -> None:
    def documents() -> Iterator[Any]:
        yield {"call_id": "C-1"}
        raise httpx.ReadError("of the caller's own")  # which looks like one of ours

    route = wire.post("/v1/batches").mock(return_value=httpx.Response(202, json=ACCEPTED))
    with pytest.raises(UnreachableError):
        client.batches.submit(documents(), rubric="r")
    assert route.call_count == 0


def test_a_document_with_a_line_break_is_no_line(wire: respx.MockRouter, client: Client) -> None:
    with pytest.raises(ValueError, match="line break"):
        client.batches.submit(['{"a":\n1}'], rubric="r")


def test_a_recording_is_the_same_body_byte_for_byte(wire: respx.MockRouter, client: Client, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.read())
        assert request.headers["Content-Length"] == str(len(seen[-1]))
        assert "Transfer-Encoding" not in request.headers
        return httpx.Response(503) if len(seen) == 1 else httpx.Response(202, json=MADE)

    wire.post("/v1/calls").mock(side_effect=answer)
    (tmp_path / "a.wav").write_bytes(b"\r\n--callgrade" * 10_000)
    steps: list[int] = []
    with (tmp_path / "a.wav").open("rb") as file:
        file.seek(10)
        client.calls.submit_recording(file, idempotency_key="k", progress=lambda sent, _: steps.append(sent))
    client.calls.submit_recording(
        (tmp_path / "a.wav").read_bytes()[10:], {"call_id": "a.wav"}, file_name="a.wav", idempotency_key="k"
    )
    assert len(set(seen)) == 1
    assert steps.count(0) == 2


def test_a_recording_needs_a_name(client: Client) -> None:
    with pytest.raises(ValueError, match="call_id"):
        client.calls.submit_recording(b"RIFF")
    with pytest.raises(FileNotFoundError):
        client.calls.submit_recording("no-such-file.wav")
    with pytest.raises(ValueError, match="colour"):
        client.calls.submit_recording(b"RIFF", {"call_id": "C-1", "colour": "red"})


def test_a_moment_needs_its_zone(client: Client) -> None:
    with pytest.raises(ValueError, match="since: a moment needs its time zone"):
        client.evaluations.list(since=datetime(2026, 11, 1))  # noqa: DTZ001


# answers


def test_results_are_taken_up_again_where_they_broke(wire: respx.MockRouter, client: Client) -> None:
    def broken() -> Iterator[bytes]:
        yield (json.dumps(LINE) + "\n" + json.dumps({**LINE, "line": 2}) + "\n" + '{"line": 3, "ca').encode()
        raise httpx.RemoteProtocolError("peer closed connection")

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return broken()

    rest = json.dumps({**LINE, "line": 3, "status": "a\u2028b"}, ensure_ascii=False).encode()
    route = wire.get("/v1/batches/b/results").mock(
        side_effect=[httpx.Response(200, stream=Stream()), httpx.Response(503), httpx.Response(200, content=rest)]
    )
    assert [(r.line, r.status) for r in client.batches.results("b")] == [(1, "failed"), (2, "failed"), (3, "a\u2028b")]
    assert [call.request.url.query for call in route.calls] == [b"", b"after=2", b"after=2"]


def test_what_a_newer_service_adds_is_passed_over(wire: respx.MockRouter, client: Client) -> None:
    from callgrade.api import examples

    card = {**examples.SCORECARD, "mood": "new"}
    card["rubric"] = {**card["rubric"], "colour": "new"}
    answer = {**examples.EVALUATION, "scorecard": card, "status": "archived", "more": {}}
    wire.get("/v1/evaluations/e").mock(return_value=httpx.Response(200, json=answer))
    found = client.evaluations.wait("e")
    assert found.status == "archived"
    assert found.scorecard is not None


def test_ids_are_no_paths(wire: respx.MockRouter, client: Client) -> None:
    route = wire.get(url__regex=".*").mock(return_value=httpx.Response(404))
    with pytest.raises(CallgradeError):
        client.calls.get("../webhooks?x=")
    assert route.calls.last.request.url.raw_path == b"/v1/calls/..%2Fwebhooks%3Fx%3D"


def test_a_service_below_a_path(pauses: list[float]) -> None:
    with respx.mock, Client("https://a.example.com/grade/", "k") as client:
        route = respx.get("https://a.example.com/grade/v1/batches").mock(
            return_value=httpx.Response(200, json={"items": [], "next_cursor": None})
        )
        assert list(client.batches.list()) == []
        assert route.called


def test_nothing_shows_the_key(client: Client) -> None:
    assert "secret" not in repr(client)
    assert "secret" not in repr(AsyncClient(URL, "cg_id_secret"))


# the asynchronous one


async def test_the_asynchronous_client_repeats_alike(wire: respx.MockRouter) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    seen: list[list[Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(lines_of(request))
        if len(seen) == 1:
            raise httpx.ReadError("broken")
        return (
            httpx.Response(429, headers={"Retry-After": "3"}) if len(seen) == 2 else httpx.Response(202, json=ACCEPTED)
        )

    async def documents() -> AsyncIterator[Any]:
        for number in range(3):
            yield {"call_id": f"C-{number}", "turns": ["x" * PIECE]}

    wire.post("/v1/batches").mock(side_effect=answer)
    wire.get("/v1/calls/c").mock(side_effect=httpx.ConnectError("refused"))
    async with AsyncClient(URL, "k", sleep=sleep) as client:
        await client.batches.submit(documents(), rubric="r")
        assert [len(lines) for lines in seen] == [3, 3, 3]
        assert seen[0] == seen[2]
        assert 3.0 <= pauses[1] <= 3.6
        with pytest.raises(UnreachableError):
            await client.calls.get("c")
    assert len(pauses) == 6


async def test_an_asynchronous_source_that_failed(wire: respx.MockRouter) -> None:
    async def documents() -> AsyncIterator[Any]:
        yield {"call_id": "C-1"}
        raise httpx.ReadError("of the caller's own")

    route = wire.post("/v1/batches").mock(return_value=httpx.Response(202, json=ACCEPTED))

    async def sleep(_: float) -> None:
        return

    async with AsyncClient(URL, "k", sleep=sleep) as client:
        with pytest.raises(UnreachableError):
            await client.batches.submit(documents(), rubric="r")
    assert route.call_count == 0


async def test_asynchronous_results_are_taken_up_again(wire: respx.MockRouter) -> None:
    class Stream(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield json.dumps(LINE).encode() + b"\n"
            raise httpx.ReadError("broken")

    async def sleep(_: float) -> None:
        return

    route = wire.get("/v1/batches/b/results").mock(
        side_effect=[httpx.Response(200, stream=Stream()), httpx.Response(200, json={**LINE, "line": 2})]
    )
    async with AsyncClient(URL, "k", sleep=sleep) as client:
        assert [result.line async for result in client.batches.results("b")] == [1, 2]
    assert route.calls.last.request.url.query == b"after=1"
