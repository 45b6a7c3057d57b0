"""Answers for any definition, filled from the field types' own samples; needs no database."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.definitions import registry
from app.definitions.answers import Answers, Row
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition, Table
from app.fields import registry as field_types
from app.fields.base import FieldSpec

ENTERPRISE = {
    "name": "哈尔滨北辰精密轴承有限公司", "credit_code": "91230108MA1BXQ3T7B", "certification_status": "approved",
    "region_code": "230108", "registered_address": "黑龙江省哈尔滨市平房区哈南第八大道17号", "industry_code": "34",
    "nature": "private", "employees": 186.0, "contact_name": "王敏", "contact_phone": "13904512187",
    "revenue_y1": None, "total_assets_y1": None, "certificates": [], "declarations": [],
}  # fmt: skip
FILE = {
    "id": "x",
    "name": "审计报告.pdf",
    "size": 12_999_999,
    "pages": 9,
    "sha256": "0" * 64,
    "type": "application/pdf",
}


class Names:
    """Lookups without a table."""

    def region(self, code: str) -> str | None:
        """A region."""
        return {"230108": "黑龙江省 / 哈尔滨市 / 平房区"}.get(code, f"黑龙江省 / 地区 {code}")

    def industry(self, code: str) -> str | None:
        """An industry."""
        return {"34": "制造业 / 通用设备制造业"}.get(code, f"制造业 / 行业 {code}")


def definition_of(path: str, params: Mapping[str, Any] | None = None) -> tuple[Definition, dict[str, Any]]:
    """The definition in the file ``path`` (from the root of the project) with its labels filled, and its parameters."""
    source = Path(__file__).parents[1] / path
    definition = registry.parse_definition(source.read_text("utf-8"), source.name)
    values = registry.parameters_of(definition, dict(params or {}))
    return registry.resolve(definition, values), values


def sample_answers(definition: Definition, rows: Mapping[str, int], seed: int = 1) -> Answers:
    """Every question answered; ``rows`` says how many rows a table gets (1 if it is not named)."""
    rng = random.Random(seed)

    def values(specs: tuple[FieldSpec, ...]) -> dict[str, Any]:
        return {s.key: field_types.get(s.type).sample(s, rng) for s in specs if s.computed is None and not s.readonly}

    answers = Answers(values(tuple(f for _, f in definition.fields())))

    def fill(table: Table, parent: str | None) -> None:
        for number in range(rows.get(table.key, 1)):
            row = f"{table.key}-{parent or ''}-{number}"
            answers.rows.append(Row(row, table.key, parent, number, values(table.all_columns)))
            for child in table.tables:
                fill(child, row)

    for section in definition.sections:
        for table in section.tables:
            fill(table, None)
    return answers


def sample_evaluation(path: str, rows: Mapping[str, int] | None = None, **answers: Any) -> Evaluation:
    """A judged sample of the definition in the file ``path``; ``answers`` replaces fields outside tables."""
    definition, params = definition_of(path)
    typed = sample_answers(definition, rows or {})
    typed.main.update(answers)
    files = {a.key: [FILE] for a in definition.attachments}
    return evaluate(
        definition, typed, lookups=Names(), enterprise=ENTERPRISE, params=params, today="2026-06-01", files=files
    )
