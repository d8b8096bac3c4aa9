"""Flags the newest first"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evaluation_flag", schema=None) as batch_op:
        batch_op.create_index("flag_newest", ["client_id", "flag", "evaluation_id", "total"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("evaluation_flag", schema=None) as batch_op:
        batch_op.drop_index("flag_newest")
