"""The judge that measures time: bands of one speech fact, or of a figure that the call brings with it."""

from pydantic import JsonValue

from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Judgement, cannot_assess
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import OF_THE_CALL, Criterion, Rubric, SpeechRule
from callgrade.domain.speech import measure
from callgrade.ports import Verdicts


class SpeechJudge:
    """Judges the criteria with `judge: speech`."""

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """One judgement per speech criterion; a fact that is undefined for this call is an abstention."""
        criteria = rubric.judged_by("speech")
        if not criteria:
            return Verdicts()
        measured = measure(transcript)

        def value(fact: str) -> float | None:
            if fact.startswith(OF_THE_CALL):
                return _number(transcript.facts.get(fact.removeprefix(OF_THE_CALL)))
            return getattr(measured, fact, None)

        return Verdicts(judgements=tuple(_judge(c, value(c.speech.fact)) for c in criteria if c.speech))


def _number(value: JsonValue) -> float | None:
    """A call's fact as a number; anything else is as good as absent."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _judge(criterion: Criterion, value: float | None) -> Judgement:
    rule = criterion.speech
    assert rule is not None
    if value is None:
        return cannot_assess(criterion.id, "speech", f"{rule.fact} is undefined for this call")
    return Judgement(
        criterion_id=criterion.id,
        status="judged",
        outcome=_band(rule, value),
        method="speech",
        reason=f"{rule.fact} = {value:g}",
    )


def _band(rule: SpeechRule, value: float) -> Outcome:
    return next(band.outcome for band in rule.bands if band.up_to is None or value <= band.up_to)
