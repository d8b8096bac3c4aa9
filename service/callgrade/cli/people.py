"""`user create | list | disable | enable | password | teams`, `agents import | list`: who signs in, who takes calls."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callgrade.cli.opened import open_database
from callgrade.cli.output import console, emit, tell, to_json
from callgrade.domain.errors import InputError, UnknownResourceError

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.access.people import Password, Person
    from callgrade.access.principals import Principal

users = typer.Typer(help="Who signs in: make, list, disable, give teams. 用户。", no_args_is_help=True)
agents = typer.Typer(help="Who takes calls, and in which team. 坐席。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose people they are, by name.")]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What they sign in with.")]


@users.command()
def create(
    login: Login,
    role: Annotated[str, typer.Option(help="admin, qa_lead, reviewer or agent.")],
    name: Annotated[str | None, typer.Option(help="What others call them.")] = None,
    team: Annotated[str | None, typer.Option(help="The team they are in; a reviewer reviews for it.")] = None,
    leads: Annotated[list[str] | None, typer.Option(help="A team that a lead leads; once for each.")] = None,
    agent_id: Annotated[str | None, typer.Option(help="The agent that they are, as calls carry it.")] = None,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="They sign in at the OpenID provider and need no password.")
    ] = False,
    client: Annotated[str, typer.Option(help="Whose people they are; a new one is made.")] = "default",
    json_: JsonOption = False,
) -> int:
    """Make a user: asks for a password, or makes one that is good once. The first admin is made here. 新建用户。"""
    from callgrade.access.keys import ensure_client
    from callgrade.access.people import Told, create_user, parse_login
    from callgrade.access.permissions import parse_role
    from callgrade.access.principals import system

    told = Told(role=parse_role(role), name=name, team=team, leads=tuple(leads or ()), agent_id=agent_id)
    with open_database() as database:
        password = None if elsewhere else _password(json_, about=(parse_login(login), name))
        with database.writing() as session:
            made = create_user(session, system(ensure_client(session, client).id), login, told, password)
    _show_made(made, password, json_)
    return 0


@users.command("list")
def list_(client: ClientOption = "default", json_: JsonOption = False) -> int:
    """Every user with role and teams. 列出用户。"""
    from callgrade.access.people import list_people

    with open_database() as database, database.reading() as session:
        found = list_people(session, _operator(session, client))
    if json_:
        emit(to_json([person.model_dump(mode="json") for person in found], pretty=True))
        return 0
    from rich.table import Table

    table = Table("login", "name", "role", "team", "leads", "agent", "disabled", box=None, pad_edge=False)
    for it in found:
        gone = f"{it.disabled_at:%Y-%m-%d}" if it.disabled_at else ""
        table.add_row(it.login, it.name, it.role, it.team, ", ".join(it.leads), it.agent_id, gone)
    console().print(table)
    return 0


@users.command()
def disable(login: Login, client: ClientOption = "default") -> int:
    """Sign somebody out everywhere, for good. What they decided stays. 停用。"""
    from callgrade.access import people

    with open_database() as database, database.writing() as session:
        by = _operator(session, client)
        done = people.disable(session, by, people.find_login(session, by, login).id)
    emit(f"{done.login} is disabled")
    return 0


@users.command()
def enable(login: Login, client: ClientOption = "default") -> int:
    """Let somebody sign in again. 启用。"""
    from callgrade.access import people

    with open_database() as database, database.writing() as session:
        by = _operator(session, client)
        done = people.enable(session, by, people.find_login(session, by, login).id)
    emit(f"{done.login} may sign in again")
    return 0


@users.command()
def password(login: Login, client: ClientOption = "default", json_: JsonOption = False) -> int:
    """Give somebody a new password, and sign them out everywhere. 重设密码。"""
    from callgrade.access import people

    with open_database() as database:
        with database.reading() as session:
            by = _operator(session, client)
            person = people.find_login(session, by, login)
        new = _password(json_, about=(person.login, person.name))
        with database.writing() as session:
            done = people.reset_password(session, by, person.id, new)
    _show_made(done, new, json_)
    return 0


@users.command()
def teams(
    login: Login,
    leads: Annotated[
        list[str] | None, typer.Argument(metavar="TEAM…", help="All of them; none takes all away.")
    ] = None,
    client: ClientOption = "default",
) -> int:
    """Say which teams a lead leads, or a reviewer reviews for beside their own. 负责的团队。"""
    from callgrade.access import people

    with open_database() as database, database.writing() as session:
        by = _operator(session, client)
        it = people.find_login(session, by, login)
        told = people.Told(role=it.role, name=it.name, team=it.team, agent_id=it.agent_id, leads=tuple(leads or ()))
        done = people.change(session, by, it.id, told)
    emit(f"{done.login}: {', '.join(done.leads) or 'no team'}")
    return 0


@agents.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="agent_id, name, team, left (工号 姓名 团队 离职).")],
    client: Annotated[str, typer.Option(help="Whose agents they are; a new one is made.")] = "default",
    json_: JsonOption = False,
) -> int:
    """Make or replace the agents of a table; who is not in it stays as they are. 导入坐席。"""
    from callgrade.access.agents import put_agents, read_agents
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system

    try:
        told = read_agents(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    with open_database() as database, database.writing() as session:
        done = put_agents(session, system(ensure_client(session, client).id), told)
    emit(to_json(done._asdict(), pretty=False) if json_ else f"{done.made} new, {done.changed} replaced")
    return 0


@agents.command("list")
def list_agents_(client: ClientOption = "default", json_: JsonOption = False) -> int:
    """Every agent with the team of today. 列出坐席。"""
    from callgrade.access.agents import list_agents

    with open_database() as database, database.reading() as session:
        found = list_agents(session, _operator(session, client))
    if json_:
        emit(to_json([agent.model_dump(mode="json") for agent in found], pretty=True))
        return 0
    from rich.table import Table

    table = Table("agent", "name", "team", "left", box=None, pad_edge=False)
    for it in found:
        table.add_row(it.agent_id, it.name, it.team, f"{it.left_at:%Y-%m-%d}" if it.left_at else "")
    console().print(table)
    return 0


def _operator(session: "Session", name: str) -> "Principal":
    """Raises UnknownResourceError."""
    from callgrade.access.principals import system
    from callgrade.access.repository import client_named

    client = client_named(session, name)
    if client is None:
        raise UnknownResourceError(f"there is no client {name!r}")
    return system(client.id)


def _password(json_: bool, about: tuple[str | None, ...]) -> "Password":
    """Asked for at a terminal; made here, to be used once, where nobody can answer. Raises InputError."""
    from callgrade.access.people import chosen_password, one_time

    if json_ or not sys.stdin.isatty():
        return one_time()
    given: str = typer.prompt("Password 密码", hide_input=True, confirmation_prompt=True, err=True)
    return chosen_password(given, about=about)


def _show_made(person: "Person", password: "Password | None", json_: bool) -> None:
    shown: dict[str, Any] = {"id": person.id, "login": person.login, "role": person.role}
    once = password.shown if password else None
    if json_:
        emit(to_json({**shown, "password": once}, pretty=False))
        return
    emit(f"{person.login} ({person.role})" + (f"  {once}" if once else ""))
    if once:
        tell("It is good once, within seven days, to choose one's own. 此密码只能用一次，七天内首次登录时须自设密码。")
