"""What must be there for the service to do its work. Each check is a function that raises or says what it saw."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from callgrade.db.migrate import head, revision_of
from callgrade.db.session import Database
from callgrade.domain.errors import CallgradeError, NotReadyError
from callgrade.settings import Settings

Check = Callable[[], str]
LEAST_FREE_BYTES = 500_000_000
_LOG = logging.getLogger("callgrade.health")


class Found(NamedTuple):
    """`said` holds a short word of each check: `ok`, the type of its fault, or what is worth knowing."""

    said: dict[str, str]
    faulty: frozenset[str]

    @property
    def well(self) -> bool:
        return not self.faulty

    @property
    def public(self) -> dict[str, str]:
        """For whoever has no business with more: which parts are there, and which of them are not well."""
        return {name: "not_ok" if name in self.faulty else "ok" for name in self.said}


class Health:
    """`checks` by name; a check returns a short word for who asks, and raises a CallgradeError for a fault."""

    def __init__(self, checks: Mapping[str, Check]):
        self._checks = dict(checks)

    def look(self) -> Found:
        """What each check says. The reasons go to the log: they name hosts and files."""
        said, faulty = dict[str, str](), set[str]()
        for name, check in self._checks.items():
            try:
                said[name] = check()
            except CallgradeError as error:
                faulty.add(name)
                said[name] = error.type
                _LOG.warning("not ready", extra={"check": name, "error": error.type, "why": str(error)})
        return Found(said, frozenset(faulty))


def database_check(database: Database) -> Check:
    """It answers, and has the schema that this callgrade works with."""
    newest = head()

    def check() -> str:
        with database.reading() as session:
            found = revision_of(session.connection())
        if found != newest:
            raise NotReadyError(
                f"the database is at revision {found}, callgrade needs {newest}: `callgrade db upgrade`"
            )
        return "ok"

    return check


def disk_check(settings: Settings) -> Check:
    def check() -> str:
        place: Path = settings.data_dir
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            raise NotReadyError(f"{place}: {error.strerror}") from None
        if free < LEAST_FREE_BYTES:
            raise NotReadyError(f"{place}: only {free // 1_000_000} MB are free")
        return "ok"

    return check


def model_check(settings: Settings) -> Check:
    """Whether one is configured. Asking it would cost; without one, rules and speech facts still judge."""
    return lambda: "ok" if settings.llm.model else "not_configured"
