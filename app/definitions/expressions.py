"""CEL expressions: yes/no, visibility, prefill and selection. Amounts and scores are not expressions.

Variables: ``form`` (typed answers, flat over the sections, child tables as lists of rows), ``row`` (the current
child row), ``enterprise`` (facts), ``params`` (of the batch), ``today`` (ISO date), ``review``. Every number is a
double, dates are ISO text, empty is null. A null result means "cannot be decided".
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import cel
import yaml

TOP = ("form", "row", "enterprise", "params", "today", "review")
_REFERENCE = Path(__file__).parent / "reference"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')


class ExpressionError(Exception):
    """A defect of the definition: the expression does not compile or cannot be evaluated."""


@lru_cache
def _divisions() -> dict[str, dict[str, Any]]:
    data = yaml.safe_load((_REFERENCE / "industries.yaml").read_text("utf-8"))
    return {d["code"]: d for d in data["divisions"]}


@lru_cache
def _size_categories() -> dict[str, dict[str, Any]]:
    data = yaml.safe_load((_REFERENCE / "size_standard.yaml").read_text("utf-8"))
    return {c["key"]: c for c in data["categories"]}


def size_labels() -> dict[str, str]:
    """Names of the industries that the size standard tells apart, by key."""
    return {key: category["label"] for key, category in _size_categories().items()}


def _division(code: Any) -> dict[str, Any]:
    return _divisions().get(re.sub(r"\D", "", str(code or ""))[:2], {})


def _quantize(x: float | None, mode: str, places: int = 2) -> float | None:
    # Binary noise is removed at 1e-6 first: 51.75 × 4 % is 2.07, not 2.0699999.
    if x is None:
        return None
    exact = Decimal(repr(float(x))).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return float(exact.quantize(Decimal(1).scaleb(-places), mode))


def sme_size(code: Any, employees: float | None, revenue: float | None, assets: float | None) -> str | None:
    """Size class by the table of 工信部联企业〔2011〕300号: large, medium, small, micro or undetermined.

    ``employees`` in persons, ``revenue`` and ``assets`` in 万元. None if a needed figure is missing.
    """
    category = _division(code).get("size_category")
    if not category:
        return "undetermined"
    figures = {"employees": employees, "revenue": revenue, "total_assets": assets}
    thresholds = _size_categories()[category]["thresholds"]
    if any(figures[t["metric"]] is None for t in thresholds):
        return None
    for level in ("large", "medium", "small"):
        if all(figures[t["metric"]] >= t[f"{level}_min"] for t in thresholds):
            return level
    return "micro"


def _day(text: Any) -> datetime.date:
    return datetime.date.fromisoformat(str(text)[:10])


def _add_months(day: Any, months: float) -> str:
    start = _day(day)
    month = start.month - 1 + int(months)
    year, month = start.year + month // 12, month % 12 + 1
    last = (datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(1)).day
    return datetime.date(year, month, min(start.day, last)).isoformat()


def _full_fiscal_years(start: Any, end: Any) -> float:
    a, b = _day(start), _day(end)
    first = a.year if (a.month, a.day) == (1, 1) else a.year + 1
    return float(max(0, b.year - first))


def _years_between(start: Any, end: Any) -> float:
    a, b = _day(start), _day(end)
    return float(max(0, b.year - a.year - ((b.month, b.day) < (a.month, a.day))))


def _growth(current: float | None, previous: float | None) -> float | None:
    if current is None or previous is None or previous <= 0:
        return None
    return (current - previous) / previous * 100.0


def _ratio(a: float | None, b: float | None) -> float | None:
    return None if not b or a is None else a / b * 100.0


def _cagr(first: float | None, last: float | None, years: float) -> float | None:
    if not first or first <= 0 or last is None or last < 0:
        return None
    return float(((last / first) ** (1.0 / years) - 1) * 100.0)


def _sum(values: list[float | None]) -> float:
    # Through Decimal: 0.1 + 0.2 is 0.3 in a form.
    return float(sum((Decimal(repr(float(v))) for v in values if v is not None), Decimal(0)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "sum": _sum,
    "floor": lambda x: float(math.floor(x)),
    "round2": lambda x: _quantize(x, ROUND_HALF_UP),
    "floor2": lambda x: _quantize(x, ROUND_DOWN),
    "text_len": lambda s: float(len((s or "").strip())),
    "year_row": lambda rows, k: sorted(rows, key=lambda r: -r["fiscal_year"])[int(k) - 1],
    "growth": _growth,
    "ratio": _ratio,
    "cagr": _cagr,
    "sme_size": sme_size,
    "industry_section": lambda code: _division(code).get("section", ""),
    "industry_division": lambda code: re.sub(r"\D", "", str(code or ""))[:2],
    "assessment_category": lambda code: _division(code).get("assessment_category", ""),
    "full_fiscal_years": _full_fiscal_years,
    "years_between": _years_between,
    "add_months": _add_months,
    "add_days": lambda d, n: (_day(d) + datetime.timedelta(days=int(n))).isoformat(),
    "date_of": lambda s: str(s)[:10],
}


class Expression:
    """One compiled expression. Only the variables and keys it names are handed over, so large forms stay cheap."""

    def __init__(self, source: str) -> None:
        self.source = source
        try:
            self._program = cel.compile(source)
        except Exception as error:
            raise ExpressionError(f"does not compile: {source!r}: {str(error).splitlines()[0]}") from error
        plain = _STRING.sub('""', source)
        self.names = frozenset(n for n in TOP if re.search(rf"(?<![\w.]){n}\b", plain))
        self.form_keys, self.row_keys = _keys("form", plain), _keys("row", plain)
        self.whole = frozenset(n for n in self.names if _is_used_whole(n, plain))
        self._keys = {n: None if n in self.whole else _keys(n, plain) for n in self.names}
        self._functions = {n: f for n, f in FUNCTIONS.items() if re.search(rf"(?<![\w.]){n}\s*\(", plain)}

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """Value over ``scope`` (variables by name). ExpressionError if CEL cannot evaluate it."""
        variables = {name: _handed(name, scope.get(name), keys) for name, keys in self._keys.items()}
        try:
            return self._program.execute(cel.Context(variables=variables, functions=self._functions))
        except Exception as error:
            raise ExpressionError(f"{self.source!r}: {str(error).splitlines()[0]}") from error


def _keys(name: str, plain: str) -> frozenset[str]:
    """Keys that ``plain`` (a source without texts) reads of the variable ``name``."""
    return frozenset(re.findall(rf"(?<![\w.]){name}\.(\w+)", plain))


def _is_used_whole(name: str, plain: str) -> bool:
    """Whether ``plain`` does anything with the variable ``name`` but read its keys: ``size(row)``, ``row[k]``, ``row.all(…)``."""
    return re.search(rf"(?<![\w.]){name}\b(?!\.\w+\b(?!\s*\())", plain) is not None


def _handed(name: str, value: Any, keys: frozenset[str] | None) -> Any:
    """What CEL gets of a variable. Converting a large map costs far more than judging it."""
    if keys is None or not isinstance(value, Mapping):
        return value
    if name == "form":
        # A question that is not there was not answered.
        return {key: value.get(key) for key in keys}
    return {key: value[key] for key in keys if key in value}


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The compiled form of ``source``, shared. ExpressionError if it does not compile."""
    return Expression(source)
