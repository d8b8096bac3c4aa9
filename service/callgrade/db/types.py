"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import uuid_utils
from sqlalchemy import JSON, DateTime, Dialect, Float, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

# None is SQL's NULL, so that `IS NULL` finds it; without this it would be the JSON text `null`
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

# SQLite keeps a float, which gives four places back exactly below 10^11
Points = Numeric(12, 4).with_variant(Float(asdecimal=True, decimal_return_scale=4), "sqlite")


class Moment(TypeDecorator[datetime]):
    """A moment with its zone in Python, UTC in the database: SQLite forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def new_id() -> str:
    """32 hexadecimal digits that sort by the time they were made (UUID version 7)."""
    return uuid_utils.uuid7().hex


def now() -> datetime:
    return datetime.now(UTC)
