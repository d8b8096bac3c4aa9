"""Drafts of rubrics, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from callgrade.catalog import load_rubric
from callgrade.db.tables import AuditEvent, Draft, RubricVersion
from callgrade.domain.errors import ForbiddenError, InputError, NotFoundError, UnknownResourceError
from callgrade.evaluations import registry
from callgrade.reviews.drafts import Drafts, StaleDraftError, checked, written_out
from tests.reviews.made import FORM, Clock, person


@pytest.fixture
def drafts(database):
    return Drafts(database, clock=Clock())


@pytest.fixture
def lead(database):
    return person(database, "lead", "qa_lead")


def test_a_draft_begins_with_the_version_it_is_based_on_as_the_next(drafts, lead):
    found = drafts.look(lead, FORM.id)
    assert (found.version, found.based_on) == (0, FORM.version)
    rubric = checked(FORM.id, found.text).rubric
    assert (rubric.version, rubric.status) == ("v2", "draft")
    assert [c.id for c in rubric.criteria] == [c.id for c in FORM.criteria]


def test_every_save_is_one_version_and_touches_no_rubric(database, drafts, lead):
    with database.reading() as session:
        before = registry.rubric_version(session, FORM.id).digest
    first = drafts.save(lead, FORM.id, FORM.version, "a: 1\r\n", 0)
    second = drafts.save(lead, FORM.id, FORM.version, "a: 2\n", 1)
    assert (first.text, first.version, second.version) == ("a: 1\n", 1, 2)
    assert drafts.look(lead, FORM.id).text == "a: 2\n"
    with database.reading() as session:
        assert [row.digest for row in session.exec(select(RubricVersion)).all()] == [before]
        told = [event.facts for event in session.exec(select(AuditEvent)).all() if event.action == "draft.saved"]
    assert told == [{"rubric": FORM.id, "version": 1}, {"rubric": FORM.id, "version": 2}]


def test_a_stale_save_is_refused_with_what_was_saved(drafts, lead):
    drafts.save(lead, FORM.id, FORM.version, "theirs", 0)
    for expected in (0, 2):
        with pytest.raises(StaleDraftError) as caught:
            drafts.save(lead, FORM.id, FORM.version, "mine", expected)
        assert (caught.value.text, caught.value.version) == ("theirs", 1)


def test_of_many_who_begin_one_has_begun(database, drafts, lead):
    def save(number):
        try:
            drafts.save(lead, FORM.id, FORM.version, str(number), 0)
        except StaleDraftError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(save, range(8))) == 1
    with database.reading() as session:
        assert len(session.exec(select(Draft)).all()) == 1


def test_a_closed_draft_is_kept_and_the_next_begins_anew(database, drafts, lead):
    drafts.save(lead, FORM.id, FORM.version, "a", 0)
    with pytest.raises(StaleDraftError):
        drafts.close(lead, FORM.id, 0)
    drafts.close(lead, FORM.id, 1)
    drafts.close(lead, FORM.id, 1)
    assert drafts.look(lead, FORM.id).version == 0
    with database.reading() as session:
        assert [row.text for row in session.exec(select(Draft)).all()] == ["a"]


def test_another_client_has_drafts_of_its_own(database, drafts, lead):
    drafts.save(lead, FORM.id, FORM.version, "ours", 0)
    other = person(database, "other", "admin", client_id="c2")
    assert drafts.look(other, FORM.id).version == 0


def test_who_may_not_and_what_is_no_text(database, drafts, lead):
    reviewer = person(database, "li")
    with pytest.raises(ForbiddenError):
        drafts.look(reviewer, FORM.id)
    with pytest.raises(ForbiddenError):
        drafts.save(reviewer, FORM.id, FORM.version, "a", 0)
    with pytest.raises(InputError):
        drafts.save(lead, FORM.id, FORM.version, "长" * 200_001, 0)
    with pytest.raises(InputError):
        drafts.save(lead, FORM.id, FORM.version, "a\x00", 0)
    with pytest.raises(NotFoundError):
        drafts.look(lead, "none")
    with pytest.raises(UnknownResourceError):
        drafts.save(lead, FORM.id, "v99", "a", 0)


def test_faults_are_told_with_their_lines():
    text = written_out(load_rubric("hotline-400"))
    assert checked("hotline-400", text).faults == ()
    broken = checked("hotline-400", text.replace("title:", "titel:", 1))
    assert broken.rubric is None
    assert any(fault.line > 1 for fault in broken.faults)
    assert checked("hotline-400", "- [").rubric is None
    assert checked("another", text).faults[-1].path == "id"
