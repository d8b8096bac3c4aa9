"""`db upgrade | backup | restore`: the database that holds calls, scorecards and their history."""

from pathlib import Path
from typing import Annotated

import typer

from callgrade.cli.opened import bring_up
from callgrade.cli.output import emit, tell, to_json
from callgrade.settings import load_settings

app = typer.Typer(help="Upgrade, back up and restore the database. 数据库。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command()
def upgrade(json_: JsonOption = False) -> int:
    """Bring the schema up to date and the shipped rubrics and prompts into the registry. 升级。"""
    from callgrade.db import migrate
    from callgrade.db.urls import database_url, describe

    url = load_settings().database
    before = migrate.current(url)
    synced = bring_up(url)
    now = migrate.current(url)
    if json_:
        emit(to_json({"before": before, "revision": now, **synced._asdict()}, pretty=True))
    else:
        emit(f"{describe(database_url(url))}: revision {now}" + (f" (was {before})" if before != now else ""))
        emit(f"rubrics and prompts: {synced.added} added, {synced.updated} updated")
    return 0


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")], json_: JsonOption = False
) -> int:
    """Write everything in the database to one file, while it is in use. 在线备份。

    Recordings lie in the blob store: back that up as well, after this.
    """
    from callgrade.db.backup import backup as write

    settings = load_settings()
    contents = write(settings.database, to)
    if json_:
        emit(to_json(contents.model_dump(mode="json"), pretty=True))
    else:
        emit(f"{to}: revision {contents.revision}, {contents.total} rows")
        tell(f"Recordings are not in it; back up {settings.blobs} as well, now.")
    return 0


@app.command()
def restore(
    from_: Annotated[Path, typer.Argument(metavar="FROM", help="A file that `db backup` wrote.")],
    json_: JsonOption = False,
) -> int:
    """Fill an empty database from a backup. Nothing may be running on it. 恢复到空库。"""
    from callgrade.db import migrate
    from callgrade.db.backup import restore as read

    url = load_settings().database
    contents = read(url, from_)
    if json_:
        emit(to_json(contents.model_dump(mode="json"), pretty=True))
    else:
        emit(f"{from_}: revision {contents.revision}, {contents.total} rows restored")
        if migrate.pending(url):
            tell("It was made by an older callgrade: run `callgrade db upgrade` next.")
    return 0
