"""The judge that measures time: bands of one speech fact."""

from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Judgement, cannot_assess
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Criterion, Rubric, SpeechRule
from callgrade.domain.speech import measure
from callgrade.ports import Verdicts


class SpeechJudge:
    """Judges the criteria with `judge: speech`."""

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """One judgement per speech criterion; a fact that is undefined for this call is an abstention."""
        criteria = rubric.judged_by("speech")
        if not criteria:
            return Verdicts()
        facts = measure(transcript)
        return Verdicts(judgements=tuple(_judge(c, getattr(facts, c.speech.fact, None)) for c in criteria if c.speech))


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
