"""What expressions see, and their results as people would type them."""

from __future__ import annotations

from typing import Any

import pytest

from app.definitions.scope import Scope, raw_of
from app.fields.base import FieldSpec, Raw


def scope() -> Scope:
    made = Scope({"name": "北辰公司"}, {"limit": 5, "open": True, "latest": "2026-10-31"}, "2026-06-01")
    made.form["total"] = 7.0
    return made


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ("form.total > params.limit", None, True),
        ("params.limit * 2.0", None, 10.0),
        ("params.open", None, True),
        ("today < params.latest", None, True),
        ("row.amount + form.total", {"amount": 1.5}, 8.5),
        ("enterprise.name", None, "北辰公司"),
        ("enterprise.unknown == true", None, None),
        ("row.amount > 1.0", None, None),
    ],
)
def test_results(source: str, row: dict[str, Any] | None, value: Any) -> None:
    assert scope().run(source, row) == value


@pytest.mark.parametrize(
    ("source", "default", "holds"),
    [
        (None, True, True),
        (None, False, False),
        ("form.total == 7.0", False, True),
        ("form.total == 8.0", True, False),
        ("form.missing > 1.0", True, True),
        ("form.missing > 1.0", False, False),
        ("null", True, False),
    ],
)
def test_only_true_holds(source: str | None, default: bool, holds: bool) -> None:
    assert scope().holds(source, default=default) is holds


def test_the_form_is_looked_at_as_it_is_now() -> None:
    seen = scope()
    seen.form["total"] = 1.0
    assert seen.run("form.total") == 1.0


@pytest.mark.parametrize(
    ("type", "decimals", "result", "raw"),
    [
        ("decimal", None, 2.675, "2.68"),
        ("decimal", 0, 2.5, "3"),
        ("decimal", 4, 0.1 + 0.2, "0.3000"),
        ("integer", None, 2.0, "2"),
        ("year", None, 2026.0, "2026"),
        ("decimal", None, 51.75 * 0.04, "2.07"),
        ("boolean", None, True, "yes"),
        ("boolean", None, False, "no"),
        ("string", None, None, None),
        ("string", None, "文", "文"),
        ("multiselect", None, ["a"], ["a"]),
    ],
)
def test_results_as_they_would_be_typed(type: str, decimals: int | None, result: Any, raw: Raw) -> None:
    assert raw_of(FieldSpec(key="k", label="题", type=type, decimals=decimals), result) == raw
