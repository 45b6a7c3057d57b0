"""A grid as data: which table, which columns, who is in scope. Core grids are listed, generated ones derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup
from sqlalchemy import ColumnElement

from app.definitions.schema import Definition, Table
from app.documents.sheet import Kind as SheetKind
from app.fields import registry as field_types
from app.fields.base import FieldSpec
from app.models import Account
from app.models.base import Model
from app.models.generated import build_projection
from app.services.reference import lookups
from app.services.session import browser_name
from app.views.page import file_size, local_time, mask_phone

Kind = Literal[
    "text",
    "long",
    "int",
    "money",
    "bool",
    "time",
    "date",
    "option",
    "region",
    "industry",
    "phone",
    "size",
    "json",
    "agent",
    "subject",
    "field",
]
Scope = Callable[[Account], ColumnElement[bool]]


@dataclass(frozen=True)
class Column:
    """One column: ``path`` is an attribute, dotted into a related record. ``spec`` is set for answers."""

    path: str
    label: str
    kind: Kind = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    search: bool = False
    order: bool = True
    spec: FieldSpec | None = None

    def text(self, value: Any) -> str | Markup:
        """The value as people read it."""
        if value is None or value == "":
            return Markup('<span class="mute">—</span>')
        if self.spec is not None:
            shown = field_types.get(self.spec.type).text(self.spec, value, lookups)
            return f"{shown} {self.spec.unit}" if self.spec.unit and shown else shown
        return _TEXTS.get(self.kind, lambda c, v: str(v))(self, value)

    def choice(self, value: str) -> str:
        """What was asked for in a filter, in words where it is one of the choices."""
        known = {o.value: o.label for o in self.spec.options} if self.spec else self.options
        return known.get(value, value)

    def cell(self, value: Any) -> Any:
        """The value as an Excel cell: numbers and dates stay what they are."""
        if value is None:
            return None
        if self.spec is not None:
            return field_types.get(self.spec.type).sheet(self.spec, value, lookups)
        if self.kind in ("int", "money", "date", "size"):
            return value
        return str(self.text(value))

    @property
    def sheet_kind(self) -> SheetKind:
        """Kind of Excel column: text, int, decimal or date."""
        kind = self.spec.type if self.spec else self.kind
        kinds: dict[str, SheetKind] = {"int": "int", "size": "int", "integer": "int", "year": "int", "money": "decimal", "decimal": "decimal",
                "percent": "decimal", "date": "date"}  # fmt: skip
        return kinds.get(kind, "text")


NOTED = {"title": "名称", "list": "名单编号", "count": "件数", "way": "登录方式", "role": "身份", "user_type": "账号类型",
         "revision": "版本", "code": "校验码", "states": "状态", "path": "位置", "label": "哪一项", "experts": "专家编号",
         "expert": "专家编号", "name": "姓名", "seal": "印章", "state": "核对", "matched": "校验码", "attachment": "文件编号",
         "key": "事项"}  # fmt: skip
SAID = {"password": "密码", "sms": "短信", "seen": "看到", "not_seen": "没看到", "cannot_tell": "看不清", "done": "已核对",
        "pending": "等待核对", "failed": "要人工核对", "enterprise": "企业", "individual": "个人", "None": "—"}  # fmt: skip
"""What an event notes, by the words that the services write: names and values."""

_TEXTS: dict[str, Callable[[Column, Any], str]] = {
    "option": lambda c, v: c.options.get(str(v), str(v)),
    "bool": lambda c, v: "是" if v else "否",
    "time": lambda c, v: local_time(v),
    "money": lambda c, v: f"{v:,.2f}",
    "region": lambda c, v: lookups.region(v) or str(v),
    "industry": lambda c, v: lookups.industry(v) or str(v),
    "phone": lambda c, v: mask_phone(v),
    "size": lambda c, v: file_size(v),
    "long": lambda c, v: v if len(v) <= 60 else v[:60] + "……",
    "subject": lambda c, v: " ".join(
        (c.options.get(v.partition(":")[0], v.partition(":")[0]), v.partition(":")[2])
    ).strip(),
    "json": lambda c, v: (
        "；".join(f"{NOTED.get(k, k)}：{SAID.get(str(x), x)}" for k, x in v.items()) if isinstance(v, dict) else str(v)
    ),
    "agent": lambda c, v: browser_name(v) or "其他",
}


@dataclass(frozen=True)
class Grid:
    """One grid. ``name`` is stable: it is the address, the permission and the view at once."""

    name: str
    label: str
    group: str
    model: type[Model]
    columns: tuple[Column, ...]
    scope: Scope
    writable: bool = False
    parent: str | None = None
    order: tuple[str, str] = ("id", "desc")
    indent: bool = False

    @property
    def listed(self) -> list[Column]:
        """Columns of the list."""
        return [c for c in self.columns if c.listed]

    @property
    def searchable(self) -> list[Column]:
        """Columns with a filter."""
        return [c for c in self.columns if c.search]

    def column(self, path: str) -> Column:
        """The column ``path``; KeyError if there is none."""
        for column in self.columns:
            if column.path == path:
                return column
        raise KeyError(path)


def _answer(spec: FieldSpec, listed: bool) -> Column:
    return Column(spec.key, spec.label, "field", listed=listed, search=spec.filter or spec.search, spec=spec)


def _listed(specs: list[FieldSpec], limit: int) -> set[str]:
    # A definition that flags nothing shows its first short fields.
    flagged = [s.key for s in specs if s.in_list]
    return set(flagged or [s.key for s in specs if s.type not in ("text", "multiselect")][:limit])


def grids_of(
    definition: Definition, facts: tuple[Column, ...], scope: Callable[[type[Model]], Scope], group: str
) -> list[Grid]:
    """The grids of a definition: its form, then each child table. ``facts`` are the columns of the declaration."""
    projection = build_projection(definition)
    name = f"form_{definition.key}"
    specs = [f for _, f in definition.fields()]
    shown = _listed(specs, 4)
    # The enterprise's name is usually an answer too: once is enough.
    labels = {s.label for s in specs}
    own = tuple(f for f in facts if f.label not in labels)
    main = Grid(
        name,
        definition.menu or definition.title,
        group,
        projection.main,
        (*own, *(_answer(s, s.key in shown) for s in specs)),
        scope(projection.main),
    )
    return [
        main,
        *(
            _child(t, parent, name, projection.tables[t.key], facts, scope, group)
            for _, t, parent in definition.tables()
        ),
    ]


def _child(
    table: Table, parent: Table | None, main: str, model: type[Model], facts: tuple[Column, ...],
    scope: Callable[[type[Model]], Scope], group: str,
) -> Grid:  # fmt: skip
    specs = list(table.all_columns)
    shown = _listed(specs, 5)
    return Grid(
        f"{main}_{table.key}",
        table.label,
        group,
        model,
        (*facts[:2], Column("position", "序号", "int"), *(_answer(s, s.key in shown) for s in specs)),
        scope(model),
        parent=f"{main}_{parent.key}" if parent else main,
        indent=True,
    )
