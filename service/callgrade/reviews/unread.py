"""Publishing what nobody has read: only where every criterion goes by itself under a proven bound, and but for a share
that is drawn by chance and audited blind.

Every proposal is decided about once. What a sampling plan always looks at stays with people, and so does what somebody
reviews already. What was proposed before anything was granted stays as it was.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import system
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Evaluation
from callgrade.db.types import now
from callgrade.domain.calls import Transcript
from callgrade.domain.periods import deadline
from callgrade.domain.plans import why_always
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import autonomy_repository as repository
from callgrade.reviews import sampling_repository
from callgrade.reviews.assignment import hand_out
from callgrade.reviews.autonomy import pass_of
from callgrade.reviews.autonomy_repository import Waiting
from callgrade.reviews.publishing import publish
from callgrade.reviews.repository import is_wordless, keep_words
from callgrade.reviews.sampling import plan_in
from callgrade.reviews.second_opinion import SECOND_OPINION, Ask, nobody

AUDIT = "audit"
AUDITED_SHARE = 0.05
PAGE = 200
DUE_DAYS = 3
SETTLE = timedelta(minutes=1)
"""So long a proposal waits: plans that always look at calls such as this one come first."""
_LOG = logging.getLogger(__name__)


class Unread(NamedTuple):
    """How many proposals were published unread, drawn for an audit, and kept for people."""

    published: int = 0
    audited: int = 0
    kept: int = 0


class UnreadDesk:
    """One a process. `audited_share`, above 0 up to 1, is what is drawn by chance of all that would pass. Nothing
    passes that the `second_opinion` differs from, or that it cannot be asked about."""

    def __init__(
        self,
        database: Database,
        *,
        zone: ZoneInfo,
        audited_share: float = AUDITED_SHARE,
        second_opinion: Ask = nobody,
        clock: Callable[[], datetime] = now,
    ):
        self._database, self._zone, self._share, self._clock = database, zone, audited_share, clock
        self._ask = second_opinion

    def look_through(self, *, limit: int = PAGE) -> Unread:
        """Decides about what was proposed since anything goes by itself. Meant to be called every half minute; on
        several hosts at once nothing is decided twice. A proposal that fails is told in the log, and tried again."""
        outcomes: list[str] = []
        with self._database.reading() as session:
            rubrics = repository.automatic_rubrics(session)
        for client_id, rubric_id, since in rubrics:
            with self._database.reading() as session:
                until = self._clock() - SETTLE
                found = repository.waiting(session, client_id, rubric_id, since, until, limit)
            for waiting in found:
                try:
                    outcomes += self._decide(waiting)
                except Exception as error:
                    told = {"evaluation": waiting.evaluation.id, "error": type(error).__name__}
                    _LOG.warning("nothing was decided about a proposal", extra=told)
        return Unread(*(outcomes.count(outcome) for outcome in ("published", "audited", "kept")))

    def _decide(self, waiting: Waiting) -> list[str]:
        with self._database.writing() as session:
            asked = waiting.evaluation
            # in the order in which an erasure takes them
            keep_words(session, asked.id)
            evaluation = evaluations.find(session, asked.client_id, asked.id)
            session.refresh(evaluation)
            over = (evaluation.status, evaluation.attempt) != ("proposed", asked.attempt)
            if over or is_wordless(session, asked.id) or repository.is_reviewed(session, asked.id):
                return []
            rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
            card = evaluations.scorecard_of(session, evaluation)
            if card is None:  # its call was erased meanwhile
                return []
            found = pass_of(session, evaluation.client_id, rubric, card)
            words = parse_stored(waiting.transcript)
            stopped = found.passing.stopped_by or self._always(session, rubric, waiting, card, words)
            if self._ask(session, evaluation, rubric, card, words):
                stopped = stopped or SECOND_OPINION
            passes = found.passing.passes and stopped is None
            chosen = passes and chance(evaluation.id, evaluation.attempt) < self._share
            outcome = "audited" if chosen else "published" if passes else "kept"
            first = repository.keep(
                session,
                evaluation_id=evaluation.id,
                attempt=evaluation.attempt,
                client_id=evaluation.client_id,
                rubric_id=evaluation.rubric_id,
                outcome=outcome,
                stopped_by=stopped,
                probability=self._share if passes else None,
                states=list(found.rests_on) if passes else [],
                at=self._clock(),
            )
            if first and passes:
                self._act(session, evaluation, card, outcome, found.rests_on)
            return [outcome] if first else []

    def _always(
        self, session: Session, rubric: Rubric, waiting: Waiting, card: Scorecard, transcript: Transcript
    ) -> str | None:
        """Why a sampling plan looks at this call whatever is drawn."""
        for row in sampling_repository.plans(session, waiting.evaluation.client_id):
            plan = plan_in(row)
            if row.rubric_id != rubric.id or (plan.teams and waiting.evaluation.team not in plan.teams):
                continue
            if (why := why_always(plan.always, rubric, card, transcript)) is not None:
                return why
        return None

    def _act(
        self, session: Session, evaluation: Evaluation, card: Scorecard, outcome: str, rests_on: tuple[str, ...]
    ) -> None:
        us = system(evaluation.client_id)
        if outcome == "audited":
            due_at = deadline(self._clock(), DUE_DAYS, self._zone)
            # blind: whoever sees what the machine says does not find what it missed
            hand_out(session, None, evaluation, why=AUDIT, due_at=due_at, slot=0, blind=True)
            audit.record(session, us, "evaluation.audited", evaluation.id, {"rests-on": rests_on[:100]})
            return
        publish(session, us, evaluation, card)
        audit.record(session, us, "evaluation.published_unread", evaluation.id, {"rests-on": rests_on[:100]})


def chance(evaluation_id: str, attempt: int) -> float:
    """In [0, 1), evenly, and the same whoever asks: what is drawn for an audit does not depend on when or where."""
    told = hashlib.sha256(f"audit\0{evaluation_id}\0{attempt}".encode()).digest()
    return int.from_bytes(told[:7], "big") / 2**56
