"""Published scores and appeals against them, for the tests of the pages around reviews. Made up."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import select

from callgrade.access.principals import Principal
from callgrade.db.tables import Evaluation, User
from callgrade.domain.outcomes import Outcome
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.repository import OUTCOME
from callgrade.reviews.service import ReviewDesk
from tests.reviews.made import visitor
from tests.web.made import TEAM, Rooms
from tests.web.reviewing import call, review

WHY = "没有核实身份就报了套餐"
"""What the reviewer says of the criterion that they judge otherwise."""


def person(rooms: Rooms, role: str, login: str = "") -> Principal:
    """Who the browser of `rooms` is signed in as."""
    rooms.token(role, login)
    with rooms.desk.database.reading() as session:
        user = session.exec(select(User).where(User.login == (login or f"a-{role}"))).one()
    return visitor(user, (TEAM,) if role == "qa_lead" else ())


def published(rooms: Rooms, sample: str = "mis-selling", *, by: str = "judge", **more: Any) -> Evaluation:
    """A call whose score stands: the first criterion judged otherwise, and the one that nobody could hear left open."""
    made, _ = call(rooms, sample, **more)
    judge = person(rooms, "reviewer", by)
    id_ = review(rooms, made, reviewer_id=judge.user_id)
    desk = ReviewDesk(rooms.desk.database)
    for number, card in enumerate(desk.look(judge, id_).cards):
        if card.excluded:
            continue
        if number == 0:
            worst = [one for one in card.options if one is not None][-1]
            desk.decide(judge, id_, card.criterion.id, "override", outcome=worst, reason=WHY, expected=0)
        elif card.why_not is None:
            desk.decide(judge, id_, card.criterion.id, "approve", expected=0)
        else:
            desk.decide(judge, id_, card.criterion.id, "cannot_judge", reason="听不清", expected=0)
    desk.finish(judge, id_)
    return made


def contested(rooms: Rooms, made: Evaluation, criterion_id: str, wanted: dict[str, Any], **more: Any) -> str:
    """The id of an agent's appeal."""
    desk = AppealDesk(rooms.desk.database, zone=ZoneInfo(rooms.desk.settings.timezone), clock=rooms.desk.clock)
    outcome: Outcome = OUTCOME.validate_python(wanted)
    asked = {"reason": "我在第一句就核实了身份", "wanted": outcome, "at_ms": 4200, **more}
    return desk.file(person(rooms, "agent"), made.id, criterion_id, **asked).id
