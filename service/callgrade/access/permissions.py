"""The one table of what may be done: scopes, what each allows, which role has which, and on whose rows.

A scope says what may be done. How far it reaches is the table's other half: a principal never reaches beyond its own
client, and of the roles only admins and keys reach all of it. Repositories ask `access.rows` and narrow what they read;
what lies beyond is unknown (404), because that it exists is nobody's business either.
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
    "reviews:read",
    "reviews:write",
    "appeals:read",
    "appeals:write",
    "appeals:decide",
    "sampling:write",
    "dashboards:read",
    "alerts:write",
    "rubrics:read",
    "rubrics:write",
    "calibrations:read",
    "calibrations:write",
    "releases:read",
    "releases:write",
    "webhooks:read",
    "webhooks:write",
    "metrics:read",
    "people:read",
    "people:write",
    "audit:read",
]
Role = Literal["admin", "qa_lead", "reviewer", "agent", "client"]
Reach = Literal["all", "teams", "assigned", "own"]
"""all: every row of the client. teams: rows of the teams that somebody leads. assigned: what is somebody's to review,
or in the pool of their teams, and never a call that they took. own: an agent's own calls once they are published."""

SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        "calls:read": "list calls, read transcripts, hear recordings",
        "calls:write": "submit calls, which has them evaluated",
        "calls:erase": "erase a call and all that was made from it, for good",
        "evaluations:read": "list evaluations and read scorecards",
        "evaluations:write": "evaluate a call again, cancel or retry an evaluation",
        "batches:read": "watch batches and read their results",
        "batches:write": "submit and cancel batches",
        "reviews:read": "see reviews, and what was decided in them",
        "reviews:write": "decide on proposals, and publish scorecards",
        "appeals:read": "see appeals, and what became of them",
        "appeals:write": "contest a published scorecard",
        "appeals:decide": "decide appeals",
        "sampling:write": "plan samples, draw them, hand reviews out",
        "dashboards:read": "see figures of agents, teams and the centre",
        "alerts:write": "decide what is reported to whom",
        "rubrics:read": "read rubrics and prompts",
        "rubrics:write": "write drafts of rubrics and prompts, publish and retire them",
        "calibrations:read": "read golden sets but for their holdout, and how judges did on them",
        "calibrations:write": "make golden sets, label them, read their holdout, and hold judges against them",
        "releases:read": "read which rubric, prompt and model are in use",
        "releases:write": "decide which rubric, prompt and model are in use",
        "webhooks:read": "list webhooks and their deliveries",
        "webhooks:write": "register, test, redeliver and remove webhooks",
        "metrics:read": "read the service's figures, which are of all clients together, and what ails it",
        "people:read": "list users, agents and teams",
        "people:write": "make and change users, agents and keys",
        "audit:read": "read and verify the record of what was done",
    }
)

GRANTS: Mapping[Role, Mapping[Scope, Reach]] = MappingProxyType(
    {
        "admin": dict.fromkeys(SCOPES, "all"),
        "qa_lead": {
            "calls:read": "teams",
            "calls:write": "all",  # what comes in is nobody's team's yet
            "evaluations:read": "teams",
            "evaluations:write": "teams",
            "batches:read": "all",
            "batches:write": "all",
            "reviews:read": "teams",
            "reviews:write": "teams",
            "appeals:read": "teams",
            "appeals:decide": "teams",
            "sampling:write": "teams",
            "dashboards:read": "teams",
            "alerts:write": "teams",
            "rubrics:read": "all",
            "rubrics:write": "all",
            "calibrations:read": "all",
            "calibrations:write": "all",
            "releases:read": "all",
            "releases:write": "all",
            "webhooks:read": "all",
            "people:read": "teams",
        },
        "reviewer": {
            "calls:read": "assigned",
            "evaluations:read": "assigned",
            "evaluations:write": "assigned",
            "reviews:read": "assigned",
            "reviews:write": "assigned",
            "appeals:read": "assigned",
            "appeals:decide": "assigned",
            "dashboards:read": "assigned",
            "rubrics:read": "all",
        },
        "agent": {
            "calls:read": "own",
            "evaluations:read": "own",
            "appeals:read": "own",
            "appeals:write": "own",
            "dashboards:read": "own",
            "rubrics:read": "all",
        },
        # a program of the client's: it reads nearly everything and hands calls in. What a person answers for by name
        # (deciding, contesting, releasing, erasing, hiring) a key has only when it was asked for.
        "client": dict.fromkeys(
            [
                "calls:read",
                "calls:write",
                "evaluations:read",
                "evaluations:write",
                "batches:read",
                "batches:write",
                "reviews:read",
                "appeals:read",
                "dashboards:read",
                "rubrics:read",
                "calibrations:read",
                "calibrations:write",
                "releases:read",
                "webhooks:read",
                "webhooks:write",
                "people:read",
            ],
            "all",
        ),
    }
)
"""Role → scope → reach. A role has the scopes that stand here and no others."""

ROLES: Mapping[Role, frozenset[Scope]] = MappingProxyType({role: frozenset(row) for role, row in GRANTS.items()})

PEOPLE: tuple[Role, ...] = ("admin", "qa_lead", "reviewer", "agent")
"""Roles of people; `client` is what keys are."""

DEFAULT_SCOPES = ROLES["client"]
"""Of a key for which none were named. Named, a key may have any scope; each reaches all rows of its client."""


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


def parse_role(name: str) -> Role:
    """A role that people have. Raises InputError that names those there are."""
    for role in PEOPLE:
        if role == name:
            return role
    raise InputError(f"no such role: {name[:40]!r}. There are {', '.join(PEOPLE)}.")


def require(principal: "Principal", scope: Scope) -> None:
    """Returns when `principal` may do what `scope` allows. Raises ForbiddenError that names the scope it lacks."""
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not in the table of scopes")
    if scope not in principal.scopes:
        raise ForbiddenError(f"this needs the scope {scope} ({SCOPES[scope]}), which was not granted")


def reach_of(principal: "Principal", scope: Scope) -> Reach:
    """Whose rows `principal` may do this to. Raises ForbiddenError where none."""
    require(principal, scope)
    # a key may have been given scopes that its role does not have by itself; it acts for the whole client
    return "all" if principal.role == "client" else GRANTS[principal.role][scope]


assert get_args(Scope) == tuple(SCOPES)  # the type checker and the table know the same scopes
