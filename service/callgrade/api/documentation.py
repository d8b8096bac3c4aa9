"""What the OpenAPI says beside the shapes: every error answer, the media types that are streamed."""

import json
from typing import Any

from pydantic import BaseModel

from callgrade.api import calibration_schemas, examples, publishing_schemas, review_schemas
from callgrade.api import schemas as models
from callgrade.api.links import put_links
from callgrade.api.problems import MEDIA_TYPE, URN, Problem, title_of
from callgrade.api.schemas import ResultLine
from callgrade.calls.metadata import RecordingMetadata
from callgrade.domain.calls import Transcript

Responses = dict[int | str, dict[str, Any]]

DESCRIPTION = """
Calls in, scorecards out: every quote in them stands in the transcript.

* Send `Authorization: Bearer cg_…`; `callgrade key create NAME` makes a key.
* Errors are `application/problem+json`. `retryable` says whether the same request may succeed later, `request_id`
  finds it in the service's log.
* Lists are paged: follow `next_cursor` until it is null.
* Whatever is accepted is stored before the answer is sent, and survives a crash of any part.
"""

_PROBLEMS: dict[int, tuple[str, str, bool]] = {
    400: ("upload-cut-short", "the connection ended before the body was whole", False),
    401: ("not-authenticated", "send the header `Authorization: Bearer cg_…`", False),
    403: ("forbidden", "this needs the scope calls:write (submit calls, which has them evaluated), "
          "which was not granted", False),
    404: ("unknown-resource", "there is no such call", False),
    409: ("conflict", "the call C-00001 is there already with other content", False),
    410: ("gone", "the call was erased", False),
    413: ("too-large", "the body is larger than the 536870912 bytes that are taken here", False),
    415: ("unsupported-media", "send application/json or multipart/form-data", False),
    416: ("range-not-satisfiable", "the recording has 65580 bytes; the range begins behind "
          "them", False),
    422: ("transcript", "body: is not a transcript: turns[3].speaker: Input should be "
          "'agent', 'customer', 'system' or 'unknown'", False),
    429: ("too-many-requests", "this key may make 6000 requests a minute; come back in "
          "0.4 s", True),
    500: ("unexpected", "something is wrong with the service, not with the request; its log "
          "says what, under the request_id", False),
    503: ("not-ready", "a part of the service cannot be reached for the moment; the same "
          "request may be sent again", True),
}  # fmt: skip
ALWAYS = (500, 503)
WITH_KEY = (401, 403, 429)


def errors(*statuses: int, public: bool = False) -> Responses:
    """The error answers of a route: these, and those that any route may give."""
    return {status: _problem(status) for status in sorted({*statuses, *ALWAYS, *(() if public else WITH_KEY)})}


def _problem(status: int) -> dict[str, Any]:
    type_, detail, retryable = _PROBLEMS[status]
    example = {
        "type": URN + type_,
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "request_id": "019a2f6e6cf77c3f8bd0a1b2c3d4e5f6",
        "retryable": retryable,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    document: dict[str, Any] = {
        "description": title_of(status),
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    if status in (409, 429, 503):
        when = "Seconds; where `retryable` is true." if status == 409 else "Seconds."
        document["headers"] = {"Retry-After": {"description": when, "schema": {"type": "integer"}}}
    return document


SUBMISSION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Transcript"},
                "example": examples.TRANSCRIPT,
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["audio", "metadata"],
                    "properties": {
                        "audio": {"type": "string", "format": "binary", "description": "WAV, MP3, Opus, AAC, AMR…"},
                        "metadata": {"$ref": "#/components/schemas/RecordingMetadata"},
                    },
                },
                "encoding": {"metadata": {"contentType": "application/json"}},
                "example": {"metadata": examples.METADATA},
            },
        },
    }
}
BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    "description": "One callgrade.transcript/1 a line, or the `audio_url` of a recording with a "
                    "transcript's fields without turns.",
                },
                "example": "".join(
                    json.dumps(line, ensure_ascii=False) + "\n"
                    for line in (examples.TRANSCRIPT, examples.RECORDING_LINE)
                ),
            },
            "text/csv": {
                "schema": {"type": "string", "description": "A list of recordings; the first line names the columns."},
                "example": examples.MANIFEST,
            },
        },
    }
}
NOT_MODIFIED: Responses = {304: {"description": "The client has it already: `If-None-Match` named its `ETag`."}}


_SHAPES = (models, review_schemas, calibration_schemas, publishing_schemas)


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """Puts in what the framework leaves out, and takes out its own error shape, which is never sent."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in (Problem, Transcript, RecordingMetadata, ResultLine):
        shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {name: part for name, part in shape.pop("$defs", {}).items() if name not in schemas}
        schemas.setdefault(model.__name__, shape)
    for model in (value for module in _SHAPES for value in vars(module).values()):
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__name__ in schemas:
            # the framework drops what is null in an example
            _put_examples(schemas[model.__name__], model)
    for path in document["paths"].values():
        for operation in path.values():
            put_links(operation)
            answers = operation["responses"]
            standard = answers.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if standard.get("$ref", "").endswith("HTTPValidationError"):
                answers["422"] = _problem(422)
    return document


def _put_examples(schema: dict[str, Any], model: type[BaseModel]) -> None:
    extra = model.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and "examples" in extra:
        schema["examples"] = extra["examples"]
