"""Makes a Flask-AppBuilder view of a grid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.validators import Unique
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    Field,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.fields.base import clean_text
from app.permissions import roles
from app.services.reference import lookups
from app.views.admin.base import SafeModelView
from app.views.admin.care import DeclarationView, RowView
from app.views.admin.filters import CODES, GridInterface, ScopeFilter, code_of
from app.views.admin.spec import Column, Grid, Kind
from app.workflow.calendar import SHANGHAI

LOOK = ("list", "show", "export")
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


class PickerField(StringField):
    """A code or name that is found by typing; ``source`` is what is asked for matches. A code typed by its exact name
    (a page without scripts has no list) becomes the code."""

    data: str | None

    def __init__(self, *args: Any, source: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source if source in CODES else f"records/{source}"
        self.kind = CODES.get(source, "")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a code, or a name that has exactly one."""
        typed = valuelist[0] if valuelist else ""
        self.data = code_of(self.kind, typed) if self.kind and typed else typed

    @property
    def words(self) -> str:
        """The full name of the code that is chosen; empty where the value is a name itself."""
        return self.words_of(self.data)

    def words_of(self, code: str | None) -> str:
        """The full name of ``code``; empty if it has none."""
        name = {"region": lookups.region, "industry": lookups.industry}.get(self.kind)
        return (name(code) or "") if name is not None and code else ""


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
        return SelectField(column.head, choices=[("", ""), *choices], validate_choice=False)
    if column.offers:
        return PickerField(column.head, source=column.offers)
    kind = column.spec.type if column.spec else column.kind
    return (DateField if kind in ("date", "time") else StringField)(column.head)


def edit_field(grid: Grid, column: Column) -> Field | None:
    """The control of a writable grid where Flask-AppBuilder's own would not do: choices, long text, times."""
    make = _choice_control if column.options else _picker_control if column.offers else _CONTROLS.get(column.kind)
    return make(grid, column) if make is not None else None


def _stored(grid: Grid, column: Column) -> Any:
    return grid.model.__table__.columns[column.path]


def _choice_control(grid: Grid, column: Column) -> Field:
    if not _stored(grid, column).nullable:
        return SelectField(column.label, choices=_choices(column), validators=[DataRequired()])
    choices = [("", "不分类"), *_choices(column)]
    return SelectField(column.label, choices=choices, validators=[Optional()], filters=[lambda v: v or None])


def _picker_control(grid: Grid, column: Column) -> Field:
    stored = _stored(grid, column)
    rules = [Optional() if stored.nullable else DataRequired(), Length(max=stored.type.length or 255)]
    return PickerField(column.label, source=column.offers, validators=rules, filters=[_cleaned])


# InputRequired below: DataRequired would replace the sentence about a text that is no day by “must be filled in”.


def _time_control(grid: Grid, column: Column) -> Field:
    return ShanghaiTimeField(column.label, validators=[InputRequired()])


def _date_control(grid: Grid, column: Column) -> Field:
    return DateField(column.label, validators=[InputRequired(), *_unique(grid, column)])


def _long_control(grid: Grid, column: Column) -> Field:
    return TextAreaField(column.label, validators=[DataRequired()], filters=[_cleaned_text])


def _bool_control(grid: Grid, column: Column) -> Field:
    return BooleanField(column.label, default=bool(_stored(grid, column).default.arg))


def _text_control(grid: Grid, column: Column) -> Field:
    stored = _stored(grid, column)
    limit = getattr(stored.type, "length", None) or 255
    rules = [Optional() if stored.nullable else DataRequired(), Length(max=limit), *_unique(grid, column)]
    return StringField(column.label, validators=rules, filters=[_cleaned])


def _cleaned(text: str | None) -> str | None:
    """What was typed without signs that a page or document cannot carry (PostgreSQL takes no NUL either)."""
    return clean_text(text or "") or None


def _cleaned_text(text: str | None) -> str | None:
    """The same for long texts, whose lines stay."""
    return clean_text(text or "", multiline=True) or None


_CONTROLS: dict[Kind, Callable[[Grid, Column], Field]] = {
    "time": _time_control,
    "date": _date_control,
    "long": _long_control,
    "bool": _bool_control,
    "text": _text_control,
}


def _unique(grid: Grid, column: Column) -> list[Unique]:
    if not _stored(grid, column).unique:
        return []
    return [Unique(GridInterface(grid), column.path, _l("已经有这一条了，请核对，或到列表里修改那一条。"))]


def build_view(grid: Grid, related: list[type[SafeModelView]]) -> type[SafeModelView]:
    """The view class of ``grid``; ``related`` are the views of its child tables."""
    base = _base_of(grid)
    attributes: dict[str, Any] = {
        "__doc__": f"Grid {grid.name}.",
        "grid": grid,
        "datamodel": GridInterface(grid),
        "route_base": f"/admin/{grid.name}",
        "class_permission_name": f"grid_{grid.name}",
        "base_filters": [["id", ScopeFilter, None]],
        "base_order": grid.order,
        **_columns_of(grid),
        "list_title": grid.label,
        "show_title": f"{grid.label}详情",
        "add_title": f"添加{grid.label}",
        "edit_title": f"修改{grid.label}",
        "related_views": related,
        **(_written(grid) if grid.writable else _read_only(grid)),
    }
    return type(f"Grid_{grid.name}", (base,), attributes)


def _base_of(grid: Grid) -> type[SafeModelView]:
    """Grids of a definition know their declarations; all others are plain."""
    if not grid.name.startswith(roles.FORM):
        return SafeModelView
    return DeclarationView if grid.parent is None else RowView


def _columns_of(grid: Grid) -> dict[str, Any]:
    """Which columns are listed, shown, searched and ordered by, and how they are called and written."""
    return {
        "list_columns": [c.path for c in grid.listed],
        "show_columns": [c.path for c in grid.columns],
        "search_columns": [c.path for c in grid.searchable],
        "order_columns": [c.path for c in grid.listed if c.order and "." not in c.path],
        "label_columns": {c.path: c.label for c in grid.columns},
        "formatters_columns": {c.path: c.text for c in grid.columns},
        "search_form_extra_fields": {c.path: search_field(c) for c in grid.searchable},
    }


def _read_only(grid: Grid) -> dict[str, Any]:
    deeds = roles.deeds_of(grid.name)
    return {
        "base_permissions": [f"can_{d}" for d in deeds],
        "include_route_methods": READ | set(deeds),
        # There is no add or edit route; an empty form keeps Flask-AppBuilder from making one.
        "add_form": NothingToFill,
        "edit_form": NothingToFill,
        "add_columns": ["id"],
        "edit_columns": ["id"],
    }


def _written(grid: Grid) -> dict[str, Any]:
    paths = [c.path for c in grid.columns]
    controls = {c.path: f for c in grid.columns if (f := edit_field(grid, c)) is not None}
    return {
        "base_permissions": [f"can_{d}" for d in (*LOOK, *sorted(WRITE))],
        "include_route_methods": READ | WRITE,
        "add_form": None,
        "edit_form": None,
        "add_columns": paths,
        "edit_columns": [*paths, "shown"],
        "add_form_extra_fields": controls,
        # What the record was when the form was drawn: who changed it meanwhile is not overwritten.
        "edit_form_extra_fields": {**controls, "shown": HiddenField()},
    }
