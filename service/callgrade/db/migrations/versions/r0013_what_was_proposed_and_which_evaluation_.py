"""what was proposed, and which evaluation counts"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# the scorecard of the attempt is what was proposed; what was published since stands elsewhere
_PROPOSED = """
UPDATE evaluation SET
  proposed = (SELECT {total} FROM scorecard
    WHERE scorecard.evaluation_id = evaluation.id AND scorecard.attempt = evaluation.attempt AND {is_json}),
  proposed_passed = (SELECT {passed} FROM scorecard
    WHERE scorecard.evaluation_id = evaluation.id AND scorecard.attempt = evaluation.attempt AND {is_json})
WHERE status IN ('proposed', 'in_review', 'published')
"""
_ON_SQLITE = {
    "total": "json_extract(content, '$.total.value')",
    "passed": "json_extract(content, '$.passed')",
    "is_json": "json_valid(content)",
}
_ON_POSTGRESQL = {
    "total": "CAST(CAST(content AS json) #>> '{total,value}' AS numeric)",
    "passed": "CAST(CAST(content AS json) ->> 'passed' AS boolean)",
    "is_json": "content LIKE '{%'",
}
# of what corrections led to, and what they began from, the newest published counts, or the newest where none is
_YIELDS_TO = """
UPDATE evaluation SET yields_to = (
  SELECT other.id FROM evaluation AS other
  WHERE other.call_id = evaluation.call_id AND other.rubric_digest = evaluation.rubric_digest
    AND coalesce(other.release_id, '') = coalesce(evaluation.release_id, '')
    AND other.status IN ('proposed', 'in_review', 'published')
  ORDER BY CASE WHEN other.status = 'published' THEN 0 ELSE 1 END, other.id DESC LIMIT 1)
WHERE status IN ('proposed', 'in_review', 'published') AND call_id IN (
  SELECT evaluation.call_id FROM evaluation JOIN review ON review.evaluation_id = evaluation.id
  WHERE review.why = 'corrected')
"""


_FIGURES = ["client_id", "rubric_id", "status", "called_at", "yields_to", "agent_id", "team"]
_FIGURES += ["total", "passed", "proposed", "proposed_passed"]
_FIGURED = sa.text("status IN ('proposed', 'in_review', 'published')")


def upgrade() -> None:
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposed", sa.Numeric(12, 4).with_variant(sa.Float(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("proposed_passed", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("yields_to", sa.String(), nullable=True))

    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(_PROPOSED.format(**(_ON_POSTGRESQL if postgresql else _ON_SQLITE)))
    op.execute(_YIELDS_TO)
    op.execute("UPDATE evaluation SET yields_to = NULL WHERE yields_to = id")
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index(
            "evaluation_figures", _FIGURES, unique=False, sqlite_where=_FIGURED, postgresql_where=_FIGURED
        )


def downgrade() -> None:
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index("evaluation_figures")
        batch_op.drop_column("yields_to")
        batch_op.drop_column("proposed_passed")
        batch_op.drop_column("proposed")
