from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update

from callgrade.catalog import digest, list_rubrics, load_rubric
from callgrade.catalog.prompts import list_prompts
from callgrade.db.tables import Client
from callgrade.domain.errors import ConfigurationError, NotFoundError
from callgrade.evaluations import registry
from callgrade.evaluations.tables import PROMPT_VERSION, RELEASE, RUBRIC_VERSION
from tests.evaluations.made import CLIENT, submit, transcript


@pytest.fixture
def synced(database):
    with database.writing() as session:
        found = registry.sync_shipped(session)
        session.add(Client(id=CLIENT, name="one"))
        session.add(Client(id="c2", name="other"))
    assert found == (len(list_rubrics()) + len(list_prompts()), 0)
    return database


def change(database, id_, **values):
    with database.writing() as session:
        session.execute(update(RUBRIC_VERSION).where(RUBRIC_VERSION.c.id == id_).values(**values))


def test_every_shipped_rubric_comes_back_as_it_went_in(synced):
    with synced.reading() as session:
        for entry in list_rubrics():
            found, digest_ = registry.rubric(session, entry.reference)
            assert found == load_rubric(entry.reference)
            assert digest_ == digest(found)
            assert registry.rubric_of_digest(session, digest_) == found
        assert {row.id for row in registry.list_prompt_versions(session)} == {p.id for p in list_prompts()}


def test_once_more_changes_nothing(synced):
    with synced.writing() as session:
        assert registry.sync_shipped(session) == (0, 0)


def test_what_was_graded_by_may_not_change(synced):
    id_ = "service-quality-core"
    change(synced, id_, digest="sha256:other", status="draft")
    with synced.writing() as session:
        assert registry.sync_shipped(session) == (0, 1)
    with synced.reading() as session:
        version = registry.rubric_version(session, id_)
    submit(synced, transcript(), version)
    change(synced, id_, status="draft")
    # nothing is another content than what the evaluation was made with
    with synced.writing() as session:
        registry.sync_shipped(session)
    with synced.writing() as session:
        session.execute(update(registry.EVALUATION).values(rubric_digest="sha256:before"))
        session.execute(update(RUBRIC_VERSION).where(RUBRIC_VERSION.c.id == id_).values(digest="sha256:before"))
    change(synced, id_, status="draft")
    with synced.writing() as session, pytest.raises(ConfigurationError, match=f"{id_}@v1.*next version"):
        registry.sync_shipped(session)


def test_a_published_version_may_not_change_and_then_nothing_is_changed(synced):
    change(synced, "hotline-400", digest="sha256:other", status="published")
    change(synced, "absolute-errors", status="retired")
    with pytest.raises(ConfigurationError, match="hotline-400@v1"), synced.writing() as session:
        registry.sync_shipped(session)
    with synced.reading() as session:
        status = select(RUBRIC_VERSION.c.status).where(RUBRIC_VERSION.c.id == "absolute-errors")
        assert session.execute(status).scalar_one() == "retired"


def test_a_row_that_was_tampered_with_is_no_rubric(synced):
    with synced.reading() as session:
        content = registry.rubric_version(session, "power-hotline").content
    change(synced, "power-hotline", content={**content, "title": {"zh": "别的", "en": "other"}}, digest="sha256:x")
    with synced.reading() as session, pytest.raises(ConfigurationError, match="not what its digest says"):
        registry.rubric(session, "power-hotline")


def test_a_reference_finds_the_newest_that_is_published(synced):
    with synced.reading() as session:
        row = registry.rubric_version(session, "hotline-400")
    with synced.writing() as session:
        values = {"content": row.content, "origin": "u", "created_at": row.created_at}
        for number, status in ((2, "published"), (10, "published"), (11, "draft"), (12, "retired")):
            session.execute(
                RUBRIC_VERSION.insert().values(
                    id=row.id, version=f"v{number}", status=status, digest=f"sha256:{number}", **values
                )
            )
    with synced.reading() as session:
        assert registry.rubric_version(session, "hotline-400").version == "v10"
        assert registry.rubric_version(session, "hotline-400@v12").version == "v12"
        for unknown in ("nothing", "hotline-400@v13", ""):
            with pytest.raises(NotFoundError):
                registry.rubric_version(session, unknown)


def test_a_prompt_that_a_release_names_may_not_change(synced):
    def change_prompt(digest_):
        with synced.writing() as session:
            here = PROMPT_VERSION.c.id == "judge"
            session.execute(update(PROMPT_VERSION).where(here).values(digest=digest_, status="draft"))

    change_prompt("sha256:before")
    with synced.writing() as session:
        assert registry.sync_shipped(session) == (0, 1), "a draft that nothing names"
    change_prompt("sha256:before")
    with synced.writing() as session:
        session.execute(
            insert(RELEASE).values(
                id="1" * 32,
                client_id=CLIENT,
                rubric_id="hotline-400",
                rubric_version="v1",
                rubric_digest="sha256:x",
                prompt={"id": "judge", "version": "v1", "digest": "sha256:before"},
                parameters={},
                active_from=datetime(2026, 11, 1, tzinfo=UTC),
                created_at=datetime(2026, 11, 1, tzinfo=UTC),
                created_by="system",
            )
        )
    with synced.writing() as session, pytest.raises(ConfigurationError, match="judge@v1.*next version"):
        registry.sync_shipped(session)
