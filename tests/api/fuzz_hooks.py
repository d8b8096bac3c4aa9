"""What schemathesis does not know by itself: a batch's media type, the shape of each line of its results, and that each
case wants a call of its own."""

from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response, SerializationContext

from callgrade.api import examples
from callgrade.api.schemas import ResultLine

SAME_AGAIN = 3
"""Every so many cases one is left as it is, and repeats what was sent before it."""
IDEMPOTENCY_KEY = "2026-11-01/C-00001"
NAMES = (examples.TRANSCRIPT["call_id"], examples.METADATA["call_id"])
_numbers = count(1)


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context: SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def filter_case(_context: HookContext, case: Case) -> bool:
    """A form that is said to be wrong, and in which by its own description nothing was changed, is not wrong."""
    meta = case.meta
    said = getattr(meta and meta.phase.data, "description", None)
    return not (meta and meta.generation.mode.is_negative and said == "Positive test case")


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Otherwise all would send the examples' id and Idempotency-Key, and get nothing but 409 and 410."""
    number = next(_numbers)
    if number % SAME_AGAIN == 0:
        return
    if case.headers.get("Idempotency-Key") == IDEMPOTENCY_KEY:
        case.headers["Idempotency-Key"] = f"{IDEMPOTENCY_KEY}/{number}"
    if isinstance(case.body, dict):
        for part in (case.body, case.body.get("metadata")):
            if isinstance(part, dict) and part.get("call_id") in NAMES:
                part["call_id"] += f"-{number}"


@schemathesis.check
def result_line_conformance(_context: CheckContext, response: Response, _case: Case) -> None:
    if response.headers.get("content-type") == ["application/x-ndjson"]:
        for line in response.content.splitlines():
            ResultLine.model_validate_json(line)
