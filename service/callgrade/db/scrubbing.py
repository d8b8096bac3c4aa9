"""What a database still holds of a deleted row, and how it is got out.

SQLite: with `secure_delete` the freed bytes of the file are overwritten with zeros; the write-ahead log keeps the pages
as they were until it is cut, which needs a moment without readers. What is left then is left in backups, and in the
disk's own spare blocks.

PostgreSQL: a deleted row's bytes stay in the table until VACUUM frees their place and new rows take it, in the
write-ahead log and in archives of it as long as these are kept. No query sees them. Whoever has to prove more runs
`VACUUM FULL` on the tables, lets the archives run out, and encrypts the disks.
"""

import sqlite3
from contextlib import closing

from sqlmodel import Session

from callgrade.db.session import Database
from callgrade.db.urls import is_sqlite, sqlite_file

WAIT_S = 5.0


def overwrite_what_is_deleted(session: Session) -> None:
    """From here on, in this session; many builds of SQLite do so anyway."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def scrub(database: Database) -> bool:
    """Cuts the log of what was deleted. False where readers were in the way: try again. PostgreSQL does it itself."""
    if not is_sqlite(database.url):
        return True
    with closing(sqlite3.connect(sqlite_file(database.url), timeout=WAIT_S, isolation_level=None)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
