"""Batches: how far each is, live, and which of its lines were no calls."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.db.tables import Batch
from callgrade.domain.frozen import LocalText
from callgrade.evaluations import chunks, overviews, results
from callgrade.evaluations.results import Tally
from callgrade.web.dependencies import Desked, needs
from callgrade.web.live import Topic
from callgrade.web.preferences import words_of
from callgrade.web.shell import page_or_part, redirect

PAGE = 20
FAULTS = 50
ENOUGH_TO_TELL = 20
"""Lines that must be done before it is foretold how long the rest takes."""

router = APIRouter()
BatchesReader = Annotated[Principal, needs("batches:read")]
BatchesWriter = Annotated[Principal, needs("batches:write")]


class Shown(NamedTuple):
    """A batch as a page shows it. `left_s`: seconds that the rest will take if it goes on as it has."""

    id: str
    title: LocalText
    rubric: str
    status: str
    tally: Tally
    created_at: datetime
    finished_at: datetime | None
    left_s: float | None

    @property
    def done(self) -> int:
        return self.tally.total - self.tally.pending

    @property
    def share(self) -> float:
        return self.done / self.tally.total if self.tally.total else 0.0

    @property
    def at_work(self) -> bool:
        return self.status in chunks.WORKING


@router.get("/batches")
def batches(
    request: Request,
    visitor: BatchesReader,
    desk: Desked,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """The newest first. `before` is the last one of the page before."""
    with desk.database.reading() as session:
        rows, more = results.list_batches(session, visitor.client_id, after=before, limit=PAGE)
        shown = _shown(session, rows, desk.clock())
    further = rows[-1].id if more else None
    return page_or_part(
        request, "batches/list.html", "batches/_list.html", visitor, batches=shown, before=before, further=further
    )


@router.get("/batches/{id}")
def batch(request: Request, id: str, visitor: BatchesReader, desk: Desked) -> Response:  # noqa: A002
    with desk.database.reading() as session:
        row = chunks.find_batch(session, visitor.client_id, id)
        shown = _shown(session, [row], desk.clock())[0]
        faults = overviews.faulty_lines(session, row.id, limit=FAULTS) if row.faulty else []
    return page_or_part(request, "batches/batch.html", "batches/_batch.html", visitor, batch=shown, faults=faults)


@router.post("/batches/{id}/cancel")
def cancel(request: Request, id: str, visitor: BatchesWriter, desk: Desked) -> Response:  # noqa: A002
    """What has a result keeps it; the rest will not be evaluated."""
    with desk.database.writing() as session:
        row = chunks.cancel_batch(session, visitor.client_id, id)
        audit.record(session, visitor, "batch.cancelled", row.id)
    _ = words_of(request).gettext
    return redirect(request, f"/batches/{id}", told=_("Cancelled. What has a result keeps it."))


def _shown(session: Session, rows: Sequence[Batch], at: datetime) -> list[Shown]:
    titles = overviews.rubric_titles(session)
    made = []
    for row in rows:
        name = f"{row.rubric_id}@{row.rubric_version}"
        tally = results.tally(session, row)
        made.append(
            Shown(
                id=row.id,
                title=titles.get(name, LocalText(zh=row.rubric_id, en=row.rubric_id)),
                rubric=name,
                status=row.status,
                tally=tally,
                created_at=row.created_at,
                finished_at=row.finished_at,
                left_s=_left_s(row, tally, at),
            )
        )
    return made


def _left_s(row: Batch, tally: Tally, at: datetime) -> float | None:
    done = tally.total - tally.pending
    if row.status != "running" or done < ENOUGH_TO_TELL or not tally.pending:
        return None
    return max(1.0, (at - row.created_at).total_seconds() / done * tally.pending)


def _look(session: Session, visitor: Principal) -> Hashable:
    """Those that are at work, and the newest: one that has ended is no longer among the former."""
    newest, _ = results.list_batches(session, visitor.client_id, after=None, limit=1)
    moving = tuple(
        (row.id, row.status, results.tally(session, row))
        for row in overviews.batches_at_work(session, visitor.client_id)
    )
    return tuple((row.id, row.status) for row in newest), moving


TOPICS = [Topic("batches", "batches:read", _look)]
