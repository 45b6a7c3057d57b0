"""更正: an official with the right changes answers of a filed declaration: a new revision with its reason, nothing else.

The state of the declaration stays. What is judged are the facts of the day of filing; computed answers follow. Problems
that the correction itself brings are told; a broken condition may be kept knowingly (``override``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.definitions.answers import from_content
from app.definitions.evaluation import Evaluation, FieldState, evaluate
from app.definitions.schema import Definition
from app.errors import Conflict, InvalidInput
from app.extensions import db
from app.fields.base import FieldSpec, Raw
from app.models import Account, AnswerRow, Declaration, Enterprise, Revision
from app.models.base import now
from app.services.announcement import announce
from app.services.effects import canonical
from app.services.message import tell_enterprise
from app.services.opened import Opened
from app.services.privacy import SENSITIVE, seal_content, unseal_content
from app.services.projection import project
from app.services.reference import lookups
from app.services.unit_of_work import unit_of_work
from app.services.void import reason_of, require_care
from app.workflow import engine

FILED = ("in_progress", "approved", "rejected")
"""States in which a declaration is the offices' business; in the others the enterprise changes it itself."""
LONGEST = 20_000
LOCKED = ("credit_code", "region_code")
"""Facts of a certification that decide who is who and whose office it is: they are certified anew, never corrected."""


@dataclass(frozen=True)
class Change:
    """One answer before and after, as people read it. ``given``: the official typed it; else it follows."""

    path: str
    label: str
    before: str
    after: str
    given: bool

    @property
    def words(self) -> str:
        """``营业收入：1 万元 改为 2 万元``."""
        return f"{self.label}：{self.before or '（空）'} 改为 {self.after or '（空）'}"


@dataclass
class Trial:
    """What a correction would do: nothing is stored. ``typed``: path → text as typed."""

    opened: Opened
    revision: Revision
    typed: Mapping[str, Raw] = field(default_factory=dict)

    @cached_property
    def content(self) -> dict[str, Any]:
        """The record as it stands."""
        found: dict[str, Any] = json.loads(self.revision.content)
        return found

    @cached_property
    def definition(self) -> Definition:
        """The version that the record answers."""
        return self.opened.definition_of(self.revision)

    @cached_property
    def before(self) -> Evaluation:
        """The record, judged as a correction is judged."""
        return self._judged({})

    @cached_property
    def after(self) -> Evaluation:
        """The record with what was typed."""
        return self._judged(self.typed)

    def _judged(self, typed: Mapping[str, Raw]) -> Evaluation:
        answers = from_content(self.definition, unseal_content(self.definition, self.content))
        rows = {row.id: row for row in answers.rows}
        for path, raw in typed.items():
            parts = path.split("/")
            if len(parts) == 1:
                answers.main[path] = raw
            elif parts[-2] in rows:
                rows[parts[-2]].values[parts[-1]] = raw
        return evaluate(
            self.definition,
            answers,
            lookups=lookups,
            enterprise=self.content["enterprise"],
            params=self.content["params"],
            today=self.content["today"],
            files=self.content["attachments"],
        )

    @cached_property
    def changes(self) -> list[Change]:
        """Every answer that reads differently, in the order of the form."""
        old = {f.path: f for f in self.before.all_fields() if f.visible}
        new = {f.path: f for f in self.after.all_fields() if f.visible}
        found = []
        for path in [*new, *(p for p in old if p not in new)]:
            was, is_now = old.get(path), new.get(path)
            if (was and (was.value, was.text)) != (is_now and (is_now.value, is_now.text)):
                found.append(_change(path, was, is_now, given=path in self.typed))
        return found

    @cached_property
    def mistakes(self) -> dict[str, str]:
        """What the correction brings that no record may hold: path → sentence."""
        return {p.path: p.message for p in self._new() if not self._is_condition(p.message)}

    @cached_property
    def broken(self) -> list[str]:
        """Conditions that the correction breaks, in sentences; they can be overridden."""
        return [p.message for p in self._new() if self._is_condition(p.message)]

    def _new(self) -> list[Any]:
        standing = {(p.path, p.message) for p in self.before.blocking}
        return [p for p in self.after.blocking if (p.path, p.message) not in standing]

    def _is_condition(self, message: str) -> bool:
        return any(f.result is False and f.message in message for f in self.after.findings)


def _change(path: str, was: FieldState | None, is_now: FieldState | None, *, given: bool) -> Change:
    shown = is_now or was
    assert shown is not None
    texts = ["" if s is None else s.spec.with_unit(s.text) for s in (was, is_now)]
    return Change(path, shown.spec.plain_label, texts[0], texts[1], given)


def is_correctable(definition: Definition, spec: FieldSpec) -> bool:
    """Whether officials may correct this answer: people typed it, and nothing else hangs on who it names."""
    if spec.readonly or spec.computed or spec.fixed is not None or spec.type in SENSITIVE:
        return False
    return not (definition.kind == "certification" and definition.profile_map.get(spec.key) in LOCKED)


def try_correction(user: Account, public_id: str, typed: Mapping[str, Raw]) -> Trial:
    """What correcting would do, for the form and for the preview. The refusals of ``correct`` for who and when."""
    declaration = db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().one()
    return _trial(db.session(), user, declaration, typed)


def correct(
    user: Account,
    public_id: str,
    typed: Mapping[str, Raw],
    reason: str,
    *,
    version: int,
    override: bool = False,
    address: str | None = None,
) -> Revision:
    """Write a revision in which ``typed`` (path → text) replaces the answers; returns it.

    NotFound (out of scope), Refused (no door), Conflict (changed since ``version``, or not filed), InvalidInput: no
    reason, nothing that changes, an answer that cannot be corrected, or what the correction would break.
    """
    words = reason_of(reason)
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        trial = _trial(session, user, declaration, typed)
        engine.check_version(session, declaration, version)
        _check(trial, override)
        return _write(session, trial, words, address)


def _trial(session: Session, user: Account, declaration: Declaration, typed: Mapping[str, Raw]) -> Trial:
    require_care(user, declaration, "correct")
    opened = Opened(session, declaration, user)
    if declaration.status not in FILED or opened.revision is None:
        raise Conflict("这件申报现在由企业填写，或者已经结束，不能更正。请刷新看最新状态。", declaration=declaration)
    trial = Trial(opened, opened.revision, typed)
    known = {f.path: f.spec for s in trial.before.sections for f in s.all_fields()}
    for path, raw in typed.items():
        _check_path(trial.definition, known.get(path), path, raw)
    return trial


def _check_path(definition: Definition, spec: FieldSpec | None, path: str, raw: Raw) -> None:
    if spec is None:
        raise InvalidInput("申报表里没有要更正的这一项，什么都没有改。请刷新页面。")
    if not is_correctable(definition, spec):
        sentence = f"“{spec.label}”不能更正：它是自动带出的，或者要由企业重新办理。"
        raise InvalidInput(sentence, fields={path: sentence})
    if len(raw if isinstance(raw, str) else "".join(raw or [])) > LONGEST:
        sentence = f"“{spec.label}”太长，最多 {LONGEST} 个字符。"
        raise InvalidInput(sentence, fields={path: sentence})


def _check(trial: Trial, override: bool) -> None:
    if not trial.changes:
        raise InvalidInput("没有要更正的内容。请改好一项以后再保存。")
    if trial.mistakes:
        raise InvalidInput("更正后的内容有问题：" + "；".join(trial.mistakes.values()), fields=trial.mistakes)
    if trial.broken and not override:
        raise InvalidInput(
            f"更正后不再符合条件：{'；'.join(trial.broken)}。确实要这样更正，请勾选“仍然更正”。",
            fields={"override": "请勾选“仍然更正”，或改回原来的内容。"},
        )


def _write(session: Session, trial: Trial, reason: str, address: str | None) -> Revision:
    opened, declaration = trial.opened, trial.opened.declaration
    content = {**trial.content, **seal_content(trial.definition, trial.after.content())}
    text = canonical(content)
    revision = Revision(
        declaration_id=declaration.id,
        number=trial.revision.number + 1,
        programme_id=trial.revision.programme_id,
        content=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        created_at=now(),
        created_by=opened.user.id,
        reason=reason,
    )
    session.add(revision)
    project(session, trial.definition, declaration.id, revision.number, json.loads(text))
    _follow_in_answers(session, trial)
    _follow_in_profile(session, trial)
    _tell(session, trial, revision, reason, address)
    return revision


def _follow_in_answers(session: Session, trial: Trial) -> None:
    """The working answers follow, so that a later return does not bring the old ones back."""
    rows = session.scalars(
        select(AnswerRow).where(AnswerRow.declaration_id == trial.opened.declaration.id).with_for_update()
    ).all()
    main = {row.table_key: row for row in rows if row.table_key == ""}
    by_id = {row.row_id: row for row in rows if row.table_key != ""}
    for path, raw in trial.typed.items():
        *place, key = path.split("/")
        row = by_id.get(place[-1]) if place else main.get("")
        if row is not None:
            row.values = {**row.values, key: raw}
            row.version += 1


def _follow_in_profile(session: Session, trial: Trial) -> None:
    """What fills the enterprise's profile follows there, if nothing newer has filled it since."""
    definition, declaration = trial.definition, trial.opened.declaration
    given = definition.outcome
    if given is None or given.kind != "profile":
        return
    enterprise = session.get_one(Enterprise, declaration.enterprise_id)
    current = declaration.status == "approved" and not _is_overtaken(session, declaration)
    for change in trial.changes:
        attribute = definition.profile_map.get(change.path)
        state = trial.after.find(change.path)
        if attribute is None or state is None:
            continue
        if attribute == "name":
            declaration.enterprise_name = state.text
        if current:
            setattr(enterprise, attribute, state.value)
            enterprise.version += 1


def _is_overtaken(session: Session, declaration: Declaration) -> bool:
    """Whether another declaration that fills the profile was approved after this one."""
    later = session.scalars(
        select(Declaration).where(
            Declaration.enterprise_id == declaration.enterprise_id,
            Declaration.status == "approved",
            Declaration.id != declaration.id,
            Declaration.decided_at > declaration.decided_at,
        )
    ).unique()
    outcomes = (d.programme.definition.outcome for d in later)
    return any(outcome is not None and outcome.kind == "profile" for outcome in outcomes)


def _tell(session: Session, trial: Trial, revision: Revision, reason: str, address: str | None) -> None:
    opened, declaration = trial.opened, trial.opened.declaration
    changes = [change.words for change in trial.changes]
    declaration.version += 1
    data: dict[str, Any] = {"corrected": changes}
    if trial.broken:
        data["kept_although"] = trial.broken
    event = engine.record(
        session, declaration, opened.user, action="correct", label="更正", step_key=declaration.step_key,
        from_status=declaration.status, opinion=reason, data=data, address=address,
    )  # fmt: skip
    event.revision_no = revision.number
    session.flush()
    tell_enterprise(
        session, declaration.enterprise_id, "information_update", f"{trial.definition.title}（{declaration.serial_no}）已更正",
        f"理由：{reason} 更正内容：{'；'.join(changes)}。有疑问请与办理单位联系。", f"/declarations/{declaration.public_id}/",
    )  # fmt: skip
    announce(session, opened, event)
