"""The OpenAPI document is valid, complete, and true: every answer fits it, and every parameter in it is taken."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.datastructures import MultiDict

from app.models import Assignment, Batch, Job, Notice, PublicList, PublicListEntry, Score
from app.models.base import now
from app.permissions import roles
from app.services import review
from app.views.admin.core import all_grids
from app.views.api.openapi import document
from app.views.api.parameters import read_list
from app.views.api.refusal import Refusal
from app.views.api.values import speech_of
from tests.factories import filled_draft, login, make_account, make_batch, perform, store, submitted
from tests.factories_api import Caller, administrator

ROOT = Path(__file__).parents[2]
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(all_grids(), 600)


def validator(described: dict[str, Any], name: str) -> Draft202012Validator:
    """What checks a body against the schema ``name``."""
    registry = Registry().with_resource("urn:api", Resource(described, DRAFT202012))
    return Draft202012Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry)


# -- the document ---------------------------------------------------------------------------------------------------


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    assert [e.message for e in OpenAPIV31SpecValidator(described).iter_errors()] == []
    assert described["openapi"] == "3.1.0"


def test_a_wrong_document_would_be_found(described: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(described))
    del broken["paths"]["/api/v1/region"]["get"]["responses"]
    broken["paths"]["/api/v1/region/{id}"]["get"]["parameters"] = []
    assert len(list(OpenAPIV31SpecValidator(broken).iter_errors())) >= 1


def test_every_grid_has_its_two_paths(described: dict[str, Any]) -> None:
    paths = {"/api/v1/", "/api/v1/openapi.json"}
    for grid in all_grids():
        paths |= {f"/api/v1/{grid.name}", f"/api/v1/{grid.name}/{{id}}"}
        assert list(described["components"]["schemas"][grid.name]["properties"]["values"]["properties"]) == [
            c.path for c in grid.columns
        ]
    assert set(described["paths"]) == paths
    assert all(set(path) == {"get"} for path in described["paths"].values())


def test_all_of_it_is_behind_the_key(described: dict[str, Any]) -> None:
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path in described["paths"].values():
        assert {"401", "403", "429"} <= set(path["get"]["responses"]) and "security" not in path["get"]


def test_people_read_chinese(described: dict[str, Any]) -> None:
    lacking = []

    def look(node: Any, place: str) -> None:
        if isinstance(node, dict):
            for name in ("description", "summary"):
                if isinstance(node.get(name), str) and not re.search(r"[\u4e00-\u9fff]", node[name]):
                    lacking.append(f"{place}/{name}: {node[name]}")
            for key, below in node.items():
                look(below, f"{place}/{key}")
        elif isinstance(node, list):
            for below in node:
                look(below, place)

    look({k: v for k, v in described.items() if k != "components"}, "")
    look({k: v for k, v in described["components"].items() if k != "schemas"}, "components")
    for name, schema in described["components"]["schemas"].items():
        if "values" in schema.get("properties", {}):
            for path, column in schema["properties"]["values"]["properties"].items():
                if not re.search(r"[\u4e00-\u9fff]", column["description"]):
                    lacking.append(f"{name}.{path}")
    assert lacking == []


# -- answers --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lived(context: Flask) -> Caller:
    """Records in nearly every table, and somebody who reads them."""
    clerk, batch = make_account(roles.CITY), make_batch()
    sent = submitted(batch=batch)
    review.remark(clerk, sent.public_id, "profit", "请核对利润的单位。")
    sent = perform(clerk, sent, "return", "请核对。")
    owner = make_account(roles.ENTERPRISE)
    perform(clerk, perform(owner, filled_draft(owner, batch), "submit"), "reject", "不符合。")
    login(context.test_client(), clerk)
    expert = make_account(roles.EXPERT)
    assignment = store(Assignment(declaration_id=sent.id, step_key="x", expert_id=expert.id, assigned_at=now()))
    store(
        Score(assignment_id=assignment.id, criterion="a", label="创新", points=Decimal(7), maximum=10, reason="有专利")
    )
    store(Notice(title="通知", level="city", authority="市工信局", content="正文。", published_at=now()))
    listed = store(
        PublicList(batch_id=batch.id, title="名单", authority="市工信局", published_at=now(), published_by=clerk.id)
    )
    store(PublicListEntry(list_id=listed.id, declaration_id=sent.id, position=1, enterprise_name="甲", credit_code="x",
                          region_name="平房区", industry_name="制造业"))  # fmt: skip
    store(Job(kind="test", run_after=now(), account_id=clerk.id, created_at=now()))
    store(Batch(programme_key="gone", title="没有日期，项目也没有了", year=2026, region_code="230100", published=False,
                parameters={}, created_at=now()))  # fmt: skip
    return administrator(context)


@sqlite_only
def test_every_answer_fits_its_schema(context: Flask, lived: Caller, described: dict[str, Any]) -> None:
    empty, seen = set(), set()
    validator(described, "resources").validate(lived.get("").json)
    for grid in context.extensions["grids"]:
        name = grid.name
        for query in ({"labels": "1", "page_size": 100}, {"after": 0, "page_size": 2}):
            page = lived.get(name, **query)
            validator(described, f"{name}_page").validate(page.json)
        for row in page.json["rows"]:
            answer = lived.get(f"{name}/{row['id']}", labels="1")
            validator(described, name).validate(answer.json)
            assert answer.json["values"] == row["values"]
        (seen if page.json["rows"] else empty).add(name)
    assert len(seen) >= 20, empty
    assert {"declaration", "event", "score", "assignment", "attachment", "remark", "opinion", "job", "batch"} <= seen


@sqlite_only
def test_refusals_fit_their_schema(context: Flask, described: dict[str, Any]) -> None:
    system = administrator(context)
    error = validator(described, "error")
    client = context.test_client()
    for answer in (system.get("region?page=0"), system.get("nothing"), system.get("region/0"), Caller(context, None).get(""),
                   client.post("/api/v1/region"), client.get("/api/v2/region")):  # fmt: skip
        assert answer.status_code >= 400
        error.validate(answer.json)


# -- parameters -----------------------------------------------------------------------------------------------------

SAMPLES = {"integer": "1", "boolean": "true", "number": "1"}


def sample(column: Any, operator: str) -> str:
    """A value that the column can be compared with."""
    speech = speech_of(column)
    options = (
        [o.value for o in column.spec.options]
        if column.spec
        else list(column.options if column.kind == "option" else [])
    )
    if options:
        return options[0]
    kind = column.spec.type if column.spec else column.kind
    if kind == "boolean":
        return "yes"
    if speech.schema.get("format") or kind in ("date", "time"):
        return "2026-01-01"
    return {"year": "2026", "region": "230108"}.get(kind) or SAMPLES.get(speech.schema["type"], "1")


def test_filters_of_the_document_are_those_that_work(described: dict[str, Any]) -> None:
    tried = 0
    for grid in all_grids():
        parameters = described["paths"][f"/api/v1/{grid.name}"]["get"]["parameters"]
        (offered,) = (set(p["schema"]["properties"]) for p in parameters if p.get("name") == "filter")
        for column in grid.columns:
            for operator in ("eq", "gte", "lte", "contains", "in"):
                name = column.path if operator == "eq" else f"{column.path}__{operator}"
                arguments = MultiDict({f"filter[{name}]": sample(column, operator)})
                try:
                    taken = bool(read_list(grid, arguments).conditions)
                except Refusal as problem:
                    assert problem.code == "unknown_operator", (grid.name, name, problem.message)
                    taken = False
                assert taken == (name in offered), (grid.name, name)
                tried += taken
    assert tried > 300


def test_orders_of_the_document_are_those_that_work(described: dict[str, Any]) -> None:
    for grid in all_grids():
        parameters = described["paths"][f"/api/v1/{grid.name}"]["get"]["parameters"]
        (offered,) = (p["schema"]["enum"] for p in parameters if p.get("name") == "order")
        for value in offered:
            assert read_list(grid, MultiDict({"order": value})).order == value.removeprefix("-")


# -- command and guide ----------------------------------------------------------------------------------------------


@sqlite_only
def test_the_command_prints_all_of_it(context: Flask) -> None:
    printed: Result = context.test_cli_runner().invoke(args=["api", "openapi"])
    assert printed.exit_code == 0
    assert json.loads(printed.output) == document(context.extensions["grids"], context.config["API_PER_MINUTE"])
    assert administrator(context).get("openapi.json").json == json.loads(printed.output)


GUIDE = (ROOT / "docs" / "api.md").read_text("utf-8")


@sqlite_only
def test_the_examples_of_the_guide_work(context: Flask) -> None:
    submitted()
    system = administrator(context)
    examples = re.findall(r'^curl -g -H "Authorization: Bearer \$TOKEN" "\$BASE/api/v1/(.*)"$', GUIDE, re.M)
    assert len(examples) == GUIDE.count("\ncurl ") >= 6
    found = {}
    for path in examples:
        answer = system.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = answer.json
    filtered = next(body for path, body in found.items() if "filter[status]" in path)
    assert [row["labels"]["status"] for row in filtered["rows"]] == ["办理中"]
    assert next(body for path, body in found.items() if "name__contains" in path)["total"] == 1


def test_the_guide_names_every_code_and_parameter(described: dict[str, Any]) -> None:
    source = "".join(p.read_text("utf-8") for p in (ROOT / "app" / "views" / "api").glob("*.py"))
    codes = set(re.findall(r'Refusal\(\d+, "(\w+)"', source)) | set(re.findall(r'refuse\("(\w+)"', source))
    assert codes | {"method_not_allowed", "unavailable"} == set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| \d+ \|([^|]+)\|", GUIDE, re.M)))
    )
    for name in described["components"]["parameters"]:
        assert f"`{name}`" in GUIDE, name
