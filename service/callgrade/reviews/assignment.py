"""Who reviews what: by load, within the call's team, never a call of one's own, never twice the same person."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.permissions import ROLES, parse_role
from callgrade.access.principals import Principal
from callgrade.db.tables import Evaluation, User
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.reviews import repository, sampling_repository
from callgrade.reviews.appeals_repository import judged_by
from callgrade.reviews.publishing import is_second_check
from callgrade.reviews.sampling_repository import Reviewer
from callgrade.reviews.tables import REVIEW


class Roster:
    """The reviewers of a client during one handing out; it counts what it gives them."""

    def __init__(self, reviewers: Iterable[Reviewer]):
        self._reviewers = {one.id: one for one in reviewers}
        self._load = {one.id: one.open for one in self._reviewers.values()}

    def next(self, evaluation: Evaluation, *, without: Iterable[str] = ()) -> str | None:
        """Who has the least to do of those who may; None where nobody may, and it waits in the pool.

        Whoever is of the call's team comes before those who are of none; who is of another team gets nothing.
        """
        excluded = set(without)
        may = [
            one
            for one in self._reviewers.values()
            if one.id not in excluded
            and one.team in (None, evaluation.team)
            and (one.agent_id is None or one.agent_id != evaluation.agent_id)
        ]
        if not may:
            return None
        chosen = min(may, key=lambda one: (self._load[one.id], one.team is None, one.id))
        self._load[chosen.id] += 1
        return chosen.id


def hand_out(
    session: Session,
    roster: Roster | None,
    evaluation: Evaluation,
    *,
    why: str,
    due_at: datetime,
    slot: int | None = None,
    blind: bool = False,
    sampled_id: str | None = None,
) -> str | None:
    """A review of the evaluation's current proposal in its first free slot, or in `slot`; says who got it, None for the
    pool. Nothing happens where the slot is taken."""
    place = sampling_repository.next_slot(session, evaluation.id, evaluation.attempt) if slot is None else slot
    others = sampling_repository.reviewers_of(session, evaluation.id)
    reviewer = roster.next(evaluation, without=others) if roster is not None else None
    values: dict[str, Any] = {"reviewer_id": reviewer, "blind": blind, "sampled_id": sampled_id}
    repository.create(session, evaluation, slot=place, due_at=due_at, why=why, **values)
    return reviewer


def assign(session: Session, principal: Principal, review_id: str, user_id: str | None) -> None:
    """Gives an open review to somebody else, or back into the pool.

    Raises ConflictError for whoever took the call or reviews it already, and for a review that is not open.
    """
    principal.reach("sampling:write")
    review = repository.find(session, principal, "reviews:read", review_id)
    if review.state != "open":
        raise ConflictError(f"the review is {review.state}; it cannot be given to anybody any more")
    if user_id is not None:
        others = sampling_repository.reviewers_of(session, review.evaluation_id) - {review.reviewer_id}
        if is_second_check(review):
            others |= judged_by(session, review.evaluation_id, review.id)
        check_reviewer(principal, session.get(User, user_id), review.agent_id, others)
    session.execute(
        update(REVIEW)
        .where(REVIEW.c.id == review.id, REVIEW.c.state == "open")
        .values(reviewer_id=user_id, claimed_by=None, claimed_until=None)
    )
    audit.record(session, principal, "review.assigned", review.id, {"to": user_id})


def candidates(session: Session, principal: Principal, evaluation: Evaluation) -> list[tuple[str, str]]:
    """(id, name) of whoever could be given a review of an evaluation, by name. Leads see those of their teams."""
    others = sampling_repository.reviewers_of(session, evaluation.id) | judged_by(session, evaluation.id)
    teams = principal.teams if principal.reach("sampling:write") == "teams" else None
    people = sampling_repository.named_reviewers(session, principal.client_id, teams)
    return [
        (one.id, one.name)
        for one in people
        if one.id not in others and (one.agent_id is None or one.agent_id != evaluation.agent_id)
    ]


def check_reviewer(principal: Principal, user: User | None, agent_id: str | None, others: Collection[str]) -> None:
    """Raises UnknownResourceError for nobody of this client, ConflictError for whoever took the call or is one of the
    `others` that look at it or have."""
    if user is None or user.client_id != principal.client_id or user.disabled_at is not None:
        raise UnknownResourceError("there is no such reviewer")
    if "reviews:write" not in ROLES[parse_role(user.role)]:
        raise ConflictError("they review nothing; choose a reviewer")
    if user.agent_id is not None and user.agent_id == agent_id:
        raise ConflictError("nobody reviews a call that they took themselves")
    if user.id in others:
        raise ConflictError("they have another review of this call: two looks are meant to be two people's")


def withdraw(session: Session, principal: Principal, review_id: str) -> None:
    """Nobody needs to look at it any more. Raises ConflictError where it is not open."""
    principal.reach("sampling:write")
    review = repository.find(session, principal, "reviews:read", review_id)
    result: Any = session.execute(
        update(REVIEW).where(REVIEW.c.id == review.id, REVIEW.c.state == "open").values(state="withdrawn")
    )
    if not result.rowcount:
        raise ConflictError(f"the review is {review.state}")
    audit.record(session, principal, "review.withdrawn", review.id)
