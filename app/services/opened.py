"""Loads a declaration with everything a page, a guard or a document needs, in a fixed number of statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.answers import Answers, Row, from_content
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition, Step
from app.errors import NotFound
from app.fields.base import Raw
from app.models import (
    Account,
    AnswerRow,
    Assignment,
    Attachment,
    Declaration,
    Event,
    Remark,
    Revision,
)
from app.models.base import now
from app.permissions import rules
from app.services.facts import enterprise_facts
from app.services.privacy import change_values, sensitive_keys, unseal, unseal_content
from app.services.reference import lookups
from app.workflow import engine
from app.workflow.calendar import local_date
from app.workflow.guards import Case


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
        return engine.current_step(self.definition, self.declaration)

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
    def writing(self) -> bool:
        """Whether ``user`` is of the enterprise that is filling it in now. Working answers are theirs alone."""
        declaration = self.declaration
        own = self.user.enterprise_id is not None and self.user.enterprise_id == declaration.enterprise_id
        return own and (declaration.status in ("draft", "returned") or self.revision is None)

    def evaluate_revision(self, revision: Revision) -> Evaluation:
        """Any revision, judged with its own content, definition and facts of that day."""
        content = json.loads(revision.content)
        if revision.programme_id == self.declaration.programme_id:
            definition = self.definition
        else:
            from_version = self.session.get_one(type(self.declaration.programme), revision.programme_id)
            definition = registry.resolve(from_version.definition, content["params"])
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

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"stamped": self._after_stamp()}
        if self.declaration.status in ("draft", "returned"):
            facts["problems"] = len(self.evaluation.blocking)
        if self.step is not None and self.step.kind == "review":
            facts["open_remarks"] = self._count_open_remarks()
            facts["acted_on"] = self._acted_on()
        if self.step is not None and self.step.kind == "stamp":
            facts["scans"] = sum(len(f) for k, f in self.files.items() if k in self.definition.stamped_keys)
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
        for step in engine.steps_of(self.definition, self.params):
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
        return engine.available(self.case({"statement": True}), assigned=self.assigned)


def open_declaration(session: Session, public_id: str, user: Account) -> Opened:
    """The declaration if ``user`` may see it; NotFound otherwise, so that foreign ids tell nothing."""
    declaration = session.execute(
        select(Declaration).where(Declaration.public_id == public_id)
    ).unique().scalar_one_or_none()  # fmt: skip
    if declaration is None:
        raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
    opened = Opened(session, declaration, user)
    if not rules.can_see(user, declaration, opened.assignments if "expert" in user.role_names else []):
        raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
    return opened
