"""Which rows somebody reaches: conditions that repositories put into their statements, from `permissions.GRANTS`.

What lies beyond them is not found. Each condition names the client too, so that a statement needs no other.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.db.tables import Call, Evaluation, Review
from callgrade.db.tables.core import table_of

_CALL, _EVALUATION, _REVIEW = table_of(Call), table_of(Evaluation), table_of(Review)
PUBLISHED = "published"


def calls_within(principal: Principal, scope: Scope = "calls:read") -> ColumnElement[bool]:
    """Raises ForbiddenError without the scope."""
    of_client = _CALL.c.client_id == principal.client_id
    reach = principal.reach(scope)
    if reach == "all":
        return of_client
    if reach == "teams":
        return of_client & _CALL.c.team.in_(sorted(principal.teams))
    if reach == "assigned":
        reviewed = _assigned(principal, _EVALUATION.c.call_id).join(
            _EVALUATION, _EVALUATION.c.id == _REVIEW.c.evaluation_id
        )
        return and_(of_client, _CALL.c.id.in_(reviewed), _not_taken(principal, _CALL.c.agent_id))
    published = select(_EVALUATION.c.call_id).where(
        _EVALUATION.c.call_id == _CALL.c.id, _EVALUATION.c.status == PUBLISHED
    )
    return and_(of_client, _taken(principal, _CALL.c.agent_id), published.exists())


def evaluations_within(principal: Principal, scope: Scope = "evaluations:read") -> ColumnElement[bool]:
    """Without those that the visitor is still to judge blind: their scorecard is what must not be seen.

    Raises ForbiddenError without the scope.
    """
    of_client = _EVALUATION.c.client_id == principal.client_id
    reach = principal.reach(scope)
    unseen = unseen_by(principal, _EVALUATION.c.id)
    if reach == "all":
        return of_client & unseen
    if reach == "teams":
        return and_(of_client, _EVALUATION.c.team.in_(sorted(principal.teams)), unseen)
    if reach == "assigned":
        assigned = _EVALUATION.c.id.in_(_assigned(principal, _REVIEW.c.evaluation_id))
        return and_(of_client, assigned, _not_taken(principal, _EVALUATION.c.agent_id), unseen)
    return and_(of_client, _taken(principal, _EVALUATION.c.agent_id), _EVALUATION.c.status == PUBLISHED)


def unseen_by(principal: Principal, evaluation_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Without the evaluations that the visitor is still to judge blind: whatever tells of their scorecard."""
    return evaluation_id.not_in(_blind(principal)) if principal.user_id else true()


def reviews_within(principal: Principal, scope: Scope = "reviews:read") -> ColumnElement[bool]:
    """Agents reach none: how their published scorecard came about is not theirs to see.

    Raises ForbiddenError without the scope.
    """
    of_client = _REVIEW.c.client_id == principal.client_id
    reach = principal.reach(scope)
    if reach == "all":
        return of_client
    if reach == "teams":
        theirs = _REVIEW.c.reviewer_id == principal.user_id
        return of_client & or_(theirs, _REVIEW.c.team.in_(sorted(principal.teams)))
    if reach == "assigned":
        return and_(of_client, _theirs(principal), _not_taken(principal, _REVIEW.c.agent_id))
    return false()


def _assigned(principal: Principal, column: ColumnElement[Any]) -> Select[Any]:
    # as a list of ids and not row by row: whoever reviews a few of a million calls finds those few by their index
    return select(column).where(
        _REVIEW.c.client_id == principal.client_id, _REVIEW.c.state != "withdrawn", _theirs(principal)
    )


def _theirs(principal: Principal) -> ColumnElement[bool]:
    """A reviewer's own, and the pool of their teams; without teams, the whole pool."""
    of_teams = _REVIEW.c.team.in_(sorted(principal.teams)) if principal.teams else true()
    return or_(_REVIEW.c.reviewer_id == principal.user_id, _REVIEW.c.reviewer_id.is_(None) & of_teams)


def _blind(principal: Principal) -> Select[Any]:
    return select(_REVIEW.c.evaluation_id).where(
        _REVIEW.c.client_id == principal.client_id,
        _REVIEW.c.state.in_(("open", "awaiting")),
        _REVIEW.c.blind.is_(True),
        or_(_REVIEW.c.reviewer_id == principal.user_id, _REVIEW.c.reviewer_id.is_(None)),
    )


def _taken(principal: Principal, agent_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return false() if principal.agent_id is None else agent_id == principal.agent_id


def _not_taken(principal: Principal, agent_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return true() if principal.agent_id is None else or_(agent_id.is_(None), agent_id != principal.agent_id)
