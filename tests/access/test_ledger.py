"""The record, page by page, with names."""

import pytest

from callgrade.access import audit, ledger
from callgrade.access.keys import create_key
from callgrade.access.people import Administration, Told
from callgrade.access.permissions import SCOPES
from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.domain.errors import ForbiddenError
from tests.access.people import client_of, make, operator, visitor

pytestmark = pytest.mark.usefixtures("quick_hashes")


def test_the_newest_come_first_with_names_and_what_is_sealed(database: Database) -> None:
    boss = visitor(database, make(database, "boss", "admin", name="李敏"))
    make(database, "elsewhere", "admin", client="another")
    Administration(database).create(boss, "lee", Told(role="reviewer"))
    with database.writing() as session:
        audit.seal(session)
        key, _ = create_key(session, boss.client_id, "crm", by=boss)
        told = Principal(client_id=boss.client_id, actor=f"key:{key.id}", scopes=frozenset(SCOPES), role="client")
        audit.record(session, told, "call.erased", key.id)
    with database.reading() as session:
        entries = ledger.page(session, boss).entries
    assert [(it.action, it.who, it.about, it.sealed) for it in entries] == [
        ("call.erased", "crm", None, False),
        ("key.created", "李敏", "crm", False),
        ("audit.sealed", None, None, False),
        ("user.created", "李敏", "lee", True),
        ("user.created", None, "李敏", True),
        ("client.created", None, None, True),
    ]


def test_it_goes_on_where_the_page_before_ended(database: Database) -> None:
    for number in range(7):
        make(database, f"user{number}")
    boss, seen, before = operator(database), [], None
    with database.reading() as session:
        while True:
            page = ledger.page(session, boss, before=before, about="user", limit=3)
            seen += [it.id for it in page.entries]
            if page.next is None:
                break
            before = page.next
        assert len(seen) == 7
        assert seen == sorted(seen, reverse=True)
        assert ledger.page(session, boss, about="use", limit=3).entries == []


def test_only_who_may_reads_it(database: Database) -> None:
    lead = visitor(database, make(database, "lead", "qa_lead"))
    with database.reading() as session, pytest.raises(ForbiddenError, match="audit:read"):
        ledger.page(session, lead)
    assert client_of(database) == lead.client_id
