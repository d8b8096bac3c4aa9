"""`release create | list | show`: by which rubric, prompt, model and parameters calls are graded, and from when on."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callgrade.cli.opened import client_id, open_database
from callgrade.cli.output import console, emit, to_json
from callgrade.domain.errors import InputError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from callgrade.db.tables import Release
    from callgrade.evaluations.releases import Wanted

app = typer.Typer(help="Decide by what calls are graded from now on. 发布评判配置。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ClientOption = Annotated[str | None, typer.Option("--client", help="By name. All releases without it.")]


@app.command()
def create(
    rubric: Annotated[str, typer.Argument(metavar="RUBRIC", help="`id` (its newest version) or `id@vN`.")],
    client: Annotated[str, typer.Option(help="Whose calls are graded so.")] = "default",
    everybody: Annotated[bool, typer.Option("--everybody", help="All clients without one of their own.")] = False,
    team: Annotated[str | None, typer.Option(help="The calls of this team alone.")] = None,
    prompt: Annotated[str | None, typer.Option(help="A prompt to judge with: `id` or `id@vN`.")] = None,
    model: Annotated[str | None, typer.Option(help="One that the endpoint serves.")] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", help="NAME=VALUE: temperature, seed, samples, max_tokens, context_tokens, output."),
    ] = None,
    recogniser: Annotated[str | None, typer.Option(help="What recordings must be heard by.")] = None,
    redaction: Annotated[str | None, typer.Option(help="`rules/1` or `off`, as the hosts must be set up.")] = None,
    active_from: Annotated[
        str | None, typer.Option("--from", help="A moment to come, as 2026-12-01T00:00:00+08:00; else now.")
    ] = None,
    json_: JsonOption = False,
) -> int:
    """Append a release. None is ever changed: the next one takes its place. 新增一个发布。

    callgrade release create telesales-misconduct --team sales-2 --model deepseek-chat --parameter temperature=0.2
    """
    from callgrade.access.keys import DEFAULT_CLIENT, ensure_client
    from callgrade.access.principals import system
    from callgrade.evaluations import releases
    from callgrade.wiring.service import redactions, require_model_for

    named = {"prompt": prompt, "model": model, "recogniser": recogniser, "redaction": redaction}
    given: dict[str, Any] = {"parameters": _parameters(parameters or []), "active_from": active_from}
    wanted = _wanted({"rubric": rubric, "team": team, **named, **given})
    releases.require_possible(wanted, require_model_for(load_settings()), redactions())
    with open_database() as database, database.writing() as session:
        # a misspelt name must make no new client
        known = ensure_client(session).id if client == DEFAULT_CLIENT else client_id(session, client)
        by = system(known) if known and not everybody else None
        made = _shown(releases.create(session, by, wanted))
    emit(to_json(made, pretty=True) if json_ else f"{made['id']}: in use from {made['active_from']} on")
    return 0


@app.command("list")
def list_(client: ClientOption = None, json_: JsonOption = False) -> int:
    """Every release, the newest first; with --client those that its calls may be graded by. 列出发布。"""
    from callgrade.evaluations import releases

    with open_database() as database, database.reading() as session:
        found = [_shown(row) for row in releases.list_all(session, client_id(session, client))]
    if json_:
        emit(to_json(found, pretty=True))
        return 0
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for name in ("whose", "team", "rubric", "prompt", "model", "in use from"):
        table.add_column(name, overflow="fold")
    for one in found:
        prompt = one["prompt"] and f"{one['prompt']['id']}@{one['prompt']['version']}"
        named = ("a client's" if one["client"] else "everybody's", one["team"] or "all", one["rubric"])
        moment = f"{datetime.fromisoformat(one['active_from']):%Y-%m-%d %H:%M}"
        table.add_row(one["id"], *named, prompt or "–", one["model"] or "–", moment)
    console().print(table)
    return 0


@app.command()
def show(id_: Annotated[str, typer.Argument(metavar="ID", help="As `release list` shows it.")]) -> int:
    """All that a release names, as JSON. 查看发布。"""
    from callgrade.evaluations import releases

    with open_database() as database, database.reading() as session:
        emit(to_json(_shown(releases.find(session, None, id_)), pretty=True))
    return 0


def _wanted(told: dict[str, Any]) -> "Wanted":
    """Raises InputError that names every fault by its option."""
    from pydantic import ValidationError

    from callgrade.evaluations.releases import Wanted

    try:
        return Wanted.model_validate(told)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise InputError("; ".join(faults)) from None


def _parameters(given: list[str]) -> dict[str, Any]:
    from callgrade.evaluations.asking import Parameters

    pairs = [pair.partition("=") for pair in given]
    if not all(sign for _, sign, _ in pairs):
        raise InputError("--parameter: write it as NAME=VALUE")
    unknown = sorted({name for name, _, _ in pairs} - set(Parameters.model_fields))
    if unknown:
        known = ", ".join(Parameters.model_fields)
        raise InputError(f"--parameter: there is no {', '.join(unknown)}; there are {known}")
    return {name: value if name == "output" else _number(name, value) for name, _, value in pairs}


def _number(name: str, value: str) -> float | int:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    raise InputError(f"--parameter {name}: must be a number")


def _shown(row: "Release") -> dict[str, Any]:
    return {
        "id": row.id,
        "client": row.client_id,
        "team": row.team,
        "rubric": f"{row.rubric_id}@{row.rubric_version}",
        "rubric_digest": row.rubric_digest,
        "prompt": row.prompt,
        "model": row.model,
        "parameters": row.parameters,
        "recogniser": row.recogniser,
        "redaction": row.redaction,
        "active_from": row.active_from.isoformat(),
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
    }
