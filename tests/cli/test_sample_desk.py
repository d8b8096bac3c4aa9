"""`serve --demo`: what it puts on the desk, over the real app."""

from sqlmodel import select

from callgrade.catalog.golden import sample_calls
from callgrade.cli import sample_desk
from callgrade.db.tables import Call, Evaluation, Review, RubricVersion
from callgrade.evaluations import registry
from tests.api.made import *  # noqa: F403
from tests.db.databases import *  # noqa: F403
from tests.web.made import *  # noqa: F403


def test_the_samples_are_graded_and_drawn_and_everybody_can_sign_in(rooms):
    services = rooms.service.app.state.services
    with services.database.writing() as session:
        if not session.exec(select(RubricVersion).where(RubricVersion.id == sample_desk.RUBRIC)).first():
            registry.sync_shipped(session)
    visitors = sample_desk.make_people(services)
    assert {visitor.role for visitor in visitors} == {"admin", "qa_lead", "reviewer", "agent"}
    assert sample_desk.make_people(services) == []
    sample_desk.fill(services)
    sample_desk.fill(services)
    with services.database.reading() as session:
        assert len(session.exec(select(Call)).all()) == len(sample_calls())
        assert {row.status for row in session.exec(select(Evaluation))} == {"proposed"}
        slots = [row.slot for row in session.exec(select(Review))]
    assert (slots.count(0), slots.count(1)) == (8, 2)
    browser = rooms.browser()
    reviewer = next(visitor for visitor in visitors if visitor.role == "reviewer")
    told = {"login": reviewer.login, "password": reviewer.password}
    assert browser.post("/sign-in", data=told).status_code == 303
    page = browser.get("/").text
    assert any(sample.id in page for sample in sample_calls())  # who gets which is drawn
