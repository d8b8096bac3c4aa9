"""Appeals, on SQLite and PostgreSQL. All that is said in them is made up."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from callgrade.db.tables import Acknowledgement, Delivery, PublishedScorecard
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError, UnknownResourceError
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.programme import Appeals, Within
from callgrade.reviews.appeals import AppealDesk, TooLateError
from callgrade.reviews.publishing import published
from callgrade.reviews.service import ReviewDesk
from tests.evaluations.made import evaluation, webhook
from tests.reviews.made import Clock, person, proposed, review

SHANGHAI = ZoneInfo("Asia/Shanghai")
SAME_DAY = Appeals(file_within=Within(days=0), decide_within=Within(days=0))


@pytest.fixture
def clock():
    """Nine in the morning in UTC, five in the afternoon in Shanghai."""
    return Clock()


@pytest.fixture
def people(database):
    """(the agent, the reviewer of the call, a colleague of the reviewer's)"""
    return (
        person(database, "agent", "agent", agent_id="8031", team="sales"),
        person(database, "li", team="sales"),
        person(database, "wang", team="sales"),
    )


@pytest.fixture
def score(database, clock, people):
    """The evaluation of a call whose score was published a moment ago, by li."""
    _, li, _ = people
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    id_ = review(database, made, reviewer_id=li.user_id)
    desk = ReviewDesk(database, clock=clock)
    desk.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), reason="太冷淡", expected=0)
    desk.decide(li, id_, "clear", "approve", expected=0)
    desk.decide(li, id_, "slips", "approve", expected=0)
    desk.decide(li, id_, "bait", "override", outcome=Occurrences(occurrences=0), reason="没有", expected=0)
    desk.finish(li, id_)
    _publish_at(database, clock)
    return made


def _publish_at(database, clock):
    with database.writing() as session:
        for row in session.exec(select(PublishedScorecard)):
            row.published_at = clock.at
            session.add(row)


def desk_of(database, clock, rule=SAME_DAY):
    return AppealDesk(database, zone=SHANGHAI, default=rule, clock=clock)


def filed(desk, agent, score, **more):
    asked = {"reason": "我问候了客户", "wanted": Answer(answer="yes"), "at_ms": 1200, **more}
    return desk.file(agent, score.id, "warm", **asked)


def test_an_appeal_states_both_its_deadlines(database, clock, people, score):
    appeal = filed(desk_of(database, clock), people[0], score)
    # midnight in Shanghai, seven hours on
    assert appeal.file_by - clock.at == timedelta(hours=7)
    assert appeal.decide_by == appeal.file_by
    assert (appeal.state, appeal.revision, appeal.at_ms, appeal.team) == ("open", 1, 1200, "sales")


def test_a_late_one_is_refused_with_the_rule(database, clock, people, score):
    clock.later(hours=7)
    with pytest.raises(TooLateError, match="on the day it was published") as caught:
        filed(desk_of(database, clock), people[0], score)
    assert caught.value.rule == SAME_DAY
    relaxed = SAME_DAY.model_copy(update={"late": "accepted"})
    assert filed(desk_of(database, clock, relaxed), people[0], score).state == "open"


def test_three_days_end_with_the_third(database, clock, people, score):
    desk = desk_of(database, clock, Appeals(file_within=Within(days=3)))
    clock.later(days=3, hours=6, minutes=59)
    appeal = filed(desk, people[0], score)
    assert appeal.decide_by is None


def test_an_accepted_appeal_publishes_the_score_again(database, clock, people, score):
    agent, _, wang = people
    desk = desk_of(database, clock)
    appeal = desk.decide(wang, filed(desk, agent, score).id, "accepted", words="录音里有问候")
    assert (appeal.state, appeal.decided_by) == ("accepted", wang.user_id)
    with database.reading() as session:
        revision, card = published(session, score.id)
        first = published(session, score.id, 1)[1]
    assert revision == 2
    warm = next(j for j in card.judgements if j.criterion_id == "warm")
    assert (warm.outcome, warm.reason, warm.method) == (Answer(answer="yes"), "录音里有问候", "human")
    assert (first.total.value, card.total.value) == (8.0, 14.0)
    assert float(evaluation(database, score.id).total) == 14.0


def test_an_upheld_one_leaves_the_score_alone(database, clock, people, score):
    desk = desk_of(database, clock)
    desk.decide(people[2], filed(desk, people[0], score).id, "upheld", words="没有听到")
    with database.reading() as session:
        assert published(session, score.id)[0] == 1


def test_a_third_value(database, clock, people, score):
    desk = desk_of(database, clock)
    id_ = filed(desk, people[0], score).id
    with pytest.raises(JudgementError, match="neither"):
        desk.decide(people[2], id_, "changed", words="各有道理")
    appeal = desk.decide(people[2], id_, "changed", words="不适用", not_applicable=True)
    assert appeal.given == {"outcome": None}
    with database.reading() as session:
        card = published(session, score.id)[1]
    assert next(j.status for j in card.judgements if j.criterion_id == "warm") == "not_applicable"


def test_who_judged_or_took_the_call_does_not_decide(database, clock, people, score):
    agent, li, wang = people
    desk = desk_of(database, clock)
    id_ = filed(desk, agent, score).id
    with pytest.raises(ForbiddenError, match="you judged"):
        desk.decide(li, id_, "upheld", words="我是对的")
    with pytest.raises(ForbiddenError):
        desk.decide(agent, id_, "accepted", words="我是对的")
    both = person(database, "both", "admin", agent_id="8031")
    with pytest.raises(ForbiddenError, match="you took"):
        desk.decide(both, id_, "accepted", words="我是对的")
    assert desk.decide(wang, id_, "upheld", words="同意初评").state == "upheld"


def test_it_is_decided_once(database, clock, people, score):
    desk = desk_of(database, clock)
    id_ = filed(desk, people[0], score).id
    desk.decide(people[2], id_, "upheld", words="没有听到")
    with pytest.raises(ConflictError, match="upheld"):
        desk.decide(people[2], id_, "accepted", words="又听到了")
    with pytest.raises(ConflictError, match="upheld"):
        desk.withdraw(people[0], id_)
    with pytest.raises(ConflictError, match="contested before"):
        filed(desk, people[0], score)


def test_its_agent_can_withdraw_it(database, clock, people, score):
    desk = desk_of(database, clock)
    id_ = filed(desk, people[0], score).id
    with pytest.raises(ForbiddenError):
        desk.withdraw(people[1], id_)
    assert desk.withdraw(people[0], id_).state == "withdrawn"


def test_only_ones_own_published_scores_can_be_contested(database, clock, people, score):
    desk = desk_of(database, clock)
    other = person(database, "other", "agent", agent_id="9000", team="sales")
    with pytest.raises(UnknownResourceError):
        filed(desk, other, score)
    unpublished = proposed(database, "C-2", agent={"id": "8031", "team": "sales"})
    with pytest.raises(UnknownResourceError):
        filed(desk, people[0], unpublished)
    with pytest.raises(ForbiddenError):
        filed(desk, people[1], score)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"reason": " "}, InputError),
        ({"reason": "长" * 2001}, InputError),
        ({"wanted": Answer(answer="no")}, InputError),
        ({"wanted": Occurrences(occurrences=1)}, JudgementError),
    ],
)
def test_what_is_no_appeal_is_refused(database, clock, people, score, more, error):
    with pytest.raises(error):
        filed(desk_of(database, clock), people[0], score, **more)


def test_lists_show_what_is_within_reach(database, clock, people, score):
    agent, li, wang = people
    desk = desk_of(database, clock)
    filed(desk, agent, score)
    away = person(database, "away", team="support")
    other = person(database, "other", "agent", agent_id="9000")
    boss = person(database, "boss", "admin")
    assert [len(desk.page(who)) for who in (agent, li, wang, boss, away, other)] == [1, 1, 1, 1, 0, 0]
    assert desk.page(boss, state="upheld") == []
    assert desk.page(boss)[0].shown_call_id == "C-1"


def test_a_score_is_acknowledged_once(database, clock, people, score):
    desk = desk_of(database, clock)
    desk.acknowledge(people[0], score.id)
    desk.acknowledge(people[0], score.id)
    with database.reading() as session:
        assert [row.revision for row in session.exec(select(Acknowledgement))] == [1]


def test_webhooks_are_told_of_states_and_of_nothing_that_was_written(database, clock, people, score):
    agent, _, wang = people
    events = ("appeal.filed", "appeal.decided", "appeal.withdrawn", "evaluation.published")
    webhook(database, *events)
    desk = desk_of(database, clock)
    desk.decide(wang, filed(desk, agent, score).id, "accepted", words="听到了问候")
    other = desk.file(agent, score.id, "slips", reason="没有口误", wanted=Occurrences(occurrences=0))
    desk.withdraw(agent, other.id)
    with database.reading() as session:
        told = [row.payload for row in session.exec(select(Delivery).order_by(Delivery.created_at, Delivery.id))]
    assert sorted(one["type"] for one in told) == sorted([*events, "appeal.filed"])
    decided = next(one["data"] for one in told if one["type"] == "appeal.decided")
    assert (decided["evaluation_id"], decided["call_id"], decided["state"]) == (score.id, "C-1", "accepted")
    assert "问候" not in json.dumps(told, ensure_ascii=False)
