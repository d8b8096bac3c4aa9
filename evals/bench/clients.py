"""What a benchmark needs in the database before the service starts: its rubric, a client and a key."""

from contextlib import closing

from evals.bench.workload import rubric

from callgrade.access.keys import create_key, ensure_client
from callgrade.access.permissions import SCOPES
from callgrade.catalog import digest, resolved_json
from callgrade.db.session import Database
from callgrade.db.tables import RubricVersion


def register(database_url: str) -> str:
    """The key of a client that may do everything; the bench's rubric is in the registry afterwards."""
    with closing(Database(database_url)) as database, database.writing() as session:
        form = rubric()
        row = {"id": form.id, "version": form.version, "status": "draft", "origin": "bench"}
        session.add(RubricVersion(**row, content=resolved_json(form), digest=digest(form)))
        return create_key(session, ensure_client(session).id, "bench", tuple(SCOPES))[1]
