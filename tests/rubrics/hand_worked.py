"""The shape of `tests/rubrics/<id>.yaml`: what a document says of its form, worked out by hand, number by number.

Nothing here is written by the program under test. Calls are synthetic and written for these tests.
"""

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue

from callgrade.catalog import load_rubric
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import LevelsScale, LikertScale, TiersScale, ViolationScale

FOLDER = Path(__file__).parent
MANY = 3
"""Occurrences of a fault that has no cap, where a case says `rest: worst`."""


class Case(Frozen):
    """One filled-in form. `rest` says how the criteria not named are judged; without it they are not judged."""

    name: str
    rest: str | None = None
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    judgements: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    working: str = Field(min_length=3)
    expect: dict[str, Any] = Field(min_length=1)


class Call(Frozen):
    """A short synthetic call, and what rules and speech facts make of it."""

    name: str
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    channel: str = "phone"
    turns: tuple[str, ...]
    expect: dict[str, Any]

    def transcript(self) -> Transcript:
        turns = []
        for line in self.turns:
            speaker, start, end, text = line.split(" ", 3)
            times = {"start_ms": None, "end_ms": None}
            if start != "null":
                times = {"start_ms": int(start), "end_ms": int(end)}
            turns.append({"speaker": speaker, **times, "text": text})
        return Transcript.model_validate(
            {
                "schema": "callgrade.transcript/1",
                "call_id": self.name[:200],
                "channel": self.channel,
                "language": "zh",
                "turns": turns,
                "facts": self.facts,
            }
        )


class HandWorked(Frozen):
    rubric: str
    cases: tuple[Case, ...] = Field(min_length=3)
    points: tuple[tuple[str, dict[str, JsonValue], float | None], ...] = ()
    programme: dict[str, JsonValue] | None = None
    calls: tuple[Call, ...] = Field(min_length=2)


FILES = tuple(sorted(FOLDER.glob("*.yaml")))


@cache
def read(path: Path) -> HandWorked:
    file = read_yaml(path)
    assert not file.faults, file.faults
    return HandWorked.model_validate(file.data)


@cache
def rubric_of(path: Path) -> Rubric:
    return load_rubric(read(path).rubric)


def document(case: Case, rubric: Rubric) -> dict[str, Any]:
    """The case as the file of judgements that `rubric total` takes."""
    rest = {} if case.rest is None else {c.id: extreme(c, case.rest) for c in rubric.criteria}
    return {"rubric": rubric.reference, "facts": case.facts, "judgements": {**rest, **case.judgements}}


def extreme(criterion: Criterion, which: str) -> dict[str, JsonValue]:
    """The best or the worst that can be said of a criterion; what cannot be left out is not judged."""
    if which == "not_applicable":
        forbidden = criterion.not_applicable == "forbidden"
        return {"status": "cannot_assess", "reason": "n.a. is forbidden"} if forbidden else {"status": which}
    scale, best = criterion.scale, which == "best"
    assert which in ("best", "worst"), which
    match scale:
        case LevelsScale():
            chosen = (max if best else min)(scale.levels, key=lambda level: level.points)
            return {"level": chosen.id}
        case LikertScale():
            return {"score": scale.max if best else scale.min}
        case TiersScale():
            beyond = max(step.up_to or 0 for step in scale.steps) + 100
            return {"count" if scale.by == "count" else "kinds": 0 if best else beyond}
        case ViolationScale():
            return {"occurrences": 0 if best else scale.at_least}
        case _ if scale.kind == "deduct":
            return {"occurrences": 0 if best else (MANY if scale.cap is None else 1000)}
        case _ if scale.kind == "bonus":
            return {"answer": "yes" if best else "no"}
        case _:
            yes = scale.yes >= scale.no
            return {"answer": "yes" if yes == best else "no"}
