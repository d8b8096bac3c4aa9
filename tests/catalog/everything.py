"""A rubric that says everything a rubric can say, and every way to change one thing of it. Synthetic."""

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from callgrade.catalog.rubrics import resolved_json
from callgrade.domain.rubrics import Rubric

WORDS = {"phrases": ["您好", "早上好"], "patterns": ["再见.?"], "unless": ["您好像"], "negation": "drop"}


def _criterion(id_: str, scale: dict[str, Any], **more: Any) -> dict[str, Any]:
    title = {"zh": f"甲{id_}", "en": f"About {id_}"}
    return {
        "id": id_,
        "title": title,
        "guidance": {"zh": "指引", "en": "Guidance"},
        "judge": "llm",
        "scale": scale,
        **more,
    }


CRITERIA = [
    _criterion(
        "greeting",
        {"kind": "answer", "yes": 2, "no": -0.5},
        section="words",
        judge="rules",
        side="any",
        evidence="optional",
        not_applicable="full",
        when={"outcome": ["closed", "open"], "complaint": [False]},
        errors=[14, 7],
        critical=True,
        rule={
            "find": {**WORDS, "lists": ["greetings"]},
            "position": {"at": "start", "turns": 2},
            "after": {"side": "any", "find": {"phrases": ["喂"]}, "at_least": 2},
            "before": {"side": "agent", "find": {"phrases": ["办好了"]}, "at_least": 3},
            "count": "kinds",
            "found": {"answer": "yes"},
            "missing": "count",
            "only_if": [{"side": "customer", "find": {"lists": ["greetings"]}, "at_least": 4}],
        },
    ),
    _criterion(
        "wait",
        {
            "kind": "levels",
            "levels": [
                {"id": "short", "points": 4, "title": {"zh": "短", "en": "short one"}},
                {"id": "long", "points": 1, "title": {"zh": "长", "en": "long one"}},
            ],
        },
        section="words",
        judge="speech",
        speech={
            "fact": "call.answer_wait_ms",
            "bands": [{"up_to": 15050, "outcome": {"level": "short"}}, {"outcome": {"level": "long"}}],
        },
    ),
    _criterion("warmth", {"kind": "likert", "min": 2, "max": 6, "points_per": 1.5}, section="care", judge="human"),
    _criterion(
        "fees",
        {
            "kind": "deduct",
            "points": 2.5,
            "free": 1,
            "cap": 10,
            "aggravated": 2,
            "aggravated_when": {"complaint": [True]},
            "unit": {"zh": "单", "en": "work order"},
        },
        section="care",
    ),
    _criterion(
        "fillers",
        {
            "kind": "tiers",
            "by": "kinds",
            "steps": [{"up_to": 1, "points": 0}, {"up_to": 3, "points": -1}],
            "cap": -5,
            "unit": {"zh": "口头禅", "en": "filler"},
        },
        section="care",
        not_applicable="forbidden",
    ),
    _criterion("warm", {"kind": "bonus", "points": 3, "requires_clean": ["greeting", "fees"]}),
    _criterion(
        "leak",
        {
            "kind": "violation",
            "severity": "level-2",
            "effect": {"counts_as": "fees"},
            "aggravated": {"severity": "level-1", "effect": "fail_call"},
            "unit": {"zh": "处", "en": "place"},
        },
        evidence="none",
    ),
    _criterion(
        "pushes",
        {"kind": "deduct", "points": 1},
        judge="rules",
        rule={"find": {"phrases": ["再考虑"]}, "count": "matches", "missing": "not_applicable"},
    ),
    _criterion("again", {"kind": "violation", "severity": "minor", "effect": "flag", "at_least": 3}),
]
PROGRAMME = {
    "period": {"unit": "month", "first_day": 21},
    "sampling": [
        {
            "title": {"zh": "成交录音", "en": "Closed ones"},
            "of": "work_orders",
            "who": {"rank": ["tsr"]},
            "calls": {"outcome": ["closed"]},
            "per_agent": 3,
            "in_all": 30,
            "share": 0.1,
            "confidence": 0.95,
            "every": ["month", "quarter"],
            "instead": {"outcome": ["open"]},
            "repeats": "mean",
        }
    ],
    "appeals": {"file_within": {"days": 1}, "decide_within": {"days": 0}, "late": "accepted"},
    "reports": [{"every": "day", "title": {"zh": "日报", "en": "Daily report"}, "shows": ["calls", "missed"]}],
    "targets": [
        {
            "title": {"zh": "时长", "en": "Talk"},
            "fact": "talk_ms",
            "at_least": 10800000,
            "at_most": 20000000,
            "every": "day",
        }
    ],
    "mending": {"severity": "level-2", "by": "supplementary_recording", "within": {"days": 5}, "becomes": "level-1"},
    "consequences": [{"on": "failed", "title": {"zh": "培训", "en": "Training"}}],
    "keeps": [{"zh": "录音", "en": "Recordings"}],
    "modes": [{"zh": "旁听", "en": "Sitting beside"}],
}
EVERYTHING: dict[str, Any] = {
    "schema": "callgrade.rubric/1",
    "id": "everything",
    "version": "v1",
    "status": "draft",
    "title": {"zh": "全表", "en": "Everything"},
    "source": [{"document": "a.txt", "heading": "甲"}, {"document": "b.txt", "heading": "乙"}],
    "source_notes": ["一 / one", "二 / two"],
    "applies_when": {"channel": ["phone"]},
    "total": {
        "start": 5,
        "max": 30,
        "floor": -7,
        "pass_line": 20,
        "combine": "mean",
        "grades": [
            {"id": "a", "at_least": 25, "title": {"zh": "优", "en": "good"}},
            {"id": "b", "at_least": 12, "title": {"zh": "中", "en": "fair"}},
        ],
    },
    "sections": [
        {"id": "all", "title": {"zh": "全部", "en": "All"}},
        {
            "id": "words",
            "title": {"zh": "用语", "en": "Words"},
            "max": 6,
            "start": 1,
            "floor": -2,
            "weight": 0.3,
            "parent": "all",
            "pass_line": 4,
            "combine": "mean",
        },
        {"id": "care", "title": {"zh": "关怀", "en": "Care"}, "max": 8, "floor": 0, "weight": 2},
    ],
    "criteria": CRITERIA,
    "programme": PROGRAMME,
    "phrase_lists": {"greetings": WORDS},
    "error_names": {"14": {"zh": "无开头语", "en": "No opening"}, "7": {"zh": "打断", "en": "Interrupts"}},
}

Way = tuple[str | int, ...]


def everything() -> Rubric:
    return Rubric.model_validate(EVERYTHING)


def leaves(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every number, word, truth value and null, with the way to it."""
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*way, step))
    else:
        yield way, value


def with_one_changed(document: dict[str, Any]) -> Iterator[tuple[Way, Rubric]]:
    """The rubric once for each leaf, with that leaf something else that is allowed there (if anything is)."""
    for way, value in leaves(document):
        tried = (
            _changed(document, way, other) or _changed_with_what_hangs_on_it(document, way, other)
            for other in _others(value)
        )
        changed = next((rubric for rubric in tried if rubric is not None and resolved_json(rubric) != document), None)
        if changed is not None:
            yield way, changed


def _changed(document: dict[str, Any], way: Way, other: Any) -> Rubric | None:
    made = copy.deepcopy(document)
    inside = made
    for step in way[:-1]:
        inside = inside[step]
    inside[way[-1]] = other
    try:
        return Rubric.model_validate(made)
    except ValidationError:
        return None


def _changed_with_what_hangs_on_it(document: dict[str, Any], way: Way, other: Any) -> Rubric | None:
    """An id is changed wherever it is named; another judge needs no rule."""
    if way[-1] == "id":
        old = f'"{document[way[0]][way[1]]["id"]}"'
        return _changed(json.loads(json.dumps(document).replace(old, f'"{other}"')), way, other)
    if way[-1] == "judge":
        made = copy.deepcopy(document)
        made[way[0]][way[1]].update(rule=None, speech=None)
        return _changed(made, way, "llm" if made[way[0]][way[1]]["judge"] == "human" else "human")
    return None


LITERALS = (
    *("rules", "speech", "agent", "customer", "any", "required", "optional", "none", "rescale", "full", "forbidden"),
    *("start", "end", "matches", "turns", "kinds", "once", "count", "keep", "drop", "sum", "mean", "published", "yes"),
    *(
        "no",
        "flag",
        "zero_call",
        "month",
        "quarter",
        "calls",
        "handovers",
        "refused",
        "repeated",
        "period",
        "short",
        "long",
    ),
    *("words", "care", "wait", "fees", "not_applicable", "count", "longest_silence_ms", "v2", "human", "llm"),
)


def _others(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case None:
            yield from (1, "words", "care", "new", {"zh": "新", "en": "new"}, {"days": 3}, 0.5)
            yield from ({"phrases": ["新"]}, {"at": "end", "turns": 1}, {"severity": "minor", "effect": "flag"})
            yield {"find": {"phrases": ["新"]}}
        case int() | float():
            yield from (value + 1, value - 1, value / 2, value * 2, -value)
        case str():
            yield from itertools.chain((f"{value}x",), (word for word in LITERALS if word != value), (None,))
