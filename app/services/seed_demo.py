"""Data to try the platform with: people of every role, an open batch, notices, and declarations in every state.

Made through the same services that people use, so the demo obeys every rule. Each part is made once: a second run
finds it by name and changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from zlib import crc32

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import func, select
from stdnum.cn import uscc

from app.adapters.passwords import hash_password
from app.documents.codes import make_qr_text
from app.documents.demo import plain_page, stamped_pages
from app.extensions import db
from app.fields.samples import company, person
from app.models import Account, Batch, Declaration, Enterprise, Notice, Region
from app.models.base import now
from app.permissions import roles
from app.services import batch as batches
from app.services import document, expert, publication
from app.services.answers import save_answers
from app.services.attachment import CONTENT_TYPES, MIB, Checked, keep
from app.services.declaration import Deeds, act, start_declaration
from app.services.opened import Opened, open_declaration
from app.services.password import random_password
from app.services.review import every_check
from app.services.samples import fill_declaration
from app.services.stamp import check_attachment, hand_in
from app.services.storage import store
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import end_of, local_date

INTAKE, CERTIFICATION = "hrb_cultivation_intake", "enterprise_certification"
CITY, DISTRICT = "230100", "230108"
SMALL = (12, 10)
"""Enterprises and declarations of the demo that the first start makes."""
AUTHORITY = "哈尔滨市工业和信息化局"

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Person:
    """An account of the demo."""

    username: str
    role: str
    name: str
    department: str | None = None
    region: str | None = None


STAFF = (
    Person("admin", roles.ADMIN, "平台管理员", "信息中心", CITY),
    Person("city", roles.CITY, "周雪松", "市工信局中小企业发展处", CITY),
    Person("district", roles.DISTRICT, "赵文博", "平房区工业和信息化局", DISTRICT),
    Person("expert", roles.EXPERT, "林思远", "哈尔滨工业大学"),
)
OWNER = Person("enterprise", roles.ENTERPRISE, "王敏")
FRESH = Person("newcomer", roles.ENTERPRISE, "李佳宁")
INDIVIDUAL = Person("individual", roles.INDIVIDUAL, "孙晓明")
LABELS = {FRESH.username: "企业（还没认证）", OWNER.username: "企业（已认证）"}

# How far each declaration of the demo has come: deeds after the submission, as (who, what).
WAYS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("city", "confirm"),),
    (("city", "return"),),
    (("city", "confirm"), ("owner", "stamp")),
    (("city", "confirm"), ("owner", "stamp"), ("city", "confirm")),
    (("city", "confirm"), ("owner", "stamp"), ("city", "confirm"), ("city", "publish")),
    (("city", "reject"),),
)
TO_EXPERT = (("city", "confirm"), ("owner", "stamp"), ("city", "confirm"), ("city", "assign"))
EXPERT_WAYS = ((*TO_EXPERT, ("expert", "score")), TO_EXPERT)
"""The same for the batch with the expert step: one scored already, one still to score."""
OPINIONS = {
    "confirm": "材料齐全，内容与佐证材料一致。",
    "return": "“企业基本情况”请补充主要产品的产量和用途，其余内容没有问题。",
    "reject": "企业主营业务不在本批支持范围，建议关注后续批次。",
}
POINTS = {
    "enterprise_base": "13",
    "plan_clarity": "21.5",
    "content_depth": "17",
    "expected_outcome": "20",
    "demonstration": "12",
}
REASONS = {
    "plan_clarity": "需求与生产现状对得上，投入和工期写得清楚。",
    "expected_outcome": "指标有改造前后对比，能耗下降的依据可以再充分些。",
}
VERDICT = "改造内容覆盖排产、质检两个关键环节，投入合理，预期成效可以核验，建议列入名单。"
NOTICES = (
    ("city", "关于组织开展首批中小企业数字化改造试点培育入库工作的通知", "哈工信函〔2026〕12号", AUTHORITY,
     "各区、县（市）工业和信息化主管部门，各有关企业：\n为推进中小企业数字化转型城市试点，现组织开展培育入库申报。\n"
     "一、申报对象：已完成企业认证的中型、小型、微型企业。\n二、申报方式：登录本平台，在“企业培育入库”中填写并提交，"
     "初审确认后下载材料盖章，扫描成 PDF 上传。\n三、材料报送：盖章材料一式一份，连同《汇总表》报送市工信局中小企业发展处。"),
    ("province", "黑龙江省中小企业数字化转型工作要点", None, "黑龙江省工业和信息化厅",
     "加快中小企业数字化改造，支持城市试点，培育一批数字化服务商，形成可复制、可推广的做法。"),
    ("ministry", "关于开展中小企业数字化转型城市试点工作的通知", "财建〔2023〕117号", "财政部 工业和信息化部",
     "选择部分城市开展中小企业数字化转型城市试点，重点支持制造业关键领域的中小企业进行数字化改造。"),
)  # fmt: skip


def is_seeded() -> bool:
    """Whether the demo's accounts are there."""
    return db.session.scalar(select(func.count()).where(Account.username == OWNER.username)) == 1


def seed_demo(
    enterprises: int = SMALL[0], declarations: int = SMALL[1], progress: Progress = lambda steps: None
) -> list[tuple[Person, str]]:
    """Make what is missing; returns the accounts that were created now, with their passwords (never shown again).

    ``progress`` is called with the number of steps done since the last call, ``enterprises + declarations`` in all.
    """
    created = [(p, word) for p in STAFF if (word := _add_account(p)) is not None]
    _add_notices()
    batch = _open_batch("第一批")
    owners = []
    for number in range(1, max(1, enterprises) + 1):
        person_ = OWNER if number == 1 else Person(f"demo{number:04d}", roles.ENTERPRISE, _name(number))
        word = _add_account(person_)
        if word is not None and person_ is OWNER:
            created.append((person_, word))
        owners.append(_account(person_.username))
        _certify(owners[-1], number)
        progress(1)
    created += [(p, word) for p in (FRESH, INDIVIDUAL) if (word := _add_account(p)) is not None]
    # The first enterprise only has a draft: whoever tries the demo finds something to go on with.
    chosen: list[str] = []
    for number, owner in enumerate(owners[:declarations]):
        chosen += filter(None, [_declare(owner, batch, number)])
        progress(1)
    _publish(batch, chosen)
    _ask_expert(owners)
    return created


def describe(created: list[tuple[Person, str]]) -> str:
    """The accounts as lines to print; tells how to get a new password if nothing was created."""
    if not created:
        return "演示账号早已建好。忘了密码，可以运行 flask accounts set-password 用户名 设一个新的。"
    lines = ["演示账号（密码只显示这一次，请记下）："]
    for person_, word in created:
        label = LABELS.get(person_.username, roles.LABELS[person_.role])
        lines.append(f"  {person_.username:<11} {word:<16} {label}")
    return "\n".join(lines)


def _name(number: int) -> str:
    return person(random.Random(number))


def _account(username: str) -> Account:
    db.session.rollback()
    return db.session.scalars(select(Account).where(Account.username == username)).unique().one()


def _add_account(who: Person) -> str | None:
    """Create the account; returns its password, or None if it was there."""
    if db.session.scalar(select(Account.id).where(Account.username == who.username)) is not None:
        return None
    word = random_password(who.username)
    hashed = hash_password(word)
    with unit_of_work() as session:
        enterprise_id = None
        if who.role == roles.ENTERPRISE:
            enterprise = Enterprise(created_at=now())
            session.add(enterprise)
            session.flush()
            enterprise_id = enterprise.id
        account = Account(
            username=who.username,
            first_name=who.name,
            last_name="",
            display_name=who.name,
            email=f"{who.username}@demo.invalid",
            password=hashed,
            active=True,
            user_type=who.role if who.role in (roles.ENTERPRISE, roles.INDIVIDUAL) else "staff",
            department=who.department,
            region_code=who.region,
            enterprise_id=enterprise_id,
            enterprise_role="owner" if enterprise_id else None,
            phone=_phone(who.username),
            password_changed_at=now(),
            agreed_at=now(),
        )
        account.roles = list(session.scalars(select(Role).where(Role.name == who.role)))
        session.add(account)
    return word


def _phone(username: str) -> str:
    """A number of its own from 170…: the counted accounts by their number, the named ones above them."""
    digits = "".join(filter(str.isdigit, username))
    return f"170{int(digits) if digits else 90_000_000 + crc32(username.encode()) % 1_000_000:08d}"


def _company_name(rng: random.Random, number: int) -> str:
    """A company name that no enterprise has yet; with a number once the made-up names are used up."""
    for _ in range(50):
        name = company(rng)
        if db.session.scalar(select(Enterprise.id).where(Enterprise.name == name)) is None:
            return name
    return company(rng).replace("有限公司", f"第{number}有限公司")


def _add_notices() -> None:
    with unit_of_work() as session:
        for age, (level, title, doc_no, authority, content) in enumerate(NOTICES):
            if session.scalar(select(Notice.id).where(Notice.title == title)) is None:
                session.add(
                    Notice(
                        title=title,
                        level=level,
                        authority=authority,
                        doc_no=doc_no,
                        content=content,
                        published_at=now() - timedelta(days=7 * age + 2),
                    )
                )


def _open_batch(name: str, **switched_on: bool) -> Batch:
    """A batch of the year: opened ten days ago, closes in six weeks, with the optional steps ``switched_on``."""
    today = local_date(now())
    title = f"{today.year} 年{name}"
    wanted = select(Batch).where(Batch.programme_key == INTAKE, Batch.title == title)
    if db.session.scalars(wanted).first() is None:
        changes = batches.Changes(
            title=title,
            opens_at=end_of(today - timedelta(days=11)),
            closes_at=end_of(today + timedelta(days=42)),
            published=True,
            parameters={"correction_days": 10, **switched_on},
        )
        batches.create_batch(_account("city"), INTAKE, today.year, CITY, changes)
        db.session.rollback()
    return db.session.scalars(wanted).one()


def _certify(owner: Account, number: int) -> None:
    """Certify the owner's enterprise by a certification declaration that the city confirms."""
    if owner.enterprise is None or owner.enterprise.certification_status != "none":
        return
    standing = db.session.scalars(select(Batch).where(Batch.programme_key == CERTIFICATION)).first()
    assert standing is not None
    rng = random.Random(number)
    public_id = start_declaration(owner, standing.public_id)
    fill_declaration(owner, public_id, rng)
    districts = db.session.scalars(select(Region.code).where(Region.parent_code == CITY).order_by(Region.code)).all()
    body = f"912301{number % 100:02d}MA1{number:06d}"
    facts = {
        "enterprise_name": _company_name(rng, number),
        "credit_code": body + uscc.calc_check_digit(body),
        "region_code": DISTRICT if number % 3 == 1 else districts[number % len(districts)],
        "contact_name": owner.get_full_name(),
    }
    save_answers(owner, public_id, facts)
    _attach(owner, public_id, "submit")
    _perform(owner, public_id, "submit")
    _perform(_account("city"), public_id, "confirm", "认证信息与营业执照一致。")


def _declare(owner: Account, batch: Batch, number: int) -> str | None:
    """The owner's declaration in the batch, brought as far as ``number`` says; the first one stays a draft.

    Returns its public id if it is one to publish, None otherwise or if it was there already.
    """
    owner = _account(owner.username)
    known = select(Declaration.id).where(
        Declaration.enterprise_id == owner.enterprise_id, Declaration.batch_id == batch.id
    )
    if db.session.scalar(known) is not None:
        return None
    public_id = _fill(owner, batch, number)
    if number == 0:
        return None
    _perform(owner, public_id, "submit")
    way = WAYS[(number - 1) % len(WAYS)]
    _go(owner, public_id, way, check=number < SMALL[1])
    return public_id if ("city", "publish") in way else None


def _fill(owner: Account, batch: Batch, number: int) -> str:
    """A complete draft with its files; returns its public id."""
    public_id = start_declaration(owner, batch.public_id)
    fill_declaration(owner, public_id, random.Random(1000 + number))
    _attach(owner, public_id, "submit")
    return public_id


def _go(owner: Account, public_id: str, way: Sequence[tuple[str, str]], *, check: bool) -> None:
    """Do the deeds of ``way``. A large demo leaves the look at the scans to the worker (``check`` is False)."""
    for who, action in way:
        if action == "stamp":
            _attach(owner, public_id, "stamp", check=check)
            hand_in(owner, public_id, _version(public_id), None)
        elif action == "assign":
            expert.assign(_account("city"), public_id, [_account("expert").id], version=_version(public_id), key=None)
        elif action == "score":
            expert.score(_account("expert"), public_id, expert.Sheet(POINTS, REASONS, "agree", VERDICT), key=None)
        elif action != "publish":
            _perform(owner if who == "owner" else _account("city"), public_id, action, OPINIONS[action])


def _ask_expert(owners: Sequence[Account]) -> None:
    """A closed batch with the expert step: the expert finds one declaration to score and one already scored."""
    # Not the first enterprise: whoever tries the demo as it has one draft and nothing else.
    asked = owners[1:][-len(EXPERT_WAYS) :]
    if not asked:
        return
    batch = _open_batch("标杆样板", expert_step=True)
    if db.session.scalar(select(Declaration.id).where(Declaration.batch_id == batch.id).limit(1)) is not None:
        return
    for number, (owner, way) in enumerate(zip(asked, EXPERT_WAYS, strict=False)):
        declared = _account(owner.username)
        public_id = _fill(declared, batch, 500 + number)
        _perform(declared, public_id, "submit")
        _go(declared, public_id, way, check=True)
    _close(batch.public_id)


def _close(public_id: str) -> None:
    """End the window yesterday: enterprises that try the demo choose from one open batch."""
    db.session.rollback()
    batch = db.session.scalars(select(Batch).where(Batch.public_id == public_id)).one()
    closes_at = end_of(local_date(now()) - timedelta(days=1))
    changes = batches.Changes(batch.title, batch.opens_at, closes_at, batch.published, batch.parameters)
    batches.change_batch(_account("city"), public_id, batch.version, changes)
    db.session.rollback()


def _perform(user: Account, public_id: str, action: str, opinion: str = "") -> None:
    payload = every_check(public_id) if action == "confirm" else None
    act(user, public_id, action, Deeds(_version(public_id), opinion, statement=True, payload=payload))
    db.session.rollback()


def _version(public_id: str) -> int:
    db.session.rollback()
    return db.session.scalars(select(Declaration.version).where(Declaration.public_id == public_id)).one()


def _attach(owner: Account, public_id: str, stage: str, *, check: bool = False) -> None:
    """A PDF under every attachment that the ``stage`` asks for. ``check``: stamped ones are looked at here and now."""
    db.session.rollback()
    opened = open_declaration(db.session, public_id, owner)
    for wanted in opened.definition.attachments:
        if wanted.stage != stage or not wanted.required:
            continue
        content, pages = _stamped(owner, opened, check) if wanted.stamped else (plain_page(wanted.key), 1)
        staged = store().stage(BytesIO(content), limit=wanted.max_size_mb * MIB)
        store().commit(staged)
        # Drawn here, so there is nothing to find out about it first.
        checked = Checked(staged, f"{wanted.label}.pdf", CONTENT_TYPES["pdf"], pages)
        changed = keep(owner, public_id, wanted.key, checked)
        if wanted.stamped and check:
            db.session.rollback()
            check_attachment(changed.file.id)
    db.session.rollback()


def _stamped(owner: Account, opened: Opened, counted: bool) -> tuple[bytes, int]:
    """What comes back from the scanner, and its pages: each with the code of the printed material, a seal on the last.

    ``counted``: as many pages as the material has, which takes half a second to find out.
    """
    revision = opened.revision
    assert revision is not None
    text = make_qr_text(opened.declaration.serial_no or "", document.code_of(opened, revision))
    pages = document.count_pages(opened, revision) if counted else 1
    document.material(owner, opened.declaration.public_id)
    return stamped_pages(text, pages), pages


def _publish(batch: Batch, chosen: list[str]) -> None:
    """The list of those that came to the end of their way."""
    if not chosen:
        return
    city = _account("city")
    versions = {d.public_id: d.version for d in publication.ready(city, batch) if d.public_id in chosen}
    publication.publish_list(
        city, batch.public_id, versions, publication.default_title(batch),
        "经企业申报、审核，现将入库企业名单予以公布。", authority=AUTHORITY,
    )  # fmt: skip
