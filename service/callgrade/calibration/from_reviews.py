"""A client's golden calls and labels out of what its people decided."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal, system
from callgrade.calibration import golden_repository as repository
from callgrade.calibration.golden import Added, side_of
from callgrade.calls.service import parse_stored
from callgrade.db.tables import GoldenSet, Review
from callgrade.domain.errors import CallgradeError, ConflictError
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.reviews import Decision, decided, standing
from callgrade.domain.scorecards import Scorecard
from callgrade.reviews import repository as reviews
from callgrade.reviews.publishing import begins_from, latest_revision


def add_reviewed(session: Session, principal: Principal, set_id: str, evaluation_ids: Sequence[str]) -> Added:
    """Calls whose published review is within reach, each with a label from every review that was committed to: blind
    ones and those that saw a proposal, each saying which it was. What cannot be taken is refused with the reason.

    A golden call is tied to its call: it goes when that is erased. Raises UnknownResourceError for a set that is not
    the client's own.
    """
    principal.reach("calibrations:write")
    row = repository.hold(session, repository.find(session, principal, set_id, own=True).id)
    by_evaluation: dict[str, list[Review]] = {id_: [] for id_ in evaluation_ids}
    for review in repository.submitted(session, principal, evaluation_ids):
        by_evaluation[review.evaluation_id].append(review)
    calls = labels = 0
    refused: dict[str, str] = {}
    for id_, found in by_evaluation.items():
        try:
            calls += _add_call(session, principal, row, found)
            labels += sum(_add_label(session, row.id, review) for review in found)
        except CallgradeError as error:
            refused[id_] = str(error)
    added = Added(calls=calls, labels=labels, refused=refused)
    facts = {"calls": calls, "labels": labels, "refused": len(refused)}
    audit.record(session, principal, "golden_set.filled", row.id, facts)
    return added


def collect(session: Session, principal: Principal, set_id: str) -> int:
    """Labels of reviews that were committed to since the calls came in; says how many. Those of a call that somebody
    still grades blind wait until they have committed as well."""
    principal.reach("calibrations:write")
    row = repository.hold(session, repository.find(session, principal, set_id, own=True).id)
    known = repository.evaluations_of(session, row.id)
    found = repository.submitted(session, principal, sorted(known))
    added = sum(_add_label(session, row.id, review) for review in found)
    audit.record(session, principal, "golden_set.collected", row.id, {"labels": added})
    return added


def collect_all(session: Session, principal: Principal, set_id: str) -> int:
    """As `collect`, of reviews beyond the principal's teams too: what was committed to for a set belongs to it."""
    principal.reach("calibrations:write")
    repository.find(session, principal, set_id, own=True)
    return collect(session, system(principal.client_id), set_id)


def label_of(
    call: str,
    rubric: str,
    review: Review,
    proposal: Scorecard,
    log: Sequence[Decision],
) -> Label:
    """What a committed review says of each criterion that a rater could say anything of. An approved proposal is the
    person's answer as well, and not a blind one."""
    stands = standing(log)
    said = decided(proposal, stands, blind=review.blind)
    excluded = {j.criterion_id for j in proposal.judgements if j.reason == EXCLUDED}
    judged = {id_: judgement for id_, judgement in said.items() if id_ in stands and id_ not in excluded}
    quotes = {id_: tuple(item.quote for item in j.evidence if item.founded) for id_, j in judged.items()}
    return Label(
        call=call,
        rubric=rubric,
        rater=f"user:{review.reviewer_id}",
        rater_kind="person",
        blind=review.blind,
        at=review.submitted_at,
        judgements={id_: _as_given(judgement) for id_, judgement in judged.items()},
        quotes={id_: found for id_, found in quotes.items() if found},
    )


def _add_call(session: Session, principal: Principal, row: GoldenSet, found: Sequence[Review]) -> int:
    if not found or latest_revision(session, found[0].evaluation_id) == 0:
        raise ConflictError("it has no published review within your reach, or somebody still grades it blind")
    subject = reviews.subject(session, found[0])
    transcript = parse_stored(subject.transcript)
    before = repository.call_named(session, row.id, subject.call.call_id)
    if before is not None:
        if before.call_id != subject.call.id:
            raise ConflictError("the set has another call of this name")
        return 0
    agent, customer = subject.call.agent_id, transcript.customer.id if transcript.customer else None
    golden = GoldenCall(
        id=subject.call.call_id,
        synthetic=False,
        written_by="reviewed call",
        split=side_of(session, row, (agent, customer)),
        agent=agent,
        customer=customer,
        transcript=transcript,
    )
    more = {"call_id": subject.call.id, "evaluation_id": subject.evaluation.id}
    return repository.add_calls(session, row, [golden], principal.actor, **more)


def _add_label(session: Session, set_id: str, review: Review) -> int:
    subject = reviews.subject(session, review)
    begun = begins_from(session, review)
    label = label_of(
        subject.call.call_id,
        repository.rubric_of(session, review.evaluation_id),
        review,
        begun[1] if begun else reviews.proposal(subject),
        reviews.decisions(session, review.id),
    )
    return repository.add_labels(session, set_id, [label], review.id)


def _as_given(judgement: Judgement) -> dict[str, JsonValue]:
    """As contracts.md has judgements."""
    if judgement.status == "not_applicable":
        return {"status": "not_applicable"}
    if judgement.outcome is None:
        return {"status": "cannot_assess", "reason": judgement.reason}
    given: Mapping[str, JsonValue] = judgement.outcome.model_dump(mode="json")
    return dict(given)
