"""The one table of what may be done: scopes, what each allows, and which role has which.

A scope says what may be done, never to whose rows: a principal reaches the rows of its own client only, and another
client's id is unknown to it. Keys have scopes of their own choosing; people get those of their role.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from callgrade.domain.errors import ForbiddenError, InputError

if TYPE_CHECKING:
    from callgrade.access.principals import Principal

Scope = Literal[
    "calls:read",
    "calls:write",
    "calls:erase",
    "evaluations:read",
    "evaluations:write",
    "batches:read",
    "batches:write",
    "rubrics:read",
    "releases:read",
    "releases:write",
    "webhooks:read",
    "webhooks:write",
]
Role = Literal["admin", "qa_lead", "reviewer", "agent", "client"]

SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        "calls:read": "list calls, read transcripts, hear recordings",
        "calls:write": "submit calls, which has them evaluated",
        "calls:erase": "erase a call and all that was made from it, for good",
        "evaluations:read": "list evaluations and read scorecards",
        "evaluations:write": "evaluate a call again, cancel or retry an evaluation",
        "batches:read": "watch batches and read their results",
        "batches:write": "submit and cancel batches",
        "rubrics:read": "read rubrics and prompts",
        "releases:read": "read which rubric, prompt and model are in use",
        "releases:write": "decide which rubric, prompt and model are in use",
        "webhooks:read": "list webhooks and their deliveries",
        "webhooks:write": "register, test, redeliver and remove webhooks",
    }
)

READING = frozenset[Scope](("calls:read", "evaluations:read", "batches:read", "rubrics:read", "releases:read"))

ROLES: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        "admin": frozenset(SCOPES),
        "qa_lead": READING | {"calls:write", "batches:write", "evaluations:write", "releases:write", "webhooks:read"},
        "reviewer": frozenset({"calls:read", "evaluations:read", "evaluations:write", "rubrics:read"}),
        "agent": frozenset({"calls:read", "evaluations:read", "rubrics:read"}),
        # a program of the client's: all but erasing and releasing, which a key has only when it was asked for
        "client": frozenset(SCOPES) - {"calls:erase", "releases:write"},
    }
)
"""Roles that see less than their whole client (agents their own calls, reviewers what is theirs to review) must be held
to those rows where the rows are read: a scope cannot."""

DEFAULT_SCOPES = ROLES["client"]
"""Of a key for which none were named."""


def parse_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names. Raises InputError that names the unknown ones and all there are."""
    wanted = frozenset(names)
    unknown = sorted(wanted - set(SCOPES))
    if unknown:
        shown = ", ".join(repr(name[:40]) for name in unknown[:5])
        raise InputError(f"no such scope: {shown}. There are {', '.join(SCOPES)}.")
    if not wanted:
        raise InputError(f"a key without any scope could do nothing. There are {', '.join(SCOPES)}.")
    return frozenset(scope for scope in SCOPES if scope in wanted)


def require(principal: "Principal", scope: Scope) -> None:
    """Returns when `principal` may do what `scope` allows. Raises ForbiddenError that names the scope it lacks."""
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not in the table of scopes")
    if scope not in principal.scopes:
        raise ForbiddenError(f"this needs the scope {scope} ({SCOPES[scope]}), which was not granted")


assert get_args(Scope) == tuple(SCOPES)  # the type checker and the table know the same scopes
