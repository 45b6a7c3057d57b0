"""Loads a declaration with everything a page, a guard or a document needs, in a fixed number of statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.answers import Answers, Row, from_content
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition, Step
from app.errors import NotFound, Refused
from app.fields.base import Raw
from app.models import (
    Account,
    AnswerRow,
    Assignment,
    Attachment,
    Declaration,
    Event,
    Invitation,
    PublicList,
    PublicListEntry,
    Remark,
    Revision,
)
from app.models.base import now
from app.permissions import rules
from app.services import holding
from app.services.facts import enterprise_facts
from app.services.privacy import change_values, sensitive_keys, unseal, unseal_content
from app.services.reference import lookups
from app.workflow import engine
from app.workflow.calendar import end_of, local_date
from app.workflow.guards import Case
from app.workflow.route import current_step, steps_of


@dataclass
class Opened:
    """A declaration as ``user`` sees it. Parts are read when they are first asked for."""

    session: Session
    declaration: Declaration
    user: Account

    @cached_property
    def params(self) -> dict[str, Any]:
        """Parameters of the batch."""
        return registry.parameters_of(self.declaration.programme.definition, self.declaration.batch.parameters)

    @cached_property
    def definition(self) -> Definition:
        """The definition version it is written on, texts filled with the batch's parameters."""
        return registry.resolve(self.declaration.programme.definition, self.params)

    @cached_property
    def step(self) -> Step | None:
        """The step it is in."""
        return current_step(self.definition, self.declaration)

    @cached_property
    def rows(self) -> list[AnswerRow]:
        """All living answer rows."""
        statement = (
            select(AnswerRow)
            .where(AnswerRow.declaration_id == self.declaration.id, AnswerRow.removed_at.is_(None))
            .order_by(AnswerRow.table_key, AnswerRow.position, AnswerRow.id)
        )
        return list(self.session.scalars(statement))

    @cached_property
    def answers(self) -> Answers:
        """Working answers."""
        answers, sensitive = Answers(), sensitive_keys(self.definition)
        for row in self.rows:
            values = change_values(sensitive.get(row.table_key, {}), row.values, unseal)
            if row.table_key == "":
                answers.main = values
            else:
                answers.rows.append(Row(row.row_id, row.table_key, row.parent_row_id, row.position, values))
        return answers

    def lay_over(self, typed: Mapping[str, Raw]) -> None:
        """Put unsaved texts over the stored ones (path → text), before anything is judged. Unknown rows are left out."""
        rows = {row.id: row for row in self.answers.rows}
        for path, raw in typed.items():
            parts = path.split("/")
            if len(parts) == 1:
                self.answers.main[path] = raw
            elif parts[-2] in rows:
                rows[parts[-2]].values[parts[-1]] = raw
        self.__dict__.pop("evaluation", None)

    @cached_property
    def attachments(self) -> list[Attachment]:
        """Files that are there now."""
        statement = (
            select(Attachment)
            .where(Attachment.declaration_id == self.declaration.id, Attachment.removed_at.is_(None))
            .order_by(Attachment.id)
        )
        return list(self.session.scalars(statement).unique())

    @cached_property
    def files(self) -> dict[str, list[dict[str, Any]]]:
        """Attachments by key, as the evaluation and documents read them."""
        files: dict[str, list[dict[str, Any]]] = {}
        for a in self.attachments:
            files.setdefault(a.key, []).append(
                {"id": a.public_id, "name": a.filename, "size": a.size, "pages": a.pages, "sha256": a.sha256,
                 "type": a.content_type, "at": a.created_at}
            )  # fmt: skip
        return files

    @cached_property
    def evaluation(self) -> Evaluation:
        """Working answers, judged now."""
        return evaluate(
            self.definition,
            self.answers,
            lookups=lookups,
            enterprise=enterprise_facts(self.declaration.enterprise),
            params=self.params,
            today=local_date(now()).isoformat(),
            files=self.files,
        )

    @cached_property
    def revision(self) -> Revision | None:
        """The newest submission."""
        return self.session.scalars(
            select(Revision)
            .where(Revision.declaration_id == self.declaration.id)
            .order_by(Revision.number.desc())
            .limit(1)
        ).first()

    @cached_property
    def submitted(self) -> Evaluation:
        """The newest submission, judged as it stands. NotFound if nothing was submitted."""
        if self.revision is None:
            raise NotFound("这件申报还没有提交过。")
        return self.evaluate_revision(self.revision)

    @property
    def shown(self) -> Evaluation:
        """What ``user`` may read: the enterprise its working answers while it writes, everyone else what was submitted."""
        return self.evaluation if self.writing else self.submitted

    @property
    def own(self) -> bool:
        """Whether ``user`` is of the enterprise whose declaration it is."""
        return rules.is_own(self.user, self.declaration)

    @property
    def filled_for(self) -> bool:
        """Whether ``user`` is the official who fills it in on behalf of the enterprise."""
        return rules.is_filling_for(self.user, self.declaration)

    @property
    def writing(self) -> bool:
        """Whether ``user`` is of the enterprise that is filling it in now. Working answers are theirs alone."""
        return self.own and (self.declaration.status in ("draft", "returned") or self.revision is None)

    def evaluate_revision(self, revision: Revision) -> Evaluation:
        """Any revision, judged with its own content, definition and facts of that day."""
        content = json.loads(revision.content)
        definition = self.definition_of(revision)
        return evaluate(
            definition,
            from_content(definition, unseal_content(definition, content)),
            lookups=lookups,
            enterprise=content["enterprise"],
            params=content["params"],
            today=content["today"],
            files=content["attachments"],
            frozen=True,
        )

    def definition_of(self, revision: Revision) -> Definition:
        """The definition version that ``revision`` answers, texts filled with the parameters of that day."""
        if revision.programme_id == self.declaration.programme_id:
            return self.definition
        from_version = self.session.get_one(type(self.declaration.programme), revision.programme_id)
        return registry.resolve(from_version.definition, json.loads(revision.content)["params"])

    @cached_property
    def events(self) -> list[Event]:
        """History, newest first."""
        statement = select(Event).where(Event.declaration_id == self.declaration.id).order_by(Event.id.desc())
        return list(self.session.scalars(statement))

    @cached_property
    def remarks(self) -> list[Remark]:
        """Remarks of all rounds, oldest first."""
        statement = select(Remark).where(Remark.declaration_id == self.declaration.id).order_by(Remark.id)
        return list(self.session.scalars(statement))

    @cached_property
    def assignments(self) -> list[Assignment]:
        """Experts of all steps."""
        statement = select(Assignment).where(Assignment.declaration_id == self.declaration.id).order_by(Assignment.id)
        return list(self.session.scalars(statement).unique())

    def case(self, facts: Mapping[str, Any] | None = None, opinion: str = "") -> Case:
        """What guards look at; ``facts`` adds to the standing ones."""
        return Case(
            self.declaration,
            self.definition,
            self.params,
            self.step,
            self.user,
            now(),
            opinion,
            {**self._facts(), **(facts or {})},
        )

    @cached_property
    def claimant(self) -> str | None:
        """Name of the colleague who is at work on it; None if nobody is, or ``user`` themselves."""
        key = self.declaration.claimed_by
        if key is None or key == self.user.id:
            return None
        found = self.session.get(Account, key)
        return found.get_full_name() if found is not None else None

    @cached_property
    def publicity(self) -> PublicList | None:
        """The 公示 in which it stands, or stood last."""
        statement = (
            select(PublicList)
            .join(PublicListEntry, PublicListEntry.list_id == PublicList.id)
            .where(PublicListEntry.declaration_id == self.declaration.id, PublicList.kind == "publicity")
        )
        return self.session.scalars(statement.order_by(PublicList.id.desc()).limit(1)).unique().first()

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"stamped": self._after_stamp(), "claimant": self.claimant}
        if self.declaration.status in ("draft", "returned"):
            facts["problems"] = len(self.evaluation.blocking)
        if self.declaration.status == "draft":
            facts |= holding.facts_of(self.session, self.declaration, self.definition)
        if self.step is not None and self.step.kind in _FACTS_OF_STEP:
            facts |= _FACTS_OF_STEP[self.step.kind](self, self.step)
        return facts

    def _count_open_remarks(self) -> int:
        return self.session.scalar(
            select(func.count()).where(
                Remark.declaration_id == self.declaration.id, Remark.state.in_(("draft", "open"))
            )
        ) or 0  # fmt: skip

    def _acted_on(self) -> str | None:
        """Name of the officer who did anything since the newest submission."""
        for event in self.events:
            if event.action in ("submit", "resubmit"):
                return None
            if event.actor_role not in ("enterprise", "system"):
                return event.actor_name
        return None

    def _after_stamp(self) -> bool:
        for step in steps_of(self.definition, self.params):
            if step.key == self.declaration.step_key:
                return False
            if step.kind == "stamp":
                return True
        return False

    @property
    def assigned(self) -> bool:
        """Whether the user is an expert who still owes a score here."""
        return any(
            a.expert_id == self.user.id and a.done_at is None and a.step_key == self.declaration.step_key
            for a in self.assignments
        )

    def options(self) -> list[engine.Option]:
        """The deeds of this person here, for buttons."""
        # What a person ticks on the page itself is no reason to hide the button.
        ticked = [c.key for c in self.step.checklist] if self.step is not None else []
        return engine.available(self.case({"statement": True, "checks": ticked}), assigned=self.assigned)


def _review_facts(opened: Opened, _step: Step) -> dict[str, Any]:
    return {"open_remarks": opened._count_open_remarks(), "acted_on": opened._acted_on()}


def _stamp_facts(opened: Opened, step: Step) -> dict[str, Any]:
    return {"scans": sum(len(opened.files.get(a.key, ())) for a in opened.definition.papers_at(step.key))}


def _expert_facts(opened: Opened, step: Step) -> dict[str, Any]:
    return {"asked": [a.expert_id for a in opened.assignments if a.step_key == step.key]}


def _publicity_facts(opened: Opened, _step: Step) -> dict[str, Any]:
    public = opened.publicity
    if public is None or public.closes_on is None:
        return {}
    return {
        "publicity_opens": public.opens_on,
        "publicity_closes": public.closes_on,
        "publicity_ends": end_of(public.closes_on),
    }


_FACTS_OF_STEP: dict[str, Callable[[Opened, Step], dict[str, Any]]] = {
    "review": _review_facts,
    "stamp": _stamp_facts,
    "expert": _expert_facts,
    "publicity": _publicity_facts,
}
"""What guards want to know at a step of each kind."""


def open_declaration(session: Session, public_id: str, user: Account) -> Opened:
    """The declaration if ``user`` may see it; NotFound otherwise, so that foreign ids tell nothing. Refused for people
    who filled it in until they left the enterprise."""
    declaration = session.execute(
        select(Declaration).where(Declaration.public_id == public_id)
    ).unique().scalar_one_or_none()  # fmt: skip
    if declaration is None:
        raise unseen(session, user, None)
    opened = Opened(session, declaration, user)
    if not rules.can_see(user, declaration, opened.assignments if "expert" in user.role_names else []):
        raise unseen(session, user, declaration)
    return opened


def unseen(session: Session, user: Account, declaration: Declaration | None) -> NotFound | Refused:
    """What somebody is told who may not see ``declaration``: nothing, unless they were a member of the enterprise."""
    if declaration is not None and _was_member(session, user, declaration.enterprise_id):
        name = declaration.enterprise_name or declaration.enterprise.name or "这家企业"
        return Refused(f"您已不是“{name}”的成员，不能再看和填这件申报。", former=True)
    return NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")


def _was_member(session: Session, user: Account, enterprise_id: int) -> bool:
    if user.enterprise_id == enterprise_id:
        return False
    statement = select(Invitation.id).where(
        Invitation.account_id == user.id, Invitation.enterprise_id == enterprise_id, Invitation.state == "ended"
    )
    return session.scalar(statement.limit(1)) is not None
