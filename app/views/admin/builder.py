"""Makes a Flask-AppBuilder view of a grid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.validators import Unique
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, DateTimeLocalField, Field, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.views.admin.base import SafeModelView
from app.views.admin.filters import GridInterface, ScopeFilter
from app.views.admin.spec import Column, Grid
from app.workflow.calendar import SHANGHAI

READ = {"list", "show", "export", "action", "action_post"}
WRITE = {"add", "edit", "delete"}


class NothingToFill(DynamicForm):
    """The form of a grid that nobody writes in."""


class ShanghaiTimeField(DateTimeLocalField):
    """A moment as people in Shanghai write it; ``data`` is aware, UTC."""

    data: datetime | None

    def process_data(self, value: datetime | None) -> None:
        """Show a stored moment in local time."""
        super().process_data(value.astimezone(SHANGHAI).replace(tzinfo=None) if value and value.tzinfo else value)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed as local time."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(str(_l("请选日期和时间，例如 2026-11-20 09:00。"))) from error
        if self.data is not None:
            self.data = self.data.replace(tzinfo=SHANGHAI).astimezone(UTC)

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        return self.data.strftime("%Y-%m-%dT%H:%M") if self.data else ""


def _choices(column: Column) -> list[tuple[str, str]]:
    if column.spec is not None:
        options = [(o.value, o.label) for o in column.spec.options]
        return options or ([("yes", "是"), ("no", "否")] if column.spec.type == "boolean" else [])
    if column.kind == "bool":
        return [("y", "是"), ("n", "否")]
    return [] if column.kind == "subject" else list(column.options.items())


def search_field(column: Column) -> Field:
    """The control of a filter: choices where there are any, a calendar for dates, else text."""
    choices = _choices(column)
    if choices:
        return SelectField(column.label, choices=[("", ""), *choices], validate_choice=False)
    kind = column.spec.type if column.spec else column.kind
    return (DateField if kind in ("date", "time") else StringField)(column.label)


def edit_field(grid: Grid, column: Column) -> Field | None:
    """The control of a writable grid where Flask-AppBuilder's own would not do: choices, long text, times."""
    stored = grid.model.__table__.columns[column.path]
    kind = stored.type
    if column.kind == "time":
        return ShanghaiTimeField(column.label, validators=[DataRequired()])
    if column.kind == "date":
        return DateField(column.label, validators=[DataRequired(), *_unique(grid, column)])
    if column.options:
        if stored.nullable:
            choices = [("", "不分类"), *_choices(column)]
            return SelectField(column.label, choices=choices, validators=[Optional()], filters=[lambda v: v or None])
        return SelectField(column.label, choices=_choices(column), validators=[DataRequired()])
    if column.kind == "long":
        return TextAreaField(column.label, validators=[DataRequired()])
    if column.kind == "bool":
        return BooleanField(column.label, default=bool(grid.model.__table__.columns[column.path].default.arg))
    if column.kind == "text":
        limit = getattr(kind, "length", None) or 255
        rules = [Optional() if stored.nullable else DataRequired(), Length(max=limit), *_unique(grid, column)]
        return StringField(column.label, validators=rules, filters=[lambda v: v.strip() if v else None])
    return None


def _unique(grid: Grid, column: Column) -> list[Unique]:
    if not grid.model.__table__.columns[column.path].unique:
        return []
    return [Unique(GridInterface(grid), column.path, _l("已经有这一条了，请核对，或到列表里修改那一条。"))]


def build_view(grid: Grid, related: list[type[SafeModelView]]) -> type[SafeModelView]:
    """The view class of ``grid``; ``related`` are the views of its child tables."""
    paths = [c.path for c in grid.columns]
    attributes: dict[str, Any] = {
        "__doc__": f"Grid {grid.name}.",
        "grid": grid,
        "datamodel": GridInterface(grid),
        "route_base": f"/admin/{grid.name}",
        "class_permission_name": f"grid_{grid.name}",
        "base_filters": [["id", ScopeFilter, None]],
        "base_order": grid.order,
        "base_permissions": [f"can_{d}" for d in ("list", "show", "export", *(sorted(WRITE) if grid.writable else ()))],
        "include_route_methods": READ | WRITE if grid.writable else READ,
        "list_columns": [c.path for c in grid.listed],
        "show_columns": paths,
        "search_columns": [c.path for c in grid.searchable],
        "order_columns": [c.path for c in grid.listed if c.order and "." not in c.path],
        "label_columns": {c.path: c.label for c in grid.columns},
        "formatters_columns": {c.path: c.text for c in grid.columns},
        "search_form_extra_fields": {c.path: search_field(c) for c in grid.searchable},
        "list_title": grid.label,
        "show_title": f"{grid.label}详情",
        "add_title": f"添加{grid.label}",
        "edit_title": f"修改{grid.label}",
        "related_views": related,
        # Read-only grids have no add or edit route; an empty form keeps Flask-AppBuilder from making one.
        "add_form": NothingToFill,
        "edit_form": NothingToFill,
        "add_columns": ["id"],
        "edit_columns": ["id"],
    }
    if grid.writable:
        extra = {c.path: f for c in grid.columns if (f := edit_field(grid, c)) is not None}
        attributes |= {"add_columns": paths, "edit_columns": paths, "add_form": None, "edit_form": None}
        attributes |= {"add_form_extra_fields": extra, "edit_form_extra_fields": extra}
    return type(f"Grid_{grid.name}", (SafeModelView,), attributes)
