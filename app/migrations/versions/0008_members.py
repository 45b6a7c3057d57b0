"""invited colleagues and who is editing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add invitations, presence, the rights of members, and who wrote which answer."""
    op.add_column("ab_user", sa.Column("member_rights", sa.JSON(), nullable=True))
    op.execute("""UPDATE ab_user SET member_rights = '{"*": "submit"}' WHERE enterprise_role = 'member'""")
    op.add_column("answer_row", sa.Column("editors", sa.JSON(), nullable=True))
    op.add_column("answer_row", sa.Column("removed_by", sa.Integer(), nullable=True))
    op.create_table(
        "invitation",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("enterprise_id", BIG, nullable=False),
        sa.Column("declaration_id", BIG, nullable=True),
        sa.Column("member_right", sa.String(10), nullable=False),
        sa.Column("phone", sa.String(11), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'declined', 'withdrawn', 'ended')", name=op.f("ck_invitation_state")
        ),
        sa.CheckConstraint("member_right in ('fill', 'submit')", name=op.f("ck_invitation_member_right")),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_invitation_enterprise_id_enterprise"),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name="fk_invitation_declaration_id_declaration"
        ),
        sa.ForeignKeyConstraint(["invited_by"], ["ab_user.id"], name="fk_invitation_invited_by_ab_user"),
        sa.ForeignKeyConstraint(["account_id"], ["ab_user.id"], name="fk_invitation_account_id_ab_user"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("public_id", name="uq_invitation_public_id"),
        sa.UniqueConstraint("token_digest", name="uq_invitation_token_digest"),
    )
    op.create_index("ix_invitation_enterprise_state", "invitation", ["enterprise_id", "state"])
    op.create_index("ix_invitation_phone", "invitation", ["phone"])
    op.create_index("ix_invitation_account_id", "invitation", ["account_id"])
    op.create_table(
        "presence",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("declaration_id", BIG, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(60), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name="fk_presence_declaration_id_declaration", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_presence"),
        sa.UniqueConstraint("declaration_id", "account_id", name="uq_presence_declaration_id_account_id"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("presence")
    op.drop_table("invitation")
    # Column by column: a table made anew on SQLite would lose the index on lower(username).
    op.drop_column("answer_row", "removed_by")
    op.drop_column("answer_row", "editors")
    op.drop_column("ab_user", "member_rights")
