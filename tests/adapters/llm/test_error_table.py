"""Every way a model's endpoint can fail, at the wire: what comes out, how many requests it took, how long was waited.

The same table holds for `litellm:` models.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from callgrade.adapters.llm import open_judge
from callgrade.domain.judgements import Judgement
from callgrade.ports import Usage
from tests.adapters.llm.conftest import Waits
from tests.adapters.llm.exchange import (
    CUSTOMER,
    KEY,
    Plain,
    Wire,
    completion,
    good,
    refused,
    rubric,
    settings,
    transcript,
)

OK = completion(good())
RATE = refused(429, "rate_limit_exceeded", "Rate limit reached", retry_after="1")
DOWN = refused(500, "server_error", "The server had an error")
PROSE = completion("抱歉，我无法以要求的格式回答这个问题。")
HALF = completion('好的，以下是评分：{"greeting": {"reason": "x", "verdict"')
CUT = completion('{"greeting": {"reason": "啊啊啊啊', finish="length")


class Row(NamedTuple):
    name: str
    steps: tuple[Any, ...]
    requests: int
    error: str | None = None
    """None: the call is judged."""
    retryable: bool = False
    waits: Callable[[list[float]], bool] = lambda waits: True


NO_WAIT = lambda waits: not waits  # noqa: E731
ONE_SECOND_EACH = lambda waits: waits and all(1 <= w <= 1.3 for w in waits)  # noqa: E731

JSON = OK.json()["choices"][0]["message"]["content"]
CONTEXT = refused(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens.")
AZURE = refused(400, "content_filter", "triggering Azure OpenAI's content management policy")
DASHSCOPE = refused(400, "data_inspection_failed", "Input data may contain inappropriate content.")
QUOTA = refused(429, "insufficient_quota", "You exceeded your current quota")
GEMINI = refused(429, "429", "You exceeded your current quota. Please retry in 3.5s.")
BAD_KEY = refused(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")

TABLE = [
    Row("429 for ever", (RATE,), 4, "rate-limited", True, ONE_SECOND_EACH),
    Row("429 twice, then an answer", (RATE, RATE, OK), 3, waits=ONE_SECOND_EACH),
    Row("429 that asks for an hour", (refused(429, "x", retry_after="3600"), OK), 2, waits=lambda w: w == [30]),
    Row("429 in milliseconds", (refused(429, "x", retry_after_ms="250"), OK), 2, waits=lambda w: 0.25 <= w[0] <= 0.3),
    Row("429 without Retry-After", (refused(429, "x"), OK), 2, waits=lambda w: len(w) == 1 and 0 <= w[0] <= 30),
    Row("429 of a minute's quota", (GEMINI, OK), 2),
    Row("quota", (QUOTA,), 1, "quota-exhausted"),
    Row("no balance", (refused(402, "invalid_request_error", "Insufficient Balance"),), 1, "quota-exhausted"),
    Row("500 twice, then an answer", (DOWN, DOWN, OK), 3),
    Row("503 for ever", (refused(503, "overloaded"),), 4, "model-unavailable", True),
    Row("dropped, then an answer", (httpx.RemoteProtocolError("gone"), OK), 2),
    Row("no connection", (httpx.ConnectError("refused"),), 4, "model-unavailable", True),
    Row("time-out", (httpx.ReadTimeout("late"),), 4, "model-timeout", True),
    Row("time-out, then an answer", (httpx.ReadTimeout("late"), OK), 2),
    Row("401", (BAD_KEY,), 1, "key-refused", waits=NO_WAIT),
    Row("403", (refused(403, "forbidden"),), 1, "key-refused"),
    Row("404", (refused(404, "model_not_found", "The model does not exist"),), 1, "model-not-found"),
    Row("400", (refused(400, "invalid_request_error", "messages: too few"),), 1, "bad-request"),
    Row("context length", (CONTEXT,), 1, "context-too-long"),
    Row("filter, Azure", (AZURE,), 1, "content-filtered"),
    Row("filter, DashScope", (DASHSCOPE,), 1, "content-filtered"),
    Row("filter in the answer", (completion("", finish="content_filter"),), 1, "content-filtered"),
    Row("refusal", (completion(None, refusal="抱歉，我无法协助。"),), 1, "refused"),
    Row("cut off twice", (CUT,), 2, "answer-cut"),
    Row("cut off once", (CUT, OK), 2),
    Row("prose for ever", (PROSE,), 4, "bad-answer", True),
    Row("half a JSON, then an answer", (HALF, OK), 2),
    Row("another shape, then an answer", (completion({"unexpected": [1, 2, 3]}), OK), 2),
    Row("nothing, then an answer", (completion(None), OK), 2),
    Row("thoughts first", (completion(f"<think>先看 {{开场白}}…</think>\n{JSON}"),), 1),
    Row("in a fence", (completion(f"好的：\n```json\n{JSON}\n```\n希望有帮助"),), 1),
    Row("escaped", (completion(JSON.encode("ascii", "backslashreplace").decode()),), 1),
]
OVER_OPENAI = [
    Row("a page instead of JSON", (httpx.Response(200, html="<html>login</html>"), OK), 2),
    Row("an error inside a 200", (httpx.Response(200, json={"error": {"code": 429, "message": "slow down"}}), OK), 2),
    Row("no choices", (httpx.Response(200, json={"object": "chat.completion", "choices": []}), OK), 2),
]


@pytest.fixture(scope="module")
def _litellm() -> None:
    pytest.importorskip("litellm")


def names(row: Row) -> str:
    return row.name


@asynccontextmanager
async def judge_over(carrier: str, waits: Waits) -> AsyncIterator[Any]:
    if carrier == "openai":
        async with (
            httpx.AsyncClient() as client,
            open_judge(settings(), redactor=Plain(), http_client=client, sleep=waits) as judge,
        ):
            yield judge
        return
    async with open_judge(settings(model="litellm:openai/judge-7b"), redactor=Plain(), sleep=waits) as judge:
        yield judge


def check(row: Row, wire: Wire, judgements: tuple[Judgement, ...], usage: Usage, waits: Waits) -> None:
    assert [judgement.criterion_id for judgement in judgements] == ["greeting", "insult"]
    if row.error is None:
        assert [judgement.error for judgement in judgements] == [None, None]
        assert [judgement.status for judgement in judgements] == ["judged", "judged"]
        assert judgements[1].evidence[0].grounding == "exact"
    else:
        failures = [judgement.error for judgement in judgements]
        assert [failure and failure.type for failure in failures] == [row.error] * 2
        assert all(failure and failure.retryable is row.retryable for failure in failures)
        message = str(failures[0] and failures[0].message)
        assert len(message) > 20
        assert not any(secret in message for secret in (KEY, CUSTOMER, "抱歉", "啊啊"))
    assert wire.sent == usage.requests == row.requests
    assert usage.retries == row.requests - 1 == len(waits)
    assert usage.repairs == 0
    assert row.waits(waits), waits


@pytest.mark.parametrize("row", TABLE + OVER_OPENAI, ids=names)
async def test_the_table_over_the_openai_client(
    row: Row, mock_wire: Callable[..., Wire], waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire = mock_wire(*row.steps)
    async with judge_over("openai", waits) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    check(row, wire, verdicts.judgements, verdicts.usage, waits)
    assert CUSTOMER not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.usefixtures("_litellm")
@pytest.mark.parametrize("row", TABLE, ids=names)
async def test_the_same_table_over_litellm(
    row: Row,
    mock_wire: Callable[..., Wire],
    waits: Waits,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # over aiohttp, respx would see nothing and the real network would be tried
    monkeypatch.setenv("DISABLE_AIOHTTP_TRANSPORT", "True")
    caplog.set_level(logging.DEBUG)
    wire = mock_wire(*row.steps)
    async with judge_over("litellm", waits) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    check(row, wire, verdicts.judgements, verdicts.usage, waits)
    printed = capfd.readouterr()
    assert CUSTOMER not in caplog.text + printed.out + printed.err
    assert KEY not in caplog.text + printed.out + printed.err


@pytest.mark.usefixtures("_litellm")
async def test_litellm_can_be_opened_again(
    mock_wire: Callable[..., Wire], waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISABLE_AIOHTTP_TRANSPORT", "True")
    mock_wire(OK)
    async with judge_over("litellm", waits) as first:
        await first.judge(transcript(), rubric())
        async with judge_over("litellm", waits) as second:
            await second.judge(transcript(), rubric())
        await first.judge(transcript(), rubric())
    async with judge_over("litellm", waits) as third:
        verdicts = await third.judge(transcript(), rubric())
    assert [judgement.error for judgement in verdicts.judgements] == [None, None]
    assert not waits


async def test_tokens_of_failed_attempts_are_billed_too(mock_wire: Callable[..., Wire], waits: Waits) -> None:
    mock_wire(HALF, CUT, DOWN, OK)
    async with judge_over("openai", waits) as judge:
        usage = (await judge.judge(transcript(), rubric())).usage
    assert usage.requests == 4
    assert (usage.prompt_tokens, usage.completion_tokens) == (3000, 150)


async def test_a_message_names_the_host_and_not_its_credentials(mock_wire: Callable[..., Wire], waits: Waits) -> None:
    mock_wire(refused(401, "no"))
    fields = {"base_url": "http://user:hunter2@model.test/v1"}
    async with (
        httpx.AsyncClient() as client,
        open_judge(settings(**fields), redactor=Plain(), http_client=client, sleep=waits) as judge,
    ):
        error = (await judge.judge(transcript(), rubric())).judgements[0].error
    assert error is not None
    assert "model.test" in error.message
    assert "CALLGRADE_LLM__API_KEY" in error.message
    assert "hunter2" not in error.message
