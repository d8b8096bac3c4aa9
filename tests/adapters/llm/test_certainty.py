"""How sure a model was of its verdicts: read from its tokens, kept with its answer, given up where it is refused."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.llm.certainty import MARK, apart, kept_with, read_told, sure_of_verdicts
from tests.adapters.llm.conftest import Opener
from tests.adapters.llm.exchange import FABRICATED, Wire, completion, good, refused, rubric, said, transcript

Connect = Callable[..., Wire]
CONTENT = '{ "a": {"reason": "说“yes”", "verdict": "yes"}, "b": {"verdict":"counted","occurrences":12,"evidence":[]}}'


def cut(content: str, size: int = 3) -> list[bytes]:
    """As a tokenizer that knows no characters."""
    whole = content.encode()
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def told_of(content: str, low: str = "", logprob: float = -0.5) -> httpx.Response:
    """A completion whose tokens are all certain, but for those that hold a byte of the last `low`."""
    answer = completion(content).json()
    place = content.encode().rfind(low.encode()) if low else -1
    tokens, at = [], 0
    for token in cut(content):
        hit = low and at < place + len(low.encode()) and at + len(token) > place
        text = token.decode(errors="replace")
        tokens.append({"token": text, "bytes": list(token), "logprob": logprob if hit else 0.0, "top_logprobs": []})
        at += len(token)
    answer["choices"][0]["logprobs"] = {"content": tokens}
    return httpx.Response(200, json=answer)


def test_the_tokens_of_a_verdict_are_found_among_all_others():
    told = read_told(told_of(CONTENT, low="yes").json()["choices"][0])
    found = sure_of_verdicts(CONTENT, told)
    hit = sum(logprob < 0 for _, logprob in told)
    assert found == {"a": pytest.approx(math.exp(-0.5 * hit)), "b": 1.0}, "what a reason says is no verdict"
    counted = sure_of_verdicts(CONTENT, read_told(told_of(CONTENT, low="12").json()["choices"][0]))
    assert counted["a"] == 1.0
    assert counted["b"] < 0.7, "how many is a part of the verdict"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a"', "prose " + CONTENT, '{"a": {"verdict": "y'])
def test_what_is_no_such_answer_tells_nothing(content):
    assert sure_of_verdicts(content, tuple((token, -0.1) for token in cut(content))) == {}


def test_tokens_of_something_else_tell_nothing():
    assert sure_of_verdicts(CONTENT, tuple((token, 0.0) for token in cut(CONTENT + " "))) == {}
    for wrong in (None, {}, {"content": None}, {"content": [{"token": "a"}]}, {"content": [{"logprob": "x"}]}, "no"):
        assert read_told({"logprobs": wrong}) == ()


def test_what_is_kept_comes_apart_again():
    told = read_told(told_of(CONTENT, low="yes").json()["choices"][0])
    kept = kept_with(CONTENT, told)
    assert apart(kept) == (CONTENT, sure_of_verdicts(CONTENT, told))
    assert (kept_with(CONTENT, ()), apart(CONTENT)) == (CONTENT, (CONTENT, {}))
    for wrong in ("[1]", "{", '{"a": "x"}'):
        assert apart(f"{CONTENT}{MARK}{wrong}") == (f"{CONTENT}{MARK}{wrong}", {})
    assert apart(f'{CONTENT}{MARK}{{"a": 7}}') == (CONTENT, {}), "no probability"


async def test_a_judgement_says_how_sure_the_model_was_also_from_the_cache(
    tmp_path: Path, mock_wire: Connect, judging: Opener
) -> None:
    wire = mock_wire(told_of(json.dumps(good(), ensure_ascii=False), low='"yes"'))
    cards = []
    for _ in range(2):
        async with judging(logprobs=True, cache=DiskCache(tmp_path / "answers.sqlite")) as judge:
            cards.append((await judge.judge(transcript(), rubric())).judgements)
    assert wire.sent == 1
    assert wire.bodies[0]["logprobs"] is True
    greeting, insult = cards[0]
    assert greeting.logprob is not None
    assert 0 < greeting.logprob < 0.7
    assert insult.logprob == 1.0
    assert cards[1] == cards[0]


async def test_nobody_asks_for_it_unless_it_is_set_and_what_a_model_says_of_itself_does_not_count(
    mock_wire: Connect, judging: Opener
) -> None:
    boast: dict[str, Any] = {id_: {**one, "logprob": 1, "sure": 1} for id_, one in good().items()}
    wire = mock_wire(completion({**boast, "sure": {"greeting": 1}, "_sure": {"greeting": 1}}))
    async with judging() as judge:
        found = (await judge.judge(transcript(), rubric())).judgements
    assert "logprobs" not in wire.bodies[0]
    assert [one.logprob for one in found] == [None, None]
    assert "logprob" not in found[0].model_dump(mode="json"), "what is unknown is left out"


@pytest.mark.parametrize("message", ["logprobs is not supported by this model", "Unknown parameter: 'logprobs'."])
async def test_an_endpoint_that_refuses_is_asked_without(message: str, mock_wire: Connect, judging: Opener) -> None:
    def answer(body: dict[str, Any]) -> httpx.Response:
        return refused(400, "invalid_request_error", message) if "logprobs" in body else completion(good())

    wire = mock_wire(answer)
    async with judging(logprobs=True) as judge:
        first = await judge.judge(transcript(), rubric())
        await judge.judge(transcript(), rubric())
    assert ["logprobs" in body for body in wire.bodies] == [True, False, False]
    assert [one.status for one in first.judgements] == ["judged", "judged"]
    assert first.judgements[0].logprob is None


async def test_a_repair_is_not_asked_for_it(mock_wire: Connect, judging: Opener) -> None:
    bad = {**good(), "insult": said("counted", (2, FABRICATED), occurrences=1)}
    wire = mock_wire(told_of(json.dumps(bad, ensure_ascii=False)), completion({"insult": good()["insult"]}))
    async with judging(logprobs=True) as judge:
        found = (await judge.judge(transcript(), rubric())).judgements
    assert ["logprobs" in body for body in wire.bodies] == [True, False]
    assert [one.logprob for one in found] == [1.0, None]
