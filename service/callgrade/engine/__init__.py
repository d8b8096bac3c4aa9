"""Durable work. The only room that imports the workflow engine, DBOS (see design.md, "Durable work")."""

from callgrade.engine.engine import Engine
from callgrade.engine.queue import EngineClient

__all__ = ["Engine", "EngineClient"]
