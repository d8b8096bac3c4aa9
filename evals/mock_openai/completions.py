"""One chat completion: read the request, draw a fault, make an answer."""

import hashlib
import json
import time
from typing import Any, NamedTuple

from evals.mock_openai.answers import Quote, answer, made_up, quoting
from evals.mock_openai.cases import CASES, Case, case_asked_for
from evals.mock_openai.faults import Faults, is_readable, spoilt
from evals.mock_openai.stats import Stats

try:
    import orjson
except ImportError:
    loads = json.loads

    def dumps(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
else:
    loads, dumps = orjson.loads, orjson.dumps

REFUSAL_S = 0.002
"""After which a refused request is answered: refusing is quick."""
MESSAGES = 2
"""Of a first question: instructions and the call. A request to mend an answer has more."""
PLAIN = "这通电话总体符合服务规范。"


class Response(NamedTuple):
    """`body` None: the connection is dropped without an answer. `good_for`: the digest of the request that this is a
    valid answer to, so that it has to be paid for."""

    status: int
    body: bytes | None
    delay_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    good_for: bytes | None = None


class Completions:
    def __init__(self, stats: Stats, faults: Faults, quotes: str, latency_s: float, retry_after_s: float):
        self.stats, self._faults, self._quotes = stats, faults, quotes
        self._latency_s, self._retry_after_s = latency_s, retry_after_s
        self._number = 0
        self._for_all: Case | None = None

    def complete(self, body: bytes) -> Response:
        try:
            request = loads(body)
            prompt = "\n".join(str(message["content"]) for message in request["messages"])
        except (ValueError, TypeError, KeyError) as error:
            self.stats.bad_requests += 1
            return _error(400, "invalid_request_error", f"mock: cannot read the body ({type(error).__name__})")
        drawn = self._faults.draw(body)
        if case := self._case(prompt, drawn.earlier, repairs=len(request["messages"]) > MESSAGES):
            return self._of_case(case, request, prompt, drawn.digest)
        if drawn.fault:
            self.stats.by_fault[drawn.fault] += 1
        if drawn.fault == "429":
            return _error(429, "rate_limit_exceeded", "mock: rate limit", _come_back(self._retry_after_s))
        if drawn.fault == "500":
            return _error(500, "server_error", "mock: server error")
        if drawn.fault == "drop":
            return Response(0, None, self._latency_s / 2)
        content, finish = self._content(request, prompt), "stop"
        good = drawn.fault is None
        if drawn.fault == "malformed":
            content, good = spoilt(content, drawn.number), is_readable(drawn.number)
        elif drawn.fault == "truncate":
            content, finish = content[: len(content) * 6 // 10], "length"
        sent = self._completion(request, prompt, content, finish)
        return Response(200, sent, self._latency_s, good_for=drawn.digest if good else None)

    def _case(self, prompt: str, earlier: int, *, repairs: bool) -> Case | None:
        case = self._for_all or case_asked_for(prompt)
        if case is None or (case.first is not None and earlier >= case.first) or (repairs and case.but_repairs):
            return None
        return case

    def _of_case(self, case: Case, request: dict[str, Any], prompt: str, digest: bytes) -> Response:
        self.stats.by_fault["case"] += 1
        delay = self._latency_s + case.late_s
        if case.drop:
            return Response(0, None, delay / 2)
        if case.status != 200:
            return _error(case.status, case.code, case.message, _come_back(case.retry_after_s))
        content = self._content(request, prompt, invented=case.invented)
        if case.spoil:
            content = case.spoil(content)
        sent = self._completion(request, prompt, content, case.finish, case.refusal)
        return Response(200, sent, delay, good_for=digest if case.is_good else None)

    def admin(self, method: str, path: str) -> Response:
        match method, path:
            case "GET", "/stats":
                sends = self._faults.sends
                most = max(sends.values(), default=0)
                view = self.stats.view() | {"distinct_bodies": len(sends), "most_sends_of_one_body": most}
                return Response(200, dumps(view))
            case "POST", "/reset":
                self.stats.reset()
                self._faults.sends.clear()
                return Response(200, dumps({"reset": True}))
            case "POST", _ if (name := path.removeprefix("/case/")) in ("none", *CASES):
                self._for_all = CASES.get(name)
                return Response(200, dumps({"case": name}))
            case "GET", _ if path.endswith("/models"):
                model = {"id": "mock", "object": "model", "created": 0, "owned_by": "mock"}
                return Response(200, dumps({"object": "list", "data": [model]}))
            case _:
                return _error(404, "not_found", f"mock: no {method} {path}")

    def _content(self, request: dict[str, Any], prompt: str, *, invented: bool = False) -> str:
        asked = request.get("response_format") or {}
        if asked.get("type") != "json_schema":
            return PLAIN
        digest = hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=4).digest()
        kinds: dict[str, Quote] = {"real": quoting(prompt), "made-up": made_up}
        quote = kinds.get("made-up" if invented else self._quotes)
        return dumps(answer(asked["json_schema"]["schema"], int.from_bytes(digest, "big"), quote)).decode()

    def _completion(
        self, request: dict[str, Any], prompt: str, content: str, finish: str, refusal: str | None = None
    ) -> bytes:
        self._number += 1
        usage = {"prompt_tokens": _tokens(prompt), "completion_tokens": _tokens(content)}
        self.stats.prompt_tokens += usage["prompt_tokens"]
        self.stats.completion_tokens += usage["completion_tokens"]
        message = {"role": "assistant", "content": content, "refusal": refusal}
        return dumps(
            {
                "id": f"chatcmpl-mock{self._number}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": request.get("model") or "mock",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
                "usage": {
                    **usage,
                    "total_tokens": sum(usage.values()),
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 0},
                },
                "system_fingerprint": "fp_mock",
            }
        )


def _error(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = dumps({"error": {"message": message, "type": code, "param": None, "code": code}})
    return Response(status, body, REFUSAL_S if status >= 429 else 0.0, headers)


def _come_back(after_s: float | None) -> tuple[tuple[str, str], ...]:
    if after_s is None:
        return ()
    return (("retry-after", str(max(1, round(after_s)))), ("retry-after-ms", str(round(after_s * 1000))))


def _tokens(text: str) -> int:
    """About as many as o200k makes of Chinese dialogue: good enough to add up, cheap enough for every request."""
    wide = (len(text.encode("utf-8", "replace")) - len(text)) // 2
    return int((len(text) - wide) / 4 + wide * 0.7) + 1
