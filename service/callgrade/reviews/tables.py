"""The tables of the review desk as SQLAlchemy Core sees them, for statements that need no object for each row."""

from callgrade.db import tables
from callgrade.db.tables.core import table_of

ACKNOWLEDGEMENT = table_of(tables.Acknowledgement)
APPEAL = table_of(tables.Appeal)
AUTONOMY = table_of(tables.Autonomy)
DECISION = table_of(tables.ReviewDecision)
DRAFT = table_of(tables.ReviewDraft)
FINDING = table_of(tables.Finding)
PUBLISHED = table_of(tables.PublishedScorecard)
REVIEW = table_of(tables.Review)
SECOND_LOOK = table_of(tables.SecondLook)
UNREAD = table_of(tables.UnreadDecision)
USER = table_of(tables.User)
