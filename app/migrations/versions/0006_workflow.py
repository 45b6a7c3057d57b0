"""publicity, objections, handovers, allocations and outcomes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MONEY = sa.Numeric(18, 2).with_variant(sa.BigInteger(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def _of_lists() -> tuple[sa.Column, ...]:
    return (
        sa.Column("kind", sa.String(10), server_default="final", nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("phone", sa.String(40), nullable=True),
        sa.Column("email", sa.String(100), nullable=True),
        sa.Column("office", sa.String(100), nullable=True),
        sa.Column("told_at", MOMENT, nullable=True),
    )


def _of_outcomes() -> tuple[sa.Column, ...]:
    return (
        sa.Column("level", sa.String(12), server_default="city", nullable=False),
        sa.Column("review_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("banned_until", sa.Date(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    )


def upgrade() -> None:
    """Add the tables and columns; an outcome may be under review."""
    op.add_column("declaration", sa.Column("open_objections", sa.Integer(), server_default="0", nullable=False))
    for column in _of_lists():
        op.add_column("public_list", column)
    _outcomes("state in ('valid', 'under_review', 'expired', 'revoked')")
    _objections()
    _handovers()
    _allocations()


def _outcomes(rule: str) -> None:
    """The table is made anew on SQLite; nothing points to it."""
    with op.batch_alter_table("recognition") as table:
        table.drop_constraint(op.f("ck_recognition_state"), type_="check")
        table.create_check_constraint(op.f("ck_recognition_state"), rule)
        table.alter_column("state", type_=sa.String(12), existing_type=sa.String(10), existing_nullable=False)
        for column in _of_outcomes():
            table.add_column(column)
        table.create_foreign_key("fk_recognition_review_id_declaration", "declaration", ["review_id"], ["id"])
    op.create_index("ix_recognition_review_id", "recognition", ["review_id"])


def _objections() -> None:
    op.create_table(
        "objection",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("declaration_id", BIG, nullable=False),
        sa.Column("list_id", BIG, nullable=False),
        sa.Column("objector", sa.String(60), nullable=False),
        sa.Column("contact", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("evidence_sha256", sa.String(64), nullable=True),
        sa.Column("evidence_name", sa.String(200), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("concluded_at", MOMENT, nullable=True),
        sa.Column("concluded_by", sa.Integer(), nullable=True),
        sa.Column("registered_by", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('open', 'dismissed', 'upheld', 'moot')", name=op.f("ck_objection_state")),
        sa.ForeignKeyConstraint(["declaration_id"], ["declaration.id"], name="fk_objection_declaration_id_declaration"),
        sa.ForeignKeyConstraint(["list_id"], ["public_list.id"], name="fk_objection_list_id_public_list"),
        sa.ForeignKeyConstraint(["evidence_sha256"], ["blob.sha256"], name="fk_objection_evidence_sha256_blob"),
        sa.PrimaryKeyConstraint("id", name="pk_objection"),
        sa.UniqueConstraint("public_id", name="uq_objection_public_id"),
    )
    op.create_index("ix_objection_declaration_id", "objection", ["declaration_id"])
    op.create_index("ix_objection_list_id", "objection", ["list_id"])


def _handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("step_key", sa.String(40), nullable=False),
        sa.Column("region_code", sa.String(6), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("doc_no", sa.String(60), nullable=True),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("letter_sha256", sa.String(64), nullable=True),
        sa.Column("letter_name", sa.String(200), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('open','sent')", name=op.f("ck_handover_state")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_handover_batch_id_batch"),
        sa.ForeignKeyConstraint(["letter_sha256"], ["blob.sha256"], name="fk_handover_letter_sha256_blob"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
        sa.UniqueConstraint("public_id", name="uq_handover_public_id"),
    )
    op.create_index("ix_handover_batch_id", "handover", ["batch_id"])
    op.create_index("ix_handover_region_code", "handover", ["region_code"])
    op.create_table(
        "handover_entry",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("handover_id", BIG, nullable=False),
        sa.Column("declaration_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("enterprise_name", sa.String(100), nullable=False),
        sa.Column("serial_no", sa.String(30), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_entry_handover_id_handover"),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name="fk_handover_entry_declaration_id_declaration"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_handover_entry"),
        sa.UniqueConstraint("handover_id", "declaration_id", name="uq_handover_entry_handover_id_declaration_id"),
    )
    op.create_index("ix_handover_entry_handover_id", "handover_entry", ["handover_id"])
    op.create_index("ix_handover_entry_declaration_id", "handover_entry", ["declaration_id"])


def _allocations() -> None:
    op.create_table(
        "allocation",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("declaration_id", BIG, nullable=False),
        sa.Column("enterprise_id", BIG, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("doc_no", sa.String(60), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_allocation_amount")),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name="fk_allocation_declaration_id_declaration"
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_allocation_enterprise_id_enterprise"),
        sa.PrimaryKeyConstraint("id", name="pk_allocation"),
        sa.UniqueConstraint("public_id", name="uq_allocation_public_id"),
        sa.UniqueConstraint("declaration_id", name="uq_allocation_declaration_id"),
    )
    op.create_index("ix_allocation_enterprise_id", "allocation", ["enterprise_id"])


def downgrade() -> None:
    """Take the change back. Outcomes under review become valid ones."""
    for table in ("allocation", "handover_entry", "handover", "objection"):
        op.drop_table(table)
    op.execute("UPDATE recognition SET state = 'valid' WHERE state = 'under_review'")
    op.drop_index("ix_recognition_review_id", "recognition")
    with op.batch_alter_table("recognition") as table:
        table.drop_constraint(op.f("ck_recognition_state"), type_="check")
        table.create_check_constraint(op.f("ck_recognition_state"), "state in ('valid','expired','revoked')")
        table.drop_constraint("fk_recognition_review_id_declaration", type_="foreignkey")
        for column in _of_outcomes():
            table.drop_column(column.name)
        table.alter_column("state", type_=sa.String(10), existing_type=sa.String(12), existing_nullable=False)
    # Not by making the tables anew, as SQLite would: others point to their rows.
    for column in _of_lists():
        op.execute(f"ALTER TABLE public_list DROP COLUMN {column.name}")
    op.execute("ALTER TABLE declaration DROP COLUMN open_objections")
