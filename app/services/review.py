"""What a reviewer does with a submission: remarks on its fields, differences to the one before, the decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.definitions.comparison import Change, compare_contents
from app.definitions.evaluation import Evaluation, RowState, TableState
from app.definitions.schema import Check, Definition
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import Lookups, clean_text
from app.models import Account, Declaration, Opinion, Remark, Revision, StampedScan
from app.models.base import now
from app.models.review import WHOLE
from app.permissions import roles, rules
from app.services.declaration import Deeds, act
from app.services.opened import Opened
from app.services.privacy import unseal_content
from app.services.reference import lookups as names
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.route import steps_of

MAX_REMARK = 500
"""Longest remark, in characters."""
MAX_OPINION = 1000
"""Longest opinion, in characters."""
MAX_PHRASE = 120
"""Longest opinion that is offered again, in characters."""
RECENT = 40
"""How many of a person's newest opinions are looked through."""
MAX_REPLY = 300
"""Longest reply of the enterprise to a remark, in characters."""
DECISIONS = ("confirm", "return", "stamp_return", "reject", "approve", "send_back", "disapprove")


def remark(user: Account, public_id: str, path: str, text: str) -> Remark:
    """Write a draft remark on the answer at ``path`` (``*``: on the whole declaration) of the newest submission.

    Refused if the person's office is not in charge, NotFound if there is no such answer, InvalidInput for the text.
    """
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        label = target_labels(opened.submitted).get(path)
        if label is None:
            raise NotFound("申报里没有这一项，可能企业已经改过。请刷新页面再写批注。")
        if path != WHOLE:
            _require_review(opened)
        written = Remark(
            declaration_id=opened.declaration.id,
            path=path,
            label=label[:200],
            text=_checked(text, path),
            step_key=opened.declaration.step_key or "",
            revision_no=opened.revision.number if opened.revision else 0,
            author_id=user.id,
            author_name=user.get_full_name(),
            created_at=now(),
        )
        session.add(written)
        return written


def rewrite(user: Account, public_id: str, remark_id: int, text: str) -> Remark:
    """Change the text of a draft remark. Conflict once the enterprise has been told."""
    with unit_of_work() as session:
        found = _remark_of(_in_charge(session, public_id, user), remark_id)
        _require_draft(found)
        found.text, found.author_id, found.author_name = _checked(text, found.path), user.id, user.get_full_name()
        return found


def delete(user: Account, public_id: str, remark_id: int) -> str:
    """Take a draft remark away; returns its path. Conflict once the enterprise has been told."""
    with unit_of_work() as session:
        found = _remark_of(_in_charge(session, public_id, user), remark_id)
        _require_draft(found)
        session.delete(found)
        return found.path


def settle(user: Account, public_id: str, remark_id: int) -> Remark:
    """Mark an open remark as settled: the enterprise has answered it."""
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        found = _remark_of(opened, remark_id)
        _require_open(found, "不用再标为已解决")
        _settle(opened, found)
        return found


def settle_all(user: Account, public_id: str) -> int:
    """Mark every open remark as settled, but those that were found not to be; returns how many."""
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        number = _number_of(opened)
        waiting = [r for r in opened.remarks if r.state == "open" and r.kept_no != number]
        for found in waiting:
            _settle(opened, found)
        return len(waiting)


def keep(user: Account, public_id: str, remark_id: int) -> Remark:
    """Note that the newest submission has not answered an open remark: it goes back with the next return.

    Conflict if it is not open, or if nothing was submitted since it was written.
    """
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        found = _remark_of(opened, remark_id)
        _require_open(found, "不能标为仍有问题")
        number = _number_of(opened)
        if found.revision_no >= number:
            raise Conflict("企业还没有就这条批注重新提交过，不用标。请退回企业，改好后再看。")
        if found.kept_no != number:
            found.kept_no = number
            _record_remark(opened, found, "keep", "批注仍有问题")
        return found


def reply(user: Account, public_id: str, remark_id: int, text: str) -> None:
    """What the enterprise says to an open remark while the declaration is with it; empty text takes it back."""
    words = clean_text(text, multiline=True)
    if len(words) > MAX_REPLY:
        sentence = f"说明最多 {MAX_REPLY} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"reply": sentence})
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        if user.enterprise_id is None or declaration.enterprise_id != user.enterprise_id:
            raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
        opened = Opened(session, declaration, user)
        found = _remark_of(opened, remark_id)
        if declaration.status != "returned" or found.state != "open":
            raise Conflict("这条批注现在不用回复：申报已经重新提交，或者批注已经解决。")
        if (found.reply or "") == words:
            return
        found.reply, found.replied_at = words or None, now() if words else None
        _record_remark(opened, found, "reply", "回复批注" if words else "收回批注的回复")


def _settle(opened: Opened, found: Remark) -> None:
    found.state, found.settled_at = "settled", now()
    _record_remark(opened, found, "settle", "批注已解决")


def _record_remark(opened: Opened, found: Remark, action: str, label: str) -> None:
    data = {"path": found.path, "label": found.label}
    engine.record(
        opened.session, opened.declaration, opened.user, action=action, label=label,
        step_key=opened.declaration.step_key, data=data,
    )  # fmt: skip


def _require_open(found: Remark, refusal: str) -> None:
    if found.state != "open":
        raise Conflict(f"这条批注不是“待企业修改”的状态，{refusal}。请刷新页面看最新状态。")


def _number_of(opened: Opened) -> int:
    return opened.revision.number if opened.revision else 0


def _in_charge(session: Session, public_id: str, user: Account) -> Opened:
    """The locked declaration, if the user's office takes part in its route and it is still under way."""
    declaration = engine.lock(session, public_id)
    if not rules.can_see(user, declaration):
        raise NotFound("没有找到这件申报。")
    opened = Opened(session, declaration, user)
    levels = {s.level for s in steps_of(opened.definition, opened.params)}
    if not any(is_office(user, declaration, level) for level in levels):
        raise Refused("这件申报不归您的单位办理，不能写批注。")
    if declaration.status != "in_progress":
        raise Conflict("这件申报现在不在办理中，不能写批注或改批注。请刷新页面看最新状态。")
    return opened


def is_office(user: Account, declaration: Declaration, level: str) -> bool:
    """Whether ``user`` belongs to the office of ``level`` that is in charge of the declaration's region."""
    held = user.role_names & set(roles.OFFICERS)
    region = declaration.region_code
    return level in held and region is not None and user.region_code == roles.level_region(level, region)


def _require_review(opened: Opened) -> None:
    step = opened.step
    if step is None or step.kind != "review" or not is_office(opened.user, opened.declaration, step.level):
        raise Refused("这件申报现在不在您的审核步骤，不能给单项写批注。轮到您审核时再写。")


def _remark_of(opened: Opened, remark_id: int) -> Remark:
    statement = select(Remark).where(Remark.id == remark_id, Remark.declaration_id == opened.declaration.id)
    found = opened.session.scalars(statement).first()
    if found is None:
        raise NotFound("这条批注已经不在了，可能被同事删除了。请刷新页面。")
    return found


def _require_draft(found: Remark) -> None:
    if found.state != "draft":
        raise Conflict("这条批注已经发给企业，不能再改或删除。企业改好后，可以标为已解决。")


def _checked(text: str, path: str) -> str:
    cleaned = clean_text(text, multiline=True)
    if not cleaned:
        raise InvalidInput("批注还没写。请写明哪里要改、怎么改。", fields={"text": "请写明哪里要改、怎么改。"})
    # An opinion that came too late to be handed in is kept as a remark on the whole, in one piece.
    limit = MAX_OPINION if path == WHOLE else MAX_REMARK
    if len(cleaned) > limit:
        sentence = f"批注最多 {limit} 个字，现在是 {len(cleaned)} 个，请精简。"
        raise InvalidInput(sentence, fields={"text": sentence})
    return cleaned


def target_labels(evaluation: Evaluation) -> dict[str, str]:
    """Everything a remark can be about: path → label with its place. Fields, rows, tables, files and the whole."""
    labels = {WHOLE: "整件申报"}
    for section in evaluation.sections:
        if section.visible:
            labels |= {f.path: f.spec.label for f in section.fields if f.visible}
            for table in section.tables:
                if table.visible:
                    labels |= dict(_table_labels(table, ""))
    labels |= {f.path: f.spec.label for f in evaluation.files if f.spec.stage == "submit"}
    return labels


def _table_labels(table: TableState, place: str) -> Iterator[tuple[str, str]]:
    yield table.path, place + table.spec.label
    for row in table.rows:
        yield from _row_labels(row, place)


def _row_labels(row: RowState, place: str) -> Iterator[tuple[str, str]]:
    here = f"{place}{row.title}："
    yield row.path, place + row.title
    yield from ((f.path, here + f.spec.label) for f in row.fields.values() if f.visible)
    for nested in row.tables.values():
        yield from _table_labels(nested, here)


def diff(old: dict[str, Any], new: dict[str, Any], definition: Definition, lookups: Lookups = names) -> list[Change]:
    """Differences between two revisions' contents by path, as people read them."""
    return compare_contents(definition, unseal_content(definition, old), unseal_content(definition, new), lookups)


def previous_revision(opened: Opened) -> Revision | None:
    """The submission before the newest one, or None."""
    if opened.revision is None or opened.revision.number < 2:
        return None
    statement = select(Revision).where(
        Revision.declaration_id == opened.declaration.id, Revision.number == opened.revision.number - 1
    )
    return opened.session.scalars(statement).first()


def changes_since(opened: Opened, before: Revision | None) -> list[Change]:
    """What the newest submission changed against ``before``; empty without one."""
    if before is None or opened.revision is None:
        return []
    return diff(json.loads(before.content), json.loads(opened.revision.content), opened.definition)


def scans_of(opened: Opened) -> dict[int, StampedScan]:
    """What was found on stamped scans, by attachment id."""
    statement = select(StampedScan).where(StampedScan.declaration_id == opened.declaration.id)
    return {s.attachment_id: s for s in opened.session.scalars(statement).unique()}


def changed_by_hand(opened: Opened) -> set[str]:
    """Paths of the working answers and files that differ from the newest submission; none before the first."""
    if opened.revision is None:
        return set()
    old = unseal_content(opened.definition, json.loads(opened.revision.content))
    submitted = {k: v for k, v in opened.files.items() if k not in opened.definition.stamped_keys}
    new = {**opened.evaluation.content(), "attachments": submitted}
    return {change.path for change in compare_contents(opened.definition, old, new, names)}


def recent_opinions(user: Account) -> dict[str, list[str]]:
    """What this person wrote last, by deed: up to three different opinions each, newest first."""
    statement = (
        select(Opinion.verdict, Opinion.text)
        .where(Opinion.author_id == user.id, Opinion.text != "", func.length(Opinion.text) <= MAX_PHRASE)
        .order_by(Opinion.id.desc())
        .limit(RECENT)
    )
    found: dict[str, list[str]] = {}
    for verdict, text in db.session.execute(statement):
        texts = found.setdefault(verdict, [])
        if text not in texts and len(texts) < 3:
            texts.append(text)
    return found


def decide(
    user: Account,
    public_id: str,
    action: str,
    *,
    version: int,
    opinion: str,
    key: str | None,
    address: str | None = None,
    checks: Sequence[str] = (),
) -> Declaration:
    """Carry out a reviewer's decision; ``checks`` are the keys of the ticked points of the step's checklist.

    InvalidInput, Refused or Conflict say why not; nothing is changed then.
    """
    if action not in DECISIONS:
        raise InvalidInput("请先选一个结论，再提交。", fields={"action": "请先选一个结论。"})
    words = clean_text(opinion, multiline=True)
    if len(words) > MAX_OPINION:
        sentence = f"意见最多 {MAX_OPINION} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"opinion": sentence})
    if action == "approve" and is_listed(public_id):
        raise InvalidInput("列入名单要和同批企业一起公布。请到批次页选好企业，预览后公布名单。")
    payload = _ticked(public_id, checks)
    return act(user, public_id, action, Deeds(version, words, payload=payload, idempotency_key=key, address=address))


def _ticked(public_id: str, checks: Sequence[str]) -> dict[str, Any]:
    """The ticked points for the guard, and as the event keeps them: in words, which stay true when the list changes."""
    ticked = [c for c in _checklist(public_id) if c.key in checks]
    payload: dict[str, Any] = {"checks": [c.key for c in ticked]}
    return payload | ({"event": {"checks": [c.label for c in ticked]}} if ticked else {})


def every_check(public_id: str) -> dict[str, Any]:
    """What a deed carries when all points of the present step's checklist are ticked at once."""
    return _ticked(public_id, [c.key for c in _checklist(public_id)])


def _checklist(public_id: str) -> tuple[Check, ...]:
    declaration = _find(public_id)
    route = declaration.programme.definition.route if declaration is not None else ()
    return next((s.checklist for s in route if declaration is not None and s.key == declaration.step_key), ())


def is_listed(public_id: str) -> bool:
    """Whether an approval of this declaration means a place on a published list."""
    declaration = _find(public_id)
    outcome = declaration.programme.definition.outcome if declaration is not None else None
    return outcome is not None and outcome.kind == "list"


def _find(public_id: str) -> Declaration | None:
    return db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().first()
