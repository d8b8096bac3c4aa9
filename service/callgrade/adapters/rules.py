"""The judge that counts words. Its evidence is exact by construction: it is what it found.

What each part of a rule means stands in `domain/rubrics.py` (PhraseRule, Trigger, Position).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from callgrade.adapters.matching import Match, Matcher, Script
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.grounding import span_evidence
from callgrade.domain.identity import ByIdentity
from callgrade.domain.judgements import Judgement, cannot_assess
from callgrade.domain.outcomes import Count, Kinds, Occurrences, Outcome
from callgrade.domain.rubrics import Criterion, PhraseRule, Phrases, Position, Rubric, Trigger
from callgrade.domain.scales import outcome_type
from callgrade.ports import Verdicts

MOST_EVIDENCE = 50
"""Quotes kept for one criterion. The count in the outcome is not limited by it."""

ILLEGIBLE = "what was said is not in a writing that its words are in"
SAID, NOT_SAID = "its words were said", "none of its words was said"


class Compiled(NamedTuple):
    """A rule with its phrases compiled."""

    rule: PhraseRule
    find: Matcher
    after: Matcher | None
    before: Matcher | None
    only_if: tuple[Matcher, ...]


class RuleJudge:
    """Judges the criteria with `judge: rules`."""

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """One judgement per rules criterion. Never fails: a rule that cannot be decided abstains."""
        rules = _compiled(ByIdentity(rubric))
        if not rules:
            return Verdicts()  # without folding every turn for nobody
        script = Script(transcript)
        return Verdicts(judgements=tuple(_judge(criterion, rule, script, transcript) for criterion, rule in rules))


@lru_cache(maxsize=64)
def _compiled(rubric: ByIdentity[Rubric]) -> tuple[tuple[Criterion, Compiled], ...]:
    # criteria that look for the same words share one matcher, so that a script is searched for them once
    matchers = lru_cache(maxsize=None)(lambda phrases: Matcher(phrases, rubric.it.phrase_lists))
    return tuple((c, compile_rule(c.rule, matchers)) for c in rubric.it.criteria if c.rule is not None)


def compile_rule(rule: PhraseRule, matchers: Callable[[Phrases], Matcher]) -> Compiled:
    return Compiled(
        rule,
        matchers(rule.find),
        matchers(rule.after.find) if rule.after else None,
        matchers(rule.before.find) if rule.before else None,
        tuple(matchers(trigger.find) for trigger in rule.only_if),
    )


def _judge(criterion: Criterion, compiled: Compiled, script: Script, transcript: Transcript) -> Judgement:
    rule = compiled.rule
    if not script.lines:
        return cannot_assess(criterion.id, "rules", "the transcript has no turns")
    if not script.spoken_by(criterion.side):
        return cannot_assess(criterion.id, "rules", f"no turn is known to be the {criterion.side}'s")
    called_for = [_moment(*pair, script) for pair in zip(rule.only_if, compiled.only_if, strict=True)]
    if None in called_for:
        return _not_applicable(criterion, "the moment that calls for it did not come")
    counted = _counted(rule, _searched(criterion, compiled, script))
    if not counted and any(line.speaker is Speaker.UNKNOWN for line in script.lines):
        return cannot_assess(criterion.id, "rules", "nothing found, but who spoke some turns is unknown")
    if not counted and (unheard := _unheard(criterion, rule, script)):
        return cannot_assess(criterion.id, "rules", unheard)
    outcome = _outcome(criterion, rule, counted)
    if outcome is None:
        return _not_applicable(criterion, "not found")
    # what was not said cannot be quoted: the moment that called for it is
    shown = counted or [moment for moment in called_for if moment is not None]
    return Judgement(
        criterion_id=criterion.id,
        status="judged",
        outcome=outcome,
        method="rules",
        reason=SAID if counted else NOT_SAID,
        evidence=tuple(span_evidence(transcript, m.turn, m.start, m.end) for m in shown[:MOST_EVIDENCE]),
    )


def _unheard(criterion: Criterion, rule: PhraseRule, script: Script) -> str | None:
    """Why it cannot be told that the words were not said."""
    if not script.legible(criterion.side):
        return ILLEGIBLE
    if rule.after is not None and not script.spoken_by(rule.after.side):
        return f"no turn is known to be the {rule.after.side}'s"
    return None


def _not_applicable(criterion: Criterion, reason: str) -> Judgement:
    if criterion.not_applicable == "forbidden":
        return cannot_assess(criterion.id, "rules", reason)
    return Judgement(criterion_id=criterion.id, status="not_applicable", method="rules", reason=reason)


def _searched(criterion: Criterion, compiled: Compiled, script: Script) -> list[Match]:
    """The matches in the turns that the rule looks at."""
    rule = compiled.rule
    matches = script.matches(compiled.find, criterion.side)
    if not matches:
        return []
    if rule.position is not None:
        turns = _turns_at(rule.position, [line.turn for line in script.spoken_by(criterion.side)])
        matches = [match for match in matches if match.turn in turns]
    if rule.after is not None:
        moment = _moment(rule.after, compiled.after, script)
        matches = [match for match in matches if moment is not None and match.turn > moment.turn]
    if rule.before is not None:
        moment = _moment(rule.before, compiled.before, script)
        matches = [match for match in matches if moment is None or match.turn <= moment.turn]
    return matches


def _turns_at(position: Position, turns: Sequence[int]) -> frozenset[int]:
    return frozenset(turns[: position.turns] if position.at == "start" else turns[-position.turns :])


def _moment(trigger: Trigger, matcher: Matcher | None, script: Script) -> Match | None:
    """Where the trigger was said for the n-th time; several times in one turn count once."""
    turns: dict[int, Match] = {}
    for match in script.matches(matcher, trigger.side) if matcher else ():
        turns.setdefault(match.turn, match)
    return list(turns.values())[trigger.at_least - 1] if len(turns) >= trigger.at_least else None


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
