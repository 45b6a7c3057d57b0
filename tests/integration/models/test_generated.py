"""Tables of a definition grow with it: what is new is added, what is longer gets room, what is there is never lost."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Connection, inspect, select, text

from app.errors import Conflict
from app.extensions import db
from app.fields import registry as field_types
from app.models.generated import Projection, build_projection, sync_tables
from tests.factories import INTAKE, make_batch, make_enterprise, store
from tests.factories_everything import everything
from tests.factories_portal import make_declaration

LONG = "原因" * 120


@pytest.fixture
def projection(context: Flask) -> Projection:
    """The tables of the made-up programme, created for the first time."""
    made = build_projection(everything())
    with db.engine.begin() as connection:
        done = sync_tables(connection, made)
    assert done == [f"created {model.__tablename__}" for model in made.all()]
    return made


def columns(connection: Connection, table: str) -> dict[str, str]:
    return {c["name"]: str(c["type"]) for c in inspect(connection).get_columns(table)}


def test_every_question_has_a_column_of_its_type_and_nothing_is_done_twice(projection: Projection) -> None:
    with db.engine.begin() as connection:
        assert sync_tables(connection, projection) == []
        present = columns(connection, projection.main.__tablename__)
        for _section, spec in everything().fields():
            kind = field_types.get(spec.type).column(spec).compile(connection.dialect)
            assert present[spec.key].split("(")[0] == str(kind).split("(")[0], spec.key
        for _section, table, parent in everything().tables():
            names = columns(connection, projection.tables[table.key].__tablename__)
            assert {"declaration_id", "form_id", "row_id", "position"} <= names.keys()
            assert ("parent_id" in names) == (parent is not None)


def test_a_filter_is_quick_because_it_has_an_index(projection: Projection) -> None:
    with db.engine.begin() as connection:
        indexes = inspect(connection).get_indexes(projection.main.__tablename__)
    indexed = {name for index in indexes for name in index["column_names"]}
    wanted = {f.key for _section, f in everything().fields() if f.filter and f.type != "text"}
    assert wanted and wanted <= indexed


def test_a_new_question_is_added_beside_what_is_there(projection: Projection) -> None:
    declaration = make_declaration(make_enterprise(), make_batch(INTAKE))
    store(projection.main(declaration_id=declaration.id, revision_no=1, enterprise_name="北辰", staff=40))
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE form_everything DROP COLUMN summary"))
        assert sync_tables(connection, projection) == ["added form_everything.summary"]
        row = connection.execute(text("SELECT enterprise_name, staff, summary FROM form_everything")).one()
        assert tuple(row) == ("北辰", 40, None)


def test_a_question_that_left_the_file_keeps_its_answers(projection: Projection) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE form_everything ADD COLUMN once_asked VARCHAR(20)"))
        assert sync_tables(connection, projection) == []
        assert "once_asked" in columns(connection, "form_everything")


def test_a_longer_answer_fits_after_its_limit_was_raised(projection: Projection) -> None:
    """The file said max_length 20 before; an enterprise that writes 240 signs must not be stopped at submission."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE form_everything ALTER COLUMN enterprise_name TYPE VARCHAR(20)"))
            assert sync_tables(connection, projection) == ["widened form_everything.enterprise_name"]
        assert sync_tables(connection, projection) == []
    declaration = make_declaration(make_enterprise(), make_batch(INTAKE))
    longest = projection.main.__table__.c.enterprise_name.type.length
    saved = store(projection.main(declaration_id=declaration.id, revision_no=1, enterprise_name=LONG[:longest]))
    assert (
        db.session.scalar(select(projection.main.enterprise_name).where(projection.main.id == saved.id))
        == LONG[:longest]
    )


def test_a_lowered_limit_cuts_nothing(projection: Projection) -> None:
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE form_everything ALTER COLUMN enterprise_name TYPE VARCHAR(900)"))
        assert sync_tables(connection, projection) == []


def test_one_declaration_has_one_line(projection: Projection) -> None:
    declaration = make_declaration(make_enterprise(), make_batch(INTAKE))
    store(projection.main(declaration_id=declaration.id, revision_no=1))
    with pytest.raises(Conflict, match="重复"):
        store(projection.main(declaration_id=declaration.id, revision_no=2))


def test_a_question_that_becomes_a_filter_gets_its_index(projection: Projection) -> None:
    """It had its column for years; searching it must not read the whole table."""
    tables = [projection.main.__table__, projection.tables["devices"].__table__]
    wanted = {(t.name, c.name): i for t in tables for i in t.indexes for c in i.columns if not c.foreign_keys}
    assert {table for table, _column in wanted} >= {"form_everything"}
    with db.engine.begin() as connection:
        names = {
            (table, i["column_names"][0]): i["name"]
            for table, _column in wanted
            for i in inspect(connection).get_indexes(table)
        }
        for place in wanted:
            connection.execute(text(f'DROP INDEX "{names[place]}"'))
        done = sync_tables(connection, projection)
        assert sorted(done) == sorted(f"indexed {table}.{column}" for table, column in wanted)
        assert sync_tables(connection, projection) == []
        for table, column in wanted:
            indexes = inspect(connection).get_indexes(table)
            assert [column] in [i["column_names"] for i in indexes]
