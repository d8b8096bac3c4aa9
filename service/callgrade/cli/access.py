"""`key create | list | revoke` and `audit verify | heads`: who gets in, and the record of what was done."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from callgrade.cli.opened import client_id, open_database
from callgrade.cli.output import console, emit, tell, to_json
from callgrade.domain.errors import InputError

keys = typer.Typer(help="Make, list and revoke API keys. 密钥。", no_args_is_help=True)
audit = typer.Typer(help="Check the record of what was done. 审计。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ClientOption = Annotated[str | None, typer.Option("--client", help="By name. All clients without it.")]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, to tell it from others.")],
    client: Annotated[str, typer.Option(help="Whose calls it reaches; a new one is made.")] = "default",
    scopes: Annotated[
        str | None,
        typer.Option(help="With commas between (`calls:write,evaluations:read`); else all but erasing and releasing."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Until it expires; never without it.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Print the key alone.")] = False,
    json_: JsonOption = False,
) -> int:
    """Make a key. It is shown this once: only its hash is kept. 新建密钥，只显示一次。"""
    from callgrade.access.keys import create_key, ensure_client
    from callgrade.access.permissions import DEFAULT_SCOPES

    wanted = DEFAULT_SCOPES if scopes is None else [part.strip() for part in scopes.split(",") if part.strip()]
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    with open_database() as database, database.writing() as session:
        made, presented = create_key(session, ensure_client(session, client).id, name, wanted, until)
    if plain:
        emit(presented)
    else:
        emit(to_json({"id": made.id, "key": presented}, pretty=not json_))
        tell("Keep it now: it cannot be shown again. 请立即保存，之后无法再看到。")
    return 0


@keys.command("list")
def list_(client: ClientOption = None, json_: JsonOption = False) -> int:
    """Every key with its scopes and when it was last used; never the key itself. 列出密钥。"""
    from callgrade.access.keys import list_keys

    with open_database() as database, database.reading() as session:
        found = list_keys(session, client_id(session, client))
    if json_:
        emit(to_json([key.model_dump(mode="json") for key in found], pretty=True))
        return 0
    from rich.table import Table

    table = Table("id", "name", "scopes", "created", "expires", "last used", "revoked", box=None, pad_edge=False)
    for key in found:
        moments = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
        table.add_row(key.id, key.name, " ".join(key.scopes), *(f"{m:%Y-%m-%d %H:%M}" if m else "–" for m in moments))
    console().print(table)
    return 0


@keys.command()
def revoke(id_: Annotated[str, typer.Argument(metavar="ID", help="As `key list` shows it.")]) -> int:
    """Let nobody in with this key any more, from this moment on. 吊销密钥。"""
    from callgrade.access.keys import revoke_key

    with open_database() as database, database.writing() as session:
        revoked = revoke_key(session, id_)
    emit(f"{revoked.id} ({revoked.name}) is revoked")
    return 0


@audit.command()
def verify(
    client: ClientOption = None,
    noted: Annotated[Path | None, typer.Option(help="What `audit heads` printed earlier, kept elsewhere.")] = None,
    json_: JsonOption = False,
) -> int:
    """Whether the record is as it was sealed. Exit status 1 where it is not; each fault is named. 校验审计链。"""
    from callgrade.access import audit as record

    with open_database() as database, database.reading() as session:
        wanted = client_id(session, client)
        faults = record.verify(session, wanted, _noted(noted))
        found, unsealed = record.heads(session, wanted), record.number_unsealed(session, wanted)
    if json_:
        shown: dict[str, Any] = {"faults": [fault.model_dump(mode="json") for fault in faults]}
        shown["heads"] = [head.model_dump(mode="json") for head in found]
        shown["unsealed"] = unsealed
        emit(to_json(shown, pretty=True))
    else:
        for fault in faults:
            emit(str(fault))
        emit(
            f"{len(faults)} fault(s) in {len(found)} chain(s)" if faults else f"{len(found)} chain(s), nothing changed"
        )
        if unsealed:
            emit(f"{unsealed} event(s) are not sealed yet, and not covered by this: a running service seals them")
    return 1 if faults else 0


@audit.command()
def heads() -> int:
    """The last seal of each chain, as JSON. Keep it outside the database for `audit verify --noted`. 链头。"""
    from callgrade.access.audit import heads as find_heads

    with open_database() as database, database.reading() as session:
        emit(to_json([head.model_dump(mode="json") for head in find_heads(session)], pretty=True))
    return 0


def _noted(path: Path | None) -> list[Any]:
    from callgrade.access.audit import AuditHead

    if path is None:
        return []
    try:
        return [AuditHead.model_validate(head) for head in json.loads(path.read_text("utf-8"))]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise InputError(f"{path}: is not what `callgrade audit heads` prints") from None
