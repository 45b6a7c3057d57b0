"""events and revisions are append-only

The audit trail must hold against a mistake in the program too, so the database itself refuses changes. One thing is
left open: an event that is being written may still learn the number of the revision that it belongs to.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EVENT_COLUMNS = (
    "id, declaration_id, subject, at, actor_id, actor_name, actor_role, action, label, step_key, from_status, "
    "to_status, opinion, data, address, previous, digest"
)
# name → when it fires
RULES = {
    "event_fixed": f"BEFORE UPDATE OF {EVENT_COLUMNS} ON event",
    "event_revision_fixed": "BEFORE UPDATE OF revision_no ON event",
    "event_kept": "BEFORE DELETE ON event",
    "revision_fixed": "BEFORE UPDATE ON revision",
    "revision_kept": "BEFORE DELETE ON revision",
}


def upgrade() -> None:
    """Add the rules."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if not on_sqlite:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for name, moment in RULES.items():
        when = " WHEN (OLD.revision_no IS NOT NULL)" if name == "event_revision_fixed" else ""
        if on_sqlite:
            deed = f"BEGIN SELECT RAISE(ABORT, '{moment.rsplit(' ', 1)[-1]} is append-only'); END"
            op.execute(f"CREATE TRIGGER {name} {moment} FOR EACH ROW{when} {deed}")
        else:
            op.execute(f"CREATE TRIGGER {name} {moment} FOR EACH ROW{when} EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    """Take the rules away."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, moment in RULES.items():
        op.execute(f"DROP TRIGGER {name}" + ("" if on_sqlite else f" ON {moment.rsplit(' ', 1)[-1]}"))
    if not on_sqlite:
        op.execute("DROP FUNCTION refuse_change()")
