"""Deliveries are due by webhook, and name the call that they are about"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITING = sa.text("status = 'waiting'")
DELIVERY = sa.table(
    "delivery",
    sa.column("call_id", sa.String),
    sa.column("payload", sa.JSON),
    sa.column("status", sa.String),
    sa.column("next_at"),
    sa.column("created_at"),
)
EVALUATION = sa.table("evaluation", sa.column("id", sa.String), sa.column("call_id", sa.String))


def upgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("delivery_due")
        batch_op.drop_index("delivery_of_webhook")
        batch_op.add_column(sa.Column("call_id", sa.String(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_delivery_call_id"), "call", ["call_id"], ["id"])
    told = DELIVERY.c.payload[("data", "evaluation_id")].as_string()
    # what was erased names no evaluation any more, and no erasure has to find it
    op.execute(
        sa.update(DELIVERY).values(
            call_id=sa.select(EVALUATION.c.call_id).where(EVALUATION.c.id == told).scalar_subquery()
        )
    )
    due = (DELIVERY.c.status == "waiting", DELIVERY.c.next_at.is_(None))
    op.execute(sa.update(DELIVERY).where(*due).values(next_at=DELIVERY.c.created_at))
    op.create_index("ix_delivery_call_id", "delivery", ["call_id"])
    op.create_index("delivery_of_webhook", "delivery", ["webhook_id", "created_at", "id"])
    op.create_index(
        "delivery_due", "delivery", ["webhook_id", "next_at"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    op.drop_index("delivery_due", "delivery")
    op.drop_index("delivery_of_webhook", "delivery")
    op.drop_index("ix_delivery_call_id", "delivery")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_delivery_call_id"), type_="foreignkey")
        batch_op.drop_column("call_id")
        batch_op.create_index("delivery_due", ["status", "next_at"], unique=False)
        batch_op.create_index("delivery_of_webhook", ["webhook_id", "id"], unique=False)
