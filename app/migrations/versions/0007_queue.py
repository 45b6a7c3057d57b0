"""claims and what a queue sorts and counts by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HELD = ["holder_role", "holder_region"]
READ = ["due_at", "id", "status", "step_key", "programme_key", "batch_id", "region_code", "claimed_by", "revision_no",
        "finding_count", "programme_id", "enterprise_name", "serial_no"]
COUNTED = ["programme_key", "step_key", "status", "batch_id", "region_code", "due_at", "claimed_by", "revision_no",
           "finding_count", "programme_id"]


def upgrade() -> None:
    """Add who is at work on it, what the queue filters by, and the indexes it is read and counted by."""
    moment = sa.DateTime(timezone=True)
    op.add_column("declaration", sa.Column("claimed_by", sa.Integer(), nullable=True))
    op.add_column("declaration", sa.Column("claimed_at", moment, nullable=True))
    op.add_column("declaration", sa.Column("finding_count", sa.Integer(), server_default="0", nullable=False))
    op.add_column("declaration", sa.Column("revision_no", sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE declaration SET revision_no = coalesce("
        "(SELECT max(r.number) FROM revision r WHERE r.declaration_id = declaration.id), 0)"
    )
    op.drop_index("ix_declaration_holder", "declaration")
    op.create_index("ix_declaration_queue", "declaration", [*HELD, *READ])
    op.create_index("ix_declaration_count", "declaration", [*HELD, *COUNTED])
    op.drop_index("ix_event_actor", "event")
    op.create_index("ix_event_actor", "event", ["actor_id", "declaration_id", "id"])
    op.create_table(
        "bulk_act",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_bulk_act"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("bulk_act")
    op.drop_index("ix_event_actor", "event")
    op.create_index("ix_event_actor", "event", ["actor_id", "id"])
    op.drop_index("ix_declaration_count", "declaration")
    op.drop_index("ix_declaration_queue", "declaration")
    op.create_index("ix_declaration_holder", "declaration", ["holder_role", "holder_region", "due_at"])
    # Not by making the table anew, as SQLite would: others point to its rows.
    for name in ("revision_no", "finding_count", "claimed_at", "claimed_by"):
        op.execute(f"ALTER TABLE declaration DROP COLUMN {name}")
