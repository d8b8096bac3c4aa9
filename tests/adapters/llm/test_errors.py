"""Details of the error table that no row shows."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from callgrade.adapters.llm.errors import Refusal, fault_of, retry_after
from callgrade.adapters.llm.wire import read_refusal, read_reply, read_tokens


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    waited = retry_after({"retry-after": later})
    assert waited is not None
    assert 80 <= waited <= 90
    assert retry_after({"retry-after": format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)}) == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"retry-after": "soon"}, None), ({"retry-after": "2.5"}, 2.5), ({"retry-after-ms": "-5"}, 0)],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "said", "type_"),
    [
        (400, "Arrearage: Access denied, account in arrears", "quota-exhausted"),
        (403, "余额不足", "quota-exhausted"),
        (400, "Content Exists Risk", "content-filtered"),
        (400, "request (5031 tokens) exceeds the available context size (2048 tokens)", "context-too-long"),
        (400, "Range of input length should be [1, 30720]", "context-too-long"),
        (413, "Payload Too Large", "context-too-long"),
        (400, "API key not valid. Please pass a valid API key.", "key-refused"),
        (400, "The model `gpt-x` does not exist", "model-not-found"),
        (422, "field required", "bad-request"),
        (408, "", "model-timeout"),
        (409, "", "model-unavailable"),
        (504, "", "model-unavailable"),
        (529, "overloaded", "model-unavailable"),
    ],
)
def test_providers_say_it_in_their_own_ways(status: int, said: str, type_: str) -> None:
    assert fault_of(Refusal(status, "", said, {}), "host").error.type == type_


def test_a_code_that_is_a_sentence_is_not_repeated() -> None:
    message = str(fault_of(Refusal(400, "您的手机号 13800138000", "x", {}), "host").error)
    assert "13800138000" not in message


def test_an_error_inside_an_answer() -> None:
    for error, type_ in (
        ({"code": "insufficient_quota", "message": "no"}, "quota-exhausted"),
        ({"code": 401, "message": "no"}, "key-refused"),
        ({"message": "no"}, "model-unavailable"),
    ):
        with pytest.raises(Exception, match=type_):
            read_reply({"error": error}, "host")


@pytest.mark.parametrize("usage", [None, [], {}, {"prompt_tokens": None}, {"prompt_tokens": "7"}])
def test_usage_that_is_none(usage: object) -> None:
    assert read_tokens(usage).prompt == 0  # type: ignore[arg-type]


def test_more_cached_than_sent_cannot_be() -> None:
    assert read_tokens({"prompt_tokens": 10, "prompt_cache_hit_tokens": 99}).cached == 10


@pytest.mark.parametrize(
    ("body", "text", "type_"),
    [
        ({"error": "model 'x' not found"}, "", "model-not-found"),
        ({"detail": "quota"}, '{"detail": "Insufficient_Balance"}', "quota-exhausted"),
        ({"code": "DataInspectionFailed", "message": "no"}, "", "content-filtered"),
        (None, "upstream: maximum context exceeded", "context-too-long"),
    ],
)
def test_refusals_come_in_many_shapes(body: object, text: str, type_: str) -> None:
    assert fault_of(read_refusal(400, body, text, {}), "host").error.type == type_
