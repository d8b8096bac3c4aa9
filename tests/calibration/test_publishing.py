"""A draft on its way into the registry: tried, looked at, let through or not, frozen."""

import asyncio

import pytest
from sqlalchemy import text

from callgrade.calibration import backtesting, gates_repository, gating, golden, publishing
from callgrade.calibration.backtesting import back_test, of_rubric, open_back_test
from callgrade.catalog import digest, load_rubric
from callgrade.catalog.golden import load as shipped
from callgrade.catalog.prompts import load_prompt
from callgrade.domain.errors import ConfigurationError, ConflictError, ForbiddenError, InputError, NotFoundError
from callgrade.evaluations import registry
from callgrade.evaluations.service import Evaluator
from callgrade.reviews.drafts import Drafts, as_next, checked, text_of
from tests.calibration.publishing import HOST, edited, filled, form, published, rules
from tests.db.rows import everything
from tests.reviews.made import person

REASON = "新词表已由质检组逐条核对"


@pytest.fixture
def lead(database):
    return person(database, "lead", "qa_lead", name="Lin")


def contest_of(database, draft):
    with database.reading() as session:
        return of_rubric(session, draft)


def tried(database, lead, contest, set_id):
    with database.writing() as session:
        opened = open_back_test(session, lead, contest, set_id, None)
    return asyncio.run(back_test(database, lead, contest, opened, HOST.judges, in_flight=4))


def decided(database, lead, contest, set_id):
    return asyncio.run(gating.gate(database, lead, contest, set_id, HOST))


def publish(database, lead, contest, **more):
    with database.writing() as session:
        return publishing.publish(session, lead, contest, **more).model_copy()


def rows(database, table):
    with database.reading() as session:
        return everything(session)[table]


def actions(database):
    return [row["action"] for row in rows(database, "audit_event")]


def test_an_edit_of_a_shipped_rubric_that_flips_ten_golden_calls_is_shown_as_those_ten_before_it_is_published(
    database, lead
):
    """Nobody hangs up on a customer any more, says somebody who strikes the forbidden words out of contempt."""
    before = published(database, load_rubric("telesales-misconduct@v1"))
    with database.reading() as session:
        was = text_of(registry.rubric_version(session, before.reference))
    changed = as_next(was, "v2").replace("lists: [impatience, forbidden-words]", "lists: [impatience]")
    draft = checked(before.id, changed).rubric
    contest = contest_of(database, draft)
    with pytest.raises(ConflictError, match="was not back-tested as it stands"):
        publish(database, lead, contest, override=REASON)
    found = tried(database, lead, contest, golden.shipped(database))
    expected = flipped_by_hand(before, draft)
    assert len(expected) == 10
    shown = found.comparison.flips
    assert {(flip.criterion_id, flip.call) for flip in shown} == {("contempt", call) for call in expected}
    assert {(flip.before["occurrences"], flip.after["occurrences"]) for flip in shown} == {(1, 0)}
    assert {flip.truth["occurrences"] for flip in shown if flip.truth} <= {0, 1, 2}
    assert found.comparison.split == "dev"
    change = next(one for one in found.comparison.criteria if one.criterion_id == "contempt")
    assert change.flips == 10
    assert sum(one.flips for one in found.comparison.criteria) == 10
    # labels by models are no measure of people: nothing of it can pass, and nothing of it is listed
    gate = decided(database, lead, contest, golden.shipped(database))
    assert gate.outcome in ("stopped", "insufficient_data")
    names = [call.id for call in shipped().calls if call.split == "holdout" and "-" in call.id]
    assert not [name for name in names if f"'{name}'" in str(gate.details)]
    publish(database, lead, contest, override=REASON)
    with database.reading() as session:
        row = registry.rubric_version(session, before.id)
    assert (row.version, row.status, row.origin, row.digest) == ("v2", "published", "desk", contest.digest)


def flipped_by_hand(before, draft):
    async def judged(rubric, call):
        async with rules(0) as judges:
            card = await Evaluator(rubric, judges).evaluate(call.transcript)
        return {one.criterion_id: one.outcome for one in card.judgements}

    calls = [call for call in shipped().calls if call.split == "dev"]
    return {call.id for call in calls if asyncio.run(judged(before, call)) != asyncio.run(judged(draft, call))}


def test_what_passes_the_gate_is_published_and_frozen(database, lead):
    published(database)
    set_id = filled(database, lead)
    contest = contest_of(database, edited("包赚", "稳赚", "保本"))
    found = tried(database, lead, contest, set_id)
    assert found.comparison.flips == ()
    gate = decided(database, lead, contest, set_id)
    assert (gate.outcome, gate.version, gate.digest) == ("passed", "v2", contest.digest)
    publish(database, lead, contest)
    with database.reading() as session:
        row = registry.rubric_version(session, "promises")
        assert row.version == "v2"
        assert digest(registry.parsed(row)) == row.digest == contest.digest
        assert registry.rubric_version(session, "promises@v1").status == "published"
    assert [
        one for one in actions(database) if one.partition(".")[0] in ("gate", "rubric", "back_test", "holdout")
    ] == [
        "back_test.begun",
        "holdout.read",
        "gate.decided",
        "rubric.published",
    ]


def test_the_holdout_is_read_once_for_a_draft_and_its_reason_is_on_record(database, lead):
    published(database)
    set_id = filled(database, lead, each=20)
    contest = contest_of(database, edited("包赚"))
    tried(database, lead, contest, set_id)
    first, second = decided(database, lead, contest, set_id), decided(database, lead, contest, set_id)
    assert first.id == second.id
    (reading,) = rows(database, "holdout_reading")
    assert reading["why"] == "gate of rubric promises@v2"
    assert (reading["by"], first.details["reading"]) == (lead.actor, reading["id"])
    assert "holdout-0" not in str(first.details), "no call of it is named"
    assert {row["split"] for row in rows(database, "calibration_run")} == {"dev"}


def test_one_that_misses_what_the_current_one_finds_is_stopped_and_needs_a_name_and_a_reason(database, lead):
    published(database)
    set_id = filled(database, lead)
    contest = contest_of(database, edited("包赚"))
    found = tried(database, lead, contest, set_id)
    assert len(found.comparison.flips) == 40
    assert {flip.now_right for flip in found.comparison.flips} == {False}
    assert decided(database, lead, contest, set_id).outcome == "stopped"
    with pytest.raises(ConflictError, match="the gate stopped promises@v2"):
        publish(database, lead, contest)
    with pytest.raises(InputError, match="why it is published"):
        publish(database, lead, contest, override="  ")
    gate = publish(database, lead, contest, override=REASON, name="Lin")
    assert (gate.outcome, gate.reason, gate.by) == ("overridden", REASON, lead.actor)
    assert (gate.details["name"], gate.details["gate"]) == ("Lin", "stopped")
    assert gating.result_of(gate).human_only == ("promise",)


def test_too_little_data_is_published_and_people_decide(database, lead):
    published(database)
    set_id = filled(database, lead, each=30)
    contest = contest_of(database, edited("包赚", "稳赚", "保本"))
    tried(database, lead, contest, set_id)
    gate = decided(database, lead, contest, set_id)
    assert gate.outcome == "insufficient_data"
    assert gating.result_of(gate).human_only == ("promise",)
    assert publish(database, lead, contest).outcome == "insufficient_data"


def test_without_a_gate_only_by_name(database, lead):
    published(database)
    contest = contest_of(database, edited("包赚"))
    tried(database, lead, contest, filled(database, lead, each=8))
    with pytest.raises(ConflictError, match="has not stood at the gate"):
        publish(database, lead, contest)
    gate = publish(database, lead, contest, override=REASON, name="Lin")
    assert gate.details["gate"] is None
    assert gating.result_of(gate) is None


def test_a_word_changed_is_another_draft_and_a_number_taken_too(database, lead):
    published(database)
    set_id = filled(database, lead, each=8)
    contest = contest_of(database, edited("包赚"))
    tried(database, lead, contest, set_id)
    for other in (contest_of(database, edited("包赚", "保本")), contest_of(database, edited("稳赚"))):
        with pytest.raises(ConflictError, match="was not back-tested as it stands"):
            publish(database, lead, other, override=REASON)
    publish(database, lead, contest, override=REASON)
    again = contest_of(database, edited("包赚"))
    assert again.reference == "promises@v3"
    with pytest.raises(ConflictError, match="back-tested"):
        publish(database, lead, again, override=REASON)
    with pytest.raises(ConflictError, match="promises@v2 is there already"):
        publish(database, lead, contest, override=REASON)


def test_a_first_version_has_nothing_to_be_compared_with(database, lead):
    contest = contest_of(database, form())
    assert (contest.reference, contest.current) == ("promises@v1", None)
    published(database, form())  # labels need a form to fit
    set_id = filled(database, lead, each=8)
    with database.writing() as session:
        opened = open_back_test(session, lead, contest, set_id, None)
    found = asyncio.run(back_test(database, lead, contest, opened, HOST.judges, in_flight=4))
    assert (found.comparison, found.against) == (None, None)


def test_a_back_test_says_how_far_it_is_and_goes_on_where_it_stopped(database, lead):
    published(database)
    set_id = filled(database, lead, each=8)
    contest = contest_of(database, edited("包赚"))
    with database.writing() as session:
        opened = open_back_test(session, lead, contest, set_id, None)
    with database.reading() as session:
        assert backtesting.how_far(session, lead, opened.run_id) == ("queued", 0, 0)
        with pytest.raises(ConflictError, match="not done"):
            backtesting.result(session, lead, contest, opened)
    with database.writing() as session:
        assert open_back_test(session, lead, contest, set_id, None) == opened
    seen = []
    work = back_test(
        database, lead, contest, opened, HOST.judges, in_flight=4, progress=lambda *told: seen.append(told)
    )
    asyncio.run(work)
    assert (seen[0], seen[-1]) == ((0, 16), (16, 16))
    with database.reading() as session:
        assert backtesting.how_far(session, lead, opened.run_id) == ("done", 16, 16)
        assert backtesting.newest(session, lead, contest).id == opened.run_id


def test_the_draft_in_the_browser_is_closed(database, lead):
    published(database)
    desk = Drafts(database)
    desk.save(lead, "promises", "v1", desk.look(lead, "promises").text.replace("稳赚", "保本"), 0)
    draft = checked("promises", desk.look(lead, "promises").text).rubric
    contest = contest_of(database, draft)
    tried(database, lead, contest, filled(database, lead, each=8))
    publish(database, lead, contest, override=REASON, from_draft=True)
    after = desk.look(lead, "promises")
    assert (after.version, after.based_on) == (0, "v2")
    assert "version: v3" in after.text


def test_a_file_that_is_published_leaves_somebodys_draft_alone(database, lead):
    published(database)
    desk = Drafts(database)
    desk.save(lead, "promises", "v1", "mine", 0)
    contest = contest_of(database, edited("包赚"))
    tried(database, lead, contest, filled(database, lead, each=8))
    publish(database, lead, contest, override=REASON)
    assert desk.look(lead, "promises").text == "mine"


def test_a_published_row_that_was_edited_by_hand_is_refused_at_load(database, lead):
    published(database)
    with database.writing() as session:
        content = "replace(cast(content as text), '稳赚', '可赚')"
        cast = f"cast({content} as jsonb)" if database.dialect == "postgresql" else content
        session.execute(text(f"UPDATE rubric_version SET content = {cast} WHERE id = 'promises'"))
    registry._PARSED.clear()
    with database.reading() as session:
        row = registry.rubric_version(session, "promises@v1")
        with pytest.raises(ConfigurationError, match="not what its digest says"):
            registry.parsed(row)


def test_a_published_prompt_that_was_edited_by_hand_is_refused_at_load(database, lead):
    shipped_prompt = load_prompt("judge").model_copy(update={"status": "published"})
    with database.writing() as session:
        registry.add(session, shipped_prompt, registry.SHIPPED)
        assert registry.parsed_prompt(registry.prompt_version(session, "judge@v1")) == shipped_prompt
        content = "replace(content, 'cannot_assess', 'no')"
        session.execute(text(f"UPDATE prompt_version SET content = {content} WHERE id = 'judge'"))
    with database.reading() as session:
        row = registry.prompt_version(session, "judge@v1")
        assert "cannot_assess" not in row.content
        with pytest.raises(ConfigurationError, match="prompt judge@v1 is not what its digest says"):
            registry.parsed_prompt(row)


def test_retired_is_found_by_its_full_name_alone_and_stays_so(database, lead):
    version = published(database)
    with database.writing() as session:
        publishing.retire(session, lead, "rubric", version.reference)
    with database.reading() as session:
        assert registry.rubric_version(session, "promises@v1").status == "retired"
        with pytest.raises(NotFoundError):
            registry.rubric_version(session, "promises")
    with database.writing() as session, pytest.raises(ConflictError, match="is retired"):
        publishing.retire(session, lead, "rubric", version.reference)
    assert actions(database)[-1] == "rubric.retired"


def test_reviewers_publish_nothing(database, lead):
    published(database)
    set_id = filled(database, lead, each=8)
    contest = contest_of(database, edited("包赚"))
    tried(database, lead, contest, set_id)
    reviewer = person(database, "rev", "reviewer")
    with pytest.raises(ForbiddenError):
        publish(database, reviewer, contest, override=REASON)
    with database.reading() as session:
        assert gates_repository.gates(session, lead, "rubric", "promises") == []


def test_a_prompt_is_tried_only_where_it_decides_anything(database, lead):
    rubric = load_rubric("telesales-misconduct@v1")
    with database.reading() as session:
        with pytest.raises(InputError, match="not a prompt to judge with"):
            backtesting.of_prompt(session, load_prompt("repair"), rubric)
        with pytest.raises(ConflictError, match="asks no model"):
            backtesting.of_prompt(session, load_prompt("judge"), form())
        contest = backtesting.of_prompt(session, load_prompt("judge"), rubric)
    assert (contest.reference, contest.current) == ("judge@v1", None)
