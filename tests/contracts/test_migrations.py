"""Migrations match the models on both databases, go back and forth, and make the audit trail append-only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_appbuilder import Model
from flask_migrate import downgrade, upgrade
from sqlalchemy import Sequence, inspect, text
from sqlalchemy.exc import DatabaseError

from app.errors import Conflict
from app.extensions import db
from app.models import Account, Event, Recognition, Revision
from app.models.base import now
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from tests import factories

# SQLite cannot tell what an index over an expression is made of; the test below proves that it is there.
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")


@pytest.fixture
def arguments(context: Flask) -> dict[str, object]:
    """What env.py gives Alembic, taken from a real run of it."""
    seen: dict[str, object] = {}
    configure = MigrationContext.configure

    def spy(*args: object, **kwargs: object) -> MigrationContext:
        seen.update(kwargs.get("opts") or {})
        return configure(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MigrationContext, "configure", spy)
        upgrade()
    return seen


def test_autogenerate_finds_nothing(context: Flask, arguments: dict[str, object]) -> None:
    options = {k: arguments[k] for k in ("compare_type", "include_object", "target_metadata")}
    with db.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata)
    assert found == []


def test_a_forgotten_column_is_found(context: Flask, arguments: dict[str, object]) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE notice DROP COLUMN doc_no"))
    options = {k: arguments[k] for k in ("compare_type", "include_object", "target_metadata")}
    with db.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata)
    assert [(d[0], d[2], d[3].name) for d in found] == [("add_column", "notice", "doc_no")]


def test_sequences_of_the_framework_exist(context: Flask) -> None:
    if db.engine.dialect.name != "postgresql":
        assert not db.engine.dialect.supports_sequences
        return
    wanted = {
        column.default.name
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.default, Sequence)
    }
    assert wanted
    assert wanted <= set(inspect(db.engine).get_sequence_names())


def test_down_and_up_again(context: Flask) -> None:
    factories.make_enterprise()
    db.session.remove()
    downgrade(revision="0001")
    upgrade()
    with db.engine.connect() as connection:
        assert connection.execute(text("select count(*) from enterprise")).scalar() == 1


def test_outcomes_survive_the_way_back_and_forth(context: Flask) -> None:
    """The table of outcomes is made anew on SQLite: rows stay, and exactly one rule about states is in force."""
    sent = factories.submitted()
    kept = factories.store(
        Recognition(
            enterprise_id=sent.enterprise_id, declaration_id=sent.id, programme_key=sent.programme_key, title="名单",
            valid_from=now().date(), state="under_review", created_at=now(),
        )
    ).id  # fmt: skip
    db.session.remove()
    downgrade(revision="0005")
    with db.engine.connect() as connection:
        assert connection.execute(text("select title, state from recognition")).one() == ("名单", "valid")
    upgrade()
    found = db.session.get_one(Recognition, kept)
    assert (found.title, found.state, found.level, found.version) == ("名单", "valid", "city", 1)
    for state, allowed in (("under_review", True), ("expired", True), ("nonsense", False)):
        with nullcontext() if allowed else pytest.raises(Conflict), unit_of_work() as session:
            session.get_one(Recognition, kept).state = state


@pytest.fixture
def history(context: Flask) -> Iterator[tuple[int, int]]:
    """Ids of one event and one revision."""
    account = factories.make_account("enterprise")
    from app.services.declaration import start_declaration

    declaration = factories.find(start_declaration(account, factories.make_batch().public_id))
    with unit_of_work() as session:
        event = engine.record(session, declaration, account, action="test", label="试验")
        revision = Revision(
            declaration_id=declaration.id,
            number=1,
            programme_id=declaration.programme_id,
            content="{}",
            digest="0" * 64,
            created_at=now(),
        )
        session.add(revision)
        session.flush()
        ids = event.id, revision.id
    yield ids


@pytest.mark.parametrize(
    "statement",
    (
        "UPDATE event SET opinion = 'x' WHERE id = :event",
        "UPDATE event SET digest = 'x' WHERE id = :event",
        "UPDATE event SET actor_name = 'x', revision_no = 9 WHERE id = :event",
        "DELETE FROM event WHERE id = :event",
        "UPDATE revision SET content = 'x' WHERE id = :revision",
        "DELETE FROM revision WHERE id = :revision",
    ),
)
def test_history_cannot_be_changed(context: Flask, history: tuple[int, int], statement: str) -> None:
    event, revision = history
    with pytest.raises(DatabaseError, match="append-only"), db.engine.begin() as connection:
        connection.execute(
            text(statement), {k: v for k, v in (("event", event), ("revision", revision)) if f":{k}" in statement}
        )
    assert db.session.get_one(Event, event).label == "试验"
    assert db.session.get_one(Revision, revision).content == "{}"


def test_an_event_learns_its_revision_once(context: Flask, history: tuple[int, int]) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE event SET revision_no = 1 WHERE id = :id"), {"id": history[0]})
    with pytest.raises(DatabaseError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text("UPDATE event SET revision_no = 2 WHERE id = :id"), {"id": history[0]})


def test_names_differ_by_more_than_case(context: Flask) -> None:
    factories.make_account("enterprise", username="Songling-Wang")
    with pytest.raises(Conflict), unit_of_work() as session:
        session.add(
            Account(username="songling-WANG", first_name="x", last_name="", email="y@test.invalid", user_type="staff")
        )
    db.session.rollback()
    kinds = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            # A handful of rows is read whole otherwise, which says nothing about ten thousand.
            connection.execute(text("SET enable_seqscan = off"))
        found = connection.execute(
            text(kinds[db.engine.dialect.name] + "SELECT id FROM ab_user WHERE lower(username) = 'songling-wang'")
        )
        assert "uq_ab_user_username_lower" in str(found.all())


def test_migrations_stand_alone() -> None:
    folder = Path(__file__).parents[2] / "app/migrations/versions"
    for script in folder.glob("*.py"):
        assert "from app" not in script.read_text("utf-8"), f"{script.name} changes when the code does"


def test_history_has_no_table_that_alembic_forgot(context: Flask) -> None:
    tables = set(inspect(db.engine).get_table_names())
    own = {t for t in Model.metadata.tables if not t.startswith("form_")}
    assert own | {"alembic_version"} == {t for t in tables if not t.startswith("form_")}
