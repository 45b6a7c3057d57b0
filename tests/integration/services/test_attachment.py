"""Files of a declaration at every stage of its life: who may change them, who may read them, what a race leaves behind."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused, TooLarge
from app.extensions import db
from app.models import Account, Assignment, Attachment, Blob, Declaration, Job, StampedScan
from app.models.base import now
from app.permissions import roles
from app.services import attachment, review
from app.services.attachment import CHECK_SCAN, Checked, keep, load, remove, upload
from app.services.declaration import start_declaration
from app.services.storage import store
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.at_once import apart, refusals, together
from tests.factories_files import STAMP_KEY, at_stamp_step, pdf_bytes

KEY = "audit_report"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def draft(owner: Account) -> Declaration:
    return factories.find(start_declaration(owner, factories.make_batch().public_id))


def send(user: Account, declaration: Declaration, key: str = KEY, *, pages: int = 1, name: str = "a.pdf") -> Attachment:
    """Upload a PDF that only this number of pages has."""
    found = db.session.get_one(Account, user.id)
    changed = upload(found, declaration.public_id, key, io.BytesIO(pdf_bytes(pages)), name)
    return changed.file


def rows(declaration: Declaration) -> list[tuple[str, str, bool]]:
    db.session.rollback()
    statement = select(Attachment).where(Attachment.declaration_id == declaration.id).order_by(Attachment.id)
    return [(a.key, a.filename, a.removed_at is None) for a in db.session.scalars(statement).unique()]


def refused(kind: type[DomainError], words: str, user: Account, declaration: Declaration, key: str = KEY) -> None:
    """The upload is refused in these words and leaves neither row nor bytes."""
    before, kept = rows(declaration), set(store().kept())
    with pytest.raises(kind, match=words):
        send(user, declaration, key, pages=7)
    assert rows(declaration) == before and set(store().kept()) == kept


def readable(user: Account, attachment_id: str) -> bool:
    db.session.rollback()
    try:
        load(db.session.get_one(Account, user.id), attachment_id)
    except NotFound as error:
        assert error.message == "没有找到这个附件。它可能已经被更换或移除，请回到申报页刷新。"
        return False
    return True


# -- who may change ------------------------------------------------------------------------------------------------


@sqlite_only
def test_a_row_says_who_what_and_when(owner: Account, draft: Declaration) -> None:
    content = pdf_bytes(3)
    file = send(owner, draft, pages=3, name="C:\\审计\\报告.PDF")
    assert (file.filename, file.size, file.pages, file.content_type) == ("报告.PDF", len(content), 3, "application/pdf")
    assert file.uploaded_by == owner.id and file.removed_at is None
    with attachment.open_file(file) as reader:
        assert reader.read() == content
    assert factories.find(draft.public_id).saved_at >= file.created_at


@sqlite_only
def test_strangers_and_offices_upload_nothing(owner: Account, draft: Declaration) -> None:
    for role in (roles.CITY, roles.DISTRICT, roles.EXPERT, roles.ENTERPRISE, roles.INDIVIDUAL):
        refused(NotFound, "没有找到这件申报", factories.make_account(role), draft)
    refused(Refused, "附件由申报企业自己上传和更换", factories.make_account(roles.ADMIN), draft)
    refused(NotFound, "没有这一项附件", owner, draft, "nothing")
    refused(Conflict, "现在不在盖章这一步", owner, draft, STAMP_KEY)


@sqlite_only
def test_the_office_in_charge_is_told_to_return_it_instead(owner: Account) -> None:
    declaration = factories.submitted(owner)
    refused(Refused, "要企业改的，请退回并写明原因", factories.make_account(roles.CITY), declaration)
    refused(Conflict, "已经提交，正在办理", owner, declaration)


@sqlite_only
def test_a_return_opens_the_named_file_only(owner: Account) -> None:
    declaration = factories.submitted(owner)
    city = factories.make_account(roles.CITY)
    review.remark(city, declaration.public_id, f"@{KEY}", "请换一份清楚的")
    factories.perform(city, declaration, "return", "请换审计报告")
    other = next(key for key, _name, _living in rows(declaration) if key != KEY)
    send(owner, declaration, pages=4, name="新.pdf")
    assert (KEY, "新.pdf", True) in rows(declaration) and (KEY, f"{KEY}.pdf", False) in rows(declaration)
    refused(Conflict, "这次没有退回，不用修改", owner, declaration, other)


@sqlite_only
@pytest.mark.parametrize(("action", "role"), [("withdraw", roles.ENTERPRISE), ("reject", roles.CITY)])
def test_nothing_changes_after_the_end(owner: Account, action: str, role: str) -> None:
    declaration = factories.submitted(owner)
    factories.perform(owner if role == roles.ENTERPRISE else factories.make_account(role), declaration, action, "理由")
    refused(Conflict, "已经办结，不能再修改", owner, declaration)
    file = db.session.scalars(select(Attachment).where(Attachment.key == KEY)).unique().one()
    with pytest.raises(Conflict, match="已经办结"):
        remove(db.session.get_one(Account, owner.id), file.public_id)
    assert rows(declaration).count((KEY, f"{KEY}.pdf", True)) == 1


@sqlite_only
def test_removing_is_once_and_ones_own(owner: Account, draft: Declaration) -> None:
    file = send(owner, draft)
    stranger, city = factories.make_account(roles.ENTERPRISE), factories.make_account(roles.CITY)
    for user in (stranger, city):
        with pytest.raises(NotFound):
            remove(user, file.public_id)
    with pytest.raises(Refused):
        remove(factories.make_account(roles.ADMIN), file.public_id)
    assert rows(draft) == [(KEY, "a.pdf", True)]
    remove(db.session.get_one(Account, owner.id), file.public_id)
    with pytest.raises(NotFound):
        remove(db.session.get_one(Account, owner.id), file.public_id)
    assert rows(draft) == [(KEY, "a.pdf", False)]


# -- limits --------------------------------------------------------------------------------------------------------


@sqlite_only
def test_all_files_together_count_without_the_one_that_is_replaced(owner: Account, context: Flask) -> None:
    declaration = factories.find(start_declaration(owner, factories.make_batch().public_id))
    limit = attachment.MAX_TOTAL_MB * attachment.MIB
    kept = factories.attach(declaration, "credit_china_report")
    old = factories.attach(declaration, KEY)
    with unit_of_work() as session:
        session.get_one(Attachment, kept.id).size = limit - len(pdf_bytes(2))
        session.get_one(Attachment, old.id).size = limit
    send(owner, declaration, pages=2)
    assert (KEY, "a.pdf", True) in rows(declaration), "exactly at the limit, the old one does not count"
    with pytest.raises(TooLarge, match="全部附件不能超过 1024 MB，加上这个文件有 1025 MB"):
        send(owner, declaration, pages=40)


@sqlite_only
def test_a_size_that_is_known_beforehand_is_refused_unread(owner: Account, draft: Declaration) -> None:
    class Unread(io.RawIOBase):
        def read(self, *_size: Any) -> bytes:
            raise AssertionError("nothing should be read")

    size = 100 * attachment.MIB
    with pytest.raises(TooLarge, match="文件要小于 100 MB"):
        upload(owner, draft.public_id, KEY, Unread(), "a.pdf", size)
    assert rows(draft) == []


@sqlite_only
def test_a_refused_file_leaves_no_bytes(owner: Account, draft: Declaration) -> None:
    for content, words in ((b"", "空"), (b"hello", "PDF"), (pdf_bytes()[:200], "PDF")):
        with pytest.raises(InvalidInput, match=words):
            upload(db.session.get_one(Account, owner.id), draft.public_id, KEY, io.BytesIO(content), "a.pdf")
    assert rows(draft) == [] and list(store().kept()) == []


# -- who may read --------------------------------------------------------------------------------------------------


@sqlite_only
def test_what_is_not_handed_in_is_the_enterprises_own_affair(owner: Account, draft: Declaration) -> None:
    file = send(owner, draft)
    colleague = factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, enterprise_role="member")
    others = [factories.make_account(r) for r in (roles.CITY, roles.ADMIN, roles.EXPERT, roles.ENTERPRISE)]
    assert readable(owner, file.public_id) and readable(colleague, file.public_id)
    assert [readable(user, file.public_id) for user in others] == [False] * 4
    assert not readable(owner, "unknown")


@sqlite_only
def test_what_an_office_was_given_it_can_always_read(owner: Account) -> None:
    declaration = factories.submitted(owner)
    city, other_city = (apart(factories.make_account(roles.CITY, region=code)) for code in ("230100", "350200"))
    owner = apart(owner)
    old = db.session.scalars(select(Attachment.public_id).where(Attachment.key == KEY)).one()
    factories.perform(city, declaration, "return", "请改")
    new = send(owner, declaration, pages=5)
    assert readable(city, old), "it was submitted, though replaced by now"
    assert not readable(city, new.public_id), "it has not been sent in yet"
    assert readable(owner, new.public_id) and readable(owner, old)
    factories.perform(owner, declaration, "resubmit")
    assert readable(city, new.public_id) and readable(city, old)
    assert not readable(other_city, new.public_id)


@sqlite_only
def test_experts_read_what_they_were_asked_about(owner: Account) -> None:
    declaration = factories.submitted(owner)
    asked, other = factories.make_account(roles.EXPERT), factories.make_account(roles.EXPERT)
    factories.store(Assignment(declaration_id=declaration.id, step_key="x", expert_id=asked.id, assigned_at=now()))
    file = db.session.scalars(select(Attachment).where(Attachment.key == KEY)).unique().one()
    assert readable(asked, file.public_id) and not readable(other, file.public_id)


@sqlite_only
def test_a_scan_is_checked_once_it_is_there_and_read_once_it_is_handed_in(context: Flask) -> None:
    owner, declaration = at_stamp_step()
    city = factories.make_account(roles.CITY)
    scan = send(owner, declaration, STAMP_KEY)
    db.session.rollback()
    (job,) = db.session.scalars(select(Job).where(Job.kind == CHECK_SCAN))
    assert (job.args, job.state) == ({"attachment": scan.id}, "queued")
    assert [s.state for s in db.session.scalars(select(StampedScan)).unique()] == ["pending"]
    assert not readable(city, scan.public_id)
    factories.perform(owner, declaration, "stamp")
    assert readable(city, scan.public_id)


# -- races ---------------------------------------------------------------------------------------------------------


def test_the_same_content_at_once_is_one_blob(context: Flask) -> None:
    people = [factories.make_account(roles.ENTERPRISE) for _n in range(4)]
    batch = factories.make_batch()
    drafts = [start_declaration(user, batch.public_id) for user in people]
    users = [apart(user) for user in people]

    def put(n: int) -> None:
        upload(users[n], drafts[n], KEY, io.BytesIO(pdf_bytes(2)), "a.pdf")

    assert refusals(together(context, [lambda n=n: put(n) for n in range(4)])) == []  # type: ignore[misc]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Blob)) == 1
    assert db.session.scalar(select(func.count()).select_from(Attachment)) == 4


def test_several_at_once_where_one_may_be_leave_one(context: Flask, owner: Account) -> None:
    public_id = start_declaration(owner, factories.make_batch().public_id)
    user = apart(owner)

    def put(pages: int) -> None:
        upload(user, public_id, KEY, io.BytesIO(pdf_bytes(pages)), f"{pages}.pdf")

    assert refusals(together(context, [lambda n=n: put(n) for n in range(1, 5)])) == []  # type: ignore[misc]
    assert sorted(living for _key, _name, living in rows(factories.find(public_id))) == [False, False, False, True]


@sqlite_only
def test_a_file_that_arrives_after_the_submission_is_not_smuggled_in(owner: Account) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    staged = store().stage(io.BytesIO(pdf_bytes(9)), attachment.MIB)
    store().commit(staged)
    before = rows(draft)
    factories.perform(owner, draft, "submit")
    with pytest.raises(Conflict, match="已经提交，正在办理"):
        keep(owner, draft.public_id, KEY, Checked(staged, "late.pdf", "application/pdf", 9))
    assert rows(draft) == before
