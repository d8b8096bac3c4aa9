"""An instance of a JSON schema: valid, varied by a number, with quotes where the schema asks for them."""

import re
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]
Quote = Callable[[int], tuple[int, str]]
"""A number to pick by → (turn, words)."""

DEEPEST = 24
REASON = "客服已核实客户身份并说明办理条件与费用，符合该项要求。"
INVENTED = ("我保证您一定能赚到百分之三十的收益", "你这种客户就是没事找事", "先给我你的短信验证码再说别的")
_AGENT_LINE = re.compile(r"^\[(\d+)\] (?:坐席|客服|[Aa]gent)\s*[:：]\s*(\S.*)$", re.M)
_CLAUSE = re.compile(r"[^，。？！；,.?!;]{6,30}")


def answer(schema: Schema, number: int, quote: Quote | None) -> Any:
    """Choices (of enums, booleans, small integers) follow `number`. With `quote`, each list of objects that have a
    `quote` holds one of them; without it, none that the schema does not demand."""
    return _Instance(schema, quote).make(schema, number)


def made_up(number: int) -> tuple[int, str]:
    """Words that stand in no call of `synthetic_calls`, and the number of a turn that every call has."""
    return number % 5, INVENTED[number % len(INVENTED)]


def quoting(prompt: str) -> Quote:
    """Clauses of the agent's turns, in a prompt that numbers its turns as `[3] 坐席：…`."""
    said = [(int(turn), clause) for turn, text in _AGENT_LINE.findall(prompt) for clause in _CLAUSE.findall(text)]
    return (lambda number: said[number % len(said)]) if said else made_up


class _Instance:
    def __init__(self, root: Schema, quote: Quote | None):
        self._root, self._quote = root, quote

    def make(self, schema: Schema, number: int, depth: int = 0) -> Any:
        if depth > DEEPEST:
            return None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][number % len(schema["enum"])]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.make(_first_of(schema[key]), number, depth + 1)
        match _type(schema):
            case "object":
                return self._object(schema, number, depth)
            case "array":
                return self._array(schema, number, depth)
            case "integer" | "number":
                lowest = schema.get("minimum", 0)
                return min(lowest + number % 2, schema.get("maximum", lowest + 1))
            case "boolean":
                return bool(number % 2)
            case "null":
                return None
            case _:
                return REASON[: schema.get("maxLength")]

    def _object(self, schema: Schema, number: int, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        made = {}
        for place, name in enumerate(schema.get("required", properties)):
            # what belongs to one object is drawn alike, so that counts agree with each other; objects differ
            own = number * 31 + place * 7 if _type(self._resolved(properties[name])) == "object" else number
            made[name] = self.make(properties[name], own, depth + 1)
        if self._quote and "quote" in made:
            turn, made["quote"] = self._quote(number)
            if "turn" in made:
                made["turn"] = turn
        return made

    def _array(self, schema: Schema, number: int, depth: int) -> list[Any]:
        items = self._resolved(schema.get("items", {}))
        wanted = 1 if self._quote and "quote" in items.get("properties", {}) else 0
        length = min(max(wanted, schema.get("minItems", 0)), schema.get("maxItems", wanted or 1))
        return [self.make(items, number + place, depth + 1) for place in range(length)]

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            target: Any = self._root
            for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
                target = target[step] if step else target
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        return schema


def _first_of(options: list[Schema]) -> Schema:
    return next((option for option in options if option.get("type") != "null"), options[0])


def _type(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else str(kind)
