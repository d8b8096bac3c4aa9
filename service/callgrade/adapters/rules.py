"""The judge that counts words. Its evidence is exact by construction: it is what it found.

What each part of a rule means stands in `domain/rubrics.py` (PhraseRule, Trigger, Position).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from callgrade.adapters.matching import Match, Matcher, Script
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.grounding import span_evidence
from callgrade.domain.identity import ByIdentity
from callgrade.domain.judgements import Evidence, Judgement, cannot_assess
from callgrade.domain.outcomes import Count, Kinds, Occurrences, Outcome
from callgrade.domain.rubrics import Criterion, PhraseRule, Phrases, Position, Rubric, Trigger
from callgrade.domain.scales import outcome_type
from callgrade.ports import Verdicts

MOST_EVIDENCE = 50
"""Quotes kept for one criterion. The count in the outcome is not limited by it."""

SAID, NOT_SAID = "its words were said", "none of its words was said"


class Compiled(NamedTuple):
    """A rule with its phrases compiled."""

    rule: PhraseRule
    find: Matcher
    after: Matcher | None
    before: Matcher | None
    only_if: Matcher | None


class RuleJudge:
    """Judges the criteria with `judge: rules`."""

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """One judgement per rules criterion. Never fails: a rule that cannot be decided abstains."""
        script = Script(transcript)
        judgements = (
            _judge(criterion, compiled, script, transcript) for criterion, compiled in _compiled(ByIdentity(rubric))
        )
        return Verdicts(judgements=tuple(judgements))


@lru_cache(maxsize=64)
def _compiled(rubric: ByIdentity[Rubric]) -> tuple[tuple[Criterion, Compiled], ...]:
    return tuple(
        (criterion, compile_rule(criterion.rule, rubric.it))
        for criterion in rubric.it.criteria
        if criterion.rule is not None
    )


def compile_rule(rule: PhraseRule, rubric: Rubric) -> Compiled:
    def matcher(find: Phrases) -> Matcher:
        return Matcher(find, rubric.phrase_lists)

    def trigger(trigger: Trigger | None) -> Matcher | None:
        return None if trigger is None else matcher(trigger.find)

    return Compiled(rule, matcher(rule.find), trigger(rule.after), trigger(rule.before), trigger(rule.only_if))


def _judge(criterion: Criterion, compiled: Compiled, script: Script, transcript: Transcript) -> Judgement:
    rule = compiled.rule
    if not script.lines:
        return cannot_assess(criterion.id, "rules", "the transcript has no turns")
    if not script.spoken_by(criterion.side):
        return cannot_assess(criterion.id, "rules", f"no turn is known to be the {criterion.side}'s")
    if rule.only_if is not None and _moment(rule.only_if, compiled.only_if, script) is None:
        return _not_applicable(criterion, "the moment that calls for it did not come")
    matches = _searched(criterion, compiled, script)
    counted = _counted(rule, matches)
    if not counted and any(line.speaker is Speaker.UNKNOWN for line in script.lines):
        return cannot_assess(criterion.id, "rules", "nothing found, but who spoke some turns is unknown")
    outcome = _outcome(criterion, rule, counted)
    if outcome is None:
        return _not_applicable(criterion, "not found")
    evidence = tuple(span_evidence(transcript, m.turn, m.start, m.end) for m in counted[:MOST_EVIDENCE])
    return Judgement(
        criterion_id=criterion.id,
        status="judged",
        outcome=outcome,
        method="rules",
        reason=SAID if counted else NOT_SAID,
        evidence=evidence,
    )


def _not_applicable(criterion: Criterion, reason: str) -> Judgement:
    if criterion.not_applicable == "forbidden":
        return cannot_assess(criterion.id, "rules", reason)
    return Judgement(criterion_id=criterion.id, status="not_applicable", method="rules", reason=reason)


def _searched(criterion: Criterion, compiled: Compiled, script: Script) -> list[Match]:
    """The matches in the turns that the rule looks at."""
    rule = compiled.rule
    matches = compiled.find.in_script(script, criterion.side)
    if not matches:
        return []
    if rule.position is not None:
        turns = _turns_at(rule.position, [line.turn for line in script.spoken_by(criterion.side)])
        matches = [match for match in matches if match.turn in turns]
    if rule.after is not None:
        moment = _moment(rule.after, compiled.after, script)
        matches = [match for match in matches if moment is not None and match.turn > moment]
    if rule.before is not None:
        moment = _moment(rule.before, compiled.before, script)
        matches = [match for match in matches if moment is None or match.turn <= moment]
    return matches


def _turns_at(position: Position, turns: Sequence[int]) -> frozenset[int]:
    return frozenset(turns[: position.turns] if position.at == "start" else turns[-position.turns :])


def _moment(trigger: Trigger, matcher: Matcher | None, script: Script) -> int | None:
    """The turn in which the trigger was said for the n-th time; several times in one turn count once."""
    turns = sorted({match.turn for match in matcher.in_script(script, trigger.side)}) if matcher else []
    return turns[trigger.at_least - 1] if len(turns) >= trigger.at_least else None


def _counted(rule: PhraseRule, matches: list[Match]) -> list[Match]:
    """One match for each thing that counts."""
    if rule.count == "matches":
        return matches
    if rule.count == "once":
        return matches[:1]
    first: dict[int | str, Match] = {}
    for match in matches:
        first.setdefault(match.turn if rule.count == "turns" else match.phrase, match)
    return list(first.values())


def _outcome(criterion: Criterion, rule: PhraseRule, counted: list[Match]) -> Outcome | None:
    decided = rule.found if counted else rule.missing
    if decided == "not_applicable":
        return None
    if decided != "count":
        return decided
    kind = outcome_type(criterion.scale)
    if kind is Kinds:
        return Kinds(kinds=len({match.phrase for match in counted}))
    if kind is Count:
        return Count(count=len(counted))
    return Occurrences(occurrences=len(counted))
