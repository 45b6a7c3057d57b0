"""A step at which the enterprise files a paper of its own making: nothing is printed, one paper is asked for."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models.base import new_public_id
from tests.factories import login
from tests.factories_files import pdf_bytes
from tests.factories_workflow import Walk, begun

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LISTED = "confirm submit recommend assign_experts all_scored publish_list"


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A listed pilot enterprise that may ask for its acceptance."""
    return begun(monkeypatch, "pilot", "pilot", LISTED)


@pytest.fixture
def owner(context: Flask, walk: Walk) -> FlaskClient:
    return login(context.test_client(), walk.owner)


def page_of(walk: Walk) -> str:
    return f"/declarations/{walk.public_id}/stamped"


def upload(owner: FlaskClient, walk: Walk) -> Any:
    data = {"file": (io.BytesIO(pdf_bytes()), "验收报告.pdf")}
    return owner.post(f"/declarations/{walk.public_id}/attachments/acceptance_report", data=data)


def hand_in(owner: FlaskClient, walk: Walk, **changes: str) -> Any:
    data = {"version": str(walk.declaration.version), "key": new_public_id()} | changes
    return owner.post(page_of(walk), data=data)


def test_the_page_asks_for_the_paper(owner: FlaskClient, walk: Walk) -> None:
    page = owner.get(page_of(walk)).text
    assert "<h1>申请验收</h1>" in page and "改造验收报告" in page
    assert "还没有上传“改造验收报告”" in page and f'action="{page_of(walk)}"' not in page
    assert "下载材料" not in page


def test_uploaded_and_handed_in_once(owner: FlaskClient, walk: Walk) -> None:
    assert upload(owner, walk).status_code == 303
    page = owner.get(page_of(walk)).text
    assert "验收报告.pdf" in page and f'action="{page_of(walk)}"' in page
    version, key = str(walk.declaration.version), new_public_id()
    assert hand_in(owner, walk, version=version, key=key).status_code == 303
    assert walk.declaration.step_key == "acceptance"
    late = hand_in(owner, walk, version=version)
    assert late.status_code in (404, 409) and walk.declaration.step_key == "acceptance"


def test_not_without_the_paper(owner: FlaskClient, walk: Walk) -> None:
    answer = hand_in(owner, walk)
    assert answer.status_code == 422 and "还没有上传“改造验收报告”" in answer.text
    assert walk.declaration.step_key == "acceptance_filing"


@pytest.mark.parametrize(
    "changes", [{"version": ""}, {"key": ""}, {"version": "1"}], ids=("versionless", "keyless", "stale")
)
def test_a_page_that_is_not_whole(owner: FlaskClient, walk: Walk, changes: dict[str, str]) -> None:
    upload(owner, walk)
    assert hand_in(owner, walk, **changes).status_code in (409, 422)
    assert walk.declaration.step_key == "acceptance_filing"


@pytest.mark.parametrize(("person", "status"), [("rival", 404), ("city", 403), ("district", 403)])
def test_nobody_else_files(context: Flask, walk: Walk, person: str, status: int) -> None:
    other = login(context.test_client(), walk.person(person))
    assert other.get(page_of(walk)).status_code == status
    assert hand_in(other, walk).status_code == status
