"""Users: made, changed, disabled, and seen by those who may."""

from typing import Any

import pytest
from sqlmodel import select

from callgrade.access import people
from callgrade.access.people import Administration, Told, list_people
from callgrade.access.principals import Principal
from callgrade.access.signing_in import SignIns
from callgrade.db.session import Database
from callgrade.db.tables import AuditEvent, LedTeam, User
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, UnknownResourceError
from tests.access.people import PASSWORD, make, operator, visitor

pytestmark = pytest.mark.usefixtures("quick_hashes")


def events(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with database.reading() as session:
        rows = session.exec(select(AuditEvent).order_by(AuditEvent.id))  # type: ignore[arg-type]
        return [(row.action, row.subject, row.facts) for row in rows if row.action.startswith("user.")]


def test_a_user_has_what_they_were_told_and_may_do_what_their_role_may(database: Database) -> None:
    made = make(database, " Lee.Min ", "qa_lead", name="李敏", team="north", leads=("north", "south", "north"))
    assert (made.login, made.role, made.leads, made.elsewhere) == ("lee.min", "qa_lead", ("north", "south"), False)
    lee = visitor(database, made)
    assert (lee.actor, lee.user_id, lee.name) == (f"user:{made.id}", made.id, "李敏")
    assert (lee.teams, lee.reach("reviews:read")) == ({"north", "south"}, "teams")


def test_whose_teams_are_whose(database: Database) -> None:
    """A lead's are those they lead; a reviewer reviews for their own too; an agent's says nothing about others."""
    told = {"lead": ("qa_lead", {}), "rev": ("reviewer", {}), "ann": ("agent", {"agent_id": "7"})}
    teams = {
        login: visitor(database, make(database, login, role, team="north", leads=("south",), **more)).teams
        for login, (role, more) in told.items()
    }
    assert teams == {"lead": {"south"}, "rev": {"north", "south"}, "ann": {"south"}}


def test_the_record_names_roles_and_numbers_and_no_name(database: Database) -> None:
    made = make(database, "lee", "qa_lead", name="李敏", team="华北一组", leads=("华北一组",))
    by = operator(database)
    with database.writing() as session:
        people.change(session, by, made.id, Told(role="reviewer", name="李敏", team="华北二组"))
        people.disable(session, by, made.id)
        people.disable(session, by, made.id)
        people.enable(session, by, made.id)
    assert events(database) == [
        ("user.created", made.id, {"role": "qa_lead", "leads": 1, "elsewhere": False}),
        ("user.changed", made.id, {"changed": ["role", "team", "leads"], "role": "reviewer", "leads": 0}),
        ("user.disabled", made.id, {}),
        ("user.enabled", made.id, {}),
    ]


@pytest.mark.parametrize(
    ("login", "told", "said"),
    [
        ("", {"role": "admin"}, "login: has 1 to 80"),
        ("lee min", {"role": "admin"}, "without blanks"),
        ("x" * 81, {"role": "admin"}, "1 to 80"),
        ("a\x00b", {"role": "admin"}, "login"),
        ("lee", {"role": "boss"}, "role: there are admin, qa_lead, reviewer, agent"),
        ("lee", {"role": "client"}, "role: there are"),
        ("lee", {"role": "agent"}, "agent_id"),
        ("lee", {"role": "admin", "name": "x" * 201}, "name: has at most 200"),
        ("lee", {"role": "qa_lead", "leads": ("a\nb",)}, "leads"),
        ("lee", {"role": "qa_lead", "leads": tuple(f"team{n}" for n in range(501))}, "at most 500 teams"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    database: Database, login: str, told: dict[str, Any], said: str
) -> None:
    with database.writing() as session, pytest.raises(InputError, match=said):
        people.create_user(session, operator_in(session), login, Told(**told))
    with database.reading() as session:
        assert session.exec(select(User)).all() == []


def operator_in(session: Any) -> Principal:
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system

    return system(ensure_client(session).id)


def test_a_login_is_there_once_in_a_client_however_it_is_written(database: Database) -> None:
    make(database, "lee")
    for again in ("LEE", "ｌｅｅ", " lee "):
        with pytest.raises(ConflictError, match="somebody has this login"):
            make(database, again)
    make(database, "lee", client="another")


def test_two_people_are_not_one_agent(database: Database) -> None:
    ann = make(database, "ann", "agent", agent_id="8031")
    with pytest.raises(ConflictError, match="somebody signs in as this agent"):
        make(database, "bob", "agent", agent_id="8031")
    make(database, "ann", "agent", agent_id="8031", client="another")
    desk, by = Administration(database), operator(database)
    desk.disable(by, ann.id)
    make(database, "bob", "agent", agent_id="8031")
    with pytest.raises(ConflictError, match="somebody signs in as this agent"):
        desk.enable(by, ann.id)


def test_the_last_admin_stays(database: Database) -> None:
    first = make(database, "first", "admin")
    by = operator(database)
    for attempt in (
        lambda session: people.disable(session, by, first.id),
        lambda session: people.change(session, by, first.id, Told(role="reviewer")),
    ):
        with pytest.raises(ConflictError, match="last admin"), database.writing() as session:
            attempt(session)
    make(database, "elsewhere", "admin", client="another")
    with pytest.raises(ConflictError, match="last admin"), database.writing() as session:
        people.disable(session, by, first.id)
    second = make(database, "second", "admin")
    with database.writing() as session:
        assert people.disable(session, by, first.id).disabled_at is not None
    with pytest.raises(ConflictError, match="last admin"), database.writing() as session:
        people.disable(session, by, second.id)


@pytest.mark.parametrize(
    ("change", "out"),
    [
        ({"role": "qa_lead"}, True),
        ({"role": "reviewer", "agent_id": "7"}, True),
        ({"role": "reviewer", "name": "Lee"}, False),
        ({"role": "reviewer", "team": "south"}, False),
        ({"role": "reviewer"}, False),
    ],
)
def test_another_role_ends_what_they_have_open(database: Database, change: dict[str, Any], out: bool) -> None:
    lee = make(database, "lee")
    sign_ins = SignIns(database)
    token = sign_ins.sign_in("lee", PASSWORD)
    Administration(database).change(operator(database), lee.id, Told(**change))
    if out:
        with pytest.raises(Exception, match="nobody is signed in"):
            sign_ins.admit(token)
    else:
        assert sign_ins.admit(token).user_id == lee.id


def test_who_may_not_change_people_changes_none(database: Database) -> None:
    lead = visitor(database, make(database, "lead", "qa_lead", leads=("north",)))
    lee = make(database, "lee", team="north")
    desk = Administration(database)
    for attempt in (
        lambda: desk.create(lead, "mine", Told(role="admin")),
        lambda: desk.change(lead, lee.id, Told(role="admin")),
        lambda: desk.disable(lead, lee.id),
        lambda: desk.reset_password(lead, lee.id),
    ):
        with pytest.raises(ForbiddenError, match="people:write"):
            attempt()


def test_another_clients_people_are_not_there(database: Database) -> None:
    lee = make(database, "lee", client="another")
    admin = visitor(database, make(database, "boss", "admin"))
    desk = Administration(database)
    for attempt in (
        lambda: desk.change(admin, lee.id, Told(role="admin")),
        lambda: desk.disable(admin, lee.id),
        lambda: desk.enable(admin, lee.id),
        lambda: desk.reset_password(admin, lee.id),
    ):
        with pytest.raises(UnknownResourceError, match="no such user"):
            attempt()
    with database.reading() as session:
        with pytest.raises(UnknownResourceError):
            people.find(session, admin, lee.id)
        assert [person.login for person in list_people(session, admin)] == ["boss"]


def test_a_lead_sees_the_people_of_their_teams(database: Database) -> None:
    lead = make(database, "lead", "qa_lead", leads=("north",))
    make(database, "north", team="north")
    south = make(database, "south", team="south")
    nobodys = make(database, "nobodys")
    with database.reading() as session:
        seen = visitor(database, lead)
        assert [person.login for person in list_people(session, seen)] == ["lead", "north"]
        for other in (south, nobodys):
            with pytest.raises(UnknownResourceError):
                people.find(session, seen, other.id)
        with pytest.raises(ForbiddenError):
            list_people(session, visitor(database, south))


def test_what_is_led_is_replaced_whole(database: Database) -> None:
    lead = make(database, "lead", "qa_lead", leads=("a", "b"))
    told = Told(role="qa_lead", leads=("b", "c"))
    assert Administration(database).change(operator(database), lead.id, told).leads == ("b", "c")
    with database.reading() as session:
        assert {row.team for row in session.exec(select(LedTeam))} == {"b", "c"}


def test_a_password_of_an_admins_making_is_shown_once_and_ends_all_sessions(database: Database) -> None:
    lee = make(database, "lee")
    sign_ins = SignIns(database)
    token = sign_ins.sign_in("lee", PASSWORD)
    _, shown = Administration(database).reset_password(operator(database), lee.id)
    with pytest.raises(Exception, match="nobody is signed in"):
        sign_ins.admit(token)
    with database.reading() as session:
        kept = session.get(User, lee.id)
        assert kept is not None
        assert shown not in str(kept)
    assert events(database)[-1] == ("user.password_reset", lee.id, {"once": True})
