"""The answer's JSON schema and its parser, generated from a rubric's criteria.

The schema is written by hand and not by pydantic: criteria of one shape share a definition and nothing has a title.
Providers bill it with every request.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationError,
    create_model,
    model_validator,
)

from callgrade.adapters.llm.shapes import COUNTED, MOST, Shape, shape_of
from callgrade.domain.rubrics import Criterion

JsonSchema = dict[str, JsonValue]
_THOUGHTS = re.compile(r"^.*</think(?:ing)?>", re.S)
_FENCED = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.S)
_DECODER = json.JSONDecoder()


class Quote(BaseModel):
    """Words that a model says were spoken, and where."""

    model_config = ConfigDict(frozen=True)
    turn: int | None = None
    quote: str


class Item(BaseModel):
    """The answer to one criterion. Subclasses close `verdict`; extra keys are passed over, missing ones are not."""

    model_config = ConfigDict(frozen=True)
    reason: str = ""
    verdict: str
    evidence: tuple[Quote, ...] | None = ()
    number_name: ClassVar[str | None] = None
    counts_grave: ClassVar[bool] = False

    @property
    def number(self) -> int:
        return (getattr(self, self.number_name) or 0) if self.number_name else 0

    @property
    def grave(self) -> int:
        return (getattr(self, "aggravated", 0) or 0) if self.counts_grave else 0


class _CountingItem(Item):
    @model_validator(mode="after")
    def _counted_has_a_count(self) -> Self:
        if self.verdict == COUNTED and self.number_name and getattr(self, self.number_name) is None:
            raise ValueError("counted without a count")
        return self


class AnswerSheet(BaseModel):
    """The answer to all criteria of a request. Subclasses have one field a criterion, its id as the alias."""

    model_config = ConfigDict(frozen=True)
    compact_schema: ClassVar[JsonSchema] = {}
    _sure: dict[str, float] = PrivateAttr(default_factory=dict)

    @property
    def sure(self) -> dict[str, float]:
        """Criterion → the probability that the model gave its own verdict, where it is known. Not a part of the answer:
        nothing that a model says gets in here."""
        return self._sure

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The compact schema: instructor asks for it here."""
        return dict(cls.compact_schema)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **kwargs: Any) -> Self:
        """Also reads JSON inside a fenced block, after `<think>…</think>`, or with prose around it.

        Raises pydantic's ValidationError of the text as a whole when nothing in it fits.
        """
        first: ValidationError | None = None
        text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8", "replace")
        for candidate in _candidates(text):
            try:
                return super().model_validate_json(candidate)
            except ValidationError as error:
                first = first or error
        assert first is not None
        raise first

    def items(self) -> Iterator[Item]:
        """In the order of the criteria."""
        for name in type(self).model_fields:
            yield getattr(self, name)


def build_schema(criteria: Iterable[Criterion]) -> JsonSchema:
    """A strict schema: every object closed, every key required.

    A shape that several criteria share is a definition (A, B, C…), any other stands in its place.
    """
    shapes = {criterion.id: shape_of(criterion) for criterion in criteria}
    shared = [shape for shape, uses in Counter(shapes.values()).items() if uses > 1]
    names = {shape: _letters(index) for index, shape in enumerate(shared)}
    properties: JsonSchema = {
        id_: {"$ref": f"#/$defs/{names[shape]}"} if shape in names else _item_schema(shape)
        for id_, shape in shapes.items()
    }
    definitions: JsonSchema = {name: _item_schema(shape) for shape, name in names.items()}
    if any(shape.number for shape in shapes.values()):
        definitions["N"] = {"type": "integer", "minimum": 0, "maximum": MOST}
    if any(shape.evidence for shape in shapes.values()):
        quote = _closed({"turn": {"type": "integer"}, "quote": {"type": "string"}})
        definitions["Q"] = {"type": "array", "items": quote}
    return {**_closed(properties), "$defs": definitions}


def build_sheet(criteria: tuple[Criterion, ...], schema: JsonSchema) -> type[AnswerSheet]:
    """The parser that goes with `schema`."""
    fields: dict[str, Any] = {
        f"c{index}": (_item_type(shape_of(criterion)), Field(alias=criterion.id))
        for index, criterion in enumerate(criteria)
    }
    sheet = create_model("Answer", __base__=AnswerSheet, **fields)
    sheet.compact_schema = schema
    return sheet


def _closed(properties: JsonSchema) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _item_schema(shape: Shape) -> JsonSchema:
    properties: JsonSchema = {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": list(shape.verdicts)}}
    if shape.number:
        properties[shape.number] = {"$ref": "#/$defs/N"}
    if shape.aggravated:
        properties["aggravated"] = {"$ref": "#/$defs/N"}
    if shape.evidence:
        properties["evidence"] = {"$ref": "#/$defs/Q"}
    return _closed(properties)


@lru_cache(maxsize=256)
def _item_type(shape: Shape) -> type[Item]:
    verdict: Any = Literal.__getitem__(shape.verdicts)
    if shape.verdicts[0].lstrip("-").isdigit():
        # endpoints without schemas answer 4 where "4" was asked for
        verdict = Annotated[verdict, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
    count = Annotated[int | None, Field(ge=0, le=MOST)]
    fields: dict[str, Any] = {"verdict": (verdict, ...)}
    if shape.number:
        fields[shape.number] = (count, None)
    if shape.aggravated:
        fields["aggravated"] = (count, None)
    base: type[Item] = _CountingItem if shape.number else Item
    item: type[Item] = create_model("Item", __base__=base, **fields)
    item.number_name, item.counts_grave = shape.number, shape.aggravated
    return item


def _candidates(text: str) -> Iterator[str]:
    yield text
    text = _THOUGHTS.sub("", text)
    yield from _FENCED.findall(text)
    start = text.find("{")
    if start >= 0:
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return
        yield text[start:end]


def _letters(index: int) -> str:
    """A…M, then A1…: N and Q are taken."""
    letter = "ABCDEFGHIJKLM"[index % 13]
    return letter if index < 13 else f"{letter}{index // 13}"
