"""Run by Alembic. The connection, and the transaction around everything, come from `db/migrate.py`."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from callgrade.db.tables import metadata
from callgrade.db.types import Json, Moment, Points


def spell(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A revision stands by itself: our own types may change after it was written."""
    if kind != "type":
        return False
    if item is Json:
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if item is Points:
        return 'sa.Numeric(12, 4).with_variant(sa.Float(), "sqlite")'
    if isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return "sa.String()" if type(item).__name__ == "AutoString" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
    render_item=spell,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
