"""The holdout: what nobody has tuned anything by, for as long as every look at it is written down.

Each look tells a little of what is in it; after enough of them a judge has been fitted to it though nobody meant to. So
there are only so many, counted per rubric and client, and then it is of no use any more.
(Dwork et al., "The reusable holdout", Science 349, 2015, on why; the number is a rule of thumb.)
"""

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import golden_repository as repository
from callgrade.calibration.golden_repository import StoredCall
from callgrade.db.session import Database
from callgrade.db.tables import HoldoutReading
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import Label

MOST_READINGS = 20
"""Of one set's holdout, by one client, for one rubric id."""
SOON = 5
"""Readings left from which on a warning is given."""
LONGEST_WHY = 500


class HoldoutRetiredError(ConflictError):
    """`readings` is how often it was read."""

    def __init__(self, rubric_id: str, readings: int):
        self.rubric_id, self.readings = rubric_id, readings
        super().__init__(
            f"the holdout was read {readings} times for {rubric_id} and proves nothing any more: add fresh calls to a "
            "set of your own"
        )


class HoldoutWear(Frozen):
    """How worn a holdout is. `left` may be 0: the next reading is refused."""

    readings: int
    left: int

    @property
    def retired(self) -> bool:
        return self.left == 0

    @property
    def warning(self) -> str | None:
        """For people, in both languages; None while there is no reason for one."""
        if self.left > SOON:
            return None
        if self.retired:
            return f"验证集已读取 {self.readings} 次，不再可用 · the holdout is retired after {self.readings} readings"
        return f"验证集还可读取 {self.left} 次 · the holdout may be read {self.left} more time(s)"


class HoldoutRead(Frozen):
    """What stands in the holdout, with what has been said of it under the rubric."""

    reading_id: str
    calls: tuple[StoredCall, ...]
    labels: tuple[Label, ...]
    wear: HoldoutWear


def read_holdout(
    database: Database, principal: Principal, set_id: str, rubric: str, why: str, *, run_id: str | None = None
) -> HoldoutRead:
    """The calls and labels, once it is stored who wanted them and why. `rubric` is `id@version`; readings are counted
    by its id, whatever the version, because a version is made by looking at how the one before did.

    Raises HoldoutRetiredError, UnknownResourceError, InputError without a reason. Opens a session of its own: a reading
    that was given is on record, whatever becomes of the caller's work.
    """
    principal.reach("calibrations:write")
    why = " ".join(why.split())
    if not why or len(why) > LONGEST_WHY:
        raise InputError(f"why: say in at most {LONGEST_WHY} characters what the holdout is read for")
    rubric_id, _, version = rubric.partition("@")
    if not version:
        raise InputError("rubric: name its version too, as id@v1")
    with database.writing() as session:
        repository.hold(session, repository.find(session, principal, set_id).id)
        before = wear(session, principal, set_id, rubric_id)
        if before.retired:
            raise HoldoutRetiredError(rubric_id, before.readings)
        reading = HoldoutReading(
            client_id=principal.client_id,
            set_id=set_id,
            rubric_id=rubric_id,
            rubric_version=version,
            by=principal.actor,
            why=why,
            run_id=run_id,
        )
        repository.add_reading(session, reading)
        audit.record(session, principal, "holdout.read", set_id, {"rubric": rubric, "run": run_id})
        reading_id = reading.id
    with database.reading() as session:
        return HoldoutRead(
            reading_id=reading_id,
            calls=tuple(repository.calls(session, set_id, ["holdout"])),
            labels=tuple(repository.labels(session, set_id, ["holdout"], rubric_id)),
            wear=wear(session, principal, set_id, rubric_id),
        )


def wear(session: Session, principal: Principal, set_id: str, rubric_id: str) -> HoldoutWear:
    """How often the client has read a set's holdout for a rubric, and how often it still may."""
    number = len(repository.readings(session, principal, set_id, rubric_id))
    return HoldoutWear(readings=number, left=max(0, MOST_READINGS - number))
