"""代填, 更正 and 作废 through their pages: what is shown, what is refused beside its field, and that nothing typed is lost."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.definitions import registry
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Event, Revision
from app.models.generated import build_projection
from app.permissions import roles
from tests.factories import INTAKE, find, login, make_account, make_batch, perform, submitted
from tests.factories_care import begin, fill, give
from tests.shared_world import visible

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORM = f"form_{INTAKE}"
WHY = "企业来函说明，见存档 12 号。"


@pytest.fixture
def clerk(context: Flask) -> Account:
    return make_account(roles.CITY, display_name="李静")


@pytest.fixture
def city(context: Flask, clerk: Account) -> FlaskClient:
    return login(context.test_client(), clerk)


@pytest.fixture
def sent(context: Flask) -> Declaration:
    return submitted()


def row_of(declaration: Declaration, grid: str = FORM) -> int:
    """Id of the (first) projected row of the declaration."""
    projection = build_projection(registry.catalogue().get(INTAKE))
    model = next(m for m in projection.all() if m.__tablename__ == grid)
    return db.session.scalars(select(model.id).where(model.declaration_id == declaration.id).order_by(model.id)).first()


def hidden(page: str) -> dict[str, Any]:
    """Everything that the form of a page would post, without the buttons."""
    main = re.sub(r"(?s)^.*?<main[^>]*>|</main>.*$", "", page)
    form = re.findall(r'(?s)<form\b[^>]*method="post".*?</form>', main)[-1]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        facts = {k: html.unescape(v) for k, v in re.findall(r'(\w+)="([^"]*)"', tag)}
        boxed = facts.get("type") in ("checkbox", "radio")
        if "name" in facts and (not boxed or " checked" in tag):
            found.setdefault(facts["name"], []).append(facts.get("value", ""))
    for name, body in re.findall(r'(?s)<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form):
        found[name] = [html.unescape(body)]
    for name, body in re.findall(r'(?s)<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = [html.unescape(chosen[1])] if chosen else [""]
    return found


def revisions(declaration: Declaration) -> int:
    return db.session.query(Revision).filter_by(declaration_id=declaration.id).count()


# -- the record's page ----------------------------------------------------------------------------------------------


def test_buttons_for_who_may(context: Flask, city: FlaskClient, sent: Declaration) -> None:
    pk = row_of(sent)
    page = city.get(f"/admin/{FORM}/show/{pk}").text
    assert f'href="/admin/{FORM}/correct/{pk}"' in page and f'href="/admin/{FORM}/void/{pk}"' in page
    assert f'href="/review/{sent.public_id}/"' in page
    district = login(context.test_client(), make_account(roles.DISTRICT)).get(f"/admin/{FORM}/show/{pk}").text
    assert "/correct/" not in district and "/void/" not in district and f"/review/{sent.public_id}/" in district


def test_a_door_that_the_administrator_gave_opens_the_button(context: Flask, sent: Declaration) -> None:
    clerk = make_account(roles.DISTRICT)
    client = login(context.test_client(), clerk)
    assert client.get(f"/admin/{FORM}/void/{row_of(sent)}").status_code == 403
    give(roles.DISTRICT, (FORM, "void"))
    assert client.get(f"/admin/{FORM}/void/{row_of(sent)}").status_code == 200


def test_rows_lead_to_their_correction(city: FlaskClient, sent: Declaration) -> None:
    child = f"{FORM}_digital_projects"
    page = city.get(f"/admin/{child}/show/{row_of(sent, child)}").text
    link = re.search(rf'href="(/admin/{FORM}/correct/\d+\?row=digital_projects/[^"]+)"', page)
    assert link is not None and "/void/" not in page
    form = city.get(link[1])
    assert form.status_code == 200
    path = link[1].split("row=")[1]
    assert f'name="{path}/' in form.text and 'name="revenue"' not in form.text


# -- correcting -----------------------------------------------------------------------------------------------------


def test_from_the_form_over_the_preview_to_the_new_version(city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/correct/{row_of(sent)}"
    form = city.get(address)
    assert form.status_code == 200 and 'name="credit_code"' not in form.text, "what is carried over is no question"
    posted = hidden(form.text)
    preview = city.post(address, data=posted | {"revenue": "9,999.50", "deed": "preview"})
    assert preview.status_code == 200 and "9,999.50 万元" in visible(preview)
    assert revisions(sent) == 1, "looking stores nothing"
    again = hidden(preview.text)
    back = city.post(address, data=again | {"deed": "back"})
    assert 'value="9,999.50"' in back.text
    refused = city.post(address, data=again | {"deed": "save", "reason": " "})
    assert refused.status_code == 422 and "请写明理由" in visible(refused) and "9,999.50" in refused.text
    done = city.post(address, data=hidden(refused.text) | {"deed": "save", "reason": WHY})
    assert done.status_code == 303
    assert city.get(done.headers["Location"]).status_code == 200
    assert "9,999.50 万元" in city.get(done.headers["Location"]).text
    assert revisions(sent) == 2
    event = db.session.scalars(select(Event).where(Event.action == "correct")).one()
    assert city.get("/admin/event/list/?_flt_1_label=更正").text.count(WHY) == 1
    assert event.revision_no == 2


def test_mistakes_come_back_at_their_field(city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/correct/{row_of(sent)}"
    posted = hidden(city.get(address).text)
    wrong = city.post(address, data=posted | {"revenue": "很多", "deed": "preview"})
    assert wrong.status_code == 422 and "还有 1 处要改" in visible(wrong)
    assert 'value="很多"' in wrong.text and "is-invalid" in wrong.text
    right = city.post(address, data=hidden(wrong.text) | {"revenue": "8,888.00", "deed": "preview"})
    assert right.status_code == 200 and "8,888.00 万元" in visible(right)


def test_nothing_changed_is_said(city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/correct/{row_of(sent)}"
    posted = hidden(city.get(address).text)
    answer = city.post(address, data=posted | {"deed": "preview"})
    assert answer.status_code == 422 and "没有要更正的内容" in visible(answer)


def test_somebody_was_faster(context: Flask, city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/correct/{row_of(sent)}"
    preview = city.post(address, data=hidden(city.get(address).text) | {"revenue": "7,000.00", "deed": "preview"})
    perform(make_account(roles.CITY), sent, "confirm", "材料齐全")
    late = city.post(address, data=hidden(preview.text) | {"deed": "save", "reason": WHY})
    assert late.status_code == 409 and "刚被办过" in visible(late)
    assert "7,000.00" in visible(late) and WHY in late.text, "nothing is lost"
    done = city.post(address, data=hidden(late.text) | {"deed": "save", "reason": WHY})
    assert done.status_code == 303 and revisions(sent) == 2


def test_the_same_post_twice_makes_one_version(city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/correct/{row_of(sent)}"
    preview = city.post(address, data=hidden(city.get(address).text) | {"revenue": "7,000.00", "deed": "preview"})
    data = hidden(preview.text) | {"deed": "save", "reason": WHY}
    old = address
    assert city.post(old, data=data).status_code == 303
    fresh = f"/admin/{FORM}/correct/{row_of(sent)}"
    assert city.post(fresh, data=data).status_code in (409, 422)
    assert revisions(sent) == 2


@pytest.mark.parametrize(
    ("query", "data", "status"),
    [
        ("?row=nothing/here", {}, 404),
        ("?row=digital_projects/unknown", {}, 404),
        ("", {"deed": "save", "reason": WHY, "version": "x"}, 422),
        ("", {"deed": "save", "reason": WHY}, 422),
        ("", {"deed": "explode"}, 422),
        ("", {}, 422),
    ],
)
def test_hostile_posts_of_a_correction(
    city: FlaskClient, sent: Declaration, query: str, data: dict[str, str], status: int
) -> None:
    answer = city.post(f"/admin/{FORM}/correct/{row_of(sent)}{query}", data=data)
    assert answer.status_code == status
    assert revisions(sent) == 1


def test_a_state_without_correction_has_a_sentence(context: Flask, city: FlaskClient, sent: Declaration) -> None:
    perform(make_account(roles.CITY), sent, "return", "请核对。")
    pk = row_of(sent)
    assert "/correct/" not in city.get(f"/admin/{FORM}/show/{pk}").text
    answer = city.get(f"/admin/{FORM}/correct/{pk}")
    assert answer.status_code == 409 and "由企业填写" in visible(answer)


# -- setting aside --------------------------------------------------------------------------------------------------


def test_voiding_asks_for_a_reason(city: FlaskClient, sent: Declaration) -> None:
    pk = row_of(sent)
    page = city.get(f"/admin/{FORM}/void/{pk}")
    assert "作废以后不能恢复" in visible(page)
    refused = city.post(f"/admin/{FORM}/void/{pk}", data=hidden(page.text) | {"reason": ""})
    assert refused.status_code == 422 and 'id="reason-e"' in refused.text
    assert find(sent.public_id).status == "in_progress"
    done = city.post(f"/admin/{FORM}/void/{pk}", data=hidden(refused.text) | {"reason": WHY})
    assert (done.status_code, find(sent.public_id).status) == (303, "void")
    shown = city.get(done.headers["Location"]).text
    assert "已作废" in shown and "/void/" not in shown and "/correct/" not in shown


def test_a_link_never_voids(city: FlaskClient, sent: Declaration) -> None:
    city.get(f"/admin/{FORM}/void/{row_of(sent)}?reason=x&version={sent.version}")
    assert find(sent.public_id).status == "in_progress"


def test_voiding_from_a_stale_page(city: FlaskClient, sent: Declaration) -> None:
    pk = row_of(sent)
    posted = hidden(city.get(f"/admin/{FORM}/void/{pk}").text)
    perform(make_account(roles.CITY), sent, "confirm", "材料齐全")
    late = city.post(f"/admin/{FORM}/void/{pk}", data=posted | {"reason": WHY})
    assert late.status_code == 409 and WHY in late.text
    assert city.post(f"/admin/{FORM}/void/{pk}", data=hidden(late.text)).status_code == 303
    assert find(sent.public_id).status == "void"


def test_the_enterprise_reads_what_happened(context: Flask, city: FlaskClient) -> None:
    owner = make_account(roles.ENTERPRISE)
    sent = submitted(owner)
    city.post(f"/admin/{FORM}/void/{row_of(sent)}", data={"version": sent.version, "reason": WHY})
    client = login(context.test_client(), db.session.get_one(Account, owner.id))
    page = client.get(f"/declarations/{sent.public_id}/")
    assert page.status_code == 200 and "已作废" in page.text and WHY in page.text
    assert "已作废" in client.get("/messages/").text


# -- on behalf ------------------------------------------------------------------------------------------------------


def test_beginning_and_filing_on_behalf(context: Flask, city: FlaskClient, clerk: Account) -> None:
    owner, batch = make_account(roles.ENTERPRISE), make_batch()
    firm = db.session.get_one(Enterprise, owner.enterprise_id)
    assert "代企业填报" in city.get(f"/admin/{FORM}/list/").text
    page = city.get(f"/admin/{FORM}/add")
    assert batch.title in page.text and 'data-source="/pickers/records/enterprise?by=code"' in page.text
    refused = city.post(f"/admin/{FORM}/add", data={"enterprise": "没有", "batch": batch.public_id, "basis": "来函"})
    assert refused.status_code == 422 and "没有找到这家企业" in visible(refused) and ">来函</textarea>" in refused.text
    begun = city.post(
        f"/admin/{FORM}/add", data={"enterprise": firm.credit_code, "batch": batch.public_id, "basis": "来函 3 号"}
    )
    assert begun.status_code == 303
    draft = db.session.scalars(select(Declaration)).unique().one()
    statement = city.get(begun.headers["Location"], follow_redirects=True)
    assert "我按企业提供的材料代填" in statement.text
    assert city.post(f"/declarations/{draft.public_id}/statement", data={"statement": "yes"}).status_code == 303
    section = city.get(f"/declarations/{draft.public_id}/sections/basic_info")
    assert section.status_code == 200
    assert "代提交的依据" in city.get(f"/declarations/{draft.public_id}/check").text
    mine = login(context.test_client(), db.session.get_one(Account, owner.id)).get("/declarations/").text
    assert "由李静代填" in mine
    other = login(context.test_client(), make_account(roles.CITY))
    assert other.get(f"/declarations/{draft.public_id}/sections/basic_info").status_code == 403


def test_filing_on_behalf_through_the_pages(context: Flask, city: FlaskClient, clerk: Account) -> None:
    draft = begin(clerk, make_account(roles.ENTERPRISE))
    city.post(f"/declarations/{draft.public_id}/statement", data={"statement": "yes"})
    fill(db.session.get_one(Account, clerk.id), draft)
    page = city.get(f"/declarations/{draft.public_id}/check")
    data = hidden(page.text) | {"statement": "yes"}
    refused = city.post(f"/declarations/{draft.public_id}/submit", data=data | {"opinion": ""})
    assert refused.status_code == 422 and "请写明代提交的依据" in visible(refused)
    done = city.post(
        f"/declarations/{draft.public_id}/submit", data=hidden(refused.text) | {"statement": "yes", "opinion": WHY}
    )
    assert done.status_code == 303, visible(done)[:900]
    assert done.headers["Location"].endswith(f"/review/{draft.public_id}/")
    assert find(draft.public_id).status == "in_progress"
    assert city.get(done.headers["Location"]).status_code == 200


def test_without_an_open_batch_there_is_a_sentence(city: FlaskClient) -> None:
    assert "现在没有开放的批次" in city.get(f"/admin/{FORM}/add").text
