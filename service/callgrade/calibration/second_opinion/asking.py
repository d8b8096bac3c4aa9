"""What the second opinion says of proposals, and whom it calls.

It changes no score. Where it firmly says otherwise than what was proposed, a person is to look: the call goes into the
pool with that reason, and is not published unread. A file that cannot be trusted is not asked, and then nothing of its
rubric goes unread either, until it is trained again or retired.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.facts import Fact
from callgrade.access.principals import system
from callgrade.calibration.second_opinion import repository, stored
from callgrade.calibration.second_opinion.features import features
from callgrade.calibration.second_opinion.fitting import Line
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Evaluation
from callgrade.db.types import now
from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.calls import Transcript
from callgrade.domain.identity import ByIdentity
from callgrade.domain.periods import deadline
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.domain.second_opinion import Difference, Opinion, differs, says_fault
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews.assignment import hand_out
from callgrade.reviews.autonomy_repository import Waiting
from callgrade.reviews.repository import is_wordless, keep_words
from callgrade.reviews.second_opinion import SECOND_OPINION

PAGE = 200
DUE_DAYS = 3
KEPT = 200
"""Trained files in memory, each some hundred kilobytes."""
_LOG = logging.getLogger(__name__)


class SecondOpinions:
    """One a process; threads share it."""

    def __init__(self, database: Database, *, zone: ZoneInfo, clock: Callable[[], datetime] = now):
        self._database, self._zone, self._clock = database, zone, clock
        self._read: OrderedDict[str, tuple[Opinion, Line]] = OrderedDict()
        self._lock = Lock()

    def look_through(self, *, limit: int = PAGE) -> int:
        """Asks about what was proposed since any of it is on; says how many people are to look at. Meant to be called
        every half minute; on several hosts at once nothing is asked about twice. A rubric whose files cannot be read
        is told in the log."""
        with self._database.reading() as session:
            rubrics = repository.rubrics_asked(session)
        raised = 0
        for client_id, rubric_id, since in rubrics:
            try:
                with self._database.reading() as session:
                    for id_ in repository.asked(session, client_id, rubric_id).values():
                        self._file(session, id_)
                    found = repository.waiting(session, client_id, rubric_id, since, limit)
                raised += sum(self._look(one) for one in found)
            except Exception as error:
                told = {"rubric": rubric_id, "error": type(error).__name__}
                _LOG.warning("the second opinion was not asked", extra=told)
        return raised

    def ask(
        self, session: Session, evaluation: Evaluation, rubric: Rubric, card: Scorecard, transcript: Transcript
    ) -> tuple[Difference, ...]:
        """Where it firmly says otherwise than this proposal; nothing where none is on. Asked once for each attempt,
        whoever asks. Raises UntrustworthyError, NotReadyError: then nobody knows whether it differs."""
        there = repository.look_at(session, evaluation)
        if there is not None:
            return tuple(Difference.model_validate(one) for one in there)
        asked = self._asked(session, evaluation.client_id, rubric)
        if not asked:
            return ()
        found = _differences(asked, rubric, card, transcript)
        first = repository.keep(
            session,
            evaluation_id=evaluation.id,
            attempt=evaluation.attempt,
            client_id=evaluation.client_id,
            opinions=sorted(id_ for id_, _, _ in asked.values()),
            differs=[one.model_dump(mode="json") for one in found],
            at=self._clock(),
        )
        if first and found:
            self._raise(session, evaluation, found)
        return found

    def _look(self, waiting: Waiting) -> bool:
        with self._database.writing() as session:
            # in the order in which an erasure takes them
            keep_words(session, waiting.evaluation.id)
            evaluation = evaluations.find(session, waiting.evaluation.client_id, waiting.evaluation.id)
            session.refresh(evaluation)
            same = (evaluation.status, evaluation.attempt) == ("proposed", waiting.evaluation.attempt)
            if not same or is_wordless(session, evaluation.id):
                return False
            card = evaluations.scorecard_of(session, evaluation)
            if card is None:  # its call was erased meanwhile
                return False
            rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
            return bool(self.ask(session, evaluation, rubric, card, parse_stored(waiting.transcript)))

    def _asked(self, session: Session, client_id: str, rubric: Rubric) -> dict[str, tuple[str, Opinion, Line]]:
        """By criterion, those that are on and of exactly this criterion: of one that has changed there is none."""
        on = repository.asked(session, client_id, rubric.id)
        digests = criterion_digests(ByIdentity(rubric)) if on else {}
        return {id_: (on[found], *self._file(session, on[found])) for id_, found in digests.items() if found in on}

    def _file(self, session: Session, id_: str) -> tuple[Opinion, Line]:
        with self._lock:
            if id_ in self._read:
                self._read.move_to_end(id_)
                return self._read[id_]
        found = stored.read(repository.content(session, id_))
        with self._lock:
            self._read[id_] = found
            while len(self._read) > KEPT:
                self._read.popitem(last=False)
        return found

    def _raise(self, session: Session, evaluation: Evaluation, found: tuple[Difference, ...]) -> None:
        """Nothing happens where somebody has it to review anyway: they are shown the difference."""
        due_at = deadline(self._clock(), DUE_DAYS, self._zone)
        hand_out(session, None, evaluation, why=SECOND_OPINION, due_at=due_at, slot=0)
        facts: dict[str, Fact] = {"criteria": len(found), "opinions": [one.opinion for one in found][:100]}
        audit.record(session, system(evaluation.client_id), "evaluation.contradicted", evaluation.id, facts)


def _differences(
    asked: Mapping[str, tuple[str, Opinion, Line]], rubric: Rubric, card: Scorecard, transcript: Transcript
) -> tuple[Difference, ...]:
    found = features([transcript])
    differences = []
    for proposed in card.judgements:
        if proposed.criterion_id not in asked:
            continue
        id_, about, line = asked[proposed.criterion_id]
        stored.check_for(about, rubric)
        said = says_fault(rubric.by_id[proposed.criterion_id], proposed)
        one = differs(about, id_, said, float(line.probabilities(found)[0]))
        if one is not None:
            differences.append(one)
    return tuple(differences)
