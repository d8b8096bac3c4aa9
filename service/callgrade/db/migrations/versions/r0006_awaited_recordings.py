"""Recordings that are still where their clients keep them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEPT = sa.text("blob <> ''")


def upgrade() -> None:
    op.create_table(
        "awaited_recording",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("agent_channel", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_awaited_recording_call_id")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_awaited_recording_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awaited_recording")),
        sa.UniqueConstraint("call_id", name=op.f("uq_awaited_recording_call_id")),
    )
    with op.batch_alter_table("batch_chunk", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parked", sa.Integer(), server_default="0", nullable=False))
    op.create_index("chunk_kept", "batch_chunk", ["batch_id", "number"], sqlite_where=KEPT, postgresql_where=KEPT)

    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index("evaluation_in_batch", ["batch_id", "status"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index("evaluation_in_batch")

    op.drop_index("chunk_kept", "batch_chunk")
    with op.batch_alter_table("batch_chunk", schema=None) as batch_op:
        batch_op.drop_column("parked")

    op.drop_table("awaited_recording")
