"""Plans at work, on SQLite and PostgreSQL."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from callgrade.db.tables import Review, SampledCall, SamplingPlan, SamplingRun
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, UnknownResourceError
from callgrade.domain.plans import Plan, plan_of
from callgrade.domain.programme import Period
from callgrade.reviews import sampling_repository as repository
from callgrade.reviews.assignment import assign, withdraw
from callgrade.reviews.sampling import Sampler
from tests.reviews.made import FORM, Clock, person, proposed, review

SHANGHAI = ZoneInfo("Asia/Shanghai")
IN_NOVEMBER = datetime(2026, 11, 10, 4, tzinfo=UTC)
NOTHING = {"red_lines": False}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sampler(database, clock):
    return Sampler(database, zone=SHANGHAI, clock=clock)


def calls(database, agents=("8031", "8032"), each=5, **more):
    made = []
    for agent in agents:
        for n in range(each):
            fields = {"agent": {"id": agent, "team": "sales"}, "started_at": IN_NOVEMBER + timedelta(hours=n), **more}
            made.append(proposed(database, f"{agent}-{n}", **fields))
    return made


def reviews(database):
    with database.reading() as session:
        return session.exec(select(Review).order_by(Review.id)).all()


def quota(**fields):
    return {"quotas": [fields], "always": NOTHING}


def plan(**fields):
    return Plan.model_validate(fields)


def test_a_quota_is_drawn_and_handed_out_evenly(database, sampler):
    calls(database)
    boss = person(database, "boss", "admin")
    people = [person(database, name, team="sales") for name in ("li", "wang")]
    made = sampler.make(boss, "monthly", FORM.id, plan(**quota(per_agent=2, every=["month"])))
    run = sampler.draw(boss, made.id)
    assert (run.population, run.drawn) == (10, 4)
    assert [s["short"] for s in run.summary["strata"]] == [0, 0]
    assert Counter(row.reviewer_id for row in reviews(database)) == {who.user_id: 2 for who in people}
    with database.reading() as session:
        assert {row.probability for row in session.exec(select(SampledCall))} == {0.4}
    assert {row.why for row in reviews(database)} == {"sample"}


def test_drawing_again_adds_only_what_is_missing(database, sampler):
    calls(database, each=1)
    boss = person(database, "boss", "admin")
    made = sampler.make(boss, "monthly", FORM.id, plan(**quota(per_agent=2, every=["month"])))
    first = sampler.draw(boss, made.id)
    assert (first.drawn, [s["short"] for s in first.summary["strata"]]) == (2, [1, 1])
    assert sampler.draw(boss, made.id).drawn == 0
    proposed(database, "late", agent={"id": "8031", "team": "sales"}, started_at=IN_NOVEMBER)
    again = sampler.draw(boss, made.id)
    assert (again.number, again.drawn) == (3, 1)
    assert len(reviews(database)) == 3


def test_only_calls_of_the_period_are_drawn(database, sampler):
    calls(database)
    proposed(database, "october", started_at=datetime(2026, 10, 20, 16, 30, tzinfo=UTC))  # the 21st in Shanghai
    proposed(database, "december", started_at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
    boss = person(database, "boss", "admin")
    whole = plan(period=Period(unit="month", first_day=21), **quota(share="1", every=["month"]))
    made = sampler.make(boss, "21st to 20th", FORM.id, whole)
    run = sampler.draw(boss, made.id, moment=IN_NOVEMBER)
    assert run.drawn == 11
    with database.reading() as session:
        assert (run.since, run.until) == (
            datetime(2026, 10, 20, 16, tzinfo=UTC),
            datetime(2026, 11, 20, 16, tzinfo=UTC),
        )
        assert session.exec(select(SampledCall).where(SampledCall.probability < 1)).all() == []


def test_short_of_closed_ones_others_stand_in(database, sampler):
    calls(database, agents=("8031",), each=1, facts={"outcome": "closed"})
    for n in range(4):
        proposed(
            database,
            f"open-{n}",
            agent={"id": "8031", "team": "sales"},
            started_at=IN_NOVEMBER,
            facts={"outcome": "unclosed"},
        )
    boss = person(database, "boss", "admin")
    wanted = quota(per_agent=3, calls={"outcome": ["closed"]}, instead={"outcome": ["unclosed"]}, every=["month"])
    run = sampler.draw(boss, sampler.make(boss, "closed", FORM.id, plan(**wanted)).id)
    assert run.drawn == 3
    with database.reading() as session:
        assert Counter(row.instead for row in session.exec(select(SampledCall))) == {False: 1, True: 2}


def test_a_share_is_looked_at_twice_the_second_time_blind_and_by_somebody_else(database, sampler):
    calls(database)
    boss = person(database, "boss", "admin")
    for name in ("li", "wang", "zhao"):
        person(database, name)
    made = sampler.make(boss, "double", FORM.id, plan(double=0.5, **quota(share="1", every=["month"])))
    sampler.draw(boss, made.id)
    by_slot = Counter((row.slot, row.blind) for row in reviews(database))
    assert by_slot == {(0, False): 10, (1, True): 5}
    per_call: dict[str, list[str]] = {}
    for row in reviews(database):
        per_call.setdefault(row.evaluation_id, []).append(row.reviewer_id)
    assert all(len(set(who)) == len(who) for who in per_call.values())


def test_what_is_always_looked_at_is_found_as_it_comes_in(database, sampler, clock):
    clock.at = datetime.now(UTC) - timedelta(minutes=1)
    boss = person(database, "boss", "admin")
    li = person(database, "li")
    sampler.make(boss, "red lines", FORM.id, Plan())
    made = proposed(database)
    clock.at = datetime.now(UTC) + timedelta(seconds=1)
    assert sampler.look_through() == 1
    assert sampler.look_through() == 0
    (found,) = reviews(database)
    assert (found.evaluation_id, found.why, found.reviewer_id) == (made.id, "red_line", li.user_id)


@pytest.mark.parametrize(
    ("always", "why"),
    [
        ({"below_confidence": 0.6}, "low_confidence"),
        ({"below_confidence": 0.5}, None),
        ({"flags": ["unfounded_evidence"]}, "flagged"),
        ({"topic": ["随时取消"]}, "topic"),
        ({"topic": ["退款"]}, None),
        ({"agents": ["8031"]}, "watched_agent"),
    ],
)
def test_why_a_call_is_always_looked_at(database, sampler, clock, always, why):
    clock.at = datetime.now(UTC) - timedelta(minutes=1)
    boss = person(database, "boss", "admin")
    sampler.make(boss, "always", FORM.id, plan(always={**NOTHING, **always}))
    proposed(database, agent={"id": "8031", "team": "sales"})
    clock.at = datetime.now(UTC) + timedelta(seconds=1)
    assert sampler.look_through() == (why is not None)
    assert [row.why for row in reviews(database)] == ([why] if why else [])


def test_a_full_page_is_gone_on_from(database, sampler, clock):
    clock.at = datetime.now(UTC) - timedelta(minutes=1)
    boss = person(database, "boss", "admin")
    sampler.make(boss, "red lines", FORM.id, Plan())
    calls(database, each=3)
    clock.at = datetime.now(UTC) + timedelta(seconds=1)
    assert [sampler.look_through(limit=4) for _ in range(3)] == [4, 2, 0]
    assert len(reviews(database)) == 6


def test_without_anybody_who_may_it_waits_in_the_pool(database, sampler):
    calls(database, agents=("8031",), each=1)
    boss = person(database, "boss", "admin")
    person(database, "self", agent_id="8031")
    person(database, "away", team="support")
    made = sampler.make(boss, "all", FORM.id, plan(**quota(share="1", every=["month"])))
    sampler.draw(boss, made.id)
    assert [row.reviewer_id for row in reviews(database)] == [None]


def test_a_lead_draws_from_their_teams_alone(database, sampler):
    calls(database)
    lead = person(database, "lead", "qa_lead", leads=("support",))
    made = sampler.make(lead, "all", FORM.id, plan(**quota(share="1", every=["month"])))
    assert sampler.draw(lead, made.id).population == 0
    with pytest.raises(ForbiddenError):
        sampler.draw(person(database, "li"), made.id)
    with pytest.raises(UnknownResourceError):
        sampler.draw(person(database, "far", "admin", client_id="c2"), made.id)


def test_a_changed_plan_follows_and_the_old_one_rests(database, sampler):
    boss = person(database, "boss", "admin")
    first = sampler.make(boss, "all", FORM.id, plan(**quota(share="1", every=["month"])))
    second = sampler.make(boss, "half", FORM.id, plan(**quota(share="0.5", every=["month"])), follows=first.id)
    assert second.follows == first.id
    with pytest.raises(InputError, match="name"):
        sampler.make(boss, " ", FORM.id, Plan())
    with pytest.raises(ValueError, match="draws nothing"):
        plan(always=NOTHING)


def test_a_rubric_brings_its_own_quotas():
    from callgrade.catalog import load_rubric

    found = plan_of(load_rubric("insurance-telesales"))
    assert found.period == Period(unit="month", first_day=21)
    assert any(each.per_agent == 3 and each.instead for each in found.quotas)


def test_work_is_given_to_somebody_else_or_back(database):
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    boss, li, own = (
        person(database, "boss", "admin"),
        person(database, "li"),
        person(database, "own", agent_id="8031"),
    )
    id_ = review(database, made)
    second = review(database, made, slot=1)
    with database.writing() as session:
        assign(session, boss, id_, li.user_id)
        with pytest.raises(ConflictError, match="themselves"):
            assign(session, boss, id_, own.user_id)
        with pytest.raises(ConflictError, match="another review"):
            assign(session, boss, second, li.user_id)
        with pytest.raises(UnknownResourceError):
            assign(session, boss, id_, "nobody")
        with pytest.raises(ForbiddenError):
            assign(session, li, id_, None)
        withdraw(session, boss, second)
        with pytest.raises(ConflictError, match="withdrawn"):
            assign(session, boss, second, None)
    assert [row.reviewer_id for row in reviews(database)] == [li.user_id, None]


def test_a_plan_that_fails_keeps_no_other_from_being_looked_through(database, sampler, clock, caplog):
    clock.at = datetime.now(UTC) - timedelta(minutes=1)
    boss = person(database, "boss", "admin")
    broken = sampler.make(boss, "broken", FORM.id, Plan())
    sampler.make(boss, "red lines", FORM.id, Plan())
    broken_too = sampler.make(boss, "broken too", FORM.id, Plan())
    with database.writing() as session:
        for id_ in (broken.id, broken_too.id):
            session.get(SamplingPlan, id_).spec = {"period": "never"}
    proposed(database)
    clock.at = datetime.now(UTC) + timedelta(seconds=1)
    assert sampler.look_through() == 1
    assert [record.plan for record in caplog.records] == [broken_too.id, broken.id]
    assert "never" not in caplog.text


def test_a_leads_plan_finds_red_lines_of_their_teams_alone(database, sampler, clock):
    clock.at = datetime.now(UTC) - timedelta(minutes=1)
    lead = person(database, "lead", "qa_lead", leads=("sales",))
    made = sampler.make(lead, "ours", FORM.id, Plan())
    assert made.spec["teams"] == ["sales"]
    mine = proposed(database, "ours", agent={"id": "8031", "team": "sales"})
    proposed(database, "theirs", agent={"id": "8032", "team": "support"})
    clock.at = datetime.now(UTC) + timedelta(seconds=1)
    assert sampler.look_through() == 1
    assert [row.evaluation_id for row in reviews(database)] == [mine.id]


def test_only_who_reaches_all_of_a_plan_changes_it(database, sampler):
    boss = person(database, "boss", "admin")
    lead = person(database, "lead", "qa_lead", leads=("sales",))
    both = person(database, "both", "qa_lead", leads=("sales", "support"))
    whole, ours = sampler.make(boss, "whole", FORM.id, Plan()), sampler.make(both, "two teams", FORM.id, Plan())
    for made in (whole, ours):
        with pytest.raises(ForbiddenError):
            sampler.make(lead, "mine", FORM.id, Plan(), follows=made.id)
        with pytest.raises(ForbiddenError):
            sampler.retire(lead, made.id)
    sampler.retire(both, ours.id)
    with pytest.raises(ConflictError, match="retired"):
        sampler.draw(boss, ours.id)


def test_an_outlook_draws_nothing(database, sampler):
    calls(database)
    boss = person(database, "boss", "admin")
    found = sampler.outlook(boss, FORM.id, plan(margin=0.3, **quota(confidence="0.95", every=["month"])))
    assert (found.population, found.drawn, found.strata[0].wanted) == (10, 6, 6)
    assert reviews(database) == []
    with database.reading() as session:
        assert session.exec(select(SamplingRun)).all() == []


def test_what_was_drawn_is_read_page_by_page_and_within_reach(database, sampler):
    calls(database, each=2)
    calls(database, agents=("9001",), each=1, agent={"id": "9001", "team": "support"})
    boss, li = person(database, "boss", "admin"), person(database, "li", name="李")
    lead = person(database, "lead", "qa_lead", leads=("support",))
    run = sampler.draw(boss, sampler.make(boss, "all", FORM.id, plan(**quota(share="1", every=["month"]))).id)
    with database.reading() as session:
        found = repository.sampled(session, boss, run.id, limit=3)
        rest = repository.sampled(session, boss, run.id, after=found[-1].id)
        theirs = repository.sampled(session, lead, run.id)
        newest = repository.newest_runs(session, [run.plan_id])
        with pytest.raises(UnknownResourceError):
            repository.find_run(session, boss, "another", run.id)
    assert len({row.id for row in (*found, *rest)}) == 5
    assert {(row.state, row.reviewer, row.probability) for row in (*found, *rest)} == {("open", "李", 1.0)}
    assert [row.agent_id for row in theirs] == ["9001"]
    assert newest[run.plan_id].id == run.id
    assert li.user_id
