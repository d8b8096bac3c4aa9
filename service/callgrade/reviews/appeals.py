"""Appeals, their whole life: filed within the window, decided by somebody else before the deadline, published anew.

            ┌─▶ upheld     the score stands
    open ───┼─▶ accepted   as the agent wanted it: the next revision
            ├─▶ changed    a third value: the next revision
            └─▶ withdrawn  by the agent

Nothing of a score that was published goes: each decision that changes it appends a revision.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls import repository as calls
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Acknowledgement, Appeal, Evaluation
from callgrade.db.types import now
from callgrade.domain import appeals
from callgrade.domain.appeals import Ruling
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError
from callgrade.domain.judgements import EXCLUDED
from callgrade.domain.outcomes import Outcome
from callgrade.domain.programme import Appeals as Rule
from callgrade.domain.reviews import check_override
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import outbox, registry
from callgrade.evaluations import repository as evaluations
from callgrade.evaluations.outbox import Event
from callgrade.evaluations.service import known_facts
from callgrade.reviews import appeals_repository as repository
from callgrade.reviews.publishing import publish, published
from callgrade.reviews.repository import OUTCOME, insert_missing, is_wordless, keep_words
from callgrade.reviews.tables import ACKNOWLEDGEMENT

LONGEST_REASON = 2_000
Barred = Literal["scope", "no_person", "took", "judged"]
BARRED: Mapping[Barred, str] = {
    "scope": "this needs the scope appeals:decide",
    "no_person": "an appeal is decided by a person, who answers for it by name",
    "took": "you took this call; somebody else decides about an appeal about it",
    "judged": "you judged this call; somebody else decides about an appeal against it",
}


class TooLateError(ConflictError):
    """The window is over. `rule` and `file_by` say which it was."""

    def __init__(self, rule: Rule, file_by: datetime):
        self.rule, self.file_by = rule, file_by
        days = rule.file_within.days
        within = "on the day it was published" if days == 0 else f"within {days} days of being published"
        super().__init__(f"a score can be contested {within}; this window ended at {file_by.isoformat()}")


class AppealDesk:
    """One a process; threads share it."""

    def __init__(
        self,
        database: Database,
        *,
        zone: ZoneInfo,
        default: Rule = appeals.DEFAULT,
        clock: Callable[[], datetime] = now,
    ):
        """`default` is for rubrics that set no deadlines of their own; days end at midnight in `zone`."""
        self._database, self._zone, self._default, self._clock = database, zone, default, clock

    def file(
        self,
        visitor: Principal,
        evaluation_id: str,
        criterion_id: str,
        *,
        reason: str,
        wanted: Outcome | None,
        at_ms: int | None = None,
    ) -> Appeal:
        """An agent contests one criterion of their own published score. `wanted` None is "not applicable".

        Raises TooLateError, UnknownResourceError for anybody else's score, ConflictError where it was contested before,
        JudgementError, InputError.
        """
        visitor.reach("appeals:write")
        with self._database.writing() as session:
            keep_words(session, evaluation_id)
            evaluation = repository.own_published(session, visitor, evaluation_id)
            rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
            rule = self.rule_of(rubric)
            found = published(session, evaluation.id)
            assert found is not None
            revision, card = found
            if is_wordless(session, evaluation.id):
                raise ConflictError("the words of this score are gone; there is nothing left to contest it with")
            judgement = next((j for j in card.judgements if j.criterion_id == criterion_id), None)
            if judgement is None:
                raise JudgementError(criterion_id, f"is not in {rubric.reference}")
            if judgement.reason == EXCLUDED:
                raise ConflictError(f"{criterion_id} does not apply to this call; there is nothing to contest")
            check_override(rubric.by_id[criterion_id], wanted)
            if judgement.status == "judged" and judgement.outcome == wanted:
                raise InputError("this is what the score says already; name what it should be instead")
            text = _text(reason, "say why")
            before = [a for a in repository.of_evaluation(session, evaluation.id) if a.criterion_id == criterion_id]
            if before:
                raise ConflictError(f"{criterion_id} of this call was contested before ({before[-1].state})")
            at = self._clock()
            published_at = repository.published_at(session, evaluation.id, revision)
            until = appeals.file_by(rule, published_at, self._zone)
            if appeals.is_late(rule, published_at, at, self._zone):
                raise TooLateError(rule, until)
            row = Appeal(
                client_id=evaluation.client_id,
                evaluation_id=evaluation.id,
                revision=revision,
                criterion_id=criterion_id,
                agent_id=evaluation.agent_id,
                team=evaluation.team,
                filed_by=_user(visitor),
                filed_at=at,
                file_by=until,
                reason=text,
                at_ms=at_ms,
                wanted=_written(wanted),
                decide_by=appeals.decide_by(rule, at, self._zone),
            )
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                raise ConflictError(f"{criterion_id} of this call was contested before") from None
            audit.record(session, visitor, "appeal.filed", row.id, {"evaluation": evaluation.id, "revision": revision})
            _tell(session, outbox.APPEAL_FILED, row)
            return row

    def withdraw(self, visitor: Principal, appeal_id: str) -> Appeal:
        """By the agent, while it is open. Raises ConflictError, UnknownResourceError."""
        with self._database.writing() as session:
            row = repository.find(session, visitor, "appeals:write", appeal_id)
            if row.filed_by != visitor.user_id:
                raise ForbiddenError("only who filed an appeal can withdraw it")
            self._close(session, visitor, row, state="withdrawn", decided_at=self._clock())
            return row

    def decide(
        self,
        visitor: Principal,
        appeal_id: str,
        ruling: Ruling,
        *,
        words: str,
        outcome: Outcome | None = None,
        not_applicable: bool = False,
    ) -> Appeal:
        """`words` are for the agent. `changed` needs an outcome, or `not_applicable`.

        Raises ForbiddenError for whoever judged the call or took it, ConflictError where it is closed, JudgementError.
        """
        with self._database.writing() as session:
            row = repository.find(session, visitor, "appeals:decide", appeal_id)
            keep_words(session, row.evaluation_id)
            if why := self.barred(session, visitor, row):
                raise ForbiddenError(BARRED[why])
            text = _text(words, "tell the agent why")
            evaluation = evaluations.find(session, visitor.client_id, row.evaluation_id)
            given = self._given(row, ruling, outcome, not_applicable)
            at = self._clock()
            values = {"decided_by": visitor.user_id, "decided_at": at, "decision": text, "given": given}
            self._close(session, visitor, row, state=ruling, **values)
            if given is not None:
                self._republish(session, visitor, evaluation, row, given, text)
            return row

    def acknowledge(self, visitor: Principal, evaluation_id: str) -> None:
        """An agent has seen their score as it stands. Twice is once."""
        with self._database.writing() as session:
            evaluation = repository.own_published(session, visitor, evaluation_id)
            found = published(session, evaluation.id)
            assert found is not None
            seen = Acknowledgement(
                evaluation_id=evaluation.id, revision=found[0], user_id=_user(visitor), at=self._clock()
            )
            if insert_missing(session, ACKNOWLEDGEMENT, [seen.model_dump()]):
                audit.record(session, visitor, "score.acknowledged", evaluation.id, {"revision": found[0]})

    def page(
        self, visitor: Principal, *, state: str | None = None, before: str | None = None, limit: int = 50
    ) -> Sequence[repository.AppealRow]:
        """The newest first; `before` is the last id of the page before. `state` may be `overdue`, too."""
        with self._database.reading() as session:
            return repository.page(session, visitor, state=state, before=before, limit=limit, at=self._clock())

    def rule_of(self, rubric: Rubric) -> Rule:
        """A rubric's own deadlines, or ours."""
        return appeals.rule_of(rubric, self._default)

    def barred(self, session: Session, visitor: Principal, row: Appeal) -> Barred | None:
        """Why the visitor decides nothing about an appeal; None where they may."""
        if "appeals:decide" not in visitor.scopes:
            return "scope"
        if visitor.user_id is None:
            return "no_person"
        if visitor.agent_id is not None and visitor.agent_id == row.agent_id:
            return "took"
        return "judged" if visitor.user_id in repository.judged_by(session, row.evaluation_id) else None

    def is_overdue(self, row: Appeal) -> bool:
        return row.state == "open" and row.decide_by is not None and self._clock() >= row.decide_by

    def window(self, session: Session, evaluation: Evaluation) -> tuple[Rule, datetime, bool]:
        """(the rule, until when a published score can be contested, whether that is over)."""
        rule = self.rule_of(registry.rubric_of_digest(session, evaluation.rubric_digest))
        found = published(session, evaluation.id)
        if found is None:
            raise ConflictError("the score is not published; there is nothing to contest yet")
        moment = repository.published_at(session, evaluation.id, found[0])
        late = appeals.is_late(rule, moment, self._clock(), self._zone)
        return rule, appeals.file_by(rule, moment, self._zone), late

    def _given(
        self, row: Appeal, ruling: Ruling, outcome: Outcome | None, not_applicable: bool
    ) -> dict[str, Any] | None:
        if ruling == "upheld":
            return None
        if ruling == "accepted":
            return row.wanted
        if outcome is None and not not_applicable:
            raise JudgementError(row.criterion_id, "say what it should be: neither what was given nor what was wanted")
        return _written(outcome)

    def _republish(
        self,
        session: Session,
        visitor: Principal,
        evaluation: Evaluation,
        row: Appeal,
        given: dict[str, Any],
        words: str,
    ) -> None:
        rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
        found = published(session, evaluation.id)
        assert found is not None
        version = calls.version(session, evaluation.call_id)
        if version is None:
            raise ConflictError("the call's words are gone; its score cannot be worked out again")
        outcome = None if given["outcome"] is None else OUTCOME.validate_python(given["outcome"])
        facts = known_facts(parse_stored(version.content))
        card = appeals.corrected(rubric, found[1], row.criterion_id, outcome, words, facts)
        publish(session, visitor, evaluation, card, appeal_id=row.id)

    def _close(self, session: Session, visitor: Principal, row: Appeal, **values: Any) -> None:
        if not repository.close(session, row.id, **values):
            session.refresh(row)
            raise ConflictError(f"the appeal is closed already ({row.state})")
        session.refresh(row)
        overdue = row.decide_by is not None and self._clock() >= row.decide_by
        audit.record(session, visitor, f"appeal.{row.state}", row.id, {"overdue": overdue})
        _tell(session, outbox.APPEAL_WITHDRAWN if row.state == "withdrawn" else outbox.APPEAL_DECIDED, row)


def _tell(session: Session, name: str, row: Appeal) -> None:
    """Which appeal, of what, and how it stands; nothing that anybody wrote."""
    call, shown_call_id = repository.call_of(session, row.evaluation_id)
    data = {
        "appeal_id": row.id,
        "evaluation_id": row.evaluation_id,
        "call_id": shown_call_id,
        "criterion_id": row.criterion_id,
        "revision": row.revision,
        "state": row.state,
        "decide_by": None if row.decide_by is None else row.decide_by.isoformat(),
    }
    outbox.tell(session, row.client_id, [Event(name, row.id, 0, data, call)])


def _written(outcome: Outcome | None) -> dict[str, Any]:
    return {"outcome": None if outcome is None else outcome.model_dump(mode="json")}


def _text(text: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise InputError(f"{missing}: a reason is needed")
    if len(text) > LONGEST_REASON:
        raise InputError(f"a reason has at most {LONGEST_REASON} characters")
    return text


def _user(visitor: Principal) -> str:
    if visitor.user_id is None:
        raise ForbiddenError("only a person can do this, who answers for it by name")
    return visitor.user_id
