"""where alerts have got to"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.add_column(sa.Column("team", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("evaluation_id", sa.String(), nullable=True))
        email = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
        # alerts that were raised before tell nobody by mail
        batch_op.add_column(sa.Column("email", email, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("alert_unsent"))
        batch_op.create_index("alert_due", ["next_at", "rule_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_alert_evaluation_id"), "evaluation", ["evaluation_id"], ["id"])

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.alter_column("email", server_default=None)

    with op.batch_alter_table("alert_rule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("looked_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("alert_rule", schema=None) as batch_op:
        batch_op.drop_column("looked_until")

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_alert_evaluation_id"), type_="foreignkey")
        batch_op.drop_index("alert_due")
        batch_op.create_index(batch_op.f("alert_unsent"), ["sent_at", "id"], unique=False)
        batch_op.drop_column("next_at")
        batch_op.drop_column("email")
        batch_op.drop_column("evaluation_id")
        batch_op.drop_column("team")
