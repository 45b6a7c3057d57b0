"""A computed value that cannot be found: every page opens and says so; a required one stands in the way of submitting."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.definitions import registry
from app.definitions.schema import Definition
from app.models import Programme
from app.models.base import now
from app.services import answers
from app.services import declaration as declarations
from tests import factories
from tests.factories_everything import everything

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SENTENCE = "“人均营业收入”算不出来，请核对与它有关的内容"
SOURCE = "1.0 / (form.staff == null ? 0.0 : form.staff)"


def dividing(definition: Definition, **more: Any) -> Definition:
    """``definition`` whose author forgot that a divisor can be 0."""

    def changed(part: Any) -> Any:
        return part.model_copy(update={"computed": SOURCE, **more}) if part.key == "revenue_per_head" else part

    sections = tuple(
        section.model_copy(update={"fields": tuple(changed(f) for f in section.fields)})
        for section in definition.sections
    )
    return definition.model_copy(update={"sections": sections})


@pytest.fixture(params=[True, False], ids=["required", "optional"])
def wanted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def draft(context: Flask, client: FlaskClient, wanted: bool) -> tuple[Any, str]:
    """A fresh draft on the definition, opened by its owner."""
    definition = dividing(everything(), required=wanted)
    factories.store(
        Programme(
            key=definition.key, number=1, title=definition.title, kind=definition.kind, created_at=now(),
            digest=registry.digest(definition), content=registry.to_json(definition),
        )
    )  # fmt: skip
    owner = factories.make_account("enterprise")
    public_id = declarations.start_declaration(owner, factories.make_batch("everything", parameters={}).public_id)
    declarations.accept_statement(owner, public_id)
    factories.login(client, owner)
    return owner, public_id


def test_every_page_opens_and_says_it(draft: tuple[Any, str], client: FlaskClient) -> None:
    _owner, public_id = draft
    for page in ("sections/basics", "sections/equipment", "check", "preview"):
        answer = client.get(f"/declarations/{public_id}/{page}")
        assert answer.status_code == 200, page
        assert (SENTENCE in answer.text) == (page in {"sections/basics", "check"}), page


def test_it_goes_with_the_cause(draft: tuple[Any, str], client: FlaskClient) -> None:
    owner, public_id = draft
    answers.save_answers(owner, public_id, {"staff": "4"})
    answer = client.get(f"/declarations/{public_id}/sections/basics")
    assert (answer.status_code, SENTENCE in answer.text) == (200, False)
    assert 'value="0.25"' in answer.text


def test_only_a_required_one_stands_in_the_way(draft: tuple[Any, str], wanted: bool) -> None:
    owner, public_id = draft
    problems = declarations.load(public_id, owner).evaluation.problems
    (found,) = [p for p in problems if p.path == "revenue_per_head"]
    assert (found.severity, found.message.startswith(SENTENCE)) == ("error" if wanted else "warn", True)
