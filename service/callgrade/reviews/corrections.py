"""A reviewer puts a transcript right, and the call is judged again by what was really said.

In one transaction the corrected words become the next version, the call gets another evaluation, and the reviews of the
old one are withdrawn, each with another in its place that is `awaiting`: nobody can open it before its proposal is
there. So whatever process dies when, either nothing happened or all of it stands in the database; the engine's sweep
finds the evaluation, and `hand_back`, which may be asked at any time by anybody, finds the reviews.
"""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Call, Evaluation, Release, Review, TranscriptVersion
from callgrade.db.types import now
from callgrade.domain.calls import Transcript
from callgrade.domain.corrections import with_speakers_swapped, with_turn
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.evaluations import corrected, registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import corrections_repository as corrections
from callgrade.reviews import repository
from callgrade.reviews.service import ClaimedError

CORRECTED = "corrected"
PRIORITY = 100
"""Somebody waits for it: sooner than what came in by itself."""

Enqueue = Callable[[Evaluation], None]


class StaleWordsError(ConflictError):
    """Somebody corrected the transcript in between; `version` is the newest."""

    def __init__(self, version: int):
        self.version = version
        super().__init__("the transcript was corrected by somebody else meanwhile; look at it as it is now")


class Words(Frozen):
    """The newest transcript of a call and its version."""

    call_id: str
    shown_call_id: str
    version: int
    transcript: Transcript


class Again(Frozen):
    """What a correction leads to: the review that will be in place of the one at hand."""

    call_id: str
    evaluation_id: str
    review_id: str
    version: int


class Corrections:
    """One a process; threads share it. `enqueue` hands an evaluation to the workers; what it fails to hand over the
    engine's sweep finds."""

    def __init__(self, database: Database, enqueue: Enqueue, *, clock: Callable[[], datetime] = now):
        self._database, self._enqueue, self._clock = database, enqueue, clock

    def words(self, visitor: Principal, review_id: str) -> Words:
        """What there is to correct. Raises UnknownResourceError, GoneError."""
        with self._database.reading() as session:
            review = repository.find(session, visitor, "reviews:write", review_id)
            call = evaluations.call_of(session, review.evaluation_id)
            version = _newest(session, calls.find(session, visitor.client_id, call.id))
            words = parse_stored(version.content)
            return Words(call_id=call.id, shown_call_id=call.call_id, version=version.version, transcript=words)

    def correct(self, visitor: Principal, review_id: str, turn: int, text: str, expected_version: int) -> Again:
        """Turn `turn` (from 0) says `text`. Raises StaleWordsError, ClaimedError, ConflictError for a review that is
        not open, InputError for words that change nothing or are none."""
        return self._again(visitor, review_id, expected_version, turn, lambda words: with_turn(words, turn, text))

    def swap_speakers(self, visitor: Principal, review_id: str, expected_version: int) -> Again:
        """Raises as `correct` does."""
        return self._again(visitor, review_id, expected_version, None, with_speakers_swapped)

    def _again(
        self,
        visitor: Principal,
        review_id: str,
        expected: int,
        turn: int | None,
        change: Callable[[Transcript], Transcript],
    ) -> Again:
        if visitor.user_id is None:
            raise ConflictError("only a person can correct what was said; an API key has no name to answer with")
        with self._database.writing() as session:
            review, call = self._held(session, visitor, review_id)
            newest = _newest(session, call)
            if newest.version != expected:
                raise StaleWordsError(newest.version)
            changed = change(parse_stored(newest.content))
            version = calls.add_transcript(session, call, changed, visitor.user_id).version
            evaluation = self._evaluation(session, visitor, call, review.evaluation_id)
            id_ = self._hand_on(session, review, evaluation)
            facts = {"version": version, "turn": turn, "what": "speakers" if turn is None else "turn"}
            audit.record(session, visitor, "transcript.corrected", call.id, facts)
            audit.record(session, visitor, "review.withdrawn", review.id, {"instead": id_})
        self._enqueue(evaluation)
        return Again(call_id=call.id, evaluation_id=evaluation.id, review_id=id_, version=version)

    def _held(self, session: Session, visitor: Principal, review_id: str) -> tuple[Review, Call]:
        """The review and its call, which until the session ends are nobody else's to change: call, evaluation, review,
        in the order in which an erasure takes them."""
        found = repository.find(session, visitor, "reviews:write", review_id)
        call = calls.hold(session, visitor.client_id, evaluations.call_of(session, found.evaluation_id).id)
        repository.keep_words(session, found.evaluation_id)
        review = repository.hold(session, review_id)
        if review.state != "open":
            raise ConflictError(f"the review is {review.state}; nothing of it can be changed any more")
        for other in corrections.open_ones(session, review.evaluation_id):
            by, until = other.claimed_by, other.claimed_until
            if by not in (None, visitor.user_id) and until is not None and until > self._clock():
                raise ClaimedError(repository.login_of(session, by) or "", until)
        return review, call

    def _evaluation(self, session: Session, visitor: Principal, call: Call, before: str) -> Evaluation:
        """By the same rubric and release as the one before."""
        old = evaluations.find(session, visitor.client_id, before)
        rubric = registry.rubric_version(session, f"{old.rubric_id}@{old.rubric_version}")
        release = session.get(Release, old.release_id) if old.release_id else None
        row, new = evaluations.create_evaluation(session, visitor, call, rubric, release, priority=PRIORITY)
        if not new:
            raise ConflictError("the call is being judged again already; look at it again in a moment")
        corrected.stand_in_for(session, old, row)
        audit.record(session, visitor, "evaluation.asked", row.id, {"call": call.id, "rubric": row.rubric_digest})
        return row

    def _hand_on(self, session: Session, review: Review, evaluation: Evaluation) -> str:
        """Withdraws what is open of the old evaluation, and lets the same people wait for the new one; slots begin at 0
        again, because what was published of the old words is none of the new. Gives what replaces `review`."""
        instead = ""
        for slot, old in enumerate(corrections.open_ones(session, review.evaluation_id)):
            values = {"reviewer_id": old.reviewer_id, "blind": old.blind, "sampled_id": old.sampled_id}
            if old.id == review.id and old.reviewer_id is None:
                values["reviewer_id"] = review.claimed_by
            id_ = corrections.wait(session, evaluation, slot=slot, due_at=old.due_at, why=CORRECTED, **values)
            instead = id_ if old.id == review.id else instead
            corrections.withdraw(session, old.id)
        return instead


def _newest(session: Session, call: Call) -> TranscriptVersion:
    versions = calls.transcript_versions(session, call)
    if not versions:
        raise UnknownResourceError("this call has no transcript")
    return versions[-1]


def hand_back(database: Database) -> int:
    """Opens the reviews whose proposal has come meanwhile, and says how many. Asking again changes nothing."""
    with database.reading() as session:
        if not corrections.some_are_ready(session):
            return 0
    with database.writing() as session:
        return corrections.open_ready(session)


def standing_of(database: Database, visitor: Principal, review_id: str) -> tuple[str, str, Call]:
    """(state, the evaluation's status, the call) of a review; for whoever waits.

    Raises UnknownResourceError.
    """
    with database.reading() as session:
        review = repository.find(session, visitor, "reviews:read", review_id)
        evaluation = evaluations.find(session, visitor.client_id, review.evaluation_id)
        call = evaluations.call_of(session, evaluation.id)
        if call.erased_at is not None:
            raise UnknownResourceError("the call has been erased; there is nothing left to review")
        return review.state, evaluation.status, call
