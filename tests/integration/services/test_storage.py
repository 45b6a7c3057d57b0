"""What the sweeper removes and what it must keep: files that an office was given stay, whatever became of them."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account, Attachment, Blob, Declaration, StampedScan
from app.models.base import now
from app.permissions import roles
from app.services import attachment
from app.services.declaration import start_declaration
from app.services.storage import AT_ONCE, store, sweep_files
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_files import STAMP_KEY, at_stamp_step, pdf_bytes

KEY = "audit_report"


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def draft(owner: Account) -> Declaration:
    return factories.find(start_declaration(owner, factories.make_batch().public_id))


def upload(owner: Account, declaration: Declaration, pages: int, key: str = KEY) -> Attachment:
    """A real upload, of content that only this number of pages has."""
    user = db.session.get_one(Account, owner.id)
    changed = attachment.upload(user, declaration.public_id, key, io.BytesIO(pdf_bytes(pages)), f"{pages}.pdf")
    db.session.rollback()
    return db.session.get_one(Attachment, changed.file.id)


def sweep_after(days: float) -> dict[str, int]:
    with time_machine.travel(now() + timedelta(days=days), tick=True):
        counts = sweep_files()
    db.session.rollback()
    return counts


def names() -> list[str]:
    return list(db.session.scalars(select(Attachment.filename).order_by(Attachment.id)))


def test_what_was_replaced_before_it_was_handed_in_goes(owner: Account, draft: Declaration) -> None:
    first, second = (upload(owner, draft, pages).sha256 for pages in (1, 2))
    taken = upload(owner, draft, 3, "credit_china_report")
    attachment.remove(db.session.get_one(Account, owner.id), taken.public_id)
    assert sweep_after(0.5)["unfiled"] == 0, "somebody may still be at it"
    assert sweep_after(5) == {"staged": 0, "unfiled": 2, "packages": 2, "orphans": 2}
    assert names() == ["2.pdf"]
    assert set(store().kept()) & {first, second} == {second}
    assert db.session.scalars(select(Blob.sha256)).all() == [second]
    assert sweep_after(9)["unfiled"] == 0


def test_what_an_office_was_given_stays(owner: Account) -> None:
    sent = factories.submitted(owner)
    given = db.session.scalar(select(func.count()).select_from(Attachment))
    factories.perform(factories.make_account(roles.CITY), sent, "return", "请换")
    upload(owner, sent, 4)
    kept = upload(owner, sent, 5)
    assert sweep_after(5)["unfiled"] == 1, "the one between was never sent in"
    assert db.session.scalar(select(func.count()).select_from(Attachment)) == given + 1
    assert db.session.get_one(Attachment, kept.id).removed_at is None


def test_scans_go_with_their_findings_unless_handed_in(context: Flask) -> None:
    owner, declaration = at_stamp_step()
    gone = upload(owner, declaration, 2, STAMP_KEY).id
    stays = upload(owner, declaration, 3, STAMP_KEY).id
    factories.perform(owner, declaration, "stamp")
    city = factories.make_account(roles.CITY)
    factories.perform(city, declaration, "return", "请改")
    factories.perform(owner, declaration, "resubmit")
    assert db.session.get_one(Attachment, stays).removed_at is not None
    assert sweep_after(5)["unfiled"] == 1
    assert db.session.get(Attachment, gone) is None
    assert db.session.scalars(select(StampedScan.attachment_id)).all() == [stays]


def test_many_go_in_small_pieces(owner: Account, draft: Declaration) -> None:
    with unit_of_work() as session:
        session.add(Blob(sha256="a" * 64, size=1, created_at=now()))
        session.flush()
        session.add_all(
            Attachment(
                declaration_id=draft.id, key=KEY, sha256="a" * 64, filename=f"{n}.pdf", content_type="application/pdf",
                size=1, created_at=now(), removed_at=now(),
            )
            for n in range(AT_ONCE + 3)
        )  # fmt: skip
    assert sweep_after(2)["unfiled"] == AT_ONCE + 3
    assert names() == []
