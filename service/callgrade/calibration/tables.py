"""The tables of calibration as SQLAlchemy Core sees them, for statements that need no object for each row."""

from callgrade.db import tables
from callgrade.db.tables.core import table_of

GOLDEN_SET = table_of(tables.GoldenSet)
GOLDEN_CALL = table_of(tables.GoldenCall)
LABEL = table_of(tables.GoldenLabel)
READING = table_of(tables.HoldoutReading)
SECOND_OPINION = table_of(tables.SecondOpinion)
