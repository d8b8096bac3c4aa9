"""The production transport against a real server on loopback: lost connections, slow answers, many at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from callgrade.adapters.llm import open_judge
from callgrade.domain.errors import SettingsError
from callgrade.ports import Verdicts
from callgrade.settings import LLMSettings
from tests.adapters.llm.conftest import Waits
from tests.adapters.llm.exchange import Plain, completion, good, rubric, settings, transcript

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handle: Handler) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                )
                await handle(await reader.readexactly(length), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=600)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    finally:
        listening.close()


def answer() -> bytes:
    body = completion(good()).content
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def judge_one(chosen: LLMSettings, waits: Waits) -> Verdicts:
    async with open_judge(chosen, redactor=Plain(), sleep=waits) as judge:
        return await judge.judge(transcript(), rubric())


async def test_a_dropped_connection_is_asked_again(waits: Waits) -> None:
    seen = 0

    async def drops_once(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            writer.transport.abort()
            return
        writer.write(answer())

    async with server(drops_once) as url, open_judge(settings(base_url=url), redactor=Plain(), sleep=waits) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert [j.status for j in verdicts.judgements] == ["judged", "judged"]
    assert (verdicts.usage.requests, verdicts.usage.retries) == (2, 1)


@pytest.mark.parametrize(
    "cut", [b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"]
)
async def test_a_server_that_always_drops_is_unavailable_and_not_slow(cut: bytes, waits: Waits) -> None:
    async def drops(_: bytes, writer: asyncio.StreamWriter) -> None:
        if cut:
            writer.write(cut)
            await writer.drain()
        writer.close()

    async with server(drops) as url, open_judge(settings(base_url=url), redactor=Plain(), sleep=waits) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert [j.error and j.error.type for j in verdicts.judgements] == ["model-unavailable"] * 2
    assert verdicts.usage.requests == 4


async def test_nobody_listens(waits: Waits) -> None:
    async with server(lambda *_: asyncio.sleep(0)) as url:
        pass
    async with open_judge(settings(base_url=url), redactor=Plain(), sleep=waits) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    error = verdicts.judgements[0].error
    assert error is not None
    assert error.type == "model-unavailable"
    assert "CALLGRADE_LLM__BASE_URL" in error.message


@pytest.mark.parametrize("dribble", [False, True])
async def test_an_answer_that_takes_too_long(dribble: bool, waits: Waits) -> None:
    async def hangs(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n")
        while dribble:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.sleep(5)

    async with server(hangs) as url:
        hasty = settings(base_url=url, timeout_s=0.2, attempts=2)
        verdicts = await judge_one(hasty, waits)
    assert [j.error and j.error.type for j in verdicts.judgements] == ["model-timeout"] * 2
    assert verdicts.usage.requests == 2


async def test_concurrency_is_a_bound_and_is_used(waits: Waits) -> None:
    now = most = 0

    async def counts(body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        assert json.loads(body)["model"] == "judge-7b"
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(answer())

    # three hundred questions: the same one would be asked once
    form, calls = rubric(), [transcript(("agent", f"您好，工号{number}")) for number in range(300)]
    async with (
        server(counts) as url,
        open_judge(settings(base_url=url, concurrency=120), redactor=Plain(), sleep=waits) as judge,
    ):
        verdicts = await asyncio.gather(*(judge.judge(call, form) for call in calls))
    assert most == 120
    # the words that are quoted stand in no call: each is asked once more to mend that
    assert sum(v.usage.requests - v.usage.repairs for v in verdicts) == 300


async def test_what_goes_out(waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        writer.write(answer())
        await writer.drain()
        writer.close()

    # a key of somebody else's must not go to an endpoint of one's own
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-account")
    listening = await asyncio.start_server(noting, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/"
    await judge_one(settings(base_url=url, api_key="sk-own"), waits)
    await judge_one(settings(base_url=url, api_key=None), waits)
    listening.close()
    own, none = (head.lower() for head in heads)
    assert own.startswith(b"post /v1/chat/completions http/1.1")
    assert b"authorization: bearer sk-own\r\n" in own
    assert b"content-type: application/json" in own
    assert b"authorization: bearer none\r\n" in none


def test_no_key_and_no_endpoint() -> None:
    with pytest.raises(SettingsError, match="CALLGRADE_LLM__API_KEY"):
        open_judge(settings(base_url=None, api_key=None), redactor=Plain())
    with pytest.raises(SettingsError, match="CALLGRADE_LLM__MODEL"):
        open_judge(settings(model=None), redactor=Plain())
