"""检查并提交: every problem at once, the statement, the submission, and what is handed back for it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.definitions.evaluation import ATTACHMENTS, Problem
from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.models.base import new_public_id
from app.permissions import roles, rules
from app.services import declaration as declarations
from app.services.declaration import Deeds
from app.services.opened import Opened
from app.views.declaration_page import refusal_of_submission
from app.views.wizard import refused_at, writers
from app.views.wizard_frame import CHECK, frame, section_url
from app.views.wizard_page import anchor
from app.workflow.route import steps_of

blueprint = Blueprint("submission", __name__)

ACTIONS = ("submit", "resubmit")
_KEY = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True)
class Fix:
    """One line of the check page: what is wrong, and the way there."""

    text: str
    url: str
    verb: str
    name: str
    warn: bool


@dataclass
class FixGroup:
    """The lines of one section with the tag of its state."""

    label: str
    tag: str = ""
    tone: str = ""
    problems: list[Fix] = field(default_factory=list)


def checked_version(text: str | None) -> int:
    """The version that the page was made from. InvalidInput if the form does not tell."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(_("页面不完整，没有提交。请刷新后再试。"))
    return int(text)


def checked_key(text: str | None) -> str:
    """The page's idempotency key. InvalidInput if the form does not carry one."""
    if text is None or not _KEY.fullmatch(text):
        raise InvalidInput(_("页面不完整，没有提交。请刷新后再试。"))
    return text


@blueprint.get("/declarations/<uuid:id>/check")
@writers
def check(id: Any) -> Any:
    """All problems, all files, the statement, what happens next."""
    opened = declarations.load(str(id), current_user)
    if rules.refuse_edit(current_user, opened.declaration):
        return redirect(url_for("declaration.show", id=str(id)))
    if opened.declaration.status == "draft" and opened.definition.statement and not opened.declaration.statement_at:
        return redirect(url_for("declaration.statement", id=str(id)))
    return _check_page(opened)


def _check_page(opened: Opened, status: int = 200, refusal: str | None = None) -> Any:
    declaration, evaluation = opened.declaration, opened.evaluation
    option = next((o for o in opened.options() if o.deed.action in ACTIONS), None)
    other = [r for r in option.reasons if not evaluation.blocking or "处要改" not in r] if option else []
    refused = refusal_of_submission(opened)
    other += [refused] if refused else []
    warnings = len(evaluation.problems) - len(evaluation.blocking)
    page = render_template(
        "wizard/check.html",
        frame=frame(opened, CHECK),
        declaration=declaration,
        saved_at=declaration.saved_at,
        newer=not declaration.programme.current,
        remarks={},
        refusal=refusal,
        groups=fix_groups(opened),
        left=len(evaluation.blocking),
        warnings=warnings,
        hindrances=other,
        option=option,
        files=evaluation.files,
        attachments_url=section_url(declaration.public_id, ATTACHMENTS),
        definition=opened.definition,
        enterprise=declaration.enterprise_name or declaration.enterprise.name or _("本企业"),
        key=new_public_id(),
        after=after_words(opened),
        filled_for=rules.is_filling_for(current_user, declaration),
        basis=request.form.get("opinion", ""),
    )
    return page, status


def after_words(opened: Opened) -> list[str]:
    """What happens after the submission, in order."""
    steps = steps_of(opened.definition, opened.params)
    words = []
    if steps:
        office = "" if roles.LABELS.get(steps[0].level, "") in steps[0].label else roles.LABELS.get(steps[0].level, "")
        days = _("，一般 %(n)s 个工作日", n=steps[0].due_days) if steps[0].due_days else ""
        words.append(f"{office}{steps[0].label}{days}")
        words.append(_("出%(step)s意见之前可以撤回修改", step=steps[0].label))
    words.append(_("每一步的结果都发到“我的消息”"))
    return words


def fix_groups(opened: Opened) -> list[FixGroup]:
    """Problems by section: sections with refusals first, then those with something to look at, then the good ones."""
    evaluation = opened.evaluation
    groups: list[FixGroup] = []
    places = [(s.spec.key, s.spec.label) for s in evaluation.sections if s.visible]
    if any(f.spec.stage == "submit" for f in evaluation.files):
        places.append((ATTACHMENTS, opened.definition.attachments_label))
    for key, label in places:
        found = evaluation.of(key)
        group = FixGroup(label, problems=[_fix(opened, p) for p in found])
        group.tag, group.tone = _tag(found)
        groups.append(group)
    order = {"bad": 0, "warn": 1, "ok": 2}
    return sorted(groups, key=lambda g: order[g.tone])


def _tag(found: list[Problem]) -> tuple[str, str]:
    """How many things of one section are wrong, missing or worth a look, in words."""
    severities = Counter(p.severity for p in found)
    wrong, missing = severities["error"], severities["missing"]
    if wrong and missing:
        return _("%(a)s 处要改，%(b)s 项没填", a=wrong, b=missing), "bad"
    if wrong:
        return _("%(n)s 处要改", n=wrong), "bad"
    if missing:
        files = found[0].section == ATTACHMENTS
        return (_("%(n)s 份没传", n=missing) if files else _("%(n)s 项没填", n=missing)), "bad"
    return (_("%(n)s 处看一看", n=len(found)), "warn") if found else (_("没有问题"), "ok")


def _fix(opened: Opened, problem: Problem) -> Fix:
    public_id = opened.declaration.public_id
    if not problem.path:
        return Fix(
            problem.message, url_for("enterprise.index"), problem.verb, _("企业信息"), problem.severity == "warn"
        )
    more = {"fix": "1"}
    parts = problem.path.split("/")
    if len(parts) > 2:
        more["at"] = "/".join(parts[:2])
    url = f"{section_url(public_id, problem.section, **more)}#{anchor(opened, problem.path)}"
    return Fix(problem.message, url, problem.verb, problem.message, problem.severity == "warn")


@blueprint.post("/declarations/<uuid:id>/submit")
@writers
def submit(id: Any) -> Any:
    """Submit, or submit again after a return. The same page posted twice makes one submission."""
    public_id = str(id)
    action = request.form.get("action", "")
    try:
        if action not in ACTIONS:
            raise InvalidInput(_("页面不完整，没有提交。请刷新后再试。"))
        filled_for = declarations.is_filled_for(current_user, public_id)
        deeds = Deeds(
            version=checked_version(request.form.get("version")),
            opinion=request.form.get("opinion", "")[:500] if filled_for else "",
            statement=request.form.get("statement") == "yes",
            idempotency_key=checked_key(request.form.get("key")),
            address=request.remote_addr,
        )
        declarations.act(current_user, public_id, action, deeds)
    except NotFound:
        raise
    except DomainError as error:
        opened = declarations.reload(public_id, current_user)
        if rules.refuse_edit(current_user, opened.declaration):
            raise Conflict(_("这件申报已经提交过了，不用再交。进度请在“我的申报”里看。")) from error
        return refused_at(opened, error) or _check_page(opened, error.status, error.message)
    return redirect(url_for("review.show" if filled_for else "submission.receipt", id=public_id), 303)


@blueprint.get("/declarations/<uuid:id>/receipt")
@writers
def receipt(id: Any) -> Any:
    """What was handed in: serial number, time, digest, and what happens next."""
    opened = declarations.load(str(id), current_user)
    revision = opened.revision
    if revision is None:
        raise NotFound(_("这件申报还没有提交过，没有回执。请先检查并提交。"))
    return render_template(
        "declaration/receipt.html", opened=opened, declaration=opened.declaration, definition=opened.definition,
        revision=revision, digest=digest_words(revision.digest), after=after_words(opened),
    )  # fmt: skip


def digest_words(digest: str) -> str:
    """Short form of a SHA-256 for people: 16 signs in fours."""
    return " ".join(digest[i : i + 4].upper() for i in range(0, 16, 4))
