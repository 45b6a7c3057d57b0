"""The one base of all grids. Flask-AppBuilder's own views are never inherited directly elsewhere."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from flask import abort, g, has_request_context, redirect, request, send_file
from flask_appbuilder import ModelView
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.urltools import get_filter_args, get_order_args
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from app.documents.sheet import SheetColumn, write_bulk
from app.errors import InvalidInput, NotFound
from app.services.grid import note_change, note_export
from app.services.reference import lookups
from app.views.admin.spec import Grid

MAX_PAGE = 100
MAX_EXPORT = 50_000
_NUMBER = re.compile(r"[0-9]{1,6}")


class SafeModelView(ModelView):
    """Mandatory column lists and row scope, one filter object per request, scoped actions, refused bad arguments."""

    grid: Grid
    exclude_route_methods = {"download"}
    page_size = 20

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

    def _get_list_widget(self, *args: Any, page_size: int | None = None, **kwargs: Any) -> Any:
        return super()._get_list_widget(*args, page_size=min(page_size or self.page_size, MAX_PAGE), **kwargs)

    def _check_arguments(self) -> None:
        known = self._filters.get_search_filters()
        for name, value in request.args.items(multi=True):
            if name.startswith(("page_", "psize_")) and not _NUMBER.fullmatch(value):
                raise InvalidInput(_("页码要是数字，现在是“%(value)s”。请从列表下面的按钮翻页。", value=value[:20]))
            if name.startswith("_oc_") and value not in self.order_columns:
                raise InvalidInput(_("不能按“%(value)s”排序。请点列名排序。", value=value[:20]))
            if name.startswith("_od_") and value not in ("asc", "desc"):
                raise InvalidInput(_("排序方向不对。请点列名排序。"))
            if name.startswith("_flt_"):
                match = re.fullmatch(r"_flt_(\d)_(.+)", name)
                if not match or match[2] not in known or int(match[1]) >= len(known[match[2]]):
                    raise InvalidInput(_("没有这个筛选条件。请从“筛选”里选。"))

    # -- pages -----------------------------------------------------------------------------------------------

    @expose("/list/")
    @has_access
    def list(self) -> Any:
        """The list, filtered and ordered as the address says."""
        self._check_arguments()
        return self.render_template(self.list_template, title=self.list_title, widgets=self._list())

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """One record."""
        self._scoped(pk)
        widgets = self._show(self._deserialize_pk_if_composite(pk))
        return self.render_template(
            self.show_template, pk=pk, title=self.show_title, widgets=widgets, related_views=self._related_views
        )

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
    def delete(self, pk: str) -> Response:
        """Delete one record, never by following a link."""
        self._delete(self._deserialize_pk_if_composite(pk))
        return self.post_delete_redirect()

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

    def post_add_redirect(self) -> Response:
        """Back to the list."""
        return redirect(self.get_default_url())

    post_edit_redirect = post_delete_redirect = post_add_redirect

    def update_redirect(self) -> None:
        """Nothing: the page history of Flask-AppBuilder would be written into the session on each page."""

    # -- changes of reference data leave an event ------------------------------------------------------------

    def post_add(self, item: Any) -> None:
        """Note the addition."""
        self._note("add", _("添加"), item)

    def post_update(self, item: Any) -> None:
        """Note the change."""
        self._note("edit", _("修改"), item)

    def post_delete(self, item: Any) -> None:
        """Note the deletion."""
        self._note("delete", _("删除"), item)

    def _note(self, action: str, label: str, item: Any) -> None:
        # In people's words: the record of changes is read by them.
        shown = {c.label: _value(item, c.path) for c in self.grid.columns}
        values = {c.label: str(c.text(shown[c.label])) for c in self.grid.columns if shown[c.label] not in (None, "")}
        note_change(current_user._get_current_object(), f"{self.grid.name}:{item.id}", action, label, values)
        lookups.forget()


def _value(row: Any, path: str) -> Any:
    for part in path.split("."):
        row = getattr(row, part, None)
    return row


def _asked(grid: Grid) -> dict[str, str]:
    """The filters of this address in people's words: label of the column → what was asked for."""
    asked = {n.split("_", 3)[-1]: value for n, value in request.args.items() if n.startswith("_flt_") and value}
    return {grid.column(path).label: grid.column(path).choice(value) for path, value in asked.items()}


def _sheet(view: SafeModelView, rows: Iterator[Any]) -> Response:
    grid = view.grid
    columns = [SheetColumn(c.label, c.sheet_kind) for c in grid.columns]
    target = io.BytesIO()
    write_bulk(
        columns, ([c.cell(_value(r, c.path)) for c in grid.columns] for r in rows), target, title=grid.label[:28]
    )
    target.seek(0)
    note_export(current_user._get_current_object(), grid.name, _asked(grid))
    return send_file(
        target,
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"{grid.label}.xlsx",
    )
