"""How far a judge may go by itself on one criterion, and for what exactly that was shown.

`human_only`: people decide each one. `assisted`: proposals are mostly right, so that they may be agreed with together.
`automatic`: what goes through unread misses no more often than a set level, shown with 95 % confidence or better. Where
nothing was shown it is `human_only`; a state holds for one key, and another key finds none.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from callgrade.domain.calibration import rating_of, rating_where_absent
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.identity import ByIdentity
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.outcomes import Outcome
from callgrade.domain.reviews import Decision, is_red_line, why_not_approved
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import ViolationScale
from callgrade.domain.scorecards import Provenance, ScoredJudgement

State = Literal["human_only", "assisted", "automatic"]
STATES: tuple[State, ...] = ("human_only", "assisted", "automatic")
LEVELS = (0.05, 0.02, 0.01)
"""Highest miss rates that may be asked for: 59, 149 and 299 reviewed without a miss."""
ASSISTED_LEVEL = 0.2
"""From here on proposals help: 14 reviewed without a miss."""
CALL_LEVEL = "*violations"
"""In the place of a criterion's id: that none of the call's violations was missed. No criterion can be called so."""

# what it holds for


class Key(Frozen):
    """What was measured. Empty: there is none of it (a rule asks no model; a call that came as text was not heard)."""

    criterion_id: str
    criterion_digest: str
    prompt_digest: str = ""
    model_reported: str = ""
    recogniser: str = ""


def keys_of(rubric: Rubric, provenance: Provenance) -> dict[str, Key]:
    """By criterion, and for the call's violations together where the form has any."""
    prompt = provenance.prompt
    asked = {
        "prompt_digest": str(prompt.get("digest") or "") if isinstance(prompt, dict) else "",
        "model_reported": models(provenance.model_reported),
    }
    heard = provenance.recogniser or ""
    digests = criterion_digests(ByIdentity(rubric))
    keys = {}
    for criterion in rubric.criteria:
        by_whom = asked if criterion.judge == "llm" else {}
        keys[criterion.id] = Key(
            criterion_id=criterion.id, criterion_digest=digests[criterion.id], recogniser=heard, **by_whom
        )
    if CALL_LEVEL in digests:
        by_whom = asked if any(one.judge == "llm" for one in violations(rubric)) else {}
        keys[CALL_LEVEL] = Key(
            criterion_id=CALL_LEVEL, criterion_digest=digests[CALL_LEVEL], recogniser=heard, **by_whom
        )
    return keys


def models(reported: str | tuple[str, ...] | None) -> str:
    """Several are joined by commas, in one order; calibration runs write them in one text."""
    told = (reported or "").split(",") if not isinstance(reported, tuple) else reported
    return ",".join(sorted({name.strip() for name in told} - {""}))


@lru_cache(maxsize=256)
def criterion_digests(rubric: ByIdentity[Rubric]) -> dict[str, str]:
    """`sha256:…` of each criterion's canonical JSON, with the phrase lists it names; of all violations together under
    CALL_LEVEL. Other criteria, texts of the form and its status change none of them."""
    form = rubric.it
    found = {one.id: _digest([_plain(one), _lists(form, _plain(one))]) for one in form.criteria}
    if together := sorted(found[one.id] for one in violations(form)):
        found[CALL_LEVEL] = _digest(together)
    return found


def violations(rubric: Rubric) -> tuple[Criterion, ...]:
    return tuple(one for one in rubric.criteria if isinstance(one.scale, ViolationScale))


def why_never(criterion: Criterion, key: Key) -> LocalText | None:
    """Why no evidence can make a judge go by itself here; None where it can."""
    if criterion.judge == "human":
        return LocalText(zh="这一项只由人评", en="Only people judge this criterion.")
    if criterion.judge == "llm" and not (key.model_reported and key.prompt_digest):
        return LocalText(
            zh="没有模型作答，或模型没有说明自己是谁", en="No model answered, or it did not say which one it is."
        )
    return None


# what goes through


def goes_through(criterion: Criterion, proposed: ScoredJudgement, *, threshold: float | None = None) -> bool:
    """Whether a proposal is of the kind that an automatic criterion lets pass: judged, every quote founded, no red
    line, and sure enough where a threshold was set."""
    if criterion.judge == "human" or proposed.method == "human":
        return False
    if why_not_approved(proposed) is not None or is_red_line(proposed, criterion):
        return False
    return threshold is None or (proposed.confidence is not None and proposed.confidence >= threshold)


def found_none(criterion: Criterion, proposed: ScoredJudgement) -> bool:
    """A violation that was looked for and not found."""
    return isinstance(criterion.scale, ViolationScale) and goes_through(criterion, proposed)


def is_miss(criterion: Criterion, proposed: Judgement, decision: Decision) -> bool | None:
    """Whether a person says otherwise than what was proposed; None where they could not tell either."""
    if decision.kind not in ("approve", "override"):
        return None
    if decision.kind == "approve":
        return False
    said, meant = rating(criterion, proposed.outcome), rating(criterion, decision.outcome)
    if said is None or meant is None:
        return (decision.outcome is None) != (proposed.outcome is None)
    return said != meant


def rating(criterion: Criterion, outcome: Outcome | None) -> float | None:
    """As `rating_of`, where None is "does not apply": of a fault that is as good as none."""
    return rating_where_absent(criterion) if outcome is None else rating_of(criterion, outcome)


class Passing(Frozen):
    """Whether a whole call may be published unread. `stopped_by` names the criterion that keeps it, None if none."""

    passes: bool
    stopped_by: str | None = None


def passing(
    rubric: Rubric, judgements: tuple[ScoredJudgement, ...], automatic: frozenset[str], *, call_level: bool
) -> Passing:
    """All criteria are automatic and go through; or what is left are violations, none found, under a bound for the call
    as a whole (`call_level`). `automatic` are the criteria that go through by themselves."""
    for proposed in judgements:
        criterion = rubric.by_id[proposed.criterion_id]
        if proposed.reason == EXCLUDED or criterion.id in automatic:
            continue
        if not (call_level and found_none(criterion, proposed)):
            return Passing(passes=False, stopped_by=criterion.id)
    decided = any(one.reason != EXCLUDED for one in judgements)
    return Passing(passes=decided and bool(automatic or call_level))


# what the evidence shows


class Evidence(Frozen):
    """What people found in the calls that would have gone through. `effective` is what `reviewed` is worth where not
    every call was as likely to be drawn; `bound` lies above the miss rate with `confidence`, which is raised where the
    evidence is looked at more than once (look `look` of `looks`). `needed`: how many more to review without a further
    miss; None where no number helps."""

    source: Literal["holdout", "production"]
    reviewed: Annotated[int, Field(ge=0)] = 0
    misses: Annotated[int, Field(ge=0)] = 0
    effective: float | None = None
    level: float
    confidence: float
    look: int = 1
    looks: int = 1
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of calibrated confidence: only what reaches it goes through, and only of that the counts tell."""
    bound: Annotated[float, Field(ge=0, le=1)] = 1.0
    needed: int | None = None

    @property
    def proves(self) -> bool:
        return self.reviewed > 0 and self.bound <= self.level


class Verdict(Frozen):
    """What may be granted at most, why, what to do next, and how many labels are still needed for `automatic`."""

    state: State
    reason: LocalText
    action: LocalText
    needed: int | None = None


def decide(evidence: Evidence, *, never: LocalText | None = None) -> Verdict:
    """The state that the evidence supports. Pure: the bound comes with the evidence."""
    if never is not None:
        return Verdict(state="human_only", reason=never, action=LocalText(zh="由人评", en="People judge it."))
    if not evidence.reviewed:
        return Verdict(
            state="human_only",
            reason=LocalText(zh="还没有人核对过", en="Nobody has checked any of it yet."),
            action=_review_more(evidence.needed),
            needed=evidence.needed,
        )
    state: State = "human_only"
    if evidence.proves:
        state = "automatic"
    elif evidence.bound <= ASSISTED_LEVEL:
        state = "assisted"
    action = _NOTHING if state == "automatic" else _review_more(evidence.needed)
    needed = 0 if state == "automatic" else evidence.needed
    return Verdict(state=state, reason=_reason(evidence), action=action, needed=needed)


def at_most(verdict: Verdict, wanted: State) -> State:
    """What is granted of what the evidence supports: never more than was asked for."""
    return STATES[min(STATES.index(verdict.state), STATES.index(wanted))]


_NOTHING = LocalText(zh="抽查继续，漂移会自动收回", en="Audits go on; drift takes it back by itself.")


def _review_more(needed: int | None) -> LocalText:
    if needed is None:
        return LocalText(
            zh="先改进提示词或评分项，漏判已多于要求", en="Improve the prompt or the criterion: it misses too often."
        )
    return LocalText(
        zh=f"再随机复核 {needed} 通且无新漏判", en=f"Review {needed} more drawn by chance, without a further miss."
    )


def _reason(evidence: Evidence) -> LocalText:
    n, k, bound, level = evidence.reviewed, evidence.misses, _percent(evidence.bound), _percent(evidence.level)
    sure = f"{math.floor(evidence.confidence * 1000 + 1e-9) / 10:g} %"
    within = "≤" if evidence.proves else ">"
    looks = "" if evidence.looks == 1 else f" ({evidence.look}/{evidence.looks})"
    zh = en = ""
    if evidence.threshold is not None:
        zh, en = f"（建议置信度 ≥ {evidence.threshold:.2f}）", f" of confidence {evidence.threshold:.2f} or more"
    return LocalText(
        zh=f"复核 {n} 通{zh}，漏判 {k}：漏判率上限 {bound} {within} {level}（置信 {sure}{looks}）",
        en=f"{k} missed of {n} reviewed{en}: at most {bound} {within} {level}, with {sure} confidence{looks}.",
    )


def _percent(share: float) -> str:
    """Rounded up: a bound is never shown as better than it is."""
    return f"{math.ceil(share * 1000 - 1e-9) / 10:g} %"


def _plain(value: Frozen) -> Any:
    return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _lists(rubric: Rubric, content: JsonValue) -> dict[str, Any]:
    """The phrase lists that a criterion's rule names, and those that they name themselves."""
    found: dict[str, Any] = {}
    ahead = list(_named(content))
    while ahead:
        name = ahead.pop()
        if name not in found and name in rubric.phrase_lists:
            found[name] = _plain(rubric.phrase_lists[name])
            ahead += _named(found[name])
    return found


def _named(content: JsonValue) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name == "lists" and isinstance(value, list):
                yield from (str(one) for one in value)
            else:
                yield from _named(value)
    elif isinstance(content, list):
        for value in content:
            yield from _named(value)


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
