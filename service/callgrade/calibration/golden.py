"""Golden sets: the shipped one, and a client's own.

What a judge is held against is train and dev. The holdout is not among what these functions give: it is read by
`holdout.read_holdout`, which writes down who did and why.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from pydantic import Field
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import golden_repository as repository
from callgrade.calibration.golden_repository import SetRow, StoredCall
from callgrade.calls.erasure import erase_golden
from callgrade.catalog import golden as catalog
from callgrade.catalog.golden_check import check_label as fits
from callgrade.db.scrubbing import overwrite_what_is_deleted
from callgrade.db.session import Database
from callgrade.db.tables import GoldenSet
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import GoldenCall, Label, Split
from callgrade.domain.splits import Pair, Standing, draw
from callgrade.evaluations.registry import rubric as registered

OPEN: tuple[Split, ...] = ("train", "dev")
"""What may be looked at."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Added(Frozen):
    """What was taken in. `refused` are names with the reason; nothing else is wrong with the rest."""

    calls: int = 0
    labels: int = 0
    refused: dict[str, str] = Field(default_factory=dict)


def shipped(database: Database) -> str:
    """The id of the shipped set in the database, where its first use puts it: every call and label, readable by every
    client. Another state of the files is another set. Raises GoldenSetError for files with faults."""
    found = catalog.load()
    digest = catalog.digest(found)
    id_ = digest.removeprefix("sha256:")[:32]
    with database.reading() as session:
        if session.get(GoldenSet, id_) is not None:
            return id_
    with database.writing() as session:
        row = GoldenSet(id=id_, name=found.id, title=found.title, synthetic=True, digest=digest, created_by="system")
        if repository.add_set(session, row):
            repository.add_calls(session, row, found.calls, "system")
            repository.add_labels(session, id_, found.labels)
    return id_


def list_sets(session: Session, principal: Principal) -> list[SetRow]:
    """The client's own and the shipped one (once it was used), the newest first, with figures alone."""
    principal.reach("calibrations:read")
    return repository.sets(session, principal)


def find(session: Session, principal: Principal, set_id: str) -> GoldenSet:
    """Raises UnknownResourceError for another client's too."""
    principal.reach("calibrations:read")
    return repository.find(session, principal, set_id)


def create(session: Session, principal: Principal, name: str, title: str) -> GoldenSet:
    """An empty set. Raises InputError for a name that is none, ConflictError where it is taken."""
    principal.reach("calibrations:write")
    if not _NAME.fullmatch(name) or len(name) > 80 or name == catalog.SHIPPED:
        raise InputError("a set's name is lower-case words joined by hyphens, such as sales-2026")
    if not title.strip() or len(title) > 200:
        raise InputError("title: say in at most 200 characters what is in it")
    if repository.named(session, principal, name) is not None:
        raise ConflictError(f"there is a golden set {name!r} already")
    row = GoldenSet(
        client_id=principal.client_id, name=name, title=title.strip(), seed=name, created_by=principal.actor
    )
    session.add(row)
    session.flush()
    audit.record(session, principal, "golden_set.created", row.id)
    return row


def calls(
    session: Session, principal: Principal, set_id: str, splits: Collection[Split] = OPEN
) -> tuple[StoredCall, ...]:
    """By name. Raises ConflictError for the holdout."""
    found = find(session, principal, set_id)
    _refuse_holdout(splits)
    return tuple(repository.calls(session, found.id, splits))


def labels(
    session: Session, principal: Principal, set_id: str, rubric: str | None = None, splits: Collection[Split] = OPEN
) -> tuple[Label, ...]:
    """Every label, in the order in which they came; of two by one rater the later counts. `rubric` is an id or
    `id@version`. Whoever has still to grade a call blind sees no label of it. Raises ConflictError for the holdout."""
    found = find(session, principal, set_id)
    _refuse_holdout(splits)
    hidden = repository.graded_blind_by(session, found.id, principal.user_id)
    return tuple(one for one in repository.labels(session, found.id, splits, rubric) if one.call not in hidden)


def newest(given: Iterable[Label]) -> dict[tuple[str, str, str, str], Label]:
    """(call, rubric, rater, kind) → the label that counts."""
    return {(label.call, label.rubric, label.rater, label.kind): label for label in given}


def take_in(
    session: Session, principal: Principal, set_id: str, found: Sequence[GoldenCall], given: Sequence[Label]
) -> Added:
    """Calls and labels from elsewhere, into a set of the client's own. A call keeps the split that it comes with unless
    its people stand elsewhere; then it is refused. One that is a call of the client's own goes when that goes.

    What is there already stays as it is. Raises NotFoundError for a rubric that is not in the registry, JudgementError
    for a label that does not fit it.
    """
    principal.reach("calibrations:write")
    row = repository.hold(session, repository.find(session, principal, set_id, own=True).id)
    for label in given:
        check_label(session, label)
    standing, count = Standing(repository.placed(session, row.id)), 0
    refused: dict[str, str] = {}
    for call in found:
        pair: Pair = (call.agent, call.customer)
        sides = standing.sides(pair)
        if sides - {call.split}:
            refused[call.id] = f"its agent's or customer's calls stand on {' and '.join(sorted(sides))}"
            continue
        own = repository.own_call(session, principal.client_id, call.transcript.call_id)
        if own is not None and own.erased_at is not None:
            refused[call.id] = "it was erased"
            continue
        more = {"call_id": None if own is None else own.id}
        count += repository.add_calls(session, row, [call], principal.actor, **more)
        standing.add(pair, call.split)
    kept = [label for label in given if label.call not in refused]
    unknown = {label.call for label in kept if repository.call_named(session, row.id, label.call) is None}
    refused |= dict.fromkeys(unknown, "is labelled, and is no call of the set")
    added = Added(calls=count, labels=repository.add_labels(session, row.id, kept), refused=refused)
    facts = {"calls": added.calls, "labels": added.labels, "refused": len(refused)}
    audit.record(session, principal, "golden_set.filled", row.id, facts)
    return added


def take_out(session: Session, principal: Principal, set_id: str) -> tuple[tuple[StoredCall, ...], tuple[Label, ...]]:
    """What may be looked at of a set, to be carried elsewhere; that it was is written down."""
    found, given = calls(session, principal, set_id), labels(session, principal, set_id)
    audit.record(session, principal, "golden_set.exported", set_id, {"calls": len(found), "labels": len(given)})
    return found, given


def erase(session: Session, principal: Principal, set_id: str, name: str) -> None:
    """Takes the words of one call of the client's own set, and of what was said and judged of it, for good. What was
    made from a call of the client's goes by itself when that is erased; what was imported goes this way.

    Raises UnknownResourceError.
    """
    principal.reach("calls:erase")
    row = repository.find(session, principal, set_id, own=True)
    call = repository.find_call(session, row.id, name)
    overwrite_what_is_deleted(session)
    erase_golden(session, [call.id], now())
    audit.record(session, principal, "golden_call.erased", call.id)


def side_of(session: Session, golden_set: GoldenSet, pair: Pair) -> Split:
    """Where a new call belongs: with its people, or where most is missing. Raises ConflictError where they stand on two
    sides."""
    placed = repository.placed(session, golden_set.id)
    sides = Standing(placed).sides(pair)
    if len(sides) > 1:
        raise ConflictError(f"its agent's and customer's calls stand on {' and '.join(sorted(sides))}")
    taken: dict[Split, int] = {}
    for _, split in placed:
        taken[split] = taken.get(split, 0) + 1
    return next(iter(sides)) if sides else draw([pair], golden_set.seed, taken)[0]


def check_label(session: Session, label: Label) -> None:
    """Raises NotFoundError for a rubric that is not in the registry, JudgementError for what it does not take."""
    form, _ = registered(session, label.rubric)
    fits(label, form)


def _refuse_holdout(splits: Collection[Split]) -> None:
    if "holdout" in splits:
        raise ConflictError("the holdout is not for looking at: it is read at a gate, with a reason (read_holdout)")
