"""user names differ by more than case

People sign in by their name in any case, so the look-up goes over ``lower(username)``; the index makes it quick and
keeps two accounts from sharing a name.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("uq_ab_user_username_lower", "ab_user", [sa.text("lower(username)")], unique=True)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("uq_ab_user_username_lower", "ab_user")
