"""What a line does with proxies, redirects and names in an address."""

import asyncio
from base64 import b64encode

import pytest

from callgrade.adapters.llm.line import proxy_for
from tests.adapters.llm.conftest import Waits
from tests.adapters.llm.exchange import settings
from tests.adapters.llm.test_transport import answer, judge_one, server

PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("named", "url", "expected"),
    [
        ({}, "https://model.test/v1", None),
        ({"https_proxy": PROXY}, "https://model.test/v1", PROXY),
        ({"https_proxy": PROXY}, "http://model.test/v1", None),
        ({"all_proxy": PROXY}, "http://model.test/v1", PROXY),
        ({"https_proxy": PROXY, "no_proxy": "model.test"}, "https://model.test/v1", None),
        ({"https_proxy": PROXY, "no_proxy": ".test"}, "https://model.test/v1", None),
    ],
)
def test_the_environment_names_the_proxy(
    named: dict[str, str], url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == expected


async def test_a_redirect_is_not_followed(waits: Waits) -> None:
    came: list[bytes] = []

    async def moved(body: bytes, writer: asyncio.StreamWriter) -> None:
        came.append(body)
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")

    async with server(moved) as url:
        verdicts = await judge_one(settings(base_url=url, attempts=1), waits)
    error = verdicts.judgements[0].error
    assert error is not None
    assert error.type == "model-unavailable"
    assert "CALLGRADE_LLM__BASE_URL" in error.message
    assert len(came) == 1


async def test_a_name_and_password_in_the_address_go_as_a_header_and_into_no_message(waits: Waits) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer())
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        verdicts = await judge_one(settings(base_url=f"http://desk:s3cret@127.0.0.1:{port}/v1"), waits)
    finally:
        listening.close()
    assert verdicts.judgements[0].status == "judged"
    assert b"Authorization: Basic " + b64encode(b"desk:s3cret") in heads[0]
    assert b"Bearer" not in heads[0]
    assert "s3cret" not in verdicts.model_dump_json()
