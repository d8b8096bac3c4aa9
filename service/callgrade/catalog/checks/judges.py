"""Whether each judge can do what it is asked to."""

from collections.abc import Iterator

from callgrade.catalog.checks.reach import costs
from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Path_, Problem, did_you_mean
from callgrade.catalog.patterns import phrase_problems
from callgrade.domain.rubrics import OF_THE_CALL, Criterion
from callgrade.domain.speech import SpeechFacts


def judge_problems(draft: Draft) -> Iterator[Problem]:
    for at, criterion in draft.criteria:
        yield from _applicability(at, criterion)
        yield from _speech_fact(at, criterion)
        yield from _evidence(at, criterion)
    for at, phrases in draft.phrases:
        yield from phrase_problems(phrases, at)


def _applicability(at: Path_, criterion: Criterion) -> Iterator[Problem]:
    if criterion.not_applicable != "forbidden":
        return
    if criterion.when:
        message = "`when:` lets the criterion not apply, and not_applicable forbids it"
        mend = "write not_applicable: rescale, or remove when:"
        yield Problem(at=(*at, "not_applicable"), message=message, suggestion=mend, severity="warning")
    rule = criterion.rule
    if rule is not None and (rule.missing == "not_applicable" or rule.only_if):
        field = "missing" if rule.missing == "not_applicable" else "only_if"
        message = f"`{field}:` may find that the criterion does not apply, and not_applicable forbids it"
        yield Problem(at=(*at, "rule", field), message=message, suggestion="write not_applicable: rescale or full")


def _speech_fact(at: Path_, criterion: Criterion) -> Iterator[Problem]:
    if criterion.speech is None:
        return
    fact, known = criterion.speech.fact, SpeechFacts.model_fields
    if fact.startswith(OF_THE_CALL):
        if not fact.removeprefix(OF_THE_CALL):
            mend = "write call.answer_wait_ms, for example"
            yield Problem(at=(*at, "speech", "fact"), message="names no fact of the call", suggestion=mend)
    elif fact not in known:
        mend = did_you_mean(fact, known)
        yield Problem(at=(*at, "speech", "fact"), message=f"there is no speech fact {fact!r}", suggestion=mend)


def _evidence(at: Path_, criterion: Criterion) -> Iterator[Problem]:
    """What was not said cannot be quoted, and a measurement is no quote."""
    if criterion.evidence != "required":
        return
    if criterion.speech is not None:
        message = "evidence is required, and a speech fact is measured, not quoted"
        yield Problem(at=at, message=message, suggestion="write evidence: optional", severity="warning")
    rule = criterion.rule
    if rule is not None and not isinstance(rule.missing, str) and costs(criterion, rule.missing):
        message = "evidence is required, but the verdict that costs points is that nothing was found"
        yield Problem(at=at, message=message, suggestion="write evidence: optional", severity="warning")
