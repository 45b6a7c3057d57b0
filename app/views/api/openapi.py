"""Describes the interface as OpenAPI 3.1, from the grids: one schema and two paths each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec import APISpec

from app.views.admin.spec import Column, Grid
from app.views.api.parameters import MAX_PAGE, MAX_PAGE_SIZE, PAGE_SIZE, has_declaration, order_paths
from app.views.api.values import speech_of

VERSION = "1"
Schema = dict[str, Any]

ABOUT = (
    "只读接口：平台上的每张表都是一个资源，列、行和权限与“数据”页面相同。\n\n"
    "数字里带小数的写成文本，一位不差；日期是 2026-11-20，时间是 UTC 的 2026-11-20T01:00:00Z；选项和代码是存储值，"
    "加 labels=1 另给中文。没有值的是 null。每个令牌每分钟最多 {per_minute} 次。"
)
_MEANINGS = {"eq": "等于", "gte": "不小于", "lte": "不大于", "contains": "包含", "in": "是其中之一，用逗号隔开"}
_REFUSALS = {
    "400": ("bad_request", "参数不认识、写了两次或值不对；parameter 是哪一个"),
    "401": ("unauthorized", "没有令牌，或令牌不对、过期、已停用"),
    "403": ("forbidden", "令牌的账号不能读这张表"),
    "404": ("not_found", "没有这张表或这条记录，或记录不在账号的范围里"),
    "429": ("too_many_requests", "读得太快，Retry-After 是要等的秒数"),
}


def document(grids: Iterable[Grid], per_minute: int) -> Schema:
    """The OpenAPI document of ``grids``."""
    spec = APISpec("申报平台数据接口", VERSION, "3.1.0",
                   info={"description": ABOUT.format(per_minute=per_minute)}, security=[{"token": []}])  # fmt: skip
    spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "管理员在“系统”里新建的接口令牌"}
    )
    _add_shared(spec)
    spec.path(
        "/api/v1/", operations={"get": _operation("list_resources", "能读的表", "resources", [], ["401", "403", "429"])}
    )
    spec.path(
        "/api/v1/openapi.json", operations={"get": _operation("describe", "这份说明", None, [], ["401", "403", "429"])}
    )
    for grid in grids:
        _add_grid(spec, grid)
    return spec.to_dict()


def _add_shared(spec: APISpec) -> None:
    spec.components.schema("error", {
        "type": "object", "required": ["error"],
        "properties": {"error": {
            "type": "object", "required": ["code", "message", "parameter"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string", "description": "原因和下一步"},
                           "parameter": {"type": ["string", "null"]}},
        }},
    })  # fmt: skip
    spec.components.schema("resources", {
        "type": "object", "required": ["resources", "openapi"],
        "properties": {
            "resources": {"type": "array", "items": {
                "type": "object", "required": ["name", "label", "columns", "parent", "url"],
                "properties": {"name": {"type": "string"}, "label": {"type": "string"}, "columns": {"type": "integer"},
                               "parent": {"type": ["string", "null"]}, "url": {"type": "string"}},
            }},
            "openapi": {"type": "string"},
        },
    })  # fmt: skip
    spec.components.schema("labels", {"type": "object", "additionalProperties": {"type": "string"}})
    for status, (code, text) in _REFUSALS.items():
        spec.components.response(code, {"description": f"{status}：{text}", "content": _json("error")})
    for name, (schema, text) in _PARAMETERS.items():
        spec.components.parameter(name, "query", {"name": name, "schema": schema, "description": text})


def _whole(least: int, most: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, **more}


_PARAMETERS: dict[str, tuple[Schema, str]] = {
    "page": (_whole(1, MAX_PAGE, default=1), "第几页"),
    "page_size": (_whole(1, MAX_PAGE_SIZE, default=PAGE_SIZE), "一页多少条"),
    "after": (
        _whole(0, 10**18 - 1),
        "按编号往下读，从这个编号之后开始；先写 0，以后照 next 走。不能和 page、order 一起用",
    ),
    "declaration": ({"type": "string", "format": "uuid"}, "只要这件申报的记录"),
    "parent": (_whole(1, 10**18 - 1), "只要上级表这条记录下面的"),
    "labels": (_whole(0, 1, default=0), "1：每条另给选项和代码的中文"),
}


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _operation(name: str, summary: str, schema: str | None, parameters: list[Any], refusals: Iterable[str]) -> Schema:
    content = _json(schema) if schema else {"application/json": {"schema": {"type": "object"}}}
    answers: Schema = {
        "200": {"description": summary, "content": content},
        "304": {"description": "和上次的 ETag 一样"},
    }
    answers |= {status: {"$ref": f"#/components/responses/{_REFUSALS[status][0]}"} for status in refusals}
    return {"operationId": name, "summary": summary, "parameters": parameters, "responses": answers}


def _add_grid(spec: APISpec, grid: Grid) -> None:
    name = grid.name
    spec.tag({"name": name, "description": grid.label})
    spec.components.schema(name, row_schema(grid))
    spec.components.schema(f"{name}_page", _page_schema(name))
    listing = _operation(f"list_{name}", f"{grid.label}：一页", f"{name}_page", _list_parameters(grid), _REFUSALS)
    single = _operation(f"get_{name}", f"{grid.label}：一条", name, [_ID, "labels"], _REFUSALS)
    for operation in (listing, single):
        operation["tags"] = [name]
    spec.path(f"/api/v1/{name}", operations={"get": listing})
    spec.path(f"/api/v1/{name}/{{id}}", operations={"get": single})


_ID: Schema = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}, "description": "记录的编号"}


def row_schema(grid: Grid) -> Schema:
    """The schema of one row."""
    facts: Schema = {"id": {"type": "integer", "description": "编号"}}
    if has_declaration(grid):
        facts["declaration"] = {"type": ["string", "null"], "description": "所属申报的 36 位编号"}
    if grid.parent:
        facts["parent"] = {"type": ["integer", "null"], "description": f"上级表 {grid.parent} 的编号"}
    facts["values"] = {
        "type": "object", "additionalProperties": False, "required": [c.path for c in grid.columns],
        "properties": {c.path: column_schema(c) for c in grid.columns},
    }  # fmt: skip
    required = list(facts)
    facts["labels"] = {"$ref": "#/components/schemas/labels"}
    return {"type": "object", "description": grid.label, "additionalProperties": False, "required": required,
            "properties": facts}  # fmt: skip


def column_schema(column: Column) -> Schema:
    """The schema of one value: its kind or null, the Chinese label, and what stored choices mean."""
    schema = dict(speech_of(column).schema)
    unit = column.spec.unit if column.spec else None
    schema |= {"type": [schema["type"], "null"], "description": f"{column.label}（{unit}）" if unit else column.label}
    options = {o.value: o.label for o in column.spec.options} if column.spec else dict(column.options)
    if options and column.kind != "subject":
        schema["x-options"] = {value: str(label) for value, label in options.items()}
    return schema


def _page_schema(name: str) -> Schema:
    text, number = {"type": ["string", "null"]}, {"type": ["integer", "null"]}
    properties = {
        "resource": {"type": "string", "const": name}, "total": number, "page": number, "page_size": {"type": "integer"},
        "next": text, "previous": text, "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
    }  # fmt: skip
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _list_parameters(grid: Grid) -> list[Any]:
    """Names of the shared parameters, then the grid's own."""
    names = ["page", "page_size", "after", "labels"]
    names += (["declaration"] if has_declaration(grid) else []) + (["parent"] if grid.parent else [])
    orders = [sign + path for path in order_paths(grid) for sign in ("", "-")]
    order = {
        "name": "order",
        "in": "query",
        "schema": {"type": "string", "enum": orders},
        "description": "按哪一列排序，前面加 - 从大到小",
    }
    return [*names, order, _filter(grid)]


def _filter(grid: Grid) -> Schema:
    """``filter[column]`` and ``filter[column__operator]``: one parameter, an object whose keys are these."""
    properties = {
        path: {"type": "string", "description": f"{column.label} {_MEANINGS[operator]}"}
        for column in grid.columns
        for operator in speech_of(column).operators
        for path in [column.path if operator == "eq" else f"{column.path}__{operator}"]
    }
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {"name": "filter", "in": "query", "style": "deepObject", "explode": True, "schema": schema,
            "description": "筛选，例如 filter[status]=approved；几个条件要同时满足"}  # fmt: skip
