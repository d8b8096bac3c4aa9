"""Figures over published scores, on SQLite and PostgreSQL."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callgrade.db.tables import Evaluation, Finding, SampledCall, SamplingPlan, SamplingRun
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.periods import between, span_of
from callgrade.domain.programme import Period
from callgrade.reviews import dashboards_repository as repository
from callgrade.reviews.dashboards import board, reviewers
from callgrade.reviews.dashboards_repository import Asked
from callgrade.reviews.service import ReviewDesk
from tests.reviews.made import FORM, Clock, person, proposed, review

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTH = Period(unit="month")
AT = datetime(2026, 11, 10, 4, tzinfo=UTC)
NOVEMBER = span_of(MONTH, AT, SHANGHAI)


def published(database, li, call_id, *, agent="8031", team="sales", clear="yes", bait=0, at=AT):
    """A call scored 18 (clear) or 14; `bait` fails it."""
    made = proposed(database, call_id, agent={"id": agent, "team": team}, started_at=at)
    id_ = review(database, made, reviewer_id=li.user_id)
    desk = ReviewDesk(database, clock=Clock())
    desk.decide(li, id_, "warm", "approve", expected=0)
    desk.decide(li, id_, "clear", "override", outcome=Answer(answer=clear), reason="x", expected=0)
    desk.decide(li, id_, "slips", "approve", expected=0)
    desk.decide(li, id_, "bait", "override", outcome=Occurrences(occurrences=bait), reason="x", expected=0)
    desk.finish(li, id_)
    return made


@pytest.fixture
def centre(database):
    """Four calls of 8031 (sales): 18, 18, 14, 14 and the last one failed; one of 9000 (support): 18; one in October."""
    li = person(database, "li", name="李")
    for n, (clear, bait) in enumerate([("yes", 0), ("yes", 0), ("no", 0), ("no", 2)]):
        published(database, li, f"C-{n}", clear=clear, bait=bait)
    published(database, li, "C-other", agent="9000", team="support")
    published(database, li, "C-october", clear="no", at=AT - timedelta(days=30))
    return li


def asked(**more):
    return Asked(span=NOVEMBER, rubric=FORM.id, **more)


def test_agents_with_their_mean_their_share_and_the_month_before(database, centre):
    boss = person(database, "boss", "admin")
    with database.reading() as session:
        found = board(session, boss, asked(), "agents", MONTH, SHANGHAI)
    ann, other = found.lines
    assert (ann.key, ann.score.n, ann.score.value, ann.before.value) == ("8031", 4, 16.0, 14.0)
    assert ann.score.low < 16 < ann.score.high
    assert (ann.passed.n, ann.passed.value) == (4, 0.75)
    assert (other.key, other.score.n, other.score.low) == ("9000", 1, None)
    assert (found.whole.score.n, found.whole.score.value) == (5, 16.4)
    assert [point.score.n for point in found.trend] == [0, 0, 0, 0, 0, 0, 1, 5]


def test_own_days_have_neither_trend_nor_before(database, centre):
    boss = person(database, "boss", "admin")
    days = Asked(span=between(date(2026, 10, 1), date(2026, 11, 30), SHANGHAI), rubric=FORM.id)
    with database.reading() as session:
        found = board(session, boss, days, "teams", None, SHANGHAI)
    assert [(line.key, line.score.n, line.before) for line in found.lines] == [("sales", 5, None), ("support", 1, None)]
    assert found.trend == ()


def test_each_role_sees_its_own(database, centre):
    people = {
        "lead": person(database, "lead", "qa_lead", leads=("support",)),
        "agent": person(database, "agent", "agent", agent_id="9000"),
        "reviewer": centre,
    }
    with database.reading() as session:
        seen = {
            name: board(session, who, asked(), "agents", None, SHANGHAI).whole.score.n for name, who in people.items()
        }
    assert seen == {"lead": 1, "agent": 1, "reviewer": 0}


def test_faults_by_name_and_their_calls(database, centre):
    boss = person(database, "boss", "admin")
    with database.writing() as session:
        made = repository.calls_with(session, boss, asked(), "violation", "bait")
        session.add(
            Finding(
                evaluation_id=session.exec(repository.select(repository.EVALUATION.c.id)).first()[0],
                kind="error",
                name="41",
                client_id=boss.client_id,
                number=3,
                called_at=AT,
            )
        )
    assert [(row.shown_call_id, row.number) for row in made] == [("C-3", 2)]
    with database.reading() as session:
        assert repository.faults(session, boss, asked(), "violation") == [("bait", 2, 1)]
        assert [row.name for row in repository.faults(session, boss, asked(), "error")] == ["41"]
        assert repository.faults(session, boss, asked(team="support"), "violation") == []
        assert repository.rubrics(session, boss, NOVEMBER) == [(FORM.id, 5)]


def test_reviewers_by_load_and_by_what_they_decided(database, centre):
    boss = person(database, "boss", "admin")
    made = proposed(database, "C-open", agent={"id": "8031", "team": "sales"})
    review(database, made, reviewer_id=centre.user_id, due_at=AT)
    span = span_of(MONTH, Clock().at, SHANGHAI)
    with database.reading() as session:
        (found,) = reviewers(session, boss, span, Clock().at)
        mine = reviewers(session, centre, span, Clock().at)
        lead = reviewers(session, person(database, "l", "qa_lead", leads=("nowhere",)), span, Clock().at)
    work = found.work
    assert (work.name, work.open, work.overdue, work.submitted) == ("李", 1, 1, 6)
    assert (work.approved, work.overridden, work.unjudged) == (12, 12, 0)
    assert found.overrides.value == 0.5
    assert found.given.value == 16.0
    assert mine == [found]
    assert lead == []


def test_of_nothing_there_is_no_mean(database):
    boss = person(database, "boss", "admin")
    with database.reading() as session:
        found = board(session, boss, asked(), "centre", MONTH, SHANGHAI)
    assert found.whole.score.value is None
    assert found.whole.passed.value is None
    assert found.lines == ()


def draw(database, who, made, chance):
    """As a plan would have drawn it: of one drawing of the whole month."""
    with database.writing() as session:
        plan = SamplingPlan(client_id=who.client_id, name="p", rubric_id=FORM.id, spec={}, created_by="x")
        session.add(plan)
        session.flush()
        run = SamplingRun(client_id=who.client_id, plan_id=plan.id, since=NOVEMBER.since, until=NOVEMBER.until,
                          seed="x", population=9, drawn=len(made), drawn_by="x")  # fmt: skip
        session.add(run)
        session.flush()
        session.add_all(
            SampledCall(
                client_id=who.client_id,
                run_id=run.id,
                call_id=one.call_id,
                evaluation_id=one.id,
                stratum="all",
                why="sample",
                probability=chance,
            )
            for one in made
        )


@pytest.fixture
def mixed(database):
    """Of 8031, eight drawn by chance and published (six of them 4 points higher than proposed), one that was picked,
    and six that nobody has read."""
    li, boss = person(database, "li"), person(database, "boss", "admin")
    by_chance = [published(database, li, f"D-{n}", clear="yes" if n < 6 else "no") for n in range(8)]
    picked = published(database, li, "P-1", clear="no", bait=1)
    for n in range(6):
        proposed(database, f"U-{n}", agent={"id": "8031", "team": "sales"}, started_at=AT)
    draw(database, boss, by_chance, 0.5)
    return boss, by_chance, picked


def test_what_was_drawn_by_chance_puts_all_proposals_right(database, mixed):
    boss, by_chance, _ = mixed
    with database.reading() as session:
        found = board(session, boss, asked(), "agents", MONTH, SHANGHAI)
    (line,) = found.lines
    said = float(by_chance[0].total)
    assert (line.published, line.proposed) == (9, 15)
    assert (line.score.method, line.score.n, line.score.proposed, line.score.left_out) == ("combined", 8, 15, 1)
    # six were given 18 and two 14; every proposal was the same
    assert line.score.value == pytest.approx(said + (6 * (18 - said) + 2 * (14 - said)) / 8)
    assert (line.passed.method, line.passed.why, line.passed.n) == ("drawn", "few_labelled", 8)
    assert found.whole.score == line.score
    assert found.trend[-1].score == line.score


def test_a_drawn_call_is_found_by_what_counts_for_it_now(database, mixed):
    boss, by_chance, _ = mixed
    li = person(database, "zhao")
    after = proposed(database, "D-0b", agent={"id": "8031", "team": "sales"}, started_at=AT)
    with database.writing() as session:
        session.get_one(Evaluation, by_chance[0].id).yields_to = after.id
    with database.reading() as session:
        whole = board(session, boss, asked(), "centre", MONTH, SHANGHAI).whole
    # what was corrected is to be reviewed again, so a share of 7 in 8 is reviewed
    assert (whole.published, whole.proposed, whole.score.n) == (8, 15, 7)
    id_ = review(database, after, reviewer_id=li.user_id)
    desk = ReviewDesk(database, clock=Clock())
    for criterion in ("warm", "slips"):
        desk.decide(li, id_, criterion, "approve", expected=0)
    desk.decide(li, id_, "clear", "override", outcome=Answer(answer="yes"), reason="x", expected=0)
    desk.decide(li, id_, "bait", "override", outcome=Occurrences(occurrences=0), reason="x", expected=0)
    desk.finish(li, id_)
    with database.reading() as session:
        again = board(session, boss, asked(), "centre", MONTH, SHANGHAI).whole
    assert (again.published, again.proposed, again.score.n) == (9, 15, 8)


def test_drawings_of_another_form_or_reach_are_none_of_it(database, mixed):
    lead = person(database, "lead", "qa_lead", leads=("support",))
    with database.reading() as session:
        found = board(session, lead, asked(), "agents", MONTH, SHANGHAI)
    assert (found.whole.proposed, found.whole.score.value, found.lines) == (0, None, ())


def test_the_statistics_are_not_loaded_before_they_are_needed():
    program = (
        "import sys, callgrade.reviews.dashboards; print({'scipy', 'callgrade.stats.combined'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
