"""Alembic's scripts: one schema for SQLite and PostgreSQL. `db/migrate.py` runs them.

`python -m tests.db.revise "why"` starts the next one.
"""
