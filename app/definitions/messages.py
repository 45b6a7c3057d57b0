"""Sentences about answers: what is missing, what does not fit. Plain functions of data, so that tests read them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from app.definitions.schema import Condition, Table
from app.fields.base import FieldSpec

_ISO = re.compile(r"^(\d{4})-(\d{2})-(\d{2})$")
_CHOICES = {"select", "boolean", "multiselect", "region", "industry", "date"}


def chinese_date(text: str) -> str:
    """``2025-10-31`` → ``2025 年 10 月 31 日``; other text unchanged."""
    match = _ISO.match(text)
    return f"{match[1]} 年 {int(match[2])} 月 {int(match[3])} 日" if match else text


def missing_text(spec: FieldSpec, place: str = "") -> str:
    """``还没填“联系人”``, with the choices when they are few."""
    if spec.type not in _CHOICES:
        return f"{place}“{spec.label}”还没填"
    labels = [o.label for o in spec.options]
    if spec.type == "boolean" and not labels:
        labels = ["是", "否"]
    hint = f"，请选{'或'.join(f'“{x}”' for x in labels)}" if 0 < len(labels) <= 3 else ""
    return f"{place}“{spec.label}”还没选{hint}"


def undecided_text(spec: FieldSpec, place: str = "") -> str:
    """What to do about a value that the form itself should find, and cannot."""
    return f"{place}“{spec.label}”算不出来，请核对与它有关的内容，例如作除数的数字不能是 0"


def rows_text(spec: Table, count: int) -> str | None:
    """What is wrong with the number of rows, or None."""
    if count < spec.min_rows:
        return f"“{spec.label}”至少要有 {spec.min_rows} 个，现在有 {count} 个，请添加"
    if count > spec.max_rows:
        return f"“{spec.label}”最多 {spec.max_rows} 个，现在有 {count} 个，请移除 {count - spec.max_rows} 个"
    return None


class _Formatter(string.Formatter):
    """Fills ``{value}``, ``{params.x}`` and field keys; an unknown name stays visible instead of vanishing."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if field_name.startswith("params."):
            value = kwargs["params"].get(field_name[7:], "{" + field_name + "}")
        else:
            value = kwargs.get(field_name, "{" + field_name + "}")
        return chinese_date(str(value)), field_name


def difference_text(value: str, expected: str) -> str:
    """``20%``: how far ``value`` is from ``expected``, both numbers as people read them; empty if they are none."""
    try:
        seen, other = (Decimal(text.replace(",", "")) for text in (value, expected))
    except InvalidOperation:
        return ""
    if not other or not other.is_finite() or not seen.is_finite():
        return ""
    percent = (abs(seen - other) / abs(other) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{percent}%" if percent else "不到 1%"


def condition_text(
    condition: Condition, texts: Mapping[str, str], params: Mapping[str, Any], value: str, number: int
) -> str:
    """The sentence shown when ``condition`` is not met."""
    template = condition.message or condition.text
    if "{" not in template:
        return template
    names = {**texts, "value": value, "number": number, "params": params}
    names["difference"] = difference_text(value, texts.get("expected", ""))
    try:
        return _Formatter().vformat(template, (), names)
    except ValueError:  # a value of the batch that brought a brace into the sentence
        return template
