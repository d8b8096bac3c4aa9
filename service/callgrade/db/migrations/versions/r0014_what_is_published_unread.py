"""what is published unread"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unread_decision",
        sa.Column("evaluation_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("rubric_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("stopped_by", sa.String(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("states", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_unread_decision_client_id")),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_unread_decision_evaluation_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "attempt", name=op.f("pk_unread_decision")),
    )
    with op.batch_alter_table("unread_decision", schema=None) as batch_op:
        batch_op.create_index("unread_by_time", ["client_id", "rubric_id", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("unread_decision", schema=None) as batch_op:
        batch_op.drop_index("unread_by_time")

    op.drop_table("unread_decision")
