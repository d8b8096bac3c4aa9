"""golden sets, calibration runs, autonomy and gates"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "golden_set",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_golden_set_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_set")),
        sa.UniqueConstraint("client_id", "name", name=op.f("uq_golden_set_client_id_name")),
    )
    op.create_table(
        "calibration_run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("set_id", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("rubric_id", sa.String(), nullable=False),
        sa.Column("rubric_version", sa.String(), nullable=False),
        sa.Column("rubric_digest", sa.String(), nullable=False),
        sa.Column("prompt_id", sa.String(), nullable=True),
        sa.Column("prompt_version", sa.String(), nullable=True),
        sa.Column("prompt_digest", sa.String(), nullable=True),
        sa.Column("model_asked", sa.String(), nullable=True),
        sa.Column("model_reported", sa.String(), nullable=True),
        sa.Column("recogniser", sa.String(), nullable=True),
        sa.Column("redaction", sa.String(), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("usage", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("report", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_calibration_run_client_id")),
        sa.ForeignKeyConstraint(["set_id"], ["golden_set.id"], name=op.f("fk_calibration_run_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_run")),
    )
    with op.batch_alter_table("calibration_run", schema=None) as batch_op:
        batch_op.create_index("calibration_run_newest", ["client_id", "id"], unique=False)
        batch_op.create_index("calibration_run_of_rubric", ["client_id", "rubric_id", "id"], unique=False)

    op.create_table(
        "autonomy",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("rubric_id", sa.String(), nullable=False),
        sa.Column("criterion_id", sa.String(), nullable=False),
        sa.Column("criterion_digest", sa.String(), nullable=False),
        sa.Column("prompt_digest", sa.String(), nullable=False),
        sa.Column("model_reported", sa.String(), nullable=False),
        sa.Column("recogniser", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_autonomy_client_id")),
        sa.ForeignKeyConstraint(["run_id"], ["calibration_run.id"], name=op.f("fk_autonomy_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy")),
    )
    with op.batch_alter_table("autonomy", schema=None) as batch_op:
        batch_op.create_index("autonomy_history", ["client_id", "rubric_id", "criterion_id", "since"], unique=False)
        batch_op.create_index(
            "autonomy_standing",
            [
                "client_id",
                "rubric_id",
                "criterion_id",
                "criterion_digest",
                "prompt_digest",
                "model_reported",
                "recogniser",
            ],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "gate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_gate_client_id")),
        sa.ForeignKeyConstraint(["run_id"], ["calibration_run.id"], name=op.f("fk_gate_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
    )
    with op.batch_alter_table("gate", schema=None) as batch_op:
        batch_op.create_index("gate_of_version", ["kind", "subject", "version", "id"], unique=False)

    op.create_table(
        "golden_call",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("set_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("evaluation_id", sa.String(), nullable=True),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("about", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_golden_call_call_id")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_golden_call_client_id")),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_golden_call_evaluation_id")),
        sa.ForeignKeyConstraint(["set_id"], ["golden_set.id"], name=op.f("fk_golden_call_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_call")),
        sa.UniqueConstraint("set_id", "name", name=op.f("uq_golden_call_set_id_name")),
    )
    with op.batch_alter_table("golden_call", schema=None) as batch_op:
        batch_op.create_index("golden_call_by_split", ["set_id", "split", "name"], unique=False)
        batch_op.create_index("golden_call_of_call", ["call_id"], unique=False)

    op.create_table(
        "holdout_reading",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("set_id", sa.String(), nullable=False),
        sa.Column("rubric_id", sa.String(), nullable=False),
        sa.Column("rubric_version", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_holdout_reading_client_id")),
        sa.ForeignKeyConstraint(["run_id"], ["calibration_run.id"], name=op.f("fk_holdout_reading_run_id")),
        sa.ForeignKeyConstraint(["set_id"], ["golden_set.id"], name=op.f("fk_holdout_reading_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holdout_reading")),
    )
    with op.batch_alter_table("holdout_reading", schema=None) as batch_op:
        batch_op.create_index("holdout_reading_of_set", ["set_id", "client_id", "rubric_id", "at"], unique=False)

    op.create_table(
        "calibration_item",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("golden_call_id", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("scorecard", sa.Text(), nullable=True),
        sa.Column("error", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("usage", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("model_reported", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["golden_call_id"], ["golden_call.id"], name=op.f("fk_calibration_item_golden_call_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["calibration_run.id"], name=op.f("fk_calibration_item_run_id")),
        sa.PrimaryKeyConstraint("run_id", "golden_call_id", "sample", name=op.f("pk_calibration_item")),
    )
    with op.batch_alter_table("calibration_item", schema=None) as batch_op:
        batch_op.create_index("calibration_item_of_call", ["golden_call_id"], unique=False)

    op.create_table(
        "golden_label",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("golden_call_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rubric_id", sa.String(), nullable=False),
        sa.Column("rubric_version", sa.String(), nullable=False),
        sa.Column("rater", sa.String(), nullable=False),
        sa.Column("rater_kind", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judgements", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("rest", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("quotes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_golden_label_client_id")),
        sa.ForeignKeyConstraint(["golden_call_id"], ["golden_call.id"], name=op.f("fk_golden_label_golden_call_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_golden_label_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_label")),
        sa.UniqueConstraint("golden_call_id", "digest", name=op.f("uq_golden_label_golden_call_id_digest")),
    )
    with op.batch_alter_table("golden_label", schema=None) as batch_op:
        batch_op.create_index("golden_label_of_review", ["review_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("golden_label", schema=None) as batch_op:
        batch_op.drop_index("golden_label_of_review")

    op.drop_table("golden_label")
    with op.batch_alter_table("calibration_item", schema=None) as batch_op:
        batch_op.drop_index("calibration_item_of_call")

    op.drop_table("calibration_item")
    with op.batch_alter_table("holdout_reading", schema=None) as batch_op:
        batch_op.drop_index("holdout_reading_of_set")

    op.drop_table("holdout_reading")
    with op.batch_alter_table("golden_call", schema=None) as batch_op:
        batch_op.drop_index("golden_call_of_call")
        batch_op.drop_index("golden_call_by_split")

    op.drop_table("golden_call")
    with op.batch_alter_table("gate", schema=None) as batch_op:
        batch_op.drop_index("gate_of_version")

    op.drop_table("gate")
    with op.batch_alter_table("autonomy", schema=None) as batch_op:
        batch_op.drop_index(
            "autonomy_standing", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )
        batch_op.drop_index("autonomy_history")

    op.drop_table("autonomy")
    with op.batch_alter_table("calibration_run", schema=None) as batch_op:
        batch_op.drop_index("calibration_run_of_rubric")
        batch_op.drop_index("calibration_run_newest")

    op.drop_table("calibration_run")
    op.drop_table("golden_set")
