"""A table as SQLAlchemy Core sees it: for statements over many rows, which need no object for each."""

from typing import cast

from sqlalchemy import Table, inspect
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The table behind one of the models in `callgrade.db.tables`."""
    return cast("Table", inspect(model).local_table)
