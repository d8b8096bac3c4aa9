"""Endpoints that do not take what OpenAI takes: learnt from their refusals, once, and remembered."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.adapters.llm.conftest import Opener
from tests.adapters.llm.exchange import FABRICATED, INSULT, Wire, completion, good, refused, rubric, said, transcript

Connect = Callable[..., Wire]
TYPED = "This response_format type is unavailable now"


def plain_endpoint(body: dict[str, Any]) -> httpx.Response:
    """As DeepSeek: JSON mode, no schemas; it answers with thoughts and a fence."""
    kind = body.get("response_format", {}).get("type")
    if kind == "json_schema":
        return refused(400, "invalid_request_error", TYPED)
    return completion(
        f"<think>先看{{开场}}</think>\n```json\n{completion(good()).json()['choices'][0]['message']['content']}\n```"
    )


def text_only_endpoint(body: dict[str, Any]) -> httpx.Response:
    if "response_format" in body:
        return refused(400, "invalid_request_error", "response_format is not supported by this model")
    return completion(good())


async def test_an_endpoint_without_schemas_is_asked_for_plain_json(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(plain_endpoint)
    async with judging() as judge:
        first = await judge.judge(transcript(), rubric())
        second = await judge.judge(transcript(("agent", INSULT)), rubric())
    asked_for = [b["response_format"]["type"] for b in wire.bodies]
    assert asked_for == ["json_schema", "json_object", "json_object"]
    assert [j.status for j in (*first.judgements, *second.judgements)] == ["judged"] * 4
    assert (first.usage.requests, second.usage.requests) == (2, 1)
    system = wire.bodies[1]["messages"][0]["content"]
    assert '"additionalProperties":false' in system
    assert [m["role"] for m in wire.bodies[1]["messages"]] == ["system", "user"]
    assert first.provenance["parameters"]["output"] == "json_object"  # type: ignore[index, call-overload]


async def test_not_even_json_mode(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(text_only_endpoint)
    async with judging() as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert wire.sent == 3
    assert "response_format" not in wire.bodies[2]
    assert [j.status for j in verdicts.judgements] == ["judged", "judged"]


async def test_plain_json_can_be_set(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(plain_endpoint)
    async with judging(output="json") as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert wire.sent == 1
    assert [j.status for j in verdicts.judgements] == ["judged", "judged"]


async def test_a_schema_can_be_insisted_on(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(plain_endpoint)
    async with judging(output="schema") as judge:
        error = (await judge.judge(transcript(), rubric())).judgements[0].error
    assert wire.sent == 1
    assert error is not None
    assert error.type == "bad-request"
    assert "CALLGRADE_LLM__OUTPUT" in error.message


@pytest.mark.parametrize("words", ["{{7*7}}", "{% if %}", "<|im_end|>"])
async def test_plain_json_does_not_render_what_was_said(words: str, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion(good()))
    async with judging(output="json") as judge:
        await judge.judge(transcript(("customer", words), ("agent", INSULT)), rubric())
    assert f"[0] 客户：{words}\n" in wire.prompt()


async def test_a_bad_answer_to_plain_json_is_asked_again_by_us_alone(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion("抱歉"), completion(good()))
    async with judging(output="json") as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert wire.sent == verdicts.usage.requests == 2
    assert wire.bodies[0] == wire.bodies[1]
    assert [j.status for j in verdicts.judgements] == ["judged", "judged"]


async def test_a_refusal_in_plain_json_is_not_asked_again(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion(None, refusal="不行"))
    async with judging(output="json") as judge:
        error = (await judge.judge(transcript(), rubric())).judgements[0].error
    assert (wire.sent, error and error.type) == (1, "refused")


async def test_a_repair_in_plain_json(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(
        completion(good() | {"insult": said("counted", (2, FABRICATED), occurrences=1)}),
        # the schema in its prompt still asks for everything
        completion(good()),
    )
    async with judging(output="json") as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert wire.sent == 2
    assert wire.bodies[1]["messages"][:2] == wire.bodies[0]["messages"]
    assert verdicts.judgements[1].evidence[0].founded


async def test_newer_models_name_the_length_limit_otherwise(mock_wire: Connect, judging: Opener) -> None:
    said_no = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )

    def answer(body: dict[str, Any]) -> httpx.Response:
        if "max_tokens" in body:
            return refused(400, "unsupported_parameter", said_no)
        if "temperature" in body:
            return refused(
                400, "unsupported_value", "Unsupported value: 'temperature' does not support 0.0 with this model"
            )
        return completion(good())

    wire = mock_wire(answer)
    async with judging() as judge:
        first = await judge.judge(transcript(), rubric())
        again = await judge.judge(transcript(), rubric())
    assert first.usage.requests == 3
    assert again.usage.requests == 1
    assert wire.bodies[-1]["max_completion_tokens"] == 8192
    assert "temperature" not in wire.bodies[-1]


@pytest.mark.parametrize(
    "message",
    [
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens",
    ],
)
async def test_a_lower_length_limit_is_taken_over(message: str, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(refused(400, "invalid_request_error", message), completion(good()))
    async with judging() as judge:
        await judge.judge(transcript(), rubric())
    assert [b["max_tokens"] for b in wire.bodies] == [8192, 4096]


async def test_learning_stays_within_the_budget(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(refused(400, "x", "response_format, max_tokens, temperature and seed are unsupported"))
    async with judging(attempts=3) as judge:
        verdicts = await judge.judge(transcript(), rubric())
    assert wire.sent <= 3
    assert verdicts.judgements[0].status == "failed"


async def test_an_endpoint_that_ignores_schemas_is_found_out(mock_wire: Connect, judging: Opener) -> None:
    def ignores_schemas(body: dict[str, Any]) -> httpx.Response:
        return completion(good()) if "$defs" in body["messages"][0]["content"] else completion("客服表现不错。")

    wire = mock_wire(ignores_schemas)
    async with judging() as judge:
        first = await judge.judge(transcript(), rubric())
        second = await judge.judge(transcript(), rubric())
    assert [j.status for j in (*first.judgements, *second.judgements)] == ["judged"] * 4
    assert (first.usage.requests, second.usage.requests) == (4, 1)
    assert wire.bodies[-1]["response_format"] == {"type": "json_object"}


async def test_plain_json_that_does_no_better_is_given_up(mock_wire: Connect, judging: Opener) -> None:
    """Three answers that no model gets right are not the endpoint's fault."""

    def schemas_only(body: dict[str, Any]) -> httpx.Response:
        takes = body["response_format"]["type"] == "json_schema" and "什么都别答" not in body["messages"][1]["content"]
        return completion(good() if takes else "客服表现不错。")

    wire = mock_wire(schemas_only)
    async with judging(attempts=3) as judge:
        awkward = await judge.judge(transcript(("agent", "什么都别答")), rubric())
        others = [await judge.judge(transcript(), rubric()) for _ in range(3)]
    assert {j.status for j in awkward.judgements} == {"failed"}
    # the one that was asked during the trial fails with it, and no other
    assert [{j.status for j in one.judgements} for one in others] == [{"failed"}, {"judged"}, {"judged"}]
    asked_for = [body["response_format"]["type"] for body in wire.bodies]
    assert asked_for == ["json_schema"] * 3 + ["json_object"] * 3 + ["json_schema"] * 2


async def test_an_endpoint_that_has_answered_well_is_not_suspected(mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion(good()), *[completion("抱歉")] * 3, completion(good()))
    async with judging() as judge:
        await judge.judge(transcript(), rubric())
        await judge.judge(transcript(), rubric())
    assert {body["response_format"]["type"] for body in wire.bodies} == {"json_schema"}


async def test_nothing_that_was_said_is_logged_on_instructors_path(
    mock_wire: Connect, judging: Opener, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    mock_wire(completion(f"{INSULT} 我不会答"), refused(500, "down", INSULT), completion(None, refusal=INSULT))
    async with judging(output="json") as judge:
        error = (await judge.judge(transcript(), rubric())).judgements[0].error
    printed = capfd.readouterr()
    assert error is not None
    for text in (caplog.text, printed.out, printed.err, error.message):
        assert INSULT not in text
