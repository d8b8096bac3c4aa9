"""Keys that act in somebody's name. Contesting and deciding is done by people, who answer for it by name; a program of
the client's (the portal that its agents use, say) does it for them, with a key that was given the scope."""

from sqlmodel import Session

from callgrade.access import audit, people, people_repository
from callgrade.access.permissions import Scope, require
from callgrade.access.principals import Principal
from callgrade.db.tables import User
from callgrade.domain.errors import UnknownResourceError


def in_the_name_of(session: Session, principal: Principal, login: str, scope: Scope) -> Principal:
    """The person of this login, within what they may do themselves. That the key acts for them is on record before it
    does.

    Raises UnknownResourceError for nobody of this client, or who is disabled, ForbiddenError where the key or the
    person lacks the scope.
    """
    require(principal, scope)
    user = called(session, principal, login)
    person = people.principal_of(session, user)
    require(person, scope)
    audit.record(session, principal, "key.acted", user.id, {"scope": scope})
    return person


def called(session: Session, principal: Principal, login: str) -> User:
    """Somebody of the principal's client who can sign in. Raises UnknownResourceError, for what is no login too."""
    nobody = UnknownResourceError("there is no such user")
    try:
        folded = people.parse_login(login)
    except people.PersonError:
        raise nobody from None
    for user in people_repository.users_called(session, folded, principal.client_id):
        if user.disabled_at is None:
            return user
    raise nobody
