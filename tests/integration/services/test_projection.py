"""Syncing and rebuilding: safe to repeat, nothing is dropped, what is newest is what stands there."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from app.definitions import registry
from app.extensions import db
from app.models import Programme, Revision
from app.models.generated import build_projection, sync_tables
from app.permissions import roles
from app.services.answers import save_answers
from app.services.projection import current_programme, rebuild, sync_definitions
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, filled_draft, make_account, make_batch, perform, submitted


def projected() -> list[object]:
    main = build_projection(registry.catalogue().get(INTAKE)).main
    return list(db.session.scalars(select(main)).unique())


def test_sync_is_safe_to_repeat(context: Flask) -> None:
    before = db.session.scalars(select(Programme.id)).all()
    said: list[str] = []
    for _ in range(2):
        sync_definitions(said.append)
    assert said == []
    assert db.session.scalars(select(Programme.id)).all() == before
    assert {p.key for p in db.session.scalars(select(Programme))} == {d.key for d in registry.catalogue()}


def test_a_changed_file_is_a_new_version_in_force(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.Catalogue(registry.CATALOGUE)
    known._definitions[INTAKE] = known.get(INTAKE).model_copy(update={"purpose": "另一句话"})
    original = registry.catalogue
    monkeypatch.setattr(registry, "catalogue", lambda: known)
    said: list[str] = []
    sync_definitions(said.append)
    assert said == [f"{INTAKE}: new version"]
    with unit_of_work() as session:
        assert current_programme(session, INTAKE).number == 2
    monkeypatch.setattr(registry, "catalogue", original)
    sync_definitions()
    versions = db.session.scalars(select(Programme).where(Programme.key == INTAKE).order_by(Programme.number)).all()
    assert [(v.number, v.current) for v in versions] == [(1, True), (2, False)], "going back makes no third version"


def test_an_unknown_programme_is_a_defect(context: Flask) -> None:
    with pytest.raises(KeyError), unit_of_work() as session:
        current_programme(session, "nonsense")


def test_missing_columns_and_tables_are_added(context: Flask) -> None:
    projection = build_projection(registry.catalogue().get(INTAKE))
    child = projection.tables["service_providers"].__tablename__
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE form_{INTAKE} DROP COLUMN profit"))
        connection.execute(text(f"DROP TABLE {child}"))
        said = sync_tables(connection, projection)
    assert sorted(said) == [f"added form_{INTAKE}.profit", f"created {child}"]
    assert "profit" in {c["name"] for c in inspect(db.engine).get_columns(f"form_{INTAKE}")}
    assert inspect(db.engine).has_table(child)


def test_columns_that_a_definition_lost_stay(context: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE form_{INTAKE} ADD COLUMN gone TEXT"))
    sync_definitions()
    assert "gone" in {c["name"] for c in inspect(db.engine).get_columns(f"form_{INTAKE}")}


def test_the_newest_submission_replaces_the_one_before(context: Flask) -> None:
    owner, city = make_account(roles.ENTERPRISE), make_account(roles.CITY)
    sent = perform(owner, filled_draft(owner, make_batch()), "submit")
    perform(city, sent, "return", "请核对利润。")
    save_answers(owner, sent.public_id, {"profit": "77.5"})
    assert [(r.revision_no) for r in projected()] == [1], "working answers are no record"
    perform(owner, sent, "resubmit")
    assert [(r.revision_no, str(r.profit)) for r in projected()] == [(2, "77.50")]


def test_rebuilding_takes_the_newest_revision_of_each(context: Flask) -> None:
    owner, city = make_account(roles.ENTERPRISE), make_account(roles.CITY)
    sent = perform(owner, filled_draft(owner, make_batch()), "submit")
    perform(city, sent, "return", "请核对利润。")
    save_answers(owner, sent.public_id, {"profit": "77.5"})
    perform(owner, sent, "resubmit")
    other = submitted()
    said: list[str] = []
    assert rebuild(said.append) == 2
    assert said == ["rebuilt 2"]
    assert {(r.declaration_id, r.revision_no) for r in projected()} == {(sent.id, 2), (other.id, 1)}
    newest = db.session.scalars(select(Revision).where(Revision.number == 2)).one()
    assert json.loads(newest.content)["fields"]["profit"] == "77.50"


def test_drafts_are_in_no_projection(context: Flask) -> None:
    owner = make_account(roles.ENTERPRISE)
    filled_draft(owner, make_batch())
    assert projected() == []
