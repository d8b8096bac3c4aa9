"""Does a document have the shape of its type? pydantic finds out; this says it in words, at the right place.

Values are read as strictly as JSON: `critical: "yes"` is a word and no boolean, `turns: "1"` no number.
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from callgrade.catalog.faults import Path_, Problem, did_you_mean

_Model = TypeVar("_Model", bound=BaseModel)
_INTERNAL_NAMES = {"schema_", "points_"}
"""Python's names for fields whose file names are `schema` and `points`; in a file they are unknown."""
_MISFITS = {"missing", "extra_forbidden", "model_type", "literal_error", "string_type", "model_attributes_type"}


class Complaint(NamedTuple):
    """One pydantic error with its place in the document, and the union branch it was found under."""

    at: Path_
    branch: tuple[Path_, str] | None
    error: Any


def parsed(data: Any, model: type[_Model]) -> _Model | None:
    """`data` as a `model`, unknown fields left out, or None where it is not one."""
    try:
        return model.model_validate_json(json.dumps(_known_part(data, model)))
    except ValidationError:
        return None


def shape_problems(data: Any, model: type[BaseModel], skip: Iterable[str] = ()) -> list[Problem]:
    """Everything in `data` that is not as `model` says, but for what the model checks across its fields.

    `skip` names fields of the model that a file may not hold.
    """
    if not isinstance(data, dict):
        return [Problem(message=f"must be a mapping of fields, not {_noun(data)}")]
    schema = _schema(model)
    complaints = _complaints(data, model)
    unknown = [c for c in complaints if c.error["type"] == "extra_forbidden"]
    if unknown:
        # what else is wrong shows only once the unknown fields are out of the way
        again = _complaints(_known_part(data, model), model)
        complaints += [c for c in again if c.error["type"] == "value_error"]
    problems = [*_problems(complaints, data, schema), *_quoted_numbers(data, model), *_internal_names(data)]
    problems += [
        Problem(at=(name,), message=f"unknown field {name!r}", suggestion="remove it: loading a file fills it in")
        for name in skip
        if name in data
    ]
    return list(dict.fromkeys(problems))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _complaints(data: Any, model: type[BaseModel]) -> list[Complaint]:
    """What a lenient reading refuses, and what only a strict one does: words for booleans and numbers."""
    lenient = _errors(data, model, strict=False)
    named = {c.at for c in lenient}
    # defaults are refused as well, as `is_instance_of`: they are not written as strictly as files are
    strict = (c for c in _errors(data, model, strict=True) if str(c.error["type"]).endswith("_type"))
    return lenient + [c for c in strict if c.at not in named]


def _errors(data: Any, model: type[BaseModel], *, strict: bool) -> list[Complaint]:
    try:
        model.model_validate_json(json.dumps(data), strict=strict)
    except ValidationError as error:
        found = (_located(one, data) for one in error.errors(include_url=False) if one["loc"])
        return [c for c in found if not _follows_from_another(c, data)]
    return []


def _follows_from_another(complaint: Complaint, data: Any) -> bool:
    """A list is too short only because some of its items were refused."""
    context = complaint.error.get("ctx") or {}
    value = _lookup(data, complaint.at)
    return complaint.error["type"] == "too_short" and isinstance(value, list) and len(value) >= context["min_length"]


def _located(error: Any, data: Any) -> Complaint:
    """Split pydantic's location into the place in the document and the union branch that was being tried."""
    here, at = data, []
    branch: tuple[Path_, str] | None = None
    loc = error["loc"]
    for number, step in enumerate(loc):
        if _holds(here, step):
            here = here[step]
            at.append(step)
        elif number == len(loc) - 1 and error["type"] == "missing":
            at.append(step)
        elif branch is None and not (isinstance(here, dict) and here.get("kind") == step):
            branch = (tuple(at), str(step))
    return Complaint(tuple(at), branch, error)


def _problems(complaints: list[Complaint], data: Any, schema: dict[str, Any]) -> list[Problem]:
    problems = [_problem(c, data, schema) for c in complaints if c.branch is None]
    groups: dict[Path_, dict[str, list[Complaint]]] = {}
    for complaint in complaints:
        if complaint.branch is not None:
            union, name = complaint.branch
            groups.setdefault(union, {}).setdefault(name, []).append(complaint)
    for union, branches in groups.items():
        fitting = [found for found in branches.values() if not any(_misfit(c, union) for c in found)]
        if len(fitting) == 1 or len(branches) == 1:
            chosen = fitting[0] if fitting else next(iter(branches.values()))
            problems += [_problem(c, data, schema) for c in chosen]
        else:
            problems.append(_no_alternative(union, data, schema))
    return problems


def _misfit(complaint: Complaint, union: Path_) -> bool:
    """Whether the error says that another alternative was meant, rather than that this one has a wrong value."""
    return complaint.error["type"] in _MISFITS and len(complaint.at) <= len(union) + (
        complaint.error["type"] in ("missing", "extra_forbidden")
    )


def _no_alternative(at: Path_, data: Any, schema: dict[str, Any]) -> Problem:
    allowed = [_sketch(option, schema) for option in _schemas_at(schema, at, data)]
    value = _lookup(data, at)
    return Problem(at=at, message=f"{_noun(value)} is not allowed here", suggestion="write " + " or ".join(allowed))


def _problem(complaint: Complaint, data: Any, schema: dict[str, Any]) -> Problem:
    at, error = complaint.at, complaint.error
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_field(at, data, schema)
    if kind == "missing":
        example = " or ".join(_sketch(option, schema) for option in _schemas_at(schema, at, data))
        return Problem(at=at[:-1], message=f"the field {at[-1]!r} is missing", suggestion=f"add `{at[-1]}: {example}`")
    value = _lookup(data, at)
    for prefix, phrase in _PHRASES.items():
        if kind.startswith(prefix):
            message, suggestion = phrase(value, error.get("ctx") or {})
            return Problem(at=at, message=message, suggestion=suggestion)
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(at=at, message=message[:1].lower() + message[1:])


def _unknown_field(at: Path_, data: Any, schema: dict[str, Any]) -> Problem:
    known = {name for found in _schemas_at(schema, at[:-1], data) for name in found.get("properties", {})}
    return Problem(
        at=at, message=f"unknown field {at[-1]!r}", suggestion=did_you_mean(str(at[-1]), known) or "remove it"
    )


Phrase = Callable[[Any, Mapping[str, Any]], tuple[str, str]]


def _must_be(what: str, suggestion: str = "") -> Phrase:
    return lambda value, _: (f"must be {what}, not {_noun(value)}", suggestion)


def _one_of(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    expected = str(context.get("expected", ""))
    words = [word.strip("' ") for word in expected.replace(" or ", ", ").split(", ")]
    near = did_you_mean(str(value), words)
    return f"must be {expected}, not {_noun(value)}", near if near.startswith("did") else ""


def _unknown_kind(_: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    words = [word.strip("' ") for word in str(context.get("expected_tags", "")).split(", ")]
    tag = str(context.get("tag", ""))
    return f"there is no scale of kind {tag!r}", did_you_mean(tag, words)


def _text(value: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    quote = f'put it in quotes: "{value}"' if isinstance(value, int | float) else "write a word"
    return f"must be text, not {_noun(value)}", quote


def _pattern(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    if str(context.get("pattern", "")).startswith("^v"):
        return f"must be a version like v1, not {_noun(value)}", "write v1, v2, …"
    return f"must be lower-case words joined by hyphens, not {_noun(value)}", "for example fees-unclear"


_PHRASES: dict[str, Phrase] = {
    "literal_error": _one_of,
    "union_tag_invalid": _unknown_kind,
    "union_tag_not_found": lambda *_: (
        "the field 'kind' is missing",
        "say which scale it is, for example kind: answer",
    ),
    "string_pattern": _pattern,
    "string_type": _text,
    "bool_": _must_be("true or false", "write true or false, without quotes"),
    "int_": _must_be("a whole number", "write it without quotes"),
    "float_": _must_be("a number", "write it without quotes"),
    "decimal_": _must_be("a number", "write it without quotes"),
    "tuple_type": _must_be("a list", "write [a, b] or one `- item` a line"),
    "dict_type": _must_be("a mapping of fields"),
    "model_": _must_be("a mapping of fields"),
}


def _quoted_numbers(data: Any, model: type[BaseModel]) -> list[Problem]:
    """Points in quotes: pydantic reads them as numbers, editors that follow the schema do not."""
    value = parsed(data, model)
    return [] if value is None else _quoted(value, data, ())


def _quoted(value: Any, raw: Any, at: Path_) -> list[Problem]:
    if isinstance(value, Decimal) and isinstance(raw, str):
        return [Problem(at=at, message=f"must be a number, not the word {raw!r}", suggestion="write it without quotes")]
    if isinstance(value, tuple) and isinstance(raw, list):
        pairs = enumerate(zip(value, raw, strict=False))
        return [problem for number, (v, r) in pairs for problem in _quoted(v, r, (*at, number))]
    if isinstance(value, BaseModel) and isinstance(raw, dict):
        names = {info.alias or name: name for name, info in type(value).model_fields.items()}
        held = [(alias, getattr(value, name)) for alias, name in names.items() if alias in raw]
        return [problem for alias, v in held for problem in _quoted(v, raw[alias], (*at, alias))]
    return []


def _internal_names(data: Any, at: Path_ = ()) -> list[Problem]:
    if isinstance(data, list):
        return [problem for i, item in enumerate(data) for problem in _internal_names(item, (*at, i))]
    if not isinstance(data, dict):
        return []
    own = [
        Problem(at=(*at, key), message=f"unknown field {key!r}", suggestion=f"did you mean {key.rstrip('_')!r}?")
        for key in data
        if key in _INTERNAL_NAMES
    ]
    return own + [problem for key, item in data.items() for problem in _internal_names(item, (*at, key))]


def _known_part(data: Any, model: type[BaseModel]) -> Any:
    """A copy of `data` without the fields that the model does not know."""
    pruned = copy.deepcopy(data)
    for complaint in _complaints(data, model):
        if complaint.error["type"] == "extra_forbidden" and complaint.branch is None:
            _lookup(pruned, complaint.at[:-1]).pop(complaint.at[-1], None)
    return pruned


def _lookup(data: Any, at: Path_) -> Any:
    for step in at:
        if _holds(data, step):
            data = data[step]
    return data


def _schemas_at(schema: dict[str, Any], at: Path_, data: Any) -> list[dict[str, Any]]:
    """The alternatives that the schema allows at a place, references followed."""
    options, here = _options(schema, schema, data), data
    for step in at:
        here = here[step] if _holds(here, step) else None
        inner = [_step_into(option, step) for option in options]
        options = [o for found in inner if found is not None for o in _options(found, schema, here)]
    return options


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _step_into(option: dict[str, Any], step: str | int) -> dict[str, Any] | None:
    if isinstance(step, int):
        return option.get("items")
    found = option.get("properties", {}).get(step, option.get("additionalProperties"))
    return found if isinstance(found, dict) else None


def _options(option: dict[str, Any], schema: dict[str, Any], data: Any) -> list[dict[str, Any]]:
    if "$ref" in option:
        return _options(schema["$defs"][option["$ref"].rsplit("/", 1)[1]], schema, data)
    mapping = option.get("discriminator", {}).get("mapping")
    if mapping and isinstance(data, dict) and data.get("kind") in mapping:
        return _options({"$ref": mapping[data["kind"]]}, schema, data)
    alternatives = option.get("anyOf") or option.get("oneOf")
    if alternatives:
        return [found for alternative in alternatives for found in _options(alternative, schema, data)]
    return [option]


def _sketch(option: dict[str, Any], schema: dict[str, Any]) -> str:
    if "const" in option:
        return str(option["const"])
    if "enum" in option:
        return " | ".join(str(word) for word in option["enum"])
    match option.get("type"):
        case "object" if "properties" in option:
            required = option.get("required") or list(option["properties"])
            return "{" + ", ".join(f"{name}: …" for name in required) + "}"
        case "object":
            return "{name: [values]}"
        case "array":
            return "[…]"
        case "integer" | "number":
            return "a number"
        case None | "null":
            return "null"
        case other:
            return str(other).replace("string", "text")


def _noun(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the word {value[:40]!r}"
        case list():
            return "a list"
        case dict() if len(value) <= 4:
            return "the mapping {" + ", ".join(str(key)[:20] for key in value) + "}"
        case _:
            return "a mapping"
