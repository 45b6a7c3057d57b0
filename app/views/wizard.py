"""Filling in: one page per section, saved field by field or as a whole, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from app.definitions.evaluation import ATTACHMENTS, FieldState
from app.errors import DomainError, InvalidInput, NotFound, Refused
from app.extensions import csrf
from app.fields.base import FieldSpec, Raw
from app.forms.builder import SectionForm, build_section_form
from app.permissions import roles, rules
from app.services import answers
from app.services import declaration as declarations
from app.services.opened import Opened
from app.views import wizard_kept
from app.views.errors import error_page
from app.views.guard import roles_required
from app.views.wizard_frame import CHECK, frame, section_problems, section_url
from app.views.wizard_page import Painter, View, identify
from app.views.wizard_parts import changed_parts

blueprint = Blueprint("wizard", __name__)

WRITERS = (roles.ENTERPRISE, roles.INDIVIDUAL)


def stands_in(id: Any = None, **_more: Any) -> bool:
    """Whether the person is an official who fills in this declaration on behalf of its enterprise."""
    return declarations.is_filled_for(current_user, str(id))


writers = roles_required(*WRITERS, also=stands_in)
"""Lets in enterprises and, at a draft that they began for one, officials."""


def _keep_expired(id: Any, section: str) -> Any:
    """A post without a login: what was typed waits in the session, the way leads through the sign-in page."""
    if not request.headers.get("HX-Request") and wizard_kept.comes_from_here():
        wizard_kept.keep(f"{id}/{section}")
        flash(_("登录已过期。您刚才写的内容还在，登录后会放回原处。"), "warning")
        return redirect(url_for("account.login", next=section_url(str(id), section)), 303)
    return None


def _turned_away(opened: Opened) -> Any:
    """Where a person goes who cannot fill in now: the statement first, or the page of the declaration."""
    public_id = opened.declaration.public_id
    if rules.refuse_edit(current_user, opened.declaration):
        return redirect(url_for("declaration.show", id=public_id))
    if opened.declaration.status == "draft" and opened.definition.statement and not opened.declaration.statement_at:
        return redirect(url_for("declaration.statement", id=public_id))
    return None


@blueprint.errorhandler(Refused)
def _refused(error: Refused) -> Any:
    """Whoever left the enterprise with a page still open gets back what was typed there, to copy it."""
    if not error.details.get("former"):
        return error_page(error.status, message=error.message)
    title, typed = _("您已不是这家企业的成员"), wizard_kept.typed_now()
    if not typed:
        return error_page(error.status, title, error.message)
    words = _("您刚写的内容没有保存，也没有丢。请复制后交给企业的同事。")
    return error_page(error.status, title, f"{error.message}{words}", typed=typed)


@blueprint.get("/declarations/<uuid:id>/sections/<section>")
@writers
def section(id: Any, section: str) -> Any:
    """One section to fill in."""
    opened = declarations.load(str(id), current_user)
    away = _turned_away(opened)
    if away is not None:
        return away
    kept = wizard_kept.kept(f"{id}/{section}")
    at, removed = request.args.get("at", ""), request.args.get("removed", "")
    if kept is None:
        return _page(opened, section, View(at=at, removed=removed, marking="fix" in request.args))
    form = _form(opened, section, kept)
    opened.lay_over(form.values())
    return _page(opened, section, View(bases=form.bases()), kept=True)


def _form(opened: Opened, section: str, posted: MultiDict[str, str]) -> SectionForm:
    try:
        state = opened.evaluation.section(section)
    except KeyError:
        raise NotFound(_("申报表里没有这一节。请从“我的申报”重新打开。")) from None
    questions = list(state.fields)
    for table in state.tables:
        for row in table.rows:
            questions += row.all_fields()
    return build_section_form(questions, posted)


def _page(
    opened: Opened, section: str, view: View, *, status: int = 200, note: str | None = None, kept: bool = False
) -> Any:
    """The page of ``section``; attachments have their own."""
    around = frame(opened, section)
    declaration = opened.declaration
    shared = {
        "frame": around,
        "declaration": declaration,
        "saved_at": declaration.saved_at,
        "refusal": note,
        "kept": kept,
        "newer": not declaration.programme.current,
    }
    painter = Painter(opened, view)
    if section == ATTACHMENTS:
        files = [f for f in opened.evaluation.files if f.spec.stage == "submit"]
        page = render_template(
            "wizard/attachments.html", files=files, remarks=painter.remarks, view=view,
            is_open=lambda path: rules.is_open_path(declaration, path), **shared,
        )  # fmt: skip
        return page, status
    state = opened.evaluation.section(section)
    page = render_template(
        "wizard/section.html",
        section=state.spec,
        questions=[painter.question(f) for f in state.fields],
        sheets=painter.sheets(state),
        problems=section_problems(opened, section),
        save_url=url_for("wizard.save_field", id=declaration.public_id, section=section),
        post_url=url_for("wizard.save_section", id=declaration.public_id, section=section),
        remarks=painter.remarks,
        **shared,
    )
    return page, status


# -- one field ---------------------------------------------------------------------------------------------------


@blueprint.post("/declarations/<uuid:id>/sections/<section>/field")
@writers
def save_field(id: Any, section: str) -> Any:
    """Save the field somebody just left; answers with the field and whatever else looks different now."""
    public_id = str(id)
    definition = declarations.load_own(public_id, current_user).definition
    path = next((k.removeprefix("base:") for k in request.form if k not in ("csrf_token", "deed")), "")
    spec = answers.spec_at(definition, path)
    bare = FieldState(spec, path)
    posted = build_section_form([bare], request.form)
    values = {path: posted.values().get(path, "" if not bare.readonly else None)}
    if request.form.get("deed") == f"theirs:{path}":
        values = {}
    try:
        saved, opened = answers.save_field(current_user, public_id, values, posted.bases())
    except DomainError as error:
        if error.status in (NotFound.status, Refused.status):
            raise
        if isinstance(error, answers.RowGone):
            return _gone_field(spec, path, values.get(path), posted.bases().get(path), error)
        return _refused_field(public_id, section, path, values, error)
    if path in saved.conflicts:
        opened.lay_over(values)
    view = View(conflicts=saved.conflicts, editors=saved.editors)
    parts = changed_parts(opened, section, path, view)
    status = 409 if saved.conflicts else 200
    return render_template("wizard/field.html", parts=parts, save_url=request.path, saved=status == 200), status


def _gone_field(spec: FieldSpec, path: str, typed: Raw, base: Raw, error: answers.RowGone) -> Any:
    """The text of a field whose row a colleague took away, with the button that brings the row back."""
    lines, bases = ([raw] if isinstance(raw, str) else raw or [] for raw in (typed, base))
    page = render_template("wizard/gone.html", spec=spec, path=path, lines=lines, bases=bases, error=error)
    return page, error.status


def _refused_field(public_id: str, section: str, path: str, values: Mapping[str, Raw], error: DomainError) -> Any:
    """The field as it was typed, with the reason why it is not saved."""
    opened = declarations.reload(public_id, current_user)
    stored = opened.evaluation.find(path)
    base = stored.raw if stored is not None else None
    opened.lay_over(values)
    view = View(errors={path: error.fields.get(path, error.message)}, bases={path: base})
    parts = changed_parts(opened, section, path, view, alone=True)
    status = 409 if error.status == 409 else 422
    return render_template("wizard/field.html", parts=parts, save_url=request.path, saved=False), status


# -- a whole section ---------------------------------------------------------------------------------------------


@blueprint.post("/declarations/<uuid:id>/sections/<section>")
@csrf.exempt
@roles_required(*WRITERS, on_expired=_keep_expired, also=stands_in)
def save_section(id: Any, section: str) -> Any:
    """Save every field of the section, then do what the button says."""
    public_id = str(id)
    if not wizard_kept.is_trusted():
        return _stale(public_id, section)
    opened = declarations.load_own(public_id, current_user)
    deed, __, target = request.form.get("deed", "save").partition(":")
    place = f"{id}/{section}"
    if deed == "forget":
        wizard_kept.forget(place)
        return redirect(section_url(public_id, section), 303)
    form = _form(opened, section, request.form)
    values, bases = form.values(), form.bases()
    if deed == "theirs":
        values.pop(target, None)
    try:
        saved = answers.save_answers(current_user, public_id, values, bases)
        if saved.conflicts:
            return _conflicting(public_id, section, values, saved)
        if deed == "restore":
            return redirect(_do(deed, target, public_id, section), 303)
        _require_rows(opened, form, place)
        wizard_kept.forget(place)
        return redirect(_do(deed, target, public_id, section), 303)
    except DomainError as error:
        return _refused_section(public_id, section, values, bases, error)


def _require_rows(opened: Opened, form: SectionForm, place: str) -> None:
    """RowGone if something was typed into a row that a colleague took away meanwhile; the post waits in the session
    until the row is back."""
    there = form.bases().keys()
    named = (k.removeprefix("base:") for k in request.form if k.startswith("base:"))
    strange = [FieldState(answers.spec_at(opened.definition, p), p) for p in named if p not in there and "/" in p]
    lost = build_section_form(strange, request.form)
    bases = lost.bases()
    typed = [path for path, raw in lost.values().items() if (raw or "") != (bases.get(path) or "")]
    if not typed:
        return
    try:
        answers.require_rows(current_user, opened.declaration.public_id, {_row_of(path) for path in typed})
    except answers.RowGone:
        wizard_kept.keep(place)
        raise


def _stale(public_id: str, section: str) -> Any:
    """The page is older than the login: what was typed is put back, to be saved once more."""
    if not wizard_kept.comes_from_here():
        csrf.protect()
    wizard_kept.keep(f"{public_id}/{section}")
    return redirect(section_url(public_id, section), 303)


def _conflicting(public_id: str, section: str, values: Mapping[str, Raw], saved: answers.Saved) -> Any:
    """The section with both texts where somebody else was first; everything else is saved."""
    opened = declarations.reload(public_id, current_user)
    conflicts = saved.conflicts
    opened.lay_over({path: values[path] for path in conflicts})
    note = _("有 %(n)s 项刚在别处改过，没有覆盖。请在下面选留哪一个，其他内容都已保存。", n=len(conflicts))
    view = View(conflicts=conflicts, editors=saved.editors, at=_row_of(next(iter(conflicts))))
    return _page(opened, section, view, status=409, note=note)


def _refused_section(
    public_id: str, section: str, values: Mapping[str, Raw], bases: Mapping[str, Raw], error: DomainError
) -> Any:
    """The section as it was typed, with the reason why the deed was not done."""
    opened = declarations.reload(public_id, current_user)
    if opened.declaration.status not in ("draft", "returned"):
        raise error
    if isinstance(error, answers.RowGone):
        return _page(opened, section, View(removed=error.row, at=_row_of(error.row)), status=409, note=error.message)
    opened.lay_over(values)
    view = View(bases=bases, errors=error.fields, at=_row_of(next(iter(error.fields), "")))
    return _page(opened, section, view, status=error.status, note=error.message)


def refused_at(opened: Opened, error: DomainError) -> Any:
    """The section with the field that a submission was refused for, the sentence beside it; None if it names none."""
    path = next(iter(error.fields), "")
    section = next((s.key for s, f in opened.definition.fields() if f.key == path), None)
    if section is None:
        return None
    return _page(opened, section, View(errors=error.fields), status=error.status, note=error.message)


def _row_of(path: str) -> str:
    return "/".join(path.split("/")[:-1])


def _do(deed: str, target: str, public_id: str, section: str) -> str:
    """Do what the button says after everything is saved; returns where to go."""
    if deed in ROW_DEEDS:
        return ROW_DEEDS[deed](public_id, section, target)
    if deed in ("next", "previous"):
        around = frame(declarations.reload(public_id, current_user), section)
        stop = around.next if deed == "next" else around.previous
        return stop.url if stop else section_url(public_id, section)
    if deed == CHECK:
        return section_url(public_id, CHECK)
    if deed == "preview":
        return url_for("declaration.preview", id=public_id)
    if deed not in ("save", "mine", "theirs"):
        raise InvalidInput(_("不认识这个按钮，内容已经保存。请刷新页面后再操作。"))
    path = _row_of(target)
    return section_url(public_id, section, **({"at": path} if path else {}))


def _to_row(public_id: str, section: str, path: str) -> str:
    return f"{section_url(public_id, section, at=path)}#row-{quote(identify(path))}"


def _add(public_id: str, section: str, target: str) -> str:
    parts = target.split("/")
    parent = parts[-2] if len(parts) == 3 else None
    path = answers.add_row(current_user, public_id, parts[-1], parent)
    return _to_row(public_id, section, path)


def _copy(public_id: str, section: str, target: str) -> str:
    return _to_row(public_id, section, answers.copy_row(current_user, public_id, target))


def _move(step: int) -> Callable[[str, str, str], str]:
    def move(public_id: str, section: str, target: str) -> str:
        answers.move_row(current_user, public_id, target, step)
        return _to_row(public_id, section, target)

    return move


def _remove(public_id: str, section: str, target: str) -> str:
    answers.remove_row(current_user, public_id, target)
    parts = target.split("/")
    more = {"removed": target} | ({"at": "/".join(parts[:2])} if len(parts) == 4 else {})
    return f"{section_url(public_id, section, **more)}#table-{quote(identify('/'.join(parts[:-1])))}"


def _restore(public_id: str, section: str, target: str) -> str:
    parts = target.split("/")
    if len(parts) not in (2, 4):
        raise NotFound(_("没有可以恢复的内容了。"))
    return _to_row(public_id, section, answers.restore_row(current_user, public_id, parts[-2], parts[-1]))


ROW_DEEDS: dict[str, Callable[[str, str, str], str]] = {
    "add": _add,
    "copy": _copy,
    "remove": _remove,
    "restore": _restore,
    "up": _move(-1),
    "down": _move(1),
}
