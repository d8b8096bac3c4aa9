"""Which evaluation counts for a call whose words were put right, in the database.

Both are kept. One that is published counts until the next one is published: what was told an agent stands until
something else is told. `yields_to` of all others names the one that counts, so that one step leads there.
"""

from sqlalchemy import select, update
from sqlmodel import Session

from callgrade.db.tables import Evaluation
from callgrade.evaluations.tables import EVALUATION


def stand_in_for(session: Session, old: Evaluation, new: Evaluation) -> None:
    """`new` is by corrected words: it counts for the call from now on, or from its publication on where what is
    published counts until then."""
    standing = session.get_one(Evaluation, old.yields_to) if old.yields_to else old
    if standing.status == "published":
        session.execute(update(EVALUATION).where(EVALUATION.c.id == new.id).values(yields_to=standing.id))
    else:
        _leave_to(session, standing.id, new.id)


def stand(session: Session, id_: str) -> None:
    """What is published counts, and no longer what did until then."""
    before = session.execute(select(EVALUATION.c.yields_to).where(EVALUATION.c.id == id_)).scalar_one()
    if before is not None:
        session.execute(update(EVALUATION).where(EVALUATION.c.id == id_).values(yields_to=None))
        _leave_to(session, before, id_)


def _leave_to(session: Session, standing: str, id_: str) -> None:
    call = select(EVALUATION.c.call_id).where(EVALUATION.c.id == id_).scalar_subquery()
    yields = (EVALUATION.c.id == standing) | (EVALUATION.c.yields_to == standing)
    # by call, as the index has it
    session.execute(
        update(EVALUATION).where(EVALUATION.c.call_id == call, yields, EVALUATION.c.id != id_).values(yields_to=id_)
    )
