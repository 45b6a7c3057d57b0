"""The wizard on a made-up programme with every field type, conditions, nested rows and a table of 200 rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.definitions import registry
from app.models import AnswerRow, Programme
from app.models.base import now
from app.services import answers
from app.services import declaration as declarations
from app.services.unit_of_work import unit_of_work
from tests import factories

MADE_UP = Path(__file__).parents[2] / "data/definitions/everything.yaml"


@pytest.fixture
def made_up(context: Flask, client: FlaskClient) -> tuple[Any, str]:
    definition = registry.parse_definition(MADE_UP.read_text("utf-8"), "everything.yaml")
    factories.store(Programme(
        key=definition.key, number=1, title=definition.title, kind=definition.kind, digest=registry.digest(definition),
        content=registry.to_json(definition), created_at=now(),
    ))  # fmt: skip
    owner = factories.make_account("enterprise")
    public_id = declarations.start_declaration(owner, factories.make_batch("everything", parameters={}).public_id)
    declarations.accept_statement(owner, public_id)
    factories.login(client, owner)
    return owner, public_id


def test_every_section_opens_and_saves(made_up: tuple[Any, str], client: FlaskClient) -> None:
    _owner, public_id = made_up
    for section in ("basics", "equipment", "teams", "attachments"):
        assert client.get(f"/declarations/{public_id}/sections/{section}").status_code == 200, section
    for path in ("check", "preview"):
        assert client.get(f"/declarations/{public_id}/{path}").status_code == 200
    basics = f"/declarations/{public_id}/sections/basics"
    assert client.post(basics, data={"deed": "next", "founded_on": "昨天", "base:founded_on": ""}).status_code == 303
    assert 'type="text" value="昨天"' in client.get(basics).text


def test_a_section_appears_and_goes_with_an_answer(made_up: tuple[Any, str], client: FlaskClient) -> None:
    _owner, public_id = made_up
    foreign, field = f"/declarations/{public_id}/sections/foreign", f"/declarations/{public_id}/sections/basics/field"
    assert client.get(foreign).status_code == 404
    answer = client.post(field, data={"ownership": "foreign", "base:ownership": ""}, headers={"HX-Request": "true"})
    assert "外资情况" in answer.text
    assert client.get(foreign).status_code == 200
    answer = client.post(f"{foreign}/field", data={"foreign_share": "30", "base:foreign_share": ""})
    assert 'id="table-shareholders" aria-labelledby' in answer.text, "the table comes with the share"
    answer = client.post(f"{foreign}/field", data={"foreign_share": "10", "base:foreign_share": "30"})
    assert '<section id="table-shareholders" hidden' in answer.text


def test_totals_over_rows_come_with_the_answer(made_up: tuple[Any, str], client: FlaskClient) -> None:
    owner, public_id = made_up
    row = declarations.reload(public_id, owner).answers.children("devices")[0].id
    answers.save_answers(owner, public_id, {f"devices/{row}/unit_price": "2.5"})
    answer = client.post(
        f"/declarations/{public_id}/sections/equipment/field",
        data={f"devices/{row}/quantity": "4", f"base:devices/{row}/quantity": ""},
    )
    assert answer.text.count('value="10.00"') >= 2, "amount of the row and total"


def test_identity_numbers_rest_encrypted_and_are_read_back(made_up: tuple[Any, str], client: FlaskClient) -> None:
    owner, public_id = made_up
    number = "11010519491231002X"
    field = f"/declarations/{public_id}/sections/basics/field"
    assert client.post(field, data={"owner_id": number, "base:owner_id": ""}).status_code == 200
    again = client.post(field, data={"owner_id": number, "base:owner_id": number})
    assert again.status_code == 200 and number in again.text
    with unit_of_work() as session:
        stored = [r.values for r in session.query(AnswerRow).filter(AnswerRow.table_key == "")]
    assert number not in str(stored)
    assert declarations.reload(public_id, owner).answers.main["owner_id"] == number


def test_two_hundred_rows_stay_a_light_page(made_up: tuple[Any, str], client: FlaskClient) -> None:
    owner, public_id = made_up
    opened = declarations.reload(public_id, owner)
    with unit_of_work() as session:
        for n in range(1, 200):
            session.add(
                AnswerRow(
                    declaration_id=opened.declaration.id,
                    table_key="devices",
                    position=n,
                    values={"name": f"设备{n}", "quantity": "1"},
                )
            )
    page = client.get(f"/declarations/{public_id}/sections/equipment")
    assert page.status_code == 200 and page.text.count('class="sb-row"') == 200
    assert len(page.data) < 500_000
    assert "add:devices" not in page.text and "这是最多的" in page.text
