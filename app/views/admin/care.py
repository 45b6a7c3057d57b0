"""代填, 更正 and 作废 in the grids of declarations: pages in front of services that demand a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.definitions.states import Evaluation, FieldState, RowState
from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.fields.base import Raw
from app.forms.builder import BASE, build_section_form
from app.models import Account, Declaration
from app.permissions import roles, rules
from app.services import correction, on_behalf
from app.services.correction import FILED, Trial
from app.services.permission import has_door
from app.services.void import require_care, void_declaration
from app.views.admin.base import Buttons, SafeModelView
from app.views.admin.filters import CODES, code_of
from app.views.submission import checked_version
from app.workflow.steps import find_deed

_CODED = {kind: kind for kind in CODES.values()}


def _person() -> Account:
    # The services outlive no request, but the object must outlast the end of its session.
    return current_user._get_current_object()


@dataclass
class Part:
    """What a page of a correction shows: titled runs of answers, either of the form or of one row."""

    title: str
    runs: list[tuple[str, list[FieldState]]]
    row: str = ""

    @property
    def states(self) -> list[FieldState]:
        """All answers of the part."""
        return [state for _label, states in self.runs for state in states]


@dataclass
class Posted:
    """A correction as it was posted: what was typed, on which texts it was based, and the words with it."""

    typed: dict[str, Raw] = field(default_factory=dict)
    bases: dict[str, Raw] = field(default_factory=dict)
    reason: str = ""
    override: bool = False

    @property
    def changed(self) -> dict[str, Raw]:
        """What differs from what the page showed."""
        return {path: raw for path, raw in self.typed.items() if (raw or "") != (self.bases.get(path) or "")}


def part_of(trial: Trial, evaluation: Evaluation, row: str) -> Part:
    """The answers of ``row`` (a path; empty: of the form itself) that may be corrected. NotFound without such a row."""
    if row:
        found = _row_at(evaluation, row)
        return Part(found.title or row, [("", _correctable(trial, found.fields.values()))], row)
    runs = [(s.spec.label, _correctable(trial, s.fields)) for s in evaluation.sections if s.visible]
    return Part("", [run for run in runs if run[1]])


def _correctable(trial: Trial, states: Iterable[FieldState]) -> list[FieldState]:
    return [s for s in states if correction.is_correctable(trial.definition, s.spec)]


def _row_at(evaluation: Evaluation, path: str) -> RowState:
    tables = (table for section in evaluation.sections for table in section.all_tables())
    found = next((row for table in tables for row in table.rows if row.path == path), None)
    if found is None:
        raise NotFound(_("这一行已经不在了，可能在新的版本里移除了。请回到列表。"))
    return found


def read_posted(states: Iterable[FieldState], form: MultiDict[str, str]) -> Posted:
    """What the form of a correction carried."""
    kinds = {s.path: s.spec.type for s in states}
    posted = build_section_form(states, form)
    typed = {path: _coded(kinds[path], raw) for path, raw in posted.values().items()}
    return Posted(typed, posted.bases(), form.get("reason", ""), form.get("override") == "yes")


def _coded(kind: str, raw: Raw) -> Raw:
    return code_of(kind, raw) if kind in _CODED and isinstance(raw, str) else raw


class DeclarationView(SafeModelView):
    """The grid of one kind of declaration, with what officials with the right do beside its route."""

    add_label = "代企业填报"

    def _programme(self) -> str:
        return self.grid.name.removeprefix(roles.FORM)

    # -- 代填 ----------------------------------------------------------------------------------------------------

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Begin a declaration on behalf of an enterprise, then fill it in as the enterprise would."""
        problem: DomainError | None = None
        if request.method == "POST":
            typed = [request.form.get(name, "") for name in ("enterprise", "batch", "basis")]
            try:
                public_id = on_behalf.start_on_behalf(_person(), self._programme(), *typed)
                flash(_("已经建好草稿，企业已收到消息。请按企业提供的材料填写。"), "success")
                return redirect(url_for("declaration.go_on", id=public_id), 303)
            except (InvalidInput, Conflict) as error:
                problem = error
        page = render_template(
            "admin/on_behalf.html", title=self.grid.label, batches=on_behalf.open_batches(self._programme()),
            typed=request.form, problem=problem, back=self.get_default_url(),
        )  # fmt: skip
        return page, problem.status if problem else 200

    # -- 更正 ----------------------------------------------------------------------------------------------------

    @expose("/correct/<pk>", methods=["GET", "POST"])
    @has_access
    def correct(self, pk: str) -> Any:
        """The answers to correct, then what that changes, then the new version."""
        declaration, row = self._scoped(pk).declaration, request.args.get("row", "")
        public_id = declaration.public_id
        trial = correction.try_correction(_person(), public_id, {})
        part = part_of(trial, trial.before, row)
        if request.method == "GET":
            return self._correction_form(pk, declaration, part)
        posted = self._read(trial, part, row)
        deed = request.form.get("deed")
        try:
            if deed == "save":
                return self._save(pk, public_id, posted)
            trial = correction.try_correction(_person(), public_id, posted.changed)
            if deed == "back" or trial.mistakes or not trial.changes:
                return self._correction_form(pk, declaration, part_of(trial, trial.after, row), posted, trial)
            return self._preview(pk, declaration, trial, row, posted)
        except (InvalidInput, Conflict) as error:
            return self._refused(pk, public_id, row, posted, error)

    def _read(self, trial: Trial, part: Part, row: str) -> Posted:
        """What was posted, also for questions that only what was typed brings up."""
        posted = read_posted(part.states, request.form)
        unfolded = correction.try_correction(_person(), trial.opened.declaration.public_id, posted.changed)
        return read_posted(part_of(unfolded, unfolded.after, row).states, request.form)

    def _save(self, pk: str, public_id: str, posted: Posted) -> Response:
        revision = correction.correct(
            _person(), public_id, posted.changed, posted.reason, version=checked_version(request.form.get("version")),
            override=posted.override, address=request.remote_addr,
        )  # fmt: skip
        flash(_("已更正，存为第 %(n)s 版，企业已收到消息。", n=revision.number), "success")
        # The projection was written anew, with a new id.
        return redirect(f"{self.route_base}/show/{self._newest(public_id, pk)}", 303)

    def _newest(self, public_id: str, pk: str) -> Any:
        return self.datamodel.session.scalar(
            self.datamodel.session.query(self.datamodel.obj.id)
            .join(Declaration, Declaration.id == self.datamodel.obj.declaration_id)
            .where(Declaration.public_id == public_id)
            .statement
        ) or pk  # fmt: skip

    def _correction_form(
        self, pk: str, declaration: Declaration, part: Part, posted: Posted | None = None, trial: Trial | None = None
    ) -> Any:
        mistakes: Mapping[str, str] = trial.mistakes if trial else {}
        nothing = trial is not None and not trial.changes and request.form.get("deed") != "back"
        problem = _("没有要更正的内容。请改好一项再看变化。") if nothing else None
        page = render_template(
            "admin/correct.html", title=self.grid.label, back=self._show_address(pk), part=part, declaration=declaration,
            bases=posted.bases if posted else {}, mistakes=mistakes, problem=problem,
        )  # fmt: skip
        return page, InvalidInput.status if mistakes or nothing else 200

    def _preview(
        self,
        pk: str,
        declaration: Declaration,
        trial: Trial,
        row: str,
        posted: Posted,
        error: DomainError | None = None,
    ) -> Any:
        page = render_template(
            "admin/correction.html", title=self.grid.label, back=self._show_address(pk), trial=trial, posted=posted, row=row,
            declaration=declaration, problem=error, base_prefix=BASE,
        )  # fmt: skip
        return page, error.status if error else 200

    def _refused(self, pk: str, public_id: str, row: str, posted: Posted, error: DomainError) -> Any:
        """What was typed against the newest version, with the sentence that says what is the matter."""
        self.datamodel.session.rollback()
        trial = correction.try_correction(_person(), public_id, posted.changed)
        return self._preview(pk, trial.opened.declaration, trial, row, posted, error)

    # -- 作废 ----------------------------------------------------------------------------------------------------

    @expose("/void/<pk>", methods=["GET", "POST"])
    @has_access
    def void(self, pk: str) -> Any:
        """Ask for the reason, then set the declaration aside."""
        declaration = self._scoped(pk).declaration
        require_care(_person(), declaration, "void")
        problem: DomainError | None = None
        if request.method == "POST":
            version = checked_version(request.form.get("version"))
            try:
                void_declaration(
                    _person(), declaration.public_id, request.form.get("reason", ""), version=version,
                    address=request.remote_addr,
                )  # fmt: skip
                flash(_("已作废，企业已收到消息。"), "success")
                return redirect(self._show_address(pk), 303)
            except (InvalidInput, Conflict) as error:
                problem = error
                self.datamodel.session.rollback()
                declaration = self._scoped(pk).declaration
        page = render_template(
            "admin/void.html", title=self.grid.label, back=self._show_address(pk), declaration=declaration,
            reason=request.form.get("reason", ""), problem=problem,
        )  # fmt: skip
        return page, problem.status if problem else 200

    def _show_address(self, pk: str) -> str:
        return f"{self.route_base}/show/{pk}"

    def buttons(self, row: Any) -> Buttons:
        """Correct and void, where the person may and the state allows, and the declaration's own page."""
        return buttons_of(row.declaration, self.grid.name, row.id)


class RowView(SafeModelView):
    """The grid of a child table: its rows are corrected through the declaration they belong to."""

    def buttons(self, row: Any) -> Buttons:
        """Correct this row, and the declaration's own page."""
        main = f"{roles.FORM}{row.declaration.programme_key}"
        return [b for b in buttons_of(row.declaration, main, row.form_id, row_path_of(row)) if "/void/" not in b[1]]


def row_path_of(row: Any) -> str:
    """Path of a projected row in the answers: ``table/<id>`` or ``table/<id>/child/<id>``."""
    place = f"{_table_of(row)}/{row.row_id}"
    outer = getattr(row, "parent", None)
    return f"{_table_of(outer)}/{outer.row_id}/{place}" if outer is not None else place


def _table_of(row: Any) -> str:
    return row.__tablename__.removeprefix(f"{roles.FORM}{row.declaration.programme_key}_")


def buttons_of(declaration: Declaration, grid: str, pk: int, row: str = "") -> Buttons:
    """What the current person may do with a declaration from the row ``pk`` of its ``grid``."""
    found: Buttons = []
    if declaration.status in FILED and has_door(current_user, grid, "correct"):
        found.append((_("更正"), f"/admin/{grid}/correct/{pk}" + (f"?row={row}" if row else "")))
    if _is_voidable(declaration) and has_door(current_user, grid, "void"):
        found.append((_("作废"), f"/admin/{grid}/void/{pk}"))
    if rules.can_see(current_user, declaration):
        found.append((_("打开这件申报"), f"/review/{declaration.public_id}/"))
    return found


def _is_voidable(declaration: Declaration) -> bool:
    step = declaration.programme.definition.step(declaration.step_key) if declaration.step_key else None
    return find_deed(declaration.status, step.kind if step else None, "void") is not None
