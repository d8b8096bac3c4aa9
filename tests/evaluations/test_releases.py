"""Releases: what may be made, which of them grades a call, and what is graded by it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select, update

from callgrade.adapters.rules import RuleJudge
from callgrade.catalog import digest, resolved_json
from callgrade.catalog.prompts import list_prompts
from callgrade.db.tables import AuditEvent, PromptVersion, Release
from callgrade.db.types import now
from callgrade.domain.errors import (
    ConfigurationError,
    InputError,
    NotFoundError,
    SettingsError,
    UnknownResourceError,
)
from callgrade.evaluations import intake, receiving, releases, repository
from callgrade.evaluations.asking import Asking, Bench, Parameters, PromptNamed, recogniser_name
from callgrade.evaluations.releases import Wanted
from callgrade.evaluations.tables import BATCH, BATCH_FAULT, CALL, EVALUATION, RELEASE, RUBRIC_VERSION
from tests.evaluations.made import (
    CLIENT,
    FORM,
    US,
    Model,
    batch,
    begin,
    evaluation,
    pipeline,
    submit,
    transcript,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def registered(database):
    """The registry with two versions of a rubric, and the prompts."""
    begin(database)
    later = FORM.model_copy(update={"version": "v2", "status": "published"})
    with database.writing() as session:
        told = {"status": "published", "content": resolved_json(later), "digest": digest(later)}
        session.execute(
            insert(RUBRIC_VERSION).values(id=FORM.id, version="v2", origin="shipped", created_at=START, **told)
        )
        for prompt in list_prompts():
            told = {"status": prompt.status, "content": prompt.model_dump_json(by_alias=True), "digest": prompt.digest}
            session.add(PromptVersion(id=prompt.id, version=prompt.version, origin="shipped", **told))
    return database


def make(database, client=US, **wanted):
    with database.writing() as session:
        return releases.create(session, client, Wanted(**{"rubric": FORM.id, **wanted})).id


def backdate(database, id_, moment):
    """As if it had been made for a moment that has come by now."""
    with database.writing() as session:
        session.execute(update(RELEASE).where(RELEASE.c.id == id_).values(active_from=moment))


def chosen(database, reference=FORM.id, *, client=CLIENT, team=None, at=None):
    with database.reading() as session:
        return releases.choose(session, client, reference, team=team, at=at)


# making one


def test_it_names_what_is_there_with_its_digest(registered):
    with registered.writing() as session:
        made = releases.create(
            session,
            US,
            Wanted(rubric=FORM.id, prompt="judge", model="m", parameters={"seed": 1}, redaction="rules/1"),
        )
        assert (made.rubric_version, made.rubric_digest, made.created_by) == ("v2", digest_of("v2"), "system")
        assert (made.prompt["id"], made.prompt["version"]) == ("judge", "v1")
        assert made.prompt["digest"] == next(prompt.digest for prompt in list_prompts() if prompt.id == "judge")
        assert (made.model, made.parameters, made.recogniser, made.redaction) == ("m", {"seed": 1}, None, "rules/1")
        assert abs(made.active_from - now()) < DAY
    with registered.reading() as session:
        (event,) = session.execute(select(AuditEvent).where(AuditEvent.action == "release.created")).scalars()
        assert (event.subject, event.facts["rubric"]) == (made.id, made.rubric_digest)


def digest_of(version):
    return digest(FORM.model_copy(update={"version": version, "status": "published"}))


def test_everybodys_stands_in_everybodys_record(registered):
    id_ = make(registered, client=None)
    with registered.reading() as session:
        events = session.execute(select(AuditEvent).where(AuditEvent.subject == id_)).scalars().all()
    assert sorted(event.client_id for event in events) == [CLIENT, "c2"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"rubric": "nothing"}, f"rubric: there is no 'nothing'; there are {FORM.id}@v2, {FORM.id}@v1"),
        ({"rubric": f"{FORM.id}@v9"}, f"{FORM.id}@v2"),
        ({"prompt": "nothing"}, "prompt: there is no 'nothing'; there are judge@v1"),
        ({"prompt": "judge@v9"}, "there are judge@v1"),
        ({"prompt": "repair"}, "not one to judge with; there are judge@v1"),
        ({"active_from": START - 30_000 * DAY}, "active_from: lies in the past"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(registered, wanted, told):
    with pytest.raises(InputError) as refused:
        make(registered, **wanted)
    assert told in str(refused.value)
    with registered.reading() as session:
        assert session.execute(select(RELEASE.c.id)).all() == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"parameters": {"top_p": 0.5}},
        {"parameters": {"temperature": 2.1}},
        {"parameters": {"temperature": True}},
        {"parameters": {"samples": 0}},
        {"parameters": {"max_tokens": 10**30}},
        {"parameters": {"seed": -1}},
        {"parameters": {"output": "yaml"}},
        {"parameters": {"api_key": "sk-1"}},
        {"model": ""},
        {"model": "a\0b"},
        {"model": "\ud800"},
        {"team": "a\nb"},
        {"team": "x" * 201},
        {"recogniser": "\udfff"},
        {"redaction": "\0"},
        {"base_url": "http://elsewhere"},
        {"active_from": "2026-11-01T00:00:00"},
    ],
)
def test_only_what_is_known_can_be_asked_for(wanted):
    with pytest.raises(ValidationError):
        Wanted(rubric="r", **wanted)


def test_what_the_database_cannot_tell_is_looked_at_before():
    asked = []
    releases.require_possible(Wanted(rubric="r", model="m", redaction="off"), asked.append, {"off", "rules/1"})
    assert asked == ["m"]
    with pytest.raises(InputError, match="there are off, rules/1"):
        releases.require_possible(Wanted(rubric="r", redaction="rules/9"), asked.append, {"off", "rules/1"})


# which of them


def test_the_nearest_that_is_in_use_grades_and_of_these_the_newest(registered):
    everybodys, everybodys_team, ours, teams, later, to_come = (
        make(registered, client=None),
        make(registered, client=None, team="t"),
        make(registered),
        make(registered, team="t"),
        make(registered),
        make(registered, active_from=now() + DAY),
    )
    for id_, days in ((everybodys, 0), (everybodys_team, 1), (ours, 2), (teams, 3), (later, 5)):
        backdate(registered, id_, START + days * DAY)

    def active(days, client=CLIENT, team=None):
        return chosen(registered, client=client, team=team, at=START + days * DAY).release_id

    assert [active(days) for days in (-1, 0, 1, 2, 4, 5)] == [None, everybodys, everybodys, ours, ours, later]
    # the team's own goes before the client's newer one, and the client's before everybody's for that team
    assert [active(days, team="t") for days in (0, 1, 2, 3, 9)] == [everybodys, everybodys_team, ours, teams, teams]
    assert active(9, team="another") == later
    assert (active(9, client="c2"), active(9, client="c2", team="t")) == (everybodys, everybodys_team)
    assert chosen(registered, at=now() + 2 * DAY).release_id == to_come


def test_of_two_of_the_same_moment_the_one_made_last_holds(registered):
    first, second = make(registered), make(registered)
    for id_ in (second, first):
        backdate(registered, id_, START)
    assert chosen(registered).release_id == second


def test_a_version_that_is_named_is_taken(registered):
    old = make(registered, rubric=f"{FORM.id}@v1")
    assert (chosen(registered).release_id, chosen(registered).rubric_version) == (old, "v1")
    assert chosen(registered, f"{FORM.id}@v1").release_id == old
    other = chosen(registered, f"{FORM.id}@v2")
    assert (other.release_id, other.rubric_version, other.rubric_digest) == (None, "v2", digest_of("v2"))
    with pytest.raises(NotFoundError):
        chosen(registered, "nothing")


def test_it_is_found_by_whom_it_concerns(registered):
    mine, everybodys, theirs = make(registered), make(registered, client=None), None
    with registered.writing() as session:
        theirs = releases.create(session, US.model_copy(update={"client_id": "c2"}), Wanted(rubric=FORM.id)).id
    with registered.reading() as session:
        assert [row.id for row in releases.list_all(session, CLIENT)] == [everybodys, mine]
        assert len(releases.list_all(session, None)) == 3
        assert releases.find(session, CLIENT, everybodys).id == everybodys
        assert releases.find(session, None, theirs).id == theirs
        with pytest.raises(UnknownResourceError):
            releases.find(session, CLIENT, theirs)


def test_what_a_newer_callgrade_asks_for_is_not_passed_over(registered):
    id_ = make(registered)
    with registered.writing() as session:
        session.execute(update(RELEASE).where(RELEASE.c.id == id_).values(parameters={"top_p": 0.5}))
    with registered.reading() as session, pytest.raises(ConfigurationError, match=f"{id_}.*upgrade"):
        releases.graded_by(session.get(Release, id_))


def test_a_prompt_that_changed_is_not_the_one_that_was_named(registered):
    make(registered, prompt="judge")
    with registered.reading() as session:
        named = PromptNamed(**session.execute(select(RELEASE.c.prompt)).scalar_one())
        assert releases.prompt_of(session, named).reference == "judge@v1"
        with pytest.raises(NotFoundError, match="judge@v1"):
            releases.prompt_of(session, named.model_copy(update={"digest": "sha256:other"}))


# what is graded by it


def judging(database, folder, judge, asked=None, refuses=()):
    """A pipeline whose host refuses the models in `refuses`; `asked` hears what is asked of it."""
    work = pipeline(database, folder, [RuleJudge(), judge])

    async def judges_for(client_id, asking: Asking):
        if asked is not None:
            asked.append((client_id, asking))
        if asking.terms.model in refuses:
            raise SettingsError(f"the model {asking.terms.model} cannot be asked here")
        return Bench([RuleJudge(), judge])

    work._judges_for = judges_for
    return work


async def test_a_call_is_judged_as_its_release_asks(registered, tmp_path):
    id_ = make(registered, team="t", prompt="judge", model="m2", parameters={"temperature": 0.5, "samples": 3})
    with registered.writing() as session:
        version, release = releases.rows_of(session, releases.choose(session, CLIENT, FORM.id, team="t"))
    made = submit(registered, transcript(agent={"id": "a", "team": "t"}), version, release=release)
    asked = []
    work = judging(registered, tmp_path, Model(), asked)
    await work.judge(made.id)
    ((client_id, (terms, prompt)),) = asked
    assert (client_id, terms.model, prompt.reference) == (CLIENT, "m2", "judge@v1")
    assert terms.parameters == Parameters(temperature=0.5, samples=3)
    with registered.reading() as session:
        card = repository.scorecard_of(session, repository.find(session, CLIENT, made.id))
    assert (card.provenance.release, card.rubric.version) == (id_, "v2")
    await work.aclose()


async def test_a_host_that_cannot_says_so_and_grades_nothing(registered, tmp_path):
    make(registered, model="another")
    with registered.writing() as session:
        version, release = releases.rows_of(session, releases.choose(session, CLIENT, FORM.id))
    made = submit(registered, transcript(), version, release=release)
    model = Model()
    await judging(registered, tmp_path, model, refuses={"another"}).judge(made.id)
    error = evaluation(registered, made.id).error
    assert (error["type"], "another" in error["message"], model.asked) == ("settings", True, [])


def recorded(made_by, asked_for):
    graded = releases.Graded(
        rubric_id="r", rubric_version="v1", rubric_digest="d", terms={"recogniser": asked_for}, release_id="1"
    )
    return graded, recogniser_name(made_by)


@pytest.mark.parametrize(
    ("described", "name"),
    [
        ("tiny: the demo's own; weights sha256:12; funasr 1.4", "tiny"),
        ("iic/SenseVoiceSmall; funasr 1.4.16; voice detector fsmn-vad", "iic/SenseVoiceSmall"),
        ("paraformer-zh", "paraformer-zh"),
    ],
)
def test_a_recogniser_is_known_by_its_name(described, name):
    assert recogniser_name(described) == name


def test_another_recogniser_than_the_release_names_is_no_silent_matter(registered, tmp_path):
    work = pipeline(registered, tmp_path, [])
    graded, name = recorded("tiny: x", "paraformer-zh")
    with pytest.raises(SettingsError, match="asks for the recogniser paraformer-zh.*tiny"):
        work._require_recogniser(graded, name)
    work._require_recogniser(*recorded("paraformer-zh; 1", "paraformer-zh"))
    work._require_recogniser(*recorded("whatever", None))


# batches


def taken_in(database, folder, lines, reference=FORM.id):
    """A batch that came in just now, by whatever releases are in use."""
    batch_id = batch(database, folder, lines)
    with database.writing() as session:
        choice = releases.choose_for_all(session, CLIENT, reference)
        named = {"rubric_version": choice.others.rubric_version, "releases": releases.pins_of(choice)}
        session.execute(update(BATCH).where(BATCH.c.id == batch_id).values(**named))
    return batch_id


def of_team(number, team):
    return transcript(f"C-{number}", agent={"id": "a", "team": team} if team else {"id": "a"})


def outcome(database):
    with database.reading() as session:
        shown = (EVALUATION.c.line, EVALUATION.c.rubric_version, EVALUATION.c.release_id, EVALUATION.c.status)
        return [tuple(row) for row in session.execute(select(*shown).order_by(EVALUATION.c.line))]


async def test_each_line_is_graded_by_the_release_of_its_team(registered, tmp_path):
    ours = make(registered)
    first = make(registered, rubric=f"{FORM.id}@v1", team="sales-1", parameters={"temperature": 1})
    second = make(registered, team="sales-2", model="not here")
    teams = [None, "sales-1", "sales-2", "sales-3", "sales-1"]
    batch_id = taken_in(registered, tmp_path, [of_team(n, team) for n, team in enumerate(teams)])
    later = make(registered, team="sales-3")
    asked = []
    work = judging(registered, tmp_path, Model(), asked, refuses={"not here"})
    for _ in range(2):
        await work.judge_chunk(batch_id, 0)
    assert outcome(registered) == [
        (1, "v2", ours, "proposed"),
        (2, "v1", first, "proposed"),
        (3, "v2", second, "failed"),
        (4, "v2", ours, "proposed"),  # what was in use when it came in
        (5, "v1", first, "proposed"),
    ]
    assert later not in {release for _, _, release, _ in outcome(registered)}
    with registered.reading() as session:
        (failed,) = session.execute(select(EVALUATION.c.error).where(EVALUATION.c.line == 3)).scalars()
        cards = {row.line: repository.scorecard_of(session, row) for row in repository_rows(session)}
    assert (failed["type"], "not here" in failed["message"]) == ("settings", True)
    assert [cards[line].provenance.release for line in (1, 2, 4)] == [ours, first, ours]
    assert cards[2].rubric.version == "v1"
    assert sorted({terms.model or "" for _, (terms, _) in asked}) == ["", "not here"]
    await work.aclose()


def repository_rows(session):
    return session.execute(
        select(repository.Evaluation).where(EVALUATION.c.status == "proposed").order_by(EVALUATION.c.line)
    ).scalars()


async def test_a_call_of_before_is_graded_anew_by_another_release_and_only_then(registered, tmp_path):
    old = make(registered)
    lines = [of_team(1, "t"), of_team(2, None)]
    work = judging(registered, tmp_path, Model())
    await work.judge_chunk(taken_in(registered, tmp_path, lines), 0)
    new = make(registered, team="t")
    again = taken_in(registered, tmp_path, lines)
    await work.judge_chunk(again, 0)
    assert sorted(release for _, _, release, _ in outcome(registered)) == sorted([old, old, new])
    with registered.reading() as session:
        faults = session.execute(select(BATCH_FAULT.c.line, BATCH_FAULT.c.error)).all()
        assert session.execute(select(CALL.c.id)).all().__len__() == 2
    assert [(line, error["type"]) for line, error in faults] == [(2, "duplicate")]
    await work.aclose()


async def test_a_version_that_is_named_holds_for_every_team(registered, tmp_path):
    make(registered, rubric=f"{FORM.id}@v1", team="t")
    ours = make(registered, rubric=f"{FORM.id}@v2")
    work = judging(registered, tmp_path, Model())
    lines = [of_team(1, "t"), of_team(2, None)]
    await work.judge_chunk(taken_in(registered, tmp_path, lines, f"{FORM.id}@v2"), 0)
    assert outcome(registered) == [(1, "v2", None, "proposed"), (2, "v2", ours, "proposed")]
    await work.aclose()


async def test_a_batch_of_before_teams_were_told_apart_goes_on(registered, tmp_path):
    made = make(registered, rubric=f"{FORM.id}@v1")
    backdate(registered, made, START)
    work = judging(registered, tmp_path, Model())
    await work.judge_chunk(batch(registered, tmp_path, [of_team(1, "t")]), 0)
    assert outcome(registered) == [(1, "v1", made, "proposed")]
    await work.aclose()


def test_a_batch_that_comes_in_notes_what_is_in_use(registered, tmp_path):
    teams, ours = make(registered, rubric=f"{FORM.id}@v1", team="t"), make(registered)
    queue = SimpleNamespace(enqueue_chunk=lambda *args: None)
    work = pipeline(registered, tmp_path, [])
    reception = receiving.Reception(registered, work.blobs, queue, chunk_lines=10, most_lines=10)
    begun = reception.begin(US, FORM.id, None)
    assert (begun.rubric_version, begun.releases) == ("v2", {"": ours, "t": teams})


def test_a_single_call_is_graded_by_its_teams_release(registered):
    teams, ours = make(registered, team="t"), make(registered)
    with registered.reading() as session:
        named = {team: intake.chosen(session, CLIENT, FORM.id, team=team)[1].id for team in ("t", "u", None)}
    assert named == {"t": teams, "u": ours, None: ours}
