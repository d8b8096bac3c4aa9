"""Questions asked through instructor: endpoints without JSON schemas, and repairs. Imported when the first of them
comes up.

What instructor does on its own and must not do here: it re-asks (also refusals), renders messages as Jinja once it
is given a context, leaves `strict` out, and logs whole answers as errors.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError

from callgrade.adapters.llm.client import quiet
from callgrade.adapters.llm.dialect import Output
from callgrade.adapters.llm.errors import Fault, fault_of_answer
from callgrade.adapters.llm.schema import AnswerSheet
from callgrade.adapters.llm.wire import Reply, Request
from callgrade.domain.errors import BadAnswerError

Send = Callable[[Request], Awaitable[Reply]]


async def ask_through_instructor(
    send: Send, body: dict[str, Any], sheet: type[AnswerSheet], output: Output
) -> AnswerSheet:
    """One request, parsed. `body` lacks its response format: it follows from `sheet` and `output`. Raises Fault."""
    # takes a second once: on the loop, other requests would run into their time-outs, answered and paid
    instructor = await asyncio.to_thread(importlib.import_module, "instructor")
    quiet("instructor")

    async def create(**kwargs: Any) -> Any:
        kwargs["response_format"]["json_schema"]["strict"] = True
        if output == "json_object":
            kwargs["response_format"] = {"type": "json_object"}
        elif output == "text":
            del kwargs["response_format"]
        reply = await send(Request(kwargs))
        message = SimpleNamespace(role="assistant", content=reply.content, refusal=None)
        return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason="stop")], usage=None)

    ask: Any = instructor.patch(create=create, mode=instructor.Mode.JSON_SCHEMA)
    try:
        sheet_filled: AnswerSheet = await ask(response_model=sheet, max_retries=0, **body)
    except Exception as error:
        raise _unwrapped(error) from None
    return sheet_filled


def _unwrapped(error: BaseException) -> Fault:
    """instructor wraps whatever happened; its own text holds the model's answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Fault):
            return cause
        if isinstance(cause, ValidationError):
            return fault_of_answer(cause)
        cause = cause.__cause__
    return Fault(BadAnswerError(f"the model did not answer as asked ({type(error).__name__})"))
