"""What deeds bring about, by the names that the workflow table uses. Each runs in the deed's own transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.definitions.dependents import with_dependents
from app.errors import Conflict, InvalidInput
from app.models import Assignment, Batch, Counter, Enterprise, Opinion, Remark, Revision, Score
from app.models.base import now
from app.models.review import WHOLE
from app.services.facts import enterprise_facts
from app.services.message import tell_account, tell_enterprise
from app.services.opened import Opened
from app.services.privacy import seal_content
from app.services.projection import project
from app.workflow.calendar import local_date
from app.workflow.engine import Done
from app.workflow.route import current_step


@dataclass
class Scene:
    """Where an effect runs: the transaction, the declaration, what was done and what came with it."""

    session: Session
    opened: Opened
    done: Done
    opinion: str
    payload: Mapping[str, Any]


Effect = Callable[[Scene], None]
EFFECTS: dict[str, Effect] = {}


def effect(function: Effect) -> Effect:
    """Register ``function`` under its own name."""
    EFFECTS[function.__name__] = function
    return function


def canonical(content: Mapping[str, Any]) -> str:
    """Canonical JSON text of a revision's content."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


@effect
def revise(scene: Scene) -> None:
    """Freeze what was submitted: one immutable revision with its digest, and the typed projection."""
    opened, declaration = scene.opened, scene.opened.declaration
    _claim(scene)
    evaluation = opened.evaluation
    files = {
        k: [{**f, "at": f["at"].isoformat()} for f in v]
        for k, v in opened.files.items()
        if k not in opened.definition.stamped_keys
    }
    content = {
        **seal_content(opened.definition, evaluation.content()),
        "programme": declaration.programme_key,
        "programme_number": declaration.programme.number,
        "params": opened.params,
        "today": local_date(now()).isoformat(),
        "enterprise": enterprise_facts(declaration.enterprise),
        "attachments": files,
        "statement": opened.definition.statement,
    }
    text = canonical(content)
    number = opened.revision.number + 1 if opened.revision else 1
    scene.session.add(
        Revision(
            declaration_id=declaration.id,
            number=number,
            programme_id=declaration.programme_id,
            content=text,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            created_at=now(),
            created_by=opened.user.id,
        )
    )
    scene.done.event.revision_no = number
    declaration.revision_no = number
    declaration.finding_count = sum(1 for finding in evaluation.findings if finding.result is False)
    declaration.statement_at = now() if opened.definition.statement else None
    declaration.submitted_at = now()
    declaration.reopened = None
    project(scene.session, opened.definition, declaration.id, number, json.loads(text))


def _claim(scene: Scene) -> None:
    """A certification claims its credit code; the database keeps it unique from now on."""
    opened = scene.opened
    if opened.definition.kind != "certification":
        return
    form = opened.evaluation.form
    code_field = next(k for k, v in opened.definition.profile_map.items() if v == "credit_code")
    code = form[code_field]
    taken = scene.session.scalar(
        select(Enterprise.id).where(Enterprise.credit_code == code, Enterprise.id != opened.declaration.enterprise_id)
    )
    if taken is not None:
        raise _code_taken(code_field)
    enterprise = scene.session.get_one(Enterprise, opened.declaration.enterprise_id)
    enterprise.credit_code, enterprise.certification_status = code, "submitted"
    try:
        scene.session.flush()
    except IntegrityError as error:
        # Somebody else claimed it between the look and the write.
        raise _code_taken(code_field) from error


def _code_taken(code_field: str) -> Conflict:
    return Conflict(
        "这个统一社会信用代码已经认证过或正在认证，不能重复认证。忘了账号可以用“账号找回”；被别人占用的，请打咨询电话。",
        fields={code_field: "这个代码已经认证过或正在认证。"},
    )


@effect
def number(scene: Scene) -> None:
    """Give the serial number, gapless per batch, inside this transaction."""
    declaration = scene.opened.declaration
    if declaration.serial_no is None:
        batch = declaration.batch
        declaration.serial_no = f"{serial_prefix(scene.session, batch, scene.opened.definition.short_code)}-{next_number(scene.session, f'serial:{batch.id}'):04d}"


def serial_prefix(session: Session, batch: Batch, short_code: str) -> str:
    """``2024-PY`` for the year's first batch of a programme, ``2024-PY2`` for the second: serials never collide."""
    earlier = session.scalars(
        select(Batch.id).where(
            Batch.programme_key == batch.programme_key, Batch.year == batch.year, Batch.id < batch.id
        )
    ).all()  # fmt: skip
    return f"{batch.year}-{short_code}{len(earlier) + 1 if earlier else ''}"


def next_number(session: Session, key: str) -> int:
    """Advance the counter ``key`` by one, locked until the transaction ends."""
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[session.get_bind().dialect.name]
    # The first two who need a counter at once must not both make it: one of them would be refused.
    session.execute(insert(Counter).values(key=key, value=0).on_conflict_do_nothing())
    advance = update(Counter).where(Counter.key == key).values(value=Counter.value + 1).returning(Counter.value)
    return session.scalars(advance, execution_options={"synchronize_session": False}).one()


@effect
def release(scene: Scene) -> None:
    """Free what a live declaration holds: its place in the batch and, for a certification, the credit code."""
    declaration = scene.opened.declaration
    declaration.unique_key = None
    if scene.opened.definition.kind == "certification":
        enterprise = scene.session.get_one(Enterprise, declaration.enterprise_id)
        enterprise.certification_status = "rejected" if declaration.status == "rejected" else "none"
        enterprise.credit_code = None


@effect
def reopen_all(scene: Scene) -> None:
    """Recalled: everything may be changed again."""
    scene.opened.declaration.reopened = None
    if scene.opened.definition.kind == "certification":
        enterprise = scene.session.get_one(Enterprise, scene.opened.declaration.enterprise_id)
        enterprise.certification_status, enterprise.credit_code = "none", None


@effect
def reopen(scene: Scene) -> None:
    """Returned: the remarked fields and what hangs on them open (everything if no field is named), remarks become visible."""
    drafts = scene.session.scalars(
        select(Remark).where(Remark.declaration_id == scene.opened.declaration.id, Remark.state == "draft")
    ).all()
    for remark in drafts:
        remark.state = "open"
    living = {r.path for r in scene.opened.remarks if r.state == "open"} | {r.path for r in drafts}
    # A remark on the whole declaration names no field.
    named = living - {WHOLE}
    scene.opened.declaration.reopened = sorted(with_dependents(scene.opened.definition, named)) or None


@effect
def assign(scene: Scene) -> None:
    """Give the declaration to the chosen experts."""
    present = {a.expert_id for a in scene.opened.assignments if a.step_key == scene.opened.declaration.step_key}
    for expert_id in scene.payload["experts"]:
        if expert_id not in present:
            scene.session.add(
                Assignment(
                    declaration_id=scene.opened.declaration.id,
                    step_key=scene.opened.declaration.step_key or "",
                    expert_id=expert_id,
                    assigned_at=now(),
                )
            )


@effect
def set_scans_aside(scene: Scene) -> None:
    """A new revision has a paper of its own: scans of older ones do not count any more. Their rows stay."""
    keys = scene.opened.definition.stamped_keys
    for attachment in scene.opened.attachments:
        if attachment.key in keys:
            attachment.removed_at = now()


@effect
def tell_experts(scene: Scene) -> None:
    """A message to each expert."""
    for expert_id in scene.payload["experts"]:
        tell_account(
            scene.session, expert_id, "declaration_reminder", "有一件申报请您评审",
            f"{scene.opened.declaration.enterprise_name}的“{scene.opened.definition.title}”已分派给您，请在“我的待办”里评审。",
            f"/review/{scene.opened.declaration.public_id}/",
        )  # fmt: skip


@effect
def unassign(scene: Scene) -> None:
    """Take the declaration off an expert who has not handed in; what happened stands in the event."""
    assignment = scene.session.get_one(Assignment, scene.payload["open_assignment"])
    scene.session.delete(assignment)


@effect
def tell_unassigned(scene: Scene) -> None:
    """A message to the expert who need not do it any more."""
    tell_account(
        scene.session, scene.payload["unassigned"], "declaration_reminder", "有一件申报不用您评审了",
        f"{scene.opened.declaration.enterprise_name}的“{scene.opened.definition.title}”已收回分派，您不用再办。",
        "/todo/",
    )  # fmt: skip


@effect
def score(scene: Scene) -> None:
    """Store an expert's points and verdict."""
    payload = scene.payload
    assignment = scene.session.get_one(Assignment, payload["assignment_id"])
    assignment.done_at, assignment.verdict = now(), payload["verdict"]
    assignment.opinion, assignment.total = scene.opinion, sum(s["points"] for s in payload["scores"])
    for line in payload["scores"]:
        scene.session.add(Score(assignment_id=assignment.id, **line))


def write_opinion(scene: Scene) -> None:
    """Keep the decision's words as an opinion of the step, beside the event."""
    if scene.done.deed.by not in ("officer", "city"):
        return
    declaration = scene.opened.declaration
    scene.session.add(
        Opinion(
            declaration_id=declaration.id,
            step_key=scene.done.step.key if scene.done.step else "",
            verdict=scene.done.deed.action,
            text=scene.opinion,
            revision_no=scene.opened.revision.number if scene.opened.revision else 0,
            author_id=scene.opened.user.id,
            author_name=scene.opened.user.get_full_name(),
            created_at=now(),
        )
    )


def _tell(kind: str, title: str, body: str) -> Effect:
    def tell(scene: Scene) -> None:
        declaration = scene.opened.declaration
        names = {
            "title": scene.opened.definition.title,
            "serial": declaration.serial_no or "",
            "of_serial": f"（{declaration.serial_no}）" if declaration.serial_no else "",
            "opinion": scene.opinion,
            "step": scene.done.step.label if scene.done.step else "",
            "next": scene.opened.definition.step(declaration.step_key).label if declaration.step_key else "",
        }
        link = f"/declarations/{declaration.public_id}/"
        tell_enterprise(
            scene.session, declaration.enterprise_id, kind, title.format(**names), body.format(**names), link,
            declaration_id=declaration.id,
        )  # fmt: skip

    return tell


_tell_sent = _tell(
    "declaration_reminder",
    "{title}已提交，受理号 {serial}",
    "已转入“{next}”。办理结果会发到这里，您现在不用做什么。",
)
_tell_stamp_again = _tell(
    "declaration_reminder",
    "{title}（{serial}）已重新提交，要重新盖章",
    "申报内容改过了，原来的盖章材料作废。请到“我的待办”下载新一版，盖章扫描后上传。",
)


_tell_done = _tell("information_update", "{title}已提交，受理号 {serial}", "已经办结，您现在不用做什么。")


@effect
def tell_submitted(scene: Scene) -> None:
    """Where it is now; and what to do, if the enterprise itself is next."""
    step = current_step(scene.opened.definition, scene.opened.declaration)
    if step is None:
        _tell_done(scene)
        return
    again = scene.done.deed.action == "resubmit" and step.kind == "stamp"
    (_tell_stamp_again if again else _tell_sent)(scene)


_tell_listed = _tell("recognition_notice", "{title}（{serial}）已列入名单", "名单已在门户“公示”里公布。")
_tell_publicised = _tell(
    "recognition_notice", "{title}（{serial}）已列入公示名单", "名单正在门户“公示”里公示，公示期满没有异议再转下一步。"
)
_tell_onward = _tell("recognition_notice", "{title}（{serial}）已通过{step}", "已转入“{next}”，结果会发到这里。")


@effect
def tell_approved(scene: Scene) -> None:
    """On the list for good, publicised first, or approved with another step to come."""
    step = current_step(scene.opened.definition, scene.opened.declaration)
    if step is None:
        _tell_listed(scene)
    else:
        (_tell_publicised if step.kind == "publicity" else _tell_onward)(scene)


_tell_passed = _tell("recognition_notice", "{title}（{serial}）公示期满，没有异议", "{opinion}申报已通过。")


@effect
def tell_concluded(scene: Scene) -> None:
    """Publicity is over: approved, or what comes next."""
    step = current_step(scene.opened.definition, scene.opened.declaration)
    (_tell_passed if step is None else _tell_onward)(scene)


EFFECTS.update(
    tell_confirmed=_tell("recognition_notice", "{title}（{serial}）已通过{step}", "{opinion}请到“我的待办”看下一步。"),
    tell_returned=_tell(
        "declaration_reminder",
        "{title}（{serial}）被退回修改",
        "{step}退回：{opinion} 请到“我的待办”里修改后重新提交，已填的内容都在。",
    ),
    tell_stamp_returned=_tell(
        "declaration_reminder", "{title}（{serial}）的盖章材料要重新上传", "{opinion} 请到“我的待办”里重新上传扫描件。"
    ),
    tell_rejected=_tell("recognition_notice", "{title}（{serial}）未通过", "{step}结论为未通过。理由：{opinion}"),
    tell_stamped=_tell(
        "declaration_reminder", "{title}（{serial}）的盖章材料已提交", "已转入“{next}”，结果会发到这里。"
    ),
    tell_objection=_tell(
        "declaration_reminder",
        "{title}（{serial}）公示期间收到异议",
        "正在核查，结论会发到这里。需要您说明的，会与您联系。",
    ),
    tell_voided=_tell(
        "recognition_cancelled",
        "{title}{of_serial}已作废",
        "理由：{opinion} 有疑问请与办理单位联系。",
    ),
    tell_missed=_tell(
        "information_update", "{title}已逾期，草稿已关闭", "窗口已经关闭，这次没有提交。请与办理单位联系。"
    ),
)


def check_effects_exist(names: set[str]) -> None:
    """InvalidInput naming effects that nobody carries out; the contract test calls it with the table's names."""
    missing = names - EFFECTS.keys()
    if missing:
        raise InvalidInput(f"没有实现的效果：{', '.join(sorted(missing))}")
