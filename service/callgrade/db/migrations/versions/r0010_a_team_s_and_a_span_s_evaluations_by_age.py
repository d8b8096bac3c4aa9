"""a team's and a span's evaluations by age"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index("evaluation_by_moment", ["client_id", "called_at", "id"], unique=False)
        batch_op.create_index("evaluation_of_team", ["client_id", "team", "called_at", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index("evaluation_of_team")
        batch_op.drop_index("evaluation_by_moment")
