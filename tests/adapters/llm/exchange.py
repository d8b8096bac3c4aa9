"""A model server on the wire (respx), and the small rubrics and calls that the tests here speak of."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.settings import LLMSettings

BASE_URL = "http://model.test/v1"
KEY = "sk-very-secret-key"

AGENT, CUSTOMER = "您好，这里是客服中心，请问有什么可以帮您？", "你们怎么又多扣了我五十块钱"
INSULT = "你听不懂人话吗，自己看账单去"
FABRICATED = "这句话根本没有出现在通话里"

Step = httpx.Response | Exception | Callable[[dict[str, Any]], httpx.Response]


def local(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def criterion(id_: str, scale: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": id_, "title": local(id_), "guidance": local("按原话判断。"), "judge": "llm", "scale": scale, **fields}


ANSWER = {"kind": "answer", "yes": 1, "no": 0}
VIOLATION = {"kind": "violation", "severity": "level-1", "effect": "fail_call"}
DEDUCT = {"kind": "deduct", "points": 10, "cap": 50, "aggravated": 2}


def rubric(*criteria: Mapping[str, Any], **fields: Any) -> Rubric:
    chosen = criteria or (criterion("greeting", ANSWER, evidence="optional"), criterion("insult", VIOLATION))
    return Rubric.model_validate(
        {"schema": "callgrade.rubric/1", "id": "small", "version": "v1", "title": local("小标准"), "criteria": chosen}
        | fields
    )


def transcript(*turns: tuple[str, str], **fields: Any) -> Transcript:
    spoken = turns or (("agent", AGENT), ("customer", CUSTOMER), ("agent", INSULT))
    return Transcript.model_validate(
        {"call_id": "C-1", "turns": [{"speaker": speaker, "text": text} for speaker, text in spoken]} | fields
    )


def settings(**fields: Any) -> LLMSettings:
    return LLMSettings.model_validate(
        {"model": "judge-7b", "base_url": BASE_URL, "api_key": KEY, "attempts": 4, "max_wait_s": 30} | fields
    )


def said(verdict: str, *quotes: tuple[int | None, str], reason: str = "有原话为证", **numbers: int) -> dict[str, Any]:
    evidence = [{"turn": turn, "quote": quote} for turn, quote in quotes]
    return {"reason": reason, "verdict": verdict, **numbers, "evidence": evidence}


def good() -> dict[str, Any]:
    """An answer to `rubric()` about `transcript()` that nothing is wrong with."""
    return {"greeting": said("yes", (0, AGENT)), "insult": said("counted", (2, "你听不懂人话吗"), occurrences=1)}


def completion(content: Any, *, finish: str = "stop", refusal: str | None = None, **usage: Any) -> httpx.Response:
    text = content if isinstance(content, str | None) else json.dumps(content, ensure_ascii=False)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return httpx.Response(
        200,
        json={
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "judge-7b-0425",
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050} | usage,
        },
    )


def refused(status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
    error = {"message": message, "type": code, "param": None, "code": code}
    return httpx.Response(status, json={"error": error}, headers={k.replace("_", "-"): v for k, v in headers.items()})


class Wire:
    """Answers requests with the given steps in order, the last one for ever; keeps what was sent."""

    def __init__(self, *steps: Step):
        self.steps: Sequence[Step] = steps
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        self.headers.append(request.headers)
        step = self.steps[min(len(self.bodies), len(self.steps)) - 1]
        if isinstance(step, Exception):
            raise step
        answer = step if isinstance(step, httpx.Response) else step(self.bodies[-1])
        # a response object can be read once
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def sent(self) -> int:
        return len(self.bodies)

    def prompt(self, index: int = 0) -> str:
        return "\n".join(message["content"] for message in self.bodies[index]["messages"])


class Plain:
    """A redactor that leaves everything as it is."""

    name = "off"

    def redact(self, texts: Sequence[str]) -> "Plain.Texts":
        return Plain.Texts(texts)

    class Texts:
        def __init__(self, texts: Sequence[str]):
            self.texts = list(texts)

        def restore(self, text: str, *, turn: int | None = None) -> str:
            return text


class Masking(Plain):
    """Puts [姓名1] in the place of 王小明."""

    name = "masking/1"

    def redact(self, texts: Sequence[str]) -> "Plain.Texts":
        return Masking.Masked([text.replace("王小明", "[姓名1]") for text in texts])

    class Masked(Plain.Texts):
        def restore(self, text: str, *, turn: int | None = None) -> str:
            return text.replace("[姓名1]", "王小明")
