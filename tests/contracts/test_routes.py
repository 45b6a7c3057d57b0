"""Every address × everybody: who gets in is written down by hand, and an address that is not listed fails the build."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.extensions import db
from app.models import (
    Account,
    Assignment,
    Handover,
    Job,
    Message,
    Notice,
    Objection,
    PublicList,
    Recognition,
    WebhookDelivery,
)
from app.models.base import now
from app.permissions import roles
from app.services.attachment import upload
from app.workflow.calendar import local_date
from tests.factories import filled_draft, find, login, make_account, make_batch, perform, store
from tests.factories_files import pdf_bytes
from tests.factories_webhook import make_webhook

PEOPLE = ("anonymous", "individual", "owner", "other", "district", "far", "city", "expert", "stranger", "admin")
"""``owner`` owns the declaration, ``district`` and ``city`` are its offices, ``far`` is another district, ``expert`` has it
assigned and ``stranger`` is an expert who has not."""


@pytest.fixture
def world(context: Flask) -> dict[str, Any]:
    """Everybody, one submitted declaration, and one record of each kind that an address may name."""
    owner = make_account(roles.ENTERPRISE)
    key = owner.id
    public_id = filled_draft(owner, make_batch()).public_id
    attachment = upload(owner, public_id, "audit_report", io.BytesIO(pdf_bytes()), "a.pdf").file.public_id
    # An upload ends the session that read before it.
    owner, city = db.session.get_one(Account, key), make_account(roles.CITY)
    sent = perform(owner, find(public_id), "submit")
    batch = sent.batch
    people: dict[str, Account | None] = {
        "anonymous": None,
        "individual": make_account(roles.INDIVIDUAL),
        "owner": owner,
        "other": make_account(roles.ENTERPRISE),
        "district": make_account(roles.DISTRICT),
        "far": make_account(roles.DISTRICT, region="230102"),
        "city": city,
        "expert": make_account(roles.EXPERT),
        "stranger": make_account(roles.EXPERT),
        "admin": make_account(roles.ADMIN),
    }
    expert = people["expert"]
    assert expert is not None
    store(Assignment(declaration_id=sent.id, step_key=sent.step_key, expert_id=expert.id, assigned_at=now()))
    notice = Notice(title="通知", level="city", authority="市工信局", content="正文。", published_at=now())
    listed = PublicList(batch_id=batch.id, title="名单", authority="市工信局", published_at=now(), published_by=city.id)
    job = Job(kind="test", run_after=now(), account_id=city.id, created_at=now())
    message = db.session.query(Message).filter_by(account_id=owner.id).first()
    facts = {"title": "公示", "authority": "市工信局", "published_at": now(), "published_by": city.id}
    day = local_date(now())
    public = store(PublicList(batch_id=batch.id, kind="publicity", opens_on=day, closes_on=day, **facts))
    against = {
        "objector": "李志强",
        "contact": "13904512187",
        "unit": "某公司",
        "content": "不实。",
        "received_on": day,
    }
    objection = store(
        Objection(declaration_id=sent.id, list_id=public.id, registered_by=city.id, created_at=now(), **against)
    )
    letter = {"batch_id": batch.id, "step_key": "handover", "region_code": "230108", "created_by": city.id}
    handover = store(Handover(**letter, created_at=now()))
    given = {"programme_key": "hrb_cultivation_intake", "title": "入库", "valid_from": day, "created_at": now()}
    recognition = store(Recognition(enterprise_id=sent.enterprise_id, declaration_id=sent.id, **given))
    hook = make_webhook()
    delivery = store(WebhookDelivery(webhook_id=hook.id, kind="trial", body="{}", created_at=now()))
    ids = {
        "declaration": sent.public_id,
        "attachment": attachment,
        "batch": batch.public_id,
        "notice": store(notice).public_id,
        "public_list": store(listed).public_id,
        "message": message.public_id,
        "job": store(job).public_id,
        "publicity": public.public_id,
        "objection": objection.public_id,
        "handover": handover.public_id,
        "recognition": recognition.id,
        "webhook": hook.public_id,
        "delivery": delivery.public_id,
    }
    return {"people": people, "ids": ids}


OWN_ID = {
    "attachment.show": "attachment", "attachment.remove": "attachment", "portal.notice": "notice", "portal.public_list": "public_list",
    "publicity": "publicity", "funding": "batch", "handover": "handover", "handover.index": "batch",
    "handover.gather": "batch", "recognition": "recognition", "export.file": "job", "system.job": "job", "batch": "batch", "export": "batch", "message": "message",
    "webhook": "webhook", "webhook.resend": "delivery",
}  # fmt: skip
VALUES = {"key": "audit_report", "section": "basic_info", "code": "0000-0000", "token": "x" * 43, "remark_id": 1, "expert_id": 1, "account_id": 999999, "note_id": 1,
          "filename": "css/shenbao.css", "name": "region"}  # fmt: skip


BODIES: dict[str, dict[str, Any]] = {
    "declaration.act": {"action": "recall", "version": "999"},
    "declaration.accept": {"statement": "yes"},
    "review.add_remark": {"path": "profit", "text": "请核对。"},
    "review.add_note": {"note": "先放一放。"},
    "review.change_remark": {"do": "settle", "path": "profit"},
    "review.unassign": {"version": "999", "key": "01890000-0000-7000-8000-000000000000"},
    "review.decide": {"action": "confirm", "version": "999"},
    "stamped.hand_in": {"version": "999", "key": "01890000-0000-7000-8000-000000000000"},
    "submission.submit": {"action": "submit", "version": "999", "statement": "yes"},
    "wizard.save_field": {"profit": "1", "base:profit": ""},
    "presence.visit": {"section": "basic_info", "since": "2026-01-01T00:00:00+00:00"},
    "member.answer": {"do": "decline"},
    "batch.remind": {"done": ""},
    "publicity.conclude": {"key": "01890000-0000-7000-8000-000000000000"},
    "funding.allocate": {"stage": "preview"},
    "recognition.revoke": {"stage": "preview", "version": "1", "reason": "不符合条件。"},
    "webhook.switch": {"active": "1"},
}
"""Bodies that get past the first look at the form; versions are stale, so that nothing is really done."""


def body(rule: Rule, ids: dict[str, str]) -> dict[str, Any]:
    """What is sent to the rule's address."""
    if rule.endpoint == "declaration.start":
        return {"batch": ids["batch"]}
    if rule.endpoint == "attachment.upload_form":
        return {"file": (io.BytesIO(pdf_bytes()), "a.pdf")}
    return dict(BODIES.get(rule.endpoint, {}))


def address(app: Flask, rule: Rule, ids: dict[str, str]) -> str:
    """The rule's address with the record that belongs to its family."""
    family = OWN_ID.get(rule.endpoint) or OWN_ID.get(rule.endpoint.split(".")[0], "declaration")
    values = VALUES | {"id": ids[family], "objection_id": ids["objection"], "declaration_id": ids["declaration"]}
    if rule.endpoint in ("programme.show", "batch.create"):
        values["key"] = "hrb_cultivation_intake"
    if rule.endpoint in ("role.show", "role.change"):
        values["name"] = roles.CITY
    if rule.endpoint == "picker.records":
        values["name"] = "enterprise"
    if rule.endpoint == "batch.remind":
        values["key"] = "paper_copy"
    with app.test_request_context():
        path = app.url_map.bind("localhost").build(rule.endpoint, {k: values[k] for k in rule.arguments})
    return f"{path}?action=recall" if rule.endpoint == "declaration.confirm" else path


def verdict(response: Any) -> str:
    """y: the door is open, l: sign in first, n: not for you, -: no such thing for you."""
    if response.status_code == 401 or "/account/login" in response.headers.get("Location", ""):
        return "l"
    assert response.status_code < 500, response.status_code
    return {403: "n", 404: "-"}.get(response.status_code, "y")


def own_rules(app: Flask) -> list[tuple[str, Rule]]:
    """(method, rule) of every address that is not a grid's."""
    found = []
    for rule in app.url_map.iter_rules():
        if not (rule.rule.startswith("/admin/") and rule.rule != "/admin/"):
            found += [(m, rule) for m in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return sorted(found, key=lambda pair: (pair[1].endpoint, pair[0]))


def tried(app: Flask, world: dict[str, Any], person: str) -> dict[str, str]:
    """What ``person`` meets behind every address."""
    found = {}
    for method, rule in own_rules(app):
        client = app.test_client()
        user = world["people"][person]
        if user is not None:
            login(client, user)
        call: Callable[..., Any] = getattr(client, method.lower())
        sent = {} if method == "GET" else {"data": body(rule, world["ids"])}
        found[f"{method} {rule.endpoint}"] = verdict(call(address(app, rule, world["ids"]), **sent))
    return found


# y: the door is open (also when the form is then refused), l: sign in first, n: 403, -: 404, in the order of PEOPLE.
EXPECTED = {
    # Open to everybody: the portal, signing in and up, the machine's own questions.
    "GET account.agreement": "yyyyyyyyyy",
    "POST account.code": "yyyyyyyyyy",
    "GET account.login": "yyyyyyyyyy",
    "POST account.login": "yyyyyyyyyy",
    "POST account.logout": "yyyyyyyyyy",
    "GET account.privacy": "yyyyyyyyyy",
    "GET account.recover": "yyyyyyyyyy",
    "POST account.recover": "yyyyyyyyyy",
    "GET account.register": "yyyyyyyyyy",
    "POST account.register": "yyyyyyyyyy",
    "POST portal.find_recognitions": "yyyyyyyyyy",
    "GET portal.home": "yyyyyyyyyy",
    "GET portal.notice": "yyyyyyyyyy",
    "GET portal.notices": "yyyyyyyyyy",
    "GET portal.public_list": "yyyyyyyyyy",
    "GET portal.publicity": "yyyyyyyyyy",
    "GET portal.recognitions": "yyyyyyyyyy",
    "GET portal.style": "yyyyyyyyyy",
    "GET portal.verify_form": "yyyyyyyyyy",
    "GET static": "yyyyyyyyyy",
    "GET system.healthz": "yyyyyyyyyy",
    "GET system.readyz": "yyyyyyyyyy",
    # Open to everybody, but this record or file does not exist (a wrong code, a puzzle that is gone).
    "GET account.challenge_picture": "----------",
    "GET account.challenge_piece": "----------",
    "GET account.challenge_sound": "----------",
    "GET appbuilder.static": "----------",
    "GET bootstrap.static": "----------",
    "GET portal.sound": "----------",
    "GET portal.verify": "----------",
    # Led to sign in: an old door of the framework, and the second step without a first one.
    "GET SignInDoor.login": "llllllllll",
    "GET account.second": "llllllllll",
    "POST account.second": "llllllllll",
    # Everybody who is signed in.
    "GET message.index": "lyyyyyyyyy",
    "POST message.read_all": "lyyyyyyyyy",
    "POST my_account.end": "lyyyyyyyyy",
    "POST my_account.identity": "lyyyyyyyyy",
    "GET my_account.password": "lyyyyyyyyy",
    "POST my_account.password": "lyyyyyyyyy",
    "GET my_account.show": "lyyyyyyyyy",
    "GET picker.industries": "lyyyyyyyyy",
    "GET picker.regions": "lyyyyyyyyy",
    "GET todo.index": "lyyyyyyyyy",
    "GET todo.most_urgent": "lyyyyyyyyy",
    # One person's own: messages of the owner, jobs of the city's clerk.
    "GET export.file": "l---------",
    "POST message.read": "l-y-------",
    "GET message.show": "l-y-------",
    "GET system.job": "l-----y---",
    # Enterprises at large: their workbench and what they may apply for.
    "GET declaration.index": "lyyynnnnnn",
    "POST declaration.start": "lnyynnnnnn",
    "GET enterprise.certification": "lnyynnnnnn",
    "GET enterprise.index": "lnyynnnnnn",
    # Members: an enterprise's own page; there is no such colleague or invitation. The wrong link leads nowhere.
    "GET member.index": "lnyynnnnnn",
    "GET member.invite_page": "lnyynnnnnn",
    "POST member.invite": "lnyynnnnnn",
    "POST member.withdraw": "ln--nnnnnn",
    "GET member.edit": "ln--nnnnnn",
    "POST member.change": "ln--nnnnnn",
    "POST member.remove": "ln--nnnnnn",
    "POST member.transfer": "ln--nnnnnn",
    "POST member.leave": "lnnnnnnnnn",
    "GET member.by_link": "----------",
    "GET member.answer_page": "l---------",
    "POST member.answer": "l---------",
    "POST presence.visit": "l-n-nnnnnn",
    "GET programme.index": "lyyynnnnnn",
    "GET programme.show": "lyyynnnnnn",
    "GET workbench.index": "lyyynnnnnn",
    # Filling in: only the owner's accounts; to other enterprises the declaration does not exist.
    "POST attachment.remove": "l-y-nnnnnn",
    "PUT attachment.upload_bytes": "l-y-nnnnnn",
    "POST attachment.upload_form": "l-y-nnnnnn",
    "POST declaration.accept": "l-y-nnnnnn",
    "POST declaration.act": "l-y-nnnnnn",
    "GET declaration.confirm": "l-y-nnnnnn",
    "POST declaration.rebase": "l-y-nnnnnn",
    "GET declaration.go_on": "l-y-nnnnnn",
    "GET declaration.statement": "l-y-nnnnnn",
    "POST stamped.hand_in": "l-y-nnnnnn",
    "GET stamped.result": "l-y-nnnnnn",
    "GET stamped.show": "l-y-nnnnnn",
    "GET submission.check": "l-y-nnnnnn",
    "GET submission.receipt": "l-y-nnnnnn",
    "POST submission.submit": "l-y-nnnnnn",
    "POST wizard.save_field": "l-y-nnnnnn",
    "POST wizard.save_section": "l-y-nnnnnn",
    "GET wizard.section": "l-y-nnnnnn",
    # Reading: the owner, the offices of its region, the assigned expert, administrators.
    "GET attachment.show": "l-y-y-yy-y",
    "GET declaration.preview": "l-y-y-yy-y",
    "GET declaration.show": "l-y-y-yy-y",
    "GET document.material": "l-y-y-yy-y",
    "GET document.preview": "l-y-y-yy-y",
    "GET document.receipt": "l-y-y-yy-y",
    # Reviewing: offices in charge and the assigned expert; another district's office finds nothing.
    "POST remark.reply": "l---nnnnnn",
    "POST review.add_note": "lnnnn-ynnn",
    "POST review.add_remark": "lnnnn-ynnn",
    "POST review.assign": "lnnny-ynnn",
    "POST review.change_remark": "lnnnn-ynnn",
    "POST review.decide": "lnnny-ynnn",
    "POST review.remove_note": "lnnnn-ynnn",
    "POST review.score": "lnnnnnny-n",
    "POST review.settle_remarks": "lnnnn-ynnn",
    "POST review.unassign": "lnnny-ynnn",
    "GET review.show": "lnnny-yy-y",
    # Who is at work on it, and several at once: offices; results of an act are the clerk's own.
    "POST todo_bulk.act": "lnnnyyynnn",
    "GET todo_bulk.show": "lnnn---nnn",
    "GET todo_claim.show": "lnnny-ynnn",
    "POST todo_claim.act": "lnnny-ynnn",
    # Batches, their lists and the grids' index: staff; settings and publication: the city.
    "GET batch.create": "lnnnnnynny",
    "POST batch.create": "lnnnnnynny",
    "GET batch.index": "lnnnyyynny",
    "GET batch.publish": "lnnnnnynnn",
    "POST batch.publish": "lnnnnnynnn",
    "POST batch.remind": "lnnnnnynny",
    "GET batch.settings": "lnnnnnynny",
    "POST batch.settings": "lnnnnnynny",
    "GET batch.show": "lnnnyyynny",
    # Objections and publicity: offices that publicise; hand-overs, funds and outcomes: staff read, the office whose deed it is acts.
    "GET objection.index": "lnnnnnynny",
    "POST objection.register": "lnnnnnynnn",
    "GET objection.decide_page": "lnnnnnynnn",
    "POST objection.decide": "lnnnnnynnn",
    "GET objection.evidence": "lnnnnn-nn-",
    "GET publicity.show": "lnnnnnynny",
    "GET publicity.preview": "lnnnnnynnn",
    "POST publicity.conclude": "lnnnnnynnn",
    "GET handover.index": "lnnnyyynny",
    "POST handover.gather": "lnnnyyynnn",
    "GET handover.show": "lnnny--nn-",
    "POST handover.send": "lnnny--nnn",
    "POST handover.letter": "lnnny--nnn",
    "GET handover.read_letter": "lnnn---nn-",
    "POST handover.take_out": "lnnn---nnn",
    "GET handover.sheet": "lnnny--nn-",
    "GET funding.show": "lnnnyyynny",
    "POST funding.allocate": "lnnnnnnnnn",
    "GET funding.sheet": "lnnn---nn-",
    "GET recognition.index": "lnnnyyynny",
    "GET recognition.show": "lnnny-ynny",
    "POST recognition.revoke": "lnnny-ynnn",
    "POST recognition.correct": "lnnny-ynnn",
    "GET picker.records": "lnnnyyynny",
    "GET data.index": "lnnnyyyyyy",
    # The interface: a key is the only way in, whoever is signed in.
    "GET TableApi.index": "llllllllll",
    "GET TableApi.openapi": "llllllllll",
    "GET TableApi.rows": "llllllllll",
    "GET TableApi.row": "llllllllll",
    # Its keys: administrators.
    "GET api_token.index": "lnnnnnnnny",
    "POST api_token.create": "lnnnnnnnny",
    "POST api_token.revoke": "lnnnnnnnn-",
    # Addresses that hear of deeds: administrators.
    "GET webhook.index": "lnnnnnnnny",
    "POST webhook.create": "lnnnnnnnny",
    "GET webhook.show": "lnnnnnnnny",
    "POST webhook.change": "lnnnnnnnny",
    "POST webhook.renew": "lnnnnnnnny",
    "POST webhook.switch": "lnnnnnnnny",
    "POST webhook.test": "lnnnnnnnny",
    "POST webhook.resend": "lnnnnnnnny",
    # Doors of roles: administrators.
    "POST role.change": "lnnnnnnnny",
    "GET role.index": "lnnnnnnnny",
    "GET role.show": "lnnnnnnnny",
    "POST export.package": "lnnnyyynny",
    "GET export.summary": "lnnnyyynny",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_address_is_listed(app: Flask) -> None:
    """A new route without a line above fails here; so does a line whose route is gone."""
    present = {f"{method} {rule.endpoint}" for method, rule in own_rules(app)}
    assert present - EXPECTED.keys() == set(), "say who may open these"
    assert EXPECTED.keys() - present == set()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("person", PEOPLE)
def test_who_gets_in(context: Flask, world: dict[str, Any], person: str) -> None:
    column = PEOPLE.index(person)
    found = tried(context, world, person)
    assert {name: seen for name, seen in found.items() if seen != EXPECTED[name][column]} == {}


def test_strangers_read_but_never_write() -> None:
    """What is open without signing in is the portal, the account pages and the machine's questions."""
    open_to_all = {name.split()[1].split(".")[0] for name, row in EXPECTED.items() if row[0] == "y"}
    assert open_to_all == {"account", "portal", "static", "system"}
    assert all(len(row) == len(PEOPLE) and set(row) <= set("yln-") for row in EXPECTED.values())
