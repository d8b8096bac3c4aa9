"""Agents and their teams, from files and programs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.access.agents import AgentTold, Imported, list_agents, put_agents, read_agents, team_of_today
from callgrade.access.people import find
from callgrade.db.session import Database
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError
from tests.access.people import make, operator, visitor

TABLE = "agent_id,name,team\n8031,李敏,华北一组\n8032,王芳,\n"


def told(agent_id: str, team: str | None = None, **more: Any) -> AgentTold:
    return AgentTold(agent_id=agent_id, team=team, **more)


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("gbk"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("agent_id,name,team", "工号,姓名,班组").encode("gbk"),
        b"\n".join(["班组,工号,姓名".encode(), "华北一组,8031,李敏".encode(), ",8032,王芳".encode(), b",,"]),
        'agent_id,name,team\n"8031","李敏","华北一组"\n 8032 ,王芳,'.encode(),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(content: bytes) -> None:
    assert read_agents(content) == [told("8031", "华北一组", name="李敏"), told("8032", name="王芳")]


def test_who_left_says_so() -> None:
    read = read_agents("工号,离职\n1,是\n2,\n3,no\n".encode())
    assert [agent.left for agent in read] == [True, False, False]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.csv:1: there is no column agent_id"),
        (b"name,team\nx,y\n", "a.csv:1: there is no column agent_id"),
        (b"agent_id,salary\n1,2\n", "a.csv:1: column 2 is none of"),
        (b"agent_id,agent_id\n1,2\n", "a.csv:1: the column agent_id stands there twice"),
        (b"agent_id,name\n1,a\n2\n", "a.csv:3: has 1 cells, the header 2"),
        (b"agent_id,name\n1,a\n,b\n", "a.csv:3: agent_id"),
        (b"agent_id\n1\n2\n1\n", "a.csv:4: this agent_id stands in line 2 already"),
        (b"agent_id,left\n1,maybe\n", "a.csv:2: left is yes, no or empty"),
        (b"agent_id\n" + b"x" * 201 + b"\n", "a.csv:2: agent_id"),
        (b'agent_id,name\n1,"a\n', "a.csv:2: is not a table"),
        (b"agent_id\n", "a.csv: names no agent"),
        (b"\xff\xfe1\x00", "a.csv: is neither UTF-8 nor GBK"),
        (b"PK\x03\x04\xff\xff\xff", "a.csv"),
    ],
)
def test_a_fault_is_named_with_its_line(content: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_agents(content, "a.csv")
    assert str(caught.value).startswith(said)


@given(st.binary(max_size=400))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        assert read_agents(content)
    except InputError as error:
        assert str(error).startswith("agents.csv:")


def test_each_is_made_or_replaced_and_who_is_not_named_stays(database: Database) -> None:
    by = operator(database)
    with database.writing() as session:
        assert put_agents(session, by, [told("1", "north"), told("2", "north", name="李敏")]) == Imported(2, 0)
        assert put_agents(session, by, [told("2", "south"), told("3", "south")]) == Imported(1, 1)
        assert put_agents(session, by, []) == Imported(0, 0)
    with database.reading() as session:
        shown = [(it.agent_id, it.name, it.team) for it in list_agents(session, by)]
        assert shown == [("1", None, "north"), ("2", None, "south"), ("3", None, "south")]
        assert [team_of_today(session, by.client_id, it) for it in ("1", "3", "4", None)] == [
            "north",
            "south",
            None,
            None,
        ]


def test_many_go_in_at_once(database: Database) -> None:
    by = operator(database)
    with database.writing() as session:
        assert put_agents(session, by, [told(f"{n:04}") for n in range(1201)]) == Imported(1201, 0)
        assert put_agents(session, by, [told(f"{n:04}") for n in range(1, 1202)]) == Imported(1, 1200)


def test_named_twice_is_an_error(database: Database) -> None:
    with database.writing() as session, pytest.raises(ConflictError, match=r"agents\[1\]\.agent_id"):
        put_agents(session, operator_of(session), [told("1"), told("1", "north")])


def operator_of(session: Any) -> Any:
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system

    return system(ensure_client(session).id)


def test_who_left_stays_gone_since_then_and_may_come_back(database: Database) -> None:
    by = operator(database)

    def left() -> Any:
        with database.reading() as session:
            return list_agents(session, by)[0].left_at

    with database.writing() as session:
        put_agents(session, by, [told("1", left=True)])
    first = left()
    assert first is not None
    with database.writing() as session:
        put_agents(session, by, [told("1", left=True)])
    assert left() == first
    with database.writing() as session:
        put_agents(session, by, [told("1")])
    assert left() is None


@pytest.mark.usefixtures("quick_hashes")
def test_who_signs_in_as_an_agent_moves_with_them_and_nobody_else_does(database: Database) -> None:
    by = operator(database)
    ann = make(database, "ann", "agent", agent_id="1", team="north")
    rev = make(database, "rev", agent_id="2", team="north")
    other = make(database, "ann", "agent", agent_id="1", team="north", client="another")
    with database.writing() as session:
        put_agents(session, by, [told("1", "south"), told("2", "south")])
    with database.reading() as session:
        assert find(session, by, ann.id).team == "south"
        assert find(session, by, rev.id).team == "north"
        assert find(session, operator(database, "another"), other.id).team == "north"


@pytest.mark.usefixtures("quick_hashes")
def test_a_lead_sees_the_agents_of_their_teams_and_moves_none(database: Database) -> None:
    lead = visitor(database, make(database, "lead", "qa_lead", leads=("north",)))
    with database.writing() as session:
        put_agents(session, operator_of(session), [told("1", "north"), told("2", "south"), told("3")])
    with database.writing() as session:
        assert [it.agent_id for it in list_agents(session, lead)] == ["1"]
        with pytest.raises(ForbiddenError, match="people:write"):
            put_agents(session, lead, [told("1", "south")])
