"""Each request of the API once, for the blocking and the asynchronous client alike: what is sent, and how the answer
is read. Nothing here does I/O."""

import time
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, JsonValue, ValidationError

from callgrade.client.bodies import (
    AsyncLinesBody,
    Audio,
    Body,
    Content,
    CsvBody,
    Document,
    FormBody,
    JsonBody,
    LinesBody,
    Progress,
)
from callgrade.client.models import (
    BackTest,
    Batch,
    BatchAccepted,
    Call,
    Delivery,
    Erased,
    Evaluation,
    EvaluationSummary,
    GateDecision,
    NewWebhook,
    Page,
    Published,
    RecordingMetadata,
    Release,
    Result,
    Submitted,
    Version,
    Webhook,
)
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import UnexpectedError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Documents = Iterable[Document | str | bytes] | AsyncIterable[Document | str | bytes]
Filter = str | int | float | datetime | None
PAGE = 100
LONGEST_POLL_S = 10.0
RECEIVING_S = 600.0
"""How long the service may take to answer after the last byte of a batch or recording."""


@dataclass(frozen=True)
class Ask(Generic[T]):
    """`read` turns the body of a good answer into what the caller gets."""

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    timeout_s: float | None = None


def shape(model: type[M]) -> Callable[[bytes], M]:
    """Reads a model from JSON. What a newer service adds to a scorecard is passed over too.

    Raises UnexpectedError where the answer is not what the API promises.
    """

    def read(content: bytes) -> M:
        try:
            return model.model_validate_json(content, extra="ignore")
        except ValidationError as error:
            places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
            raise UnexpectedError(f"the answer is no {model.__name__}: {', '.join(places[:5]) or 'no JSON'}") from None

    return read


def nothing(_: bytes) -> None:
    return None


def key_or_new(key: str | None) -> dict[str, str]:
    """A request with a key is done once, however often it is sent."""
    return {"Idempotency-Key": key or uuid4().hex}


def path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def params(**given: Filter) -> dict[str, str]:
    """Those that were given. Raises ValueError for a moment without its zone."""
    return {name: _text(name, value) for name, value in given.items() if value is not None}


def _text(name: str, value: Filter) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name}: a moment needs its time zone")
        return value.isoformat()
    return str(value)


def submit_transcript(transcript: Transcript | Document, rubric: str | None, key: str | None) -> Ask[Submitted]:
    return Ask("POST", path("calls"), shape(Submitted), params(rubric=rubric), JsonBody(transcript), key_or_new(key))


def submit_recording(
    audio: Audio,
    metadata: RecordingMetadata | Mapping[str, Any] | None,
    rubric: str | None,
    file_name: str | None,
    progress: Progress | None,
    key: str | None,
) -> Ask[Submitted]:
    headers = key_or_new(key)
    known = metadata if isinstance(metadata, RecordingMetadata) else RecordingMetadata.model_validate(metadata or {})
    body = FormBody(audio, known, key=headers["Idempotency-Key"], file_name=file_name)
    return Ask("POST", path("calls"), shape(Submitted), params(rubric=rubric), body, headers, progress, RECEIVING_S)


def get_call(id_: str) -> Ask[Call]:
    return Ask("GET", path("calls", id_), shape(Call))


def list_calls(filters: Mapping[str, Filter]) -> Ask[Page[Call]]:
    return Ask("GET", path("calls"), shape(Page[Call]), params(limit=PAGE, **filters))


def transcript_of(id_: str, version: int | None) -> Ask[Transcript]:
    return Ask("GET", path("calls", id_, "transcript"), shape(Transcript), params(version=version))


def erase_call(id_: str, reason: str) -> Ask[Erased]:
    return Ask("DELETE", path("calls", id_), shape(Erased), params(reason=reason))


def evaluate(id_: str, rubric: str | None, release: str | None, priority: int, key: str | None) -> Ask[Submitted]:
    wanted = {name: value for name, value in {"rubric": rubric, "release": release}.items() if value is not None}
    body = JsonBody({**wanted, "priority": priority})
    return Ask("POST", path("calls", id_, "evaluations"), shape(Submitted), body=body, headers=key_or_new(key))


def get_evaluation(id_: str) -> Ask[Evaluation]:
    return Ask("GET", path("evaluations", id_), shape(Evaluation))


def list_evaluations(filters: Mapping[str, Filter]) -> Ask[Page[EvaluationSummary]]:
    return Ask("GET", path("evaluations"), shape(Page[EvaluationSummary]), params(limit=PAGE, **filters))


def change_evaluation(id_: str, action: str) -> Ask[EvaluationSummary]:
    return Ask("POST", path("evaluations", id_, action), shape(EvaluationSummary), headers=key_or_new(None))


def submit_batch(documents: Documents, rubric: str, progress: Progress | None, key: str | None) -> Ask[BatchAccepted]:
    body: Body = AsyncLinesBody(documents) if isinstance(documents, AsyncIterable) else LinesBody(documents)
    return Ask(
        "POST", path("batches"), shape(BatchAccepted), params(rubric=rubric), body, key_or_new(key), progress,
        RECEIVING_S,
    )  # fmt: skip


def submit_manifest(manifest: Content, rubric: str, progress: Progress | None, key: str | None) -> Ask[BatchAccepted]:
    return Ask(
        "POST", path("batches"), shape(BatchAccepted), params(rubric=rubric), CsvBody(manifest), key_or_new(key),
        progress, RECEIVING_S,
    )  # fmt: skip


def get_batch(id_: str) -> Ask[Batch]:
    return Ask("GET", path("batches", id_), shape(Batch))


def list_batches() -> Ask[Page[Batch]]:
    return Ask("GET", path("batches"), shape(Page[Batch]), params(limit=PAGE))


def cancel_batch(id_: str) -> Ask[Batch]:
    return Ask("DELETE", path("batches", id_), shape(Batch))


def results_of(id_: str, after: int) -> Ask[Result]:
    """`read` reads one line."""
    return Ask("GET", path("batches", id_, "results"), shape(Result), params(after=after or None))


def create_release(rubric: str, wanted: Mapping[str, Any], key: str | None) -> Ask[Release]:
    """What is None is left out. Raises ValueError for a moment without its zone."""
    given = {name: value for name, value in {"rubric": rubric, **wanted}.items() if value is not None}
    if isinstance(moment := given.get("active_from"), datetime):
        given["active_from"] = _text("active_from", moment)
    return Ask("POST", path("releases"), shape(Release), body=JsonBody(given), headers=key_or_new(key))


def get_release(id_: str) -> Ask[Release]:
    return Ask("GET", path("releases", id_), shape(Release))


def list_releases() -> Ask[Page[Release]]:
    return Ask("GET", path("releases"), shape(Page[Release]), params(limit=PAGE))


def back_test(kind: str, id_: str, draft: str, rubric: str | None, golden_set: str, again: bool) -> Ask[BackTest]:
    body = _given(draft=draft, rubric=rubric, set=golden_set, again=again)
    return Ask("POST", path(kind, id_, "back-tests"), shape(BackTest), body=body, headers=key_or_new(None))


def to_gate(kind: str, id_: str, draft: str, rubric: str | None, golden_set: str, again: bool) -> Ask[GateDecision]:
    body = _given(draft=draft, rubric=rubric, set=golden_set, again=again)
    return Ask("POST", path(kind, id_, "gate"), shape(GateDecision), body=body, headers=key_or_new(None))


def publish(
    kind: str, id_: str, draft: str, rubric: str | None, override: str | None, by: str | None, key: str | None
) -> Ask[Published]:
    body = _given(draft=draft, rubric=rubric, override=override, by=by)
    return Ask("POST", path(kind, id_, "publish"), shape(Published), body=body, headers=key_or_new(key))


def retire(kind: str, reference: str, by: str | None) -> Ask[Version]:
    return Ask("POST", path(kind, reference, "retire"), shape(Version), body=_given(by=by), headers=key_or_new(None))


def _given(**values: JsonValue) -> JsonBody:
    return JsonBody({name: value for name, value in values.items() if value is not None})


def create_webhook(url: str, events: Sequence[str]) -> Ask[NewWebhook]:
    body = JsonBody({"url": url, "events": list(events)})
    return Ask("POST", path("webhooks"), shape(NewWebhook), body=body, headers=key_or_new(None))


def get_webhook(id_: str) -> Ask[Webhook]:
    return Ask("GET", path("webhooks", id_), shape(Webhook))


def list_webhooks() -> Ask[Page[Webhook]]:
    return Ask("GET", path("webhooks"), shape(Page[Webhook]), params(limit=PAGE))


def remove_webhook(id_: str) -> Ask[None]:
    return Ask("DELETE", path("webhooks", id_), nothing)


def list_deliveries(id_: str) -> Ask[Page[Delivery]]:
    return Ask("GET", path("webhooks", id_, "deliveries"), shape(Page[Delivery]), params(limit=PAGE))


def test_webhook(id_: str) -> Ask[Delivery]:
    return Ask("POST", path("webhooks", id_, "test"), shape(Delivery), headers=key_or_new(None))


def redeliver(id_: str, delivery_id: str) -> Ask[Delivery]:
    body = JsonBody({"delivery_id": delivery_id})
    return Ask("POST", path("webhooks", id_, "redeliver"), shape(Delivery), body=body, headers=key_or_new(None))


def on_page(ask: Ask[Page[T]], cursor: str) -> Ask[Page[T]]:
    return Ask(ask.method, ask.path, ask.read, {**ask.params, "cursor": cursor}, headers=ask.headers)


class Lines:
    """Cuts a stream of bytes into lines, at line feeds alone: what was said may hold any other line separator."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def fed(self, piece: bytes) -> list[bytes]:
        """The lines that end in `piece`."""
        first, *more = piece.split(b"\n")
        self._parts.append(first)
        if not more:
            return []
        ended = [b"".join(self._parts), *more[:-1]]
        self._parts = [more[-1]]
        return [line for line in ended if line.strip()]

    def rest(self) -> list[bytes]:
        """A last line that does not end."""
        return [line for line in (b"".join(self._parts),) if line.strip()]


def polls(timeout_s: float, poll_s: float, clock: Callable[[], float] = time.monotonic) -> Iterator[float]:
    """The pauses between looks, each half as long again as the one before, until the time is up. One look more follows
    the last of them."""
    end = clock() + timeout_s
    while (left := end - clock()) > 0:
        yield min(poll_s, left)
        poll_s = min(poll_s * 1.5, LONGEST_POLL_S)
