"""internal notes of reviewers, and what becomes of a remark"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; a remark can be answered by the enterprise and kept by the office."""
    moment = sa.DateTime(timezone=True)
    op.add_column("remark", sa.Column("reply", sa.Text(), nullable=True))
    op.add_column("remark", sa.Column("replied_at", moment, nullable=True))
    op.add_column("remark", sa.Column("kept_no", sa.Integer(), nullable=True))
    op.create_index("ix_opinion_author", "opinion", ["author_id", "id"])
    op.create_table(
        "internal_note",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("declaration_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("step_key", sa.String(40), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("author_name", sa.String(60), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name="fk_internal_note_declaration_id_declaration"
        ),
        sa.ForeignKeyConstraint(["author_id"], ["ab_user.id"], name="fk_internal_note_author_id_ab_user"),
        sa.PrimaryKeyConstraint("id", name="pk_internal_note"),
    )
    op.create_index("ix_internal_note_declaration", "internal_note", ["declaration_id", "id"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("internal_note")
    op.drop_index("ix_opinion_author", "opinion")
    with op.batch_alter_table("remark") as table:
        for name in ("kept_no", "replied_at", "reply"):
            table.drop_column(name)
