"""Short ways to make rubrics and judgements in tests."""

from typing import Any

from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric


def rubric(*criteria: dict[str, Any], sections: list[dict[str, Any]] | None = None, total: Any = ...) -> Rubric:
    filled = [
        {"title": {"zh": c["id"], "en": c["id"]}, "guidance": {"zh": "…", "en": "…"}, "judge": "llm", **c}
        for c in criteria
    ]
    document = {
        "schema": "callgrade.rubric/1",
        "id": "test",
        "version": "v1",
        "title": {"zh": "测试", "en": "Test"},
        "sections": [{"title": {"zh": s["id"]}, **s} for s in sections or []],
        "criteria": filled,
    }
    if total is not ...:
        document["total"] = total
    return Rubric.model_validate(document)


def judged(**outcomes: Any) -> dict[str, Judgement]:
    """`judged(greeting={"answer": "yes"}, tone="not_applicable")`; underscores in names stand for hyphens."""
    made = {}
    for name, outcome in outcomes.items():
        id_ = name.replace("_", "-")
        fields = {"status": outcome} if isinstance(outcome, str) else {"status": "judged", "outcome": outcome}
        made[id_] = Judgement.model_validate({"criterion_id": id_, "method": "human", **fields})
    return made


def answer(id_: str, yes: float, no: float = 0, **more: Any) -> dict[str, Any]:
    return {"id": id_, "scale": {"kind": "answer", "yes": yes, "no": no}, **more}


def deduct(id_: str, points: float, **more: Any) -> dict[str, Any]:
    scale = {k: more.pop(k) for k in ("free", "cap", "aggravated", "aggravated_when") if k in more}
    return {"id": id_, "scale": {"kind": "deduct", "points": points, **scale}, **more}


def violation(id_: str, effect: Any, **more: Any) -> dict[str, Any]:
    scale = {k: more.pop(k) for k in ("at_least", "aggravated") if k in more}
    return {"id": id_, "scale": {"kind": "violation", "severity": "level-1", "effect": effect, **scale}, **more}


def likert(id_: str, low: int = 1, high: int = 5, **more: Any) -> dict[str, Any]:
    return {"id": id_, "scale": {"kind": "likert", "min": low, "max": high}, **more}


def bonus(id_: str, points: float, *requires: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "scale": {"kind": "bonus", "points": points, "requires_clean": list(requires)}, **more}
