"""The one base of all grids. Flask-AppBuilder's own views are never inherited directly elsewhere."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, g, has_request_context, redirect, request, send_file
from flask_appbuilder import ModelView
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.urltools import get_filter_args, get_order_args
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from app.documents.sheet import SheetColumn, write_bulk
from app.errors import DomainError, InvalidInput, NotFound
from app.models import Account
from app.services.grid import note_export
from app.services.reference_record import Kind, add_record, change_record, fingerprint, remove_record
from app.views.admin.spec import Grid, value_at

MAX_PAGE = 100
MAX_EXPORT = 50_000
Buttons = list[tuple[str, str]]
"""Label and address of each."""
_NUMBER = re.compile(r"[0-9]{1,6}")
_FILTER = re.compile(r"_flt_(\d)_(.+)")


@dataclass(frozen=True)
class Related:
    """A child table on the page of its parent, and where it stands alone with the same rows."""

    view: SafeModelView
    url: str


class SafeModelView(ModelView):
    """Mandatory column lists and row scope, one filter object per request, scoped actions, refused bad arguments."""

    grid: Grid
    exclude_route_methods = {"download"}
    page_size = 20
    add_label = "添加"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("list_columns", "show_columns", "search_columns"):
            if getattr(type(self), name, None) is None:
                raise RuntimeError(f"{type(self).__name__}: {name} is missing")
        if not self.base_filters or any(isinstance(f[2], list) for f in self.base_filters):
            # Flask-AppBuilder iterates a list: an empty one would apply the scope zero times.
            raise RuntimeError(f"{type(self).__name__}: base_filters missing or fail-open list value")

    # -- scope and arguments ---------------------------------------------------------------------------------

    def _deserialize_pk_if_composite(self, pk: Any) -> Any:
        if not str(pk).isdigit() and self.datamodel.is_integer(self.datamodel.get_pk_name()):
            raise NotFound(_("没有找到这条记录。它可能已被删除，请回到列表。"))
        if str(pk).isdigit() and int(pk) >= 2**63:
            raise NotFound(_("没有找到这条记录。它可能已被删除，请回到列表。"))
        return super()._deserialize_pk_if_composite(pk)

    def _scoped(self, pk: Any) -> Any:
        row = self.datamodel.get(self._deserialize_pk_if_composite(pk), self._base_filters)
        if row is None:
            raise NotFound(_("没有找到这条记录。它可能已被删除，请回到列表。"))
        return row

    def _run(self, name: str, rows: Callable[[], Any]) -> Any:
        known = self.actions.get(name) or abort(404)
        if not self.appbuilder.sm.has_access(self.get_action_permission_name(name), self.class_permission_name):
            abort(403)
        return known.func(rows())

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str) -> Any:
        """One record's action, inside the scope."""
        return self._run(name, lambda: self._scoped(pk))

    @expose("/action_post", methods=["POST"])
    def action_post(self) -> Any:
        """Several records' action, inside the scope."""
        return self._run(
            request.form.get("action", ""), lambda: [self._scoped(pk) for pk in request.form.getlist("rowid")]
        )

    @property
    def _filters(self) -> Any:
        """One copy per request: Flask-AppBuilder rewrites the view's own filters in every request."""
        shared = self.__dict__["_shared_filters"]
        if not has_request_context():
            return shared
        mine = g.setdefault("_view_filters", {})
        if id(self) not in mine:
            mine[id(self)] = copy.copy(shared)
            mine[id(self)].clear_filters()
        return mine[id(self)]

    @_filters.setter
    def _filters(self, value: Any) -> None:
        self.__dict__["_shared_filters"] = value

    def _get_list_widget(self, *args: Any, page: int | None = None, page_size: int | None = None, **kwargs: Any) -> Any:
        size = min(page_size or self.page_size, MAX_PAGE)
        widgets = super()._get_list_widget(*args, page=page, page_size=size, **kwargs)
        count = widgets["list"].template_args["count"]
        if page and page * size >= count:
            # Rows were deleted, or somebody counted on: the last page there is, and it says which.
            last = max(0, (count - 1) // size)
            widgets = super()._get_list_widget(*args, page=last, page_size=size, **kwargs)
        return widgets

    def _check_arguments(self) -> None:
        orders = {type(view).__name__: view.order_columns for view in (self, *self._related_views)}
        for name, value in request.args.items(multi=True):
            if name.startswith(("page_", "psize_")):
                _require_number(value)
            elif name.startswith(("_oc_", "_od_")):
                _require_order(name, value, orders)
            elif name.startswith("_flt_") and not self._has_filter(name):
                raise InvalidInput(_("没有这个筛选条件。请从“筛选”里选。"))

    def _has_filter(self, name: str) -> bool:
        """Whether ``_flt_<number>_<column>`` is one of this list's filters."""
        match = _FILTER.fullmatch(name)
        return match is not None and int(match[1]) < len(self._filters.get_search_filters().get(match[2], ()))

    # -- pages -----------------------------------------------------------------------------------------------

    @expose("/list/")
    @has_access
    def list(self) -> Any:
        """The list, filtered and ordered as the address says."""
        self._check_arguments()
        return self.render_template(
            self.list_template, title=self.list_title, widgets=self._list(), add_label=self.add_label
        )

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """One record."""
        self._check_arguments()
        row = self._scoped(pk)
        widgets = self._show(self._deserialize_pk_if_composite(pk))
        return self.render_template(
            self.show_template, pk=pk, title=self.show_title, widgets=widgets,
            related_views=[Related(v, self.grid.child_address(v.grid, row)) for v in self._related_views], row=row,
            buttons=self.buttons(row),
        )  # fmt: skip

    def buttons(self, row: Any) -> Buttons:
        """What may be done with ``row`` beside changing it: label and address. Grids of declarations have some."""
        return []

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """The form of a new record; what cannot be kept comes back as it was typed."""
        form = self.add_form.refresh()
        return self._filled_in(form, self.add_title, lambda: add_record(_person(), self._kind(), self._typed(form)))

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> Any:
        """The form of a record that is there, tied to its values as they were shown."""
        row = self._scoped(pk)
        posted = request.method == "POST"
        form = self.edit_form.refresh(request.form) if posted else self.edit_form.refresh(obj=row)
        # Unique values are compared with those of other records only.
        form._id = row.id
        if not posted:
            form.shown.data = fingerprint(row)
        return self._filled_in(
            form, self.edit_title,
            lambda: change_record(_person(), self._kind(), row.id, self._typed(form), shown=form.shown.data or ""),
        )  # fmt: skip

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
    def delete(self, pk: str) -> Response:
        """Delete one record, never by following a link."""
        remove_record(_person(), self._kind(), self._scoped(pk).id)
        flash(_("已删除。"), "success")
        return redirect(self.get_default_url())

    def _filled_in(self, form: Any, title: str, save: Callable[[], Any]) -> Any:
        """Show ``form``; when it was posted, check and ``save`` it, and go back to the list."""
        status, problem = 200, None
        if request.method == "POST":
            try:
                if form.validate():
                    save()
                    flash(_("已保存。"), "success")
                    return redirect(self.get_default_url())
                status = InvalidInput.status
            except DomainError as error:
                status, problem = error.status, None if error.fields else error.message
                for name, sentence in error.fields.items():
                    form[name].errors = [sentence]
        page = self.render_template("admin/form.html", title=title, form=form, problem=problem,
                                    columns=[c.path for c in self.grid.columns])  # fmt: skip
        return page, status

    def _typed(self, form: Any) -> dict[str, Any]:
        return {c.path: form[c.path].data for c in self.grid.columns}

    def _kind(self) -> Kind:
        grid = self.grid
        return Kind(grid.name, grid.label, grid.model, grid.scope, grid.describe)

    @expose("/export", methods=["GET"])
    @has_access
    def export(self) -> Response:
        """An Excel file of exactly what the list shows with the same address."""
        self._check_arguments()
        return _sheet(self, self._exported_rows())

    def _exported_rows(self) -> Iterator[Any]:
        get_filter_args(self._filters)
        order = get_order_args().get(type(self).__name__) or self.base_order or ("", "")
        joined = self._filters.get_joined_filters(self._base_filters)
        count, rows = self.datamodel.query(joined, order[0], order[1], page=0, page_size=MAX_EXPORT)
        if count > MAX_EXPORT:
            raise InvalidInput(
                _("一次最多导出 %(most)s 条，现在有 %(count)s 条。请加筛选条件再导出。", most=MAX_EXPORT, count=count)
            )
        return iter(rows)

    def get_redirect(self) -> str:
        """After a change, back to the list."""
        return self.get_default_url()

    def get_default_url(self) -> str:
        """Address of the list."""
        return f"{self.route_base}/list/"

    def update_redirect(self) -> None:
        """Nothing: the page history of Flask-AppBuilder would be written into the session on each page."""


def _require_number(value: str) -> None:
    if not _NUMBER.fullmatch(value):
        raise InvalidInput(_("页码要是数字，现在是“%(value)s”。请从列表下面的按钮翻页。", value=value[:20]))


def _require_order(name: str, value: str, orders: Mapping[str, Sequence[str]]) -> None:
    """``orders``: name of each list on the page → what it can be ordered by."""
    if name.startswith("_oc_") and value not in orders.get(name.removeprefix("_oc_"), ()):
        raise InvalidInput(_("不能按“%(value)s”排序。请点列名排序。", value=value[:20]))
    if name.startswith("_od_") and value not in ("asc", "desc"):
        raise InvalidInput(_("排序方向不对。请点列名排序。"))


def _person() -> Account:
    # The services outlive no request, but the object must outlast the end of its session.
    return current_user._get_current_object()


def _asked(grid: Grid) -> dict[str, str]:
    """The filters of this address in people's words: label of the column → what was asked for."""
    asked = {n.split("_", 3)[-1]: value for n, value in request.args.items() if n.startswith("_flt_") and value}
    return {grid.column(path).label: grid.column(path).choice(value) for path, value in asked.items()}


def _sheet(view: SafeModelView, rows: Iterator[Any]) -> Response:
    grid = view.grid
    columns = [SheetColumn(c.head, c.sheet_kind) for c in grid.columns]
    target = io.BytesIO()
    write_bulk(
        columns, ([c.cell(value_at(r, c.path)) for c in grid.columns] for r in rows), target, title=grid.label[:28]
    )
    target.seek(0)
    note_export(_person(), grid.name, _asked(grid))
    return send_file(
        target,
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"{grid.label}.xlsx",
    )
