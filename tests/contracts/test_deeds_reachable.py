"""No dead ends: every row of the table of deeds is offered, by clicking, to the person whose deed it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import handover
from app.workflow.steps import DEEDS
from tests.factories import find, login, perform
from tests.factories_workflow import Walk, begun, end_publicity

Row = tuple[str, str, str | None]
"""Action, status and step kind: what names a row of the table."""
SCORED = "submit recommend accept assign_experts all_scored"
SHOWN = "/declarations/{id}/"
REVIEW = "/review/{id}/"


@dataclass(frozen=True)
class Offer:
    """Where a deed is offered: pages from the person's list on, each with the link or form that leads on."""

    action: str
    person: str
    pages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Place:
    """A state of a declaration, how it comes there, and what is offered."""

    status: str
    kind: str | None
    workflow: tuple[str, str, str]
    offers: tuple[Offer, ...]
    then: Callable[[Walk], None] = lambda walk: None


def decided(action: str, person: str) -> Offer:
    """A choice in the bar of the review page."""
    return Offer(action, person, ((REVIEW, f'type="radio" name="action" value="{action}"(?![^>]* disabled)'),))


def asked(action: str) -> Offer:
    """A link of the enterprise's page to a page that asks once more."""
    return Offer(action, "enterprise", (
        (SHOWN, f'href="/declarations/{{id}}/act\\?action={action}"'),
        (f"/declarations/{{id}}/act?action={action}", f'name="action" value="{action}"'),
    ))  # fmt: skip


def led(action: str, person: str, *pages: tuple[str, str]) -> Offer:
    """A chain of pages that begins at the review page."""
    return Offer(action, person, pages)


def confirm_district(walk: Walk) -> None:
    perform(walk.person("district"), walk.declaration, "confirm")


def confirm_city(walk: Walk) -> None:
    perform(walk.person("city"), walk.declaration, "confirm")


def ended(walk: Walk) -> None:
    end_publicity()


def gathered(walk: Walk) -> None:
    """At the hand-over step, on an open list."""
    confirm_district(walk)
    handover.gather(walk.person("district"), walk.batch_id, {walk.public_id: walk.declaration.version})


SUBMIT_PAGE = (("/declarations/{id}/check", 'action="/declarations/{id}/submit"'),)
OBJECTION = (REVIEW, 'href="/review/{id}/objections"')
PLACES = {
    "draft": Place("draft", None, ("subsidy", "subsidy", ""), (
        Offer("submit", "enterprise", ((SHOWN, 'href="/declarations/{id}/check"'), *SUBMIT_PAGE)), asked("discard"),
    )),
    "returned": Place("returned", None, ("subsidy", "subsidy", "submit return"), (
        Offer("resubmit", "enterprise", ((SHOWN, 'href="/declarations/{id}/check"'), *SUBMIT_PAGE)), asked("withdraw"),
    )),
    "review": Place("in_progress", "review", ("subsidy", "subsidy", "submit"), (
        asked("recall"), asked("withdraw"), decided("confirm", "district"), decided("return", "district"),
        decided("reject", "district"),
    )),
    "after stamp": Place("in_progress", "review", ("pool_intake", "pool_intake", "submit confirm upload_stamped"), (
        decided("stamp_return", "city"),
    )),
    "stamp": Place("in_progress", "stamp", ("pool_intake", "pool_intake", "submit confirm"), (
        Offer("stamp", "enterprise", (
            (SHOWN, 'href="/declarations/{id}/stamped"'), ("/declarations/{id}/stamped", 'action="/declarations/{id}/attachments/'),
        )),
    )),
    "handover": Place("in_progress", "handover", ("subsidy", "subsidy", "submit"), (
        led("recommend", "district", (REVIEW, 'href="/batches/{batch}/handovers/"'),
            ("/batches/{batch}/handovers/", 'action="/batches/{batch}/handovers/"')),
        decided("send_back", "district"),
    ), confirm_district),
    "gathered": Place("in_progress", "handover", ("subsidy", "subsidy", "submit"), (
        led("recommend", "district", ("/batches/{batch}/handovers/", 'href="/handovers/[0-9a-f-]{36}/"')),
    ), gathered),
    "no experts": Place("in_progress", "expert", ("subsidy", "subsidy", "submit recommend accept"), (
        Offer("assign", "city", ((REVIEW, 'action="/review/{id}/experts"'),)),
    ), confirm_city),
    "experts": Place("in_progress", "expert", ("subsidy", "subsidy", "submit recommend accept assign_experts"), (
        Offer("unassign", "city", ((REVIEW, r'action="/review/{id}/experts/\d+/remove"'),)),
        Offer("score", "expert", ((REVIEW, 'action="/review/{id}/scores"'),)),
    )),
    "decide": Place("in_progress", "decide", ("subsidy", "subsidy", SCORED), (
        led("approve", "city", (REVIEW, 'href="/batches/{batch}/publication"'),
            ("/batches/{batch}/publication", 'name="chosen" value="{id}:')),
        decided("reject", "city"),
    )),
    "publicity": Place("in_progress", "publicity", ("subsidy", "subsidy", f"{SCORED} publish"), (
        led("object", "city", OBJECTION, ("/review/{id}/objections", '<form[^>]*action="/review/{id}/objections"')),
    )),
    "objection": Place("in_progress", "publicity", ("subsidy", "subsidy", f"{SCORED} publish raise_objection"), tuple(
        led(action, "city", OBJECTION, ("/review/{id}/objections", '(href="/review/{id}/objections/[0-9a-f-]{36})"'),
            ("", f'name="verdict" id="[^"]*" value="{verdict}"'))
        for action, verdict in (("dismiss_objection", "dismissed"), ("uphold_objection", "upheld"))
    )),
    "publicity over": Place("in_progress", "publicity", ("subsidy", "subsidy", f"{SCORED} publish"), (
        led("conclude", "city", (REVIEW, '(href="/batches/publicity/[0-9a-f-]{36}/)"'),
            ("", '(href="/batches/publicity/[0-9a-f-]{36}/conclusion)"'), ("", "<button[^>]*>1 家转下一步</button>")),
    ), ended),
    "fund": Place("in_progress", "fund", ("subsidy", "subsidy", f"{SCORED} publish publicity_passed"), (
        led("allocate", "finance", (REVIEW, 'href="/batches/{batch}/funding"'),
            ("/batches/{batch}/funding", 'name="amount.{id}"')),
        decided("disapprove", "city"),
    )),
}  # fmt: skip
"""Keys are what the cases are called."""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", PLACES)
def test_what_is_possible_is_offered(context: Flask, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = PLACES[name]
    walk = begun(monkeypatch, *place.workflow)
    place.then(walk)
    declaration = find(walk.public_id)
    assert declaration.status == place.status
    for offer in place.offers:
        client = login(context.test_client(), walk.person(offer.person))
        follow(client, offer, {"{id}": walk.public_id, "{batch}": walk.batch_id})


def follow(client: FlaskClient, offer: Offer, ids: dict[str, str]) -> None:
    """Click along the pages of ``offer``; a page without an address is where the link before led."""
    found = ""
    for address, pattern in offer.pages:
        for name, value in ids.items():
            address, pattern = address.replace(name, value), pattern.replace(name, value)
        answer = client.get(address or found)
        assert answer.status_code == 200, (offer, address or found)
        seen = re.search(pattern, answer.text)
        assert seen, (offer, address or found, pattern)
        found = seen[0].removeprefix('href="').rstrip('"')


def test_every_row_of_the_table_has_its_place() -> None:
    """Deeds of time have no page; what stewards do is offered by the grids and tested there."""
    rows = {(d.action, d.status, d.kind) for d in DEEDS if d.by not in ("system", "steward")}
    assert {(o.action, p.status, p.kind) for p in PLACES.values() for o in p.offers} == rows
