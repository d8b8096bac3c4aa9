"""The reviewer's desk: open a review, decide criterion by criterion, finish.

A save that was answered is stored. Each carries the version it was made against; a stale one is refused and comes back
with what stands now, so that both can be shown.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Review
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import EXCLUDED, Evidence
from callgrade.domain.outcomes import Outcome
from callgrade.domain.reviews import (
    Decision,
    check_override,
    standing,
    why_not_approved,
    why_not_in_bulk,
)
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.domain.second_opinion import Difference
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository
from callgrade.reviews.appeals_repository import judged_by
from callgrade.reviews.autonomy import pass_of, sure
from callgrade.reviews.autonomy_repository import goes_anything
from callgrade.reviews.publishing import begins_from, is_second_check, publish
from callgrade.reviews.repository import Subject
from callgrade.reviews.second_opinion_repository import differences
from callgrade.reviews.views import NOBODY, SAMPLE, ReviewView, cards, open_ones, running

CLAIM = timedelta(minutes=15)
BULK_CONFIDENCE = 0.9
LONGEST_REASON = 2_000
LONGEST_DRAFT = 4_000


class StaleError(ConflictError):
    """Somebody saved in between. `stands` is what they decided, None where they undid it; `version` is now current."""

    def __init__(self, criterion_id: str, stands: Decision | None, version: int):
        self.criterion_id, self.stands, self.version = criterion_id, stands, version
        super().__init__(f"{criterion_id} was decided by somebody else meanwhile; look at both and decide again")


class ClaimedError(ConflictError):
    """A colleague is at this review."""

    def __init__(self, by: str, until: datetime):
        self.by, self.until = by, until
        super().__init__(f"{by} is at this review; take it over only when you have agreed on it")


class UnfinishedError(ConflictError):
    """Some criteria are not decided yet."""

    def __init__(self, criteria: Sequence[str]):
        self.criteria = tuple(criteria)
        super().__init__(f"still to be decided: {', '.join(criteria)}; what cannot be judged can be marked so")


class ReviewDesk:
    """One a process; threads share it."""

    def __init__(
        self,
        database: Database,
        *,
        bulk_confidence: float = BULK_CONFIDENCE,
        claim: timedelta = CLAIM,
        clock: Callable[[], datetime] = now,
    ):
        """`bulk_confidence` is 0..1: from there on proposals may be approved together."""
        self._database, self._bulk, self._claim, self._clock = database, bulk_confidence, claim, clock

    def open(self, visitor: Principal, review_id: str, *, take_over: bool = False) -> ReviewView:
        """Opens and softly claims a review. A colleague's claim is shown, not broken, unless `take_over`.

        Raises UnknownResourceError for what is out of reach or erased, ForbiddenError for another's review of what the
        visitor has still to judge blind.
        """
        at = self._clock()
        with self._database.reading() as session:
            review = _seen(session, visitor, review_id)
            mine = review.claimed_by == visitor.user_id and not take_over
            # whoever turns the pages of a call does not write each time
            fresh = mine and review.claimed_until is not None and review.claimed_until > at + self._claim / 2
            may = review.state == "open" and visitor.user_id and "reviews:write" in visitor.scopes
            if fresh or not may or _barred(session, visitor, review):
                return self._view(session, visitor, review)
        with self._database.writing() as session:
            user_id = _user(visitor)
            repository.claim(session, review_id, user_id, at, at + self._claim, take_over=take_over)
            return self._view(session, visitor, repository.find(session, visitor, "reviews:read", review_id))

    def look(self, visitor: Principal, review_id: str) -> ReviewView:
        """As `open`, without a claim."""
        with self._database.reading() as session:
            return self._view(session, visitor, _seen(session, visitor, review_id))

    def decide(
        self,
        visitor: Principal,
        review_id: str,
        criterion_id: str,
        kind: Literal["approve", "override", "cannot_judge"],
        *,
        expected: int,
        outcome: Outcome | None = None,
        reason: str = "",
        evidence: Sequence[Evidence] = (),
    ) -> ReviewView:
        """`expected` is the version that the card showed. An override of a shown proposal needs a reason.

        Raises StaleError, ClaimedError, ConflictError for what cannot be approved or is finished, JudgementError,
        InputError.
        """
        with self._database.writing() as session:
            subject, rubric, proposal = self._at_work(session, visitor, review_id)
            self._check(rubric, proposal, subject.review, criterion_id, kind, outcome, reason)
            row = Decision(
                criterion_id=criterion_id,
                version=expected + 1,
                kind=kind,
                outcome=outcome if kind == "override" else None,
                reason=reason.strip(),
                evidence=tuple(evidence) if kind == "override" else (),
                by=visitor.actor,
                at=self._clock(),
            )
            self._append(session, visitor, subject.review, [row])
            return self._view(session, visitor, subject.review, (subject, rubric, proposal))

    def undo(self, visitor: Principal, review_id: str, criterion_id: str, *, expected: int) -> ReviewView:
        """Takes the standing decision back. Raises StaleError, ClaimedError, ConflictError where there is none."""
        with self._database.writing() as session:
            subject, rubric, proposal = self._at_work(session, visitor, review_id)
            _known(rubric, criterion_id)
            if criterion_id not in standing(repository.decisions(session, review_id)):
                raise ConflictError(f"{criterion_id} has no decision to take back")
            row = Decision(
                criterion_id=criterion_id, version=expected + 1, kind="undo", by=visitor.actor, at=self._clock()
            )
            self._append(session, visitor, subject.review, [row])
            return self._view(session, visitor, subject.review, (subject, rubric, proposal))

    def approve_together(self, visitor: Principal, review_id: str, expected: dict[str, int]) -> ReviewView:
        """Approves those of the named criteria (with the versions shown) that are undecided and sure enough; red lines,
        unfounded quotes and what a second opinion differs from never. Raises StaleError, ClaimedError, ConflictError in
        a blind review."""
        with self._database.writing() as session:
            subject, rubric, proposal = self._at_work(session, visitor, review_id)
            if subject.review.blind:
                raise ConflictError("the proposals of this review are not shown, so none can be approved")
            stands = standing(repository.decisions(session, review_id))
            differs = _differs(session, subject.review)
            rows = [
                Decision(
                    criterion_id=id_, version=expected[id_] + 1, kind="approve", by=visitor.actor, at=self._clock()
                )
                for proposed in proposal.judgements
                if (id_ := proposed.criterion_id) in expected
                and id_ not in stands
                and id_ not in differs
                and why_not_in_bulk(proposed, rubric.by_id[id_], at_least=self._bulk) is None
            ]
            if rows:
                self._append(session, visitor, subject.review, rows)
            return self._view(session, visitor, subject.review, (subject, rubric, proposal))

    def draft(self, visitor: Principal, review_id: str, criterion_id: str, content: dict[str, Any]) -> None:
        """Keeps what somebody has half typed; an empty one drops it. Raises InputError for one that is too long,
        ConflictError where the review is not open any more."""
        if len(str(content)) > LONGEST_DRAFT:
            raise InputError(f"a draft has at most {LONGEST_DRAFT} characters")
        with self._database.writing() as session:
            review = self._held(session, visitor, review_id)
            _known(self._rubric(session, review), criterion_id)
            repository.keep_draft(session, review_id, criterion_id, _user(visitor), content)

    def release(self, visitor: Principal, review_id: str) -> None:
        """Gives a claim back before it runs out."""
        with self._database.writing() as session:
            review = repository.find(session, visitor, "reviews:write", review_id)
            repository.release(session, review.id, _user(visitor))

    def finish(self, visitor: Principal, review_id: str) -> ReviewView:
        """Submits the review. The first one of an evaluation is published, and so is a second check, as the next
        revision. Finishing twice is once.

        Raises UnfinishedError naming what is not decided, ClaimedError.
        """
        with self._database.writing() as session:
            found = repository.find(session, visitor, "reviews:write", review_id)
            if found.state == "submitted":
                return self._view(session, visitor, found)
            subject, rubric, proposal = self._at_work(session, visitor, review_id)
            log = repository.decisions(session, review_id)
            review = subject.review
            automatic = self._automatic(session, review, subject, rubric)
            if missing := open_ones(proposal, log, automatic):
                raise UnfinishedError(missing)
            card = running(rubric, proposal, log, parse_stored(subject.transcript), hidden=review.blind)
            review.state, review.submitted_at = "submitted", self._clock()
            review.reviewer_id = review.reviewer_id or visitor.user_id
            review.total = evaluations.points(card.total.value if card.total else None)
            session.add(review)
            session.flush()
            kinds = [decision.kind for decision in standing(log).values()]
            facts = {kind: kinds.count(kind) for kind in ("approve", "override", "cannot_judge")}
            facts["automatic"] = sum(id_ not in standing(log) for id_ in automatic)
            audit.record(session, visitor, "review.submitted", review.id, facts)
            if review.slot == 0 or is_second_check(review):
                publish(session, visitor, subject.evaluation, card, review_id=review.id)
            return self._view(session, visitor, review)

    def _check(
        self,
        rubric: Rubric,
        proposal: Scorecard,
        review: Review,
        criterion_id: str,
        kind: str,
        outcome: Outcome | None,
        reason: str,
    ) -> None:
        _known(rubric, criterion_id)
        if len(reason) > LONGEST_REASON:
            raise InputError(f"a reason has at most {LONGEST_REASON} characters")
        proposed = next(j for j in proposal.judgements if j.criterion_id == criterion_id)
        if proposed.reason == EXCLUDED:
            raise ConflictError(f"{criterion_id} does not apply: the call's facts exclude it")
        if kind == "approve" and (why := why_not_approved(proposed, blind=review.blind)):
            raise ConflictError(f"{criterion_id} cannot be approved as it is ({why}); judge it yourself")
        if kind == "override":
            check_override(rubric.by_id[criterion_id], outcome)
        if not reason.strip() and (kind == "cannot_judge" or (kind == "override" and not review.blind)):
            raise JudgementError(criterion_id, "give a reason: somebody will want to know why")

    def _held(self, session: Session, visitor: Principal, review_id: str) -> Review:
        """A review that is about to be written in: nobody else changes it, and nobody erases its call meanwhile.

        Raises ConflictError, and ForbiddenError for a second check by somebody whose judgement it checks.
        """
        found = repository.find(session, visitor, "reviews:write", review_id)
        repository.keep_words(session, found.evaluation_id)
        review = repository.hold(session, review_id)
        if review.state != "open":
            raise ConflictError(f"the review is {review.state}; nothing of it can be changed any more")
        if _barred(session, visitor, review):
            raise ForbiddenError("you judged this call; somebody else checks it again")
        if repository.is_wordless(session, review.evaluation_id):
            raise ConflictError("the words of this scorecard are gone; there is nothing left to review")
        return review

    def _at_work(self, session: Session, visitor: Principal, review_id: str) -> tuple[Subject, Rubric, Scorecard]:
        """What somebody is about to change, with the claim renewed. Raises ClaimedError, ConflictError."""
        review = self._held(session, visitor, review_id)
        at, user_id = self._clock(), _user(visitor)
        if not repository.claim(session, review_id, user_id, at, at + self._claim, take_over=False):
            assert review.claimed_until is not None
            raise ClaimedError(repository.login_of(session, review.claimed_by) or "", review.claimed_until)
        subject = repository.subject(session, review)
        if subject.evaluation.attempt != review.attempt:
            raise ConflictError(
                "the call has been evaluated again meanwhile; this review is of what was proposed before"
            )
        begun = begins_from(session, review)
        rubric = self._rubric(session, review, subject)
        return subject, rubric, begun[1] if begun else _proposal(session, review, subject, rubric)

    def _append(self, session: Session, visitor: Principal, review: Review, rows: list[Decision]) -> None:
        log = repository.decisions(session, review.id)
        for row in rows:
            current = max((d.version for d in log if d.criterion_id == row.criterion_id), default=0)
            # a version that skips one would never be found stale
            if row.version != current + 1:
                raise StaleError(row.criterion_id, standing(log).get(row.criterion_id), current)
        if not repository.append(session, review.id, rows):
            raise ConflictError("somebody saved at the same moment; load the page again")
        repository.drop_drafts(session, review.id, _user(visitor), [row.criterion_id for row in rows])
        if review.slot == 0 and not log:
            evaluations.move(session, review.evaluation_id, review.attempt, "in_review")

    def _automatic(self, session: Session, review: Review, subject: Subject, rubric: Rubric) -> dict[str, LocalText]:
        """Criterion → why it goes by itself. Nothing in a blind review, nor in a check of what was published: there
        somebody's own look is what is wanted. Nor where a second opinion differs."""
        client_id = subject.evaluation.client_id
        if review.blind or is_second_check(review) or not goes_anything(session, client_id, rubric.id):
            return {}
        found = pass_of(session, client_id, rubric, repository.proposal(subject)).automatic
        differs = _differs(session, review) if found else {}
        return {id_: why for id_, why in found.items() if id_ not in differs}

    def _rubric(self, session: Session, review: Review, subject: Subject | None = None) -> Rubric:
        subject = subject or repository.subject(session, review)
        return registry.rubric_of_digest(session, subject.evaluation.rubric_digest)

    def _view(
        self,
        session: Session,
        visitor: Principal,
        review: Review,
        known: tuple[Subject, Rubric, Scorecard] | None = None,
    ) -> ReviewView:
        subject = known[0] if known else repository.subject(session, review)
        rubric = known[1] if known else self._rubric(session, review, subject)
        begun = begins_from(session, review)
        # of a second check that is what is published, whatever was handed on: it may have become so just now
        proposal = begun[1] if begun else known[2] if known else _proposal(session, review, subject, rubric)
        transcript = parse_stored(subject.transcript)
        log = repository.decisions(session, review.id)
        hidden = review.blind and review.state != "submitted"
        mine = repository.drafts(session, review.id, visitor.user_id) if visitor.user_id else {}
        automatic = self._automatic(session, review, subject, rubric)
        other = review.claimed_by if review.claimed_by != visitor.user_id else None
        live = other is not None and review.claimed_until is not None and review.claimed_until > self._clock()
        return ReviewView(
            id=review.id,
            evaluation_id=review.evaluation_id,
            call_id=subject.call.id,
            shown_call_id=subject.call.call_id,
            rubric=rubric,
            transcript=transcript,
            state=review.state,
            blind=review.blind,
            why=SAMPLE if review.blind else review.why,
            checks=begun[0] if begun else None,
            barred=_barred(session, visitor, review),
            due_at=review.due_at,
            claimed_by=repository.login_of(session, other) if live else None,
            claimed_until=review.claimed_until if live else None,
            cards=cards(
                *(rubric, proposal, log, mine),
                hidden=hidden,
                at_least=self._bulk,
                automatic=automatic,
                differs=_differs(session, review),
            ),
            undecided=open_ones(proposal, log, automatic),
            running=running(rubric, proposal, log, transcript, hidden=hidden),
        )


def _seen(session: Session, visitor: Principal, review_id: str) -> Review:
    review = repository.find(session, visitor, "reviews:read", review_id)
    if repository.grades_blind(session, visitor.user_id, review):
        raise ForbiddenError("you have still to judge this call by yourself; finish that first")
    return review


def _known(rubric: Rubric, criterion_id: str) -> None:
    if criterion_id not in rubric.by_id:
        raise JudgementError(criterion_id, f"is not in {rubric.reference}")


def _proposal(session: Session, review: Review, subject: Subject, rubric: Rubric) -> Scorecard:
    """With calibrated confidences where there are any; of a blind review as it is, for nobody sees it."""
    found = repository.proposal(subject)
    return found if review.blind else sure(session, subject.evaluation.client_id, rubric, found)


def _differs(session: Session, review: Review) -> Mapping[str, Difference]:
    """Criterion → what a second opinion says instead of the proposal. A second check looks at no proposal."""
    return NOBODY if is_second_check(review) else differences(session, review.evaluation_id, review.attempt)


def _barred(session: Session, visitor: Principal, review: Review) -> bool:
    return is_second_check(review) and visitor.user_id in judged_by(session, review.evaluation_id, review.id)


def _user(visitor: Principal) -> str:
    if visitor.user_id is None:
        raise ConflictError("only a person can review; an API key has no name to answer with")
    return visitor.user_id
