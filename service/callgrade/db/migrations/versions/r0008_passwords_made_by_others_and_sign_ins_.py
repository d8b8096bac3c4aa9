"""Passwords made by others, and sign-ins begun elsewhere"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "begun_sign_in",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("browser_hash", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_begun_sign_in")),
    )
    with op.batch_alter_table("begun_sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_begun_sign_in_ends_at"), ["ends_at"], unique=False)

    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("password_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.drop_column("password_until")

    with op.batch_alter_table("begun_sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_begun_sign_in_ends_at"))

    op.drop_table("begun_sign_in")
