"""Dotted columns: each step is a relationship of the record before it, however many there are."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from app.extensions import db
from app.models import Declaration, Event, Recognition, WebhookDelivery
from app.models.base import Model
from app.views.admin.core import all_grids
from app.views.admin.filters import FilterEqual, GridInterface, attribute_of
from app.views.api.reading import Source


@pytest.mark.parametrize(
    ("model", "path", "column", "steps"),
    [
        (Declaration, "serial_no", "declaration.serial_no", []),
        (Recognition, "enterprise.name", "enterprise.name", ["enterprise"]),
        (Event, "declaration.serial_no", "declaration.serial_no", ["declaration"]),
        (WebhookDelivery, "event.declaration.serial_no", "declaration.serial_no", ["event", "declaration"]),
    ],
)
def test_the_way_to_a_column(model: type[Model], path: str, column: str, steps: list[str]) -> None:
    attribute, relations = attribute_of(model, path)
    assert str(attribute.property.columns[0]) == column
    assert [relation.key for relation in relations] == steps


def test_a_filter_asks_step_by_step() -> None:
    """A condition that skipped a step would be true for every row as soon as one record anywhere fits."""
    interface = GridInterface(next(g for g in all_grids() if g.name == "webhook_delivery"), db.session)
    query = FilterEqual("event.declaration.serial_no", interface).apply(select(WebhookDelivery.id), "2026-PY-0001")
    text = " ".join(str(query.compile(dialect=sqlite.dialect())).split())
    assert text.count("EXISTS (SELECT 1 FROM") == 2
    assert "event.id = webhook_delivery.event_id" in text and "declaration.id = event.declaration_id" in text


def test_every_grid_can_be_read_as_plain_columns() -> None:
    for grid in all_grids():
        source = Source(grid)
        text = str(source.statement.compile(dialect=sqlite.dialect()))
        steps = {c.path.rpartition(".")[0] for c in grid.columns if "." in c.path}
        assert text.count("LEFT OUTER JOIN") >= len(steps), grid.name
