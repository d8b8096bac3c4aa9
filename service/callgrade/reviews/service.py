"""The reviewer's desk: open a review, decide criterion by criterion, finish.

A save that was answered is stored. Each carries the version it was made against; a stale one is refused and comes back
with what stands now, so that both can be shown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Review
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError, UnknownResourceError
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
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository
from callgrade.reviews.appeals_repository import judged_by
from callgrade.reviews.at_hand import AtHand, look_at
from callgrade.reviews.publishing import is_second_check, publish
from callgrade.reviews.views import SAMPLE, ReviewView, cards, open_ones, running

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
        with self._database.reading() as session:
            review = repository.find(session, visitor, "reviews:read", review_id)
            view = self._unclaimed(session, visitor, review, take_over=take_over)
        return view or self._claimed(visitor, review_id, take_over=take_over)

    def open_of(
        self, visitor: Principal, call_id: str, named: str | None = None, *, take_over: bool = False
    ) -> ReviewView | None:
        """Opens the visitor's review of a call: the one `named`, else their own, else an open one within reach. None
        where they have none. Raises as `open` does."""
        if "reviews:read" not in visitor.scopes:
            return None
        with self._database.reading() as session:
            review = _chosen(repository.of_call(session, visitor, "reviews:read", call_id), visitor, named)
            if review is None:
                return None
            view = self._unclaimed(session, visitor, review, take_over=take_over)
        return view or self._claimed(visitor, review.id, take_over=take_over)

    def look(self, visitor: Principal, review_id: str) -> ReviewView:
        """As `open`, without a claim."""
        with self._database.reading() as session:
            review = repository.find(session, visitor, "reviews:read", review_id)
            _require_own_judgement(session, visitor, review)
            return self._view(session, visitor, review)

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
            at_hand = self._at_work(session, visitor, review_id)
            self._check(at_hand, criterion_id, kind, outcome, reason)
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
            self._append(session, visitor, at_hand.review, [row])
            return self._view(session, visitor, at_hand.review, at_hand)

    def undo(self, visitor: Principal, review_id: str, criterion_id: str, *, expected: int) -> ReviewView:
        """Takes the standing decision back. Raises StaleError, ClaimedError, ConflictError where there is none."""
        with self._database.writing() as session:
            at_hand = self._at_work(session, visitor, review_id)
            _known(at_hand.rubric, criterion_id)
            if criterion_id not in standing(repository.decisions(session, review_id)):
                raise ConflictError(f"{criterion_id} has no decision to take back")
            row = Decision(
                criterion_id=criterion_id, version=expected + 1, kind="undo", by=visitor.actor, at=self._clock()
            )
            self._append(session, visitor, at_hand.review, [row])
            return self._view(session, visitor, at_hand.review, at_hand)

    def approve_together(self, visitor: Principal, review_id: str, expected: dict[str, int]) -> ReviewView:
        """Approves those of the named criteria (with the versions shown) that are undecided and sure enough; red lines,
        unfounded quotes and what a second opinion differs from never. Raises StaleError, ClaimedError, ConflictError in
        a blind review."""
        with self._database.writing() as session:
            at_hand = self._at_work(session, visitor, review_id)
            if at_hand.review.blind:
                raise ConflictError("the proposals of this review are not shown, so none can be approved")
            stands = standing(repository.decisions(session, review_id))
            rows = [
                Decision(
                    criterion_id=id_, version=expected[id_] + 1, kind="approve", by=visitor.actor, at=self._clock()
                )
                for proposed in at_hand.proposal.judgements
                if (id_ := proposed.criterion_id) in expected
                and id_ not in stands
                and id_ not in at_hand.differs
                and why_not_in_bulk(proposed, at_hand.rubric.by_id[id_], at_least=self._bulk) is None
            ]
            if rows:
                self._append(session, visitor, at_hand.review, rows)
            return self._view(session, visitor, at_hand.review, at_hand)

    def draft(self, visitor: Principal, review_id: str, criterion_id: str, content: dict[str, Any]) -> None:
        """Keeps what somebody has half typed; an empty one drops it. Raises InputError for one that is too long,
        ConflictError where the review is not open any more."""
        if len(str(content)) > LONGEST_DRAFT:
            raise InputError(f"a draft has at most {LONGEST_DRAFT} characters")
        with self._database.writing() as session:
            review = self._held(session, visitor, review_id)
            evaluation = repository.subject(session, review).evaluation
            _known(registry.rubric_of_digest(session, evaluation.rubric_digest), criterion_id)
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
            at_hand = self._at_work(session, visitor, review_id)
            review, proposal, automatic = at_hand.review, at_hand.proposal, at_hand.automatic
            log = repository.decisions(session, review_id)
            if missing := open_ones(proposal, log, automatic):
                raise UnfinishedError(missing)
            words = parse_stored(at_hand.subject.transcript)
            card = running(at_hand.rubric, proposal, log, words, hidden=review.blind)
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
                publish(session, visitor, at_hand.subject.evaluation, card, review_id=review.id)
            return self._view(session, visitor, review)

    def _unclaimed(self, session: Session, visitor: Principal, review: Review, *, take_over: bool) -> ReviewView | None:
        """None where the review is to be claimed first."""
        _require_own_judgement(session, visitor, review)
        mine = review.claimed_by == visitor.user_id and not take_over
        # whoever turns the pages of a call does not write each time
        fresh = mine and review.claimed_until is not None and review.claimed_until > self._clock() + self._claim / 2
        may = review.state == "open" and visitor.user_id and "reviews:write" in visitor.scopes
        if may and not fresh and not _barred(session, visitor, review):
            return None
        return self._view(session, visitor, review)

    def _claimed(self, visitor: Principal, review_id: str, *, take_over: bool) -> ReviewView:
        at = self._clock()
        with self._database.writing() as session:
            repository.claim(session, review_id, _user(visitor), at, at + self._claim, take_over=take_over)
            return self._view(session, visitor, repository.find(session, visitor, "reviews:read", review_id))

    def _check(self, at_hand: AtHand, criterion_id: str, kind: str, outcome: Outcome | None, reason: str) -> None:
        rubric, blind = at_hand.rubric, at_hand.review.blind
        _known(rubric, criterion_id)
        if len(reason) > LONGEST_REASON:
            raise InputError(f"a reason has at most {LONGEST_REASON} characters")
        proposed = next(j for j in at_hand.proposal.judgements if j.criterion_id == criterion_id)
        if proposed.reason == EXCLUDED:
            raise ConflictError(f"{criterion_id} does not apply: the call's facts exclude it")
        if kind == "approve" and (why := why_not_approved(proposed, blind=blind)):
            raise ConflictError(f"{criterion_id} cannot be approved as it is ({why}); judge it yourself")
        if kind == "override":
            check_override(rubric.by_id[criterion_id], outcome)
        if not reason.strip() and (kind == "cannot_judge" or (kind == "override" and not blind)):
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

    def _at_work(self, session: Session, visitor: Principal, review_id: str) -> AtHand:
        """What somebody is about to change, with the claim renewed. Raises ClaimedError, ConflictError."""
        review = self._held(session, visitor, review_id)
        at, user_id = self._clock(), _user(visitor)
        if not repository.claim(session, review_id, user_id, at, at + self._claim, take_over=False):
            assert review.claimed_until is not None
            raise ClaimedError(repository.login_of(session, review.claimed_by) or "", review.claimed_until)
        at_hand = look_at(session, review)
        if at_hand.subject.evaluation.attempt != review.attempt:
            raise ConflictError(
                "the call has been evaluated again meanwhile; this review is of what was proposed before"
            )
        return at_hand

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

    def _view(self, session: Session, visitor: Principal, review: Review, at_hand: AtHand | None = None) -> ReviewView:
        at_hand = at_hand or look_at(session, review)
        subject, rubric, proposal = at_hand.subject, at_hand.rubric, at_hand.proposal
        transcript = parse_stored(subject.transcript)
        log = repository.decisions(session, review.id)
        hidden = review.blind and review.state != "submitted"
        mine = repository.drafts(session, review.id, visitor.user_id) if visitor.user_id else {}
        other = review.claimed_by if review.claimed_by != visitor.user_id else None
        live = other is not None and review.claimed_until is not None and review.claimed_until > self._clock()
        return ReviewView(
            id=review.id,
            evaluation_id=review.evaluation_id,
            call_id=subject.call.id,
            shown_call_id=subject.call.call_id,
            rubric=rubric,
            transcript=transcript,
            newest_words=subject.newest_words,
            state=review.state,
            blind=review.blind,
            why=SAMPLE if review.blind else review.why,
            checks=at_hand.checks,
            barred=_barred(session, visitor, review),
            due_at=review.due_at,
            claimed_by=repository.login_of(session, other) if live else None,
            claimed_until=review.claimed_until if live else None,
            cards=cards(
                *(rubric, proposal, log, mine),
                hidden=hidden,
                at_least=self._bulk,
                automatic=at_hand.automatic,
                differs=at_hand.differs,
            ),
            undecided=open_ones(proposal, log, at_hand.automatic),
            running=running(rubric, proposal, log, transcript, hidden=hidden),
        )


def _chosen(found: Sequence[Review], visitor: Principal, named: str | None) -> Review | None:
    """`found`: those of one call, as `repository.of_call` puts them. Raises UnknownResourceError."""
    if named is None:
        return next((one for one in found if one.state == "open" or one.reviewer_id == visitor.user_id), None)
    chosen = next((one for one in found if one.id == named), None)
    if chosen is None:
        raise UnknownResourceError("there is no such review of this call")
    return chosen


def _require_own_judgement(session: Session, visitor: Principal, review: Review) -> None:
    """Raises ForbiddenError where the visitor has still to say what they think themselves."""
    if repository.grades_blind(session, visitor.user_id, review):
        raise ForbiddenError("you have still to judge this call by yourself; finish that first")


def _known(rubric: Rubric, criterion_id: str) -> None:
    if criterion_id not in rubric.by_id:
        raise JudgementError(criterion_id, f"is not in {rubric.reference}")


def _barred(session: Session, visitor: Principal, review: Review) -> bool:
    return is_second_check(review) and visitor.user_id in judged_by(session, review.evaluation_id, review.id)


def _user(visitor: Principal) -> str:
    if visitor.user_id is None:
        raise ConflictError("only a person can review; an API key has no name to answer with")
    return visitor.user_id
