"""Made-up answers for any definition, and the check that no expression of the catalogue can fail.

Used by the demo seed, by tests and by ``flask definitions check``; the check needs no database.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from app import definitions as definitions_room
from app.definitions import registry
from app.definitions.answers import Answers, Row
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.expressions import ExpressionError, compile_expression
from app.definitions.schema import Definition, Table
from app.extensions import db
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Lookups, Raw
from app.models import Account
from app.services.answers import add_row, save_answers
from app.services.declaration import load
from app.services.facts import enterprise_facts
from app.services.reference import lookups as database_lookups

ROUNDS = 80
"""How often answers that break a rule are drawn again before giving up."""

FACTS: dict[str, Any] = {
    "name": "哈尔滨北辰精密轴承有限公司",
    "credit_code": "91230108MA1BXQ3T7B",
    "user_type": "enterprise",
    "certification_status": "approved",
    "region_code": "230108",
    "registered_address": "黑龙江省哈尔滨市平房区哈南第八大道17号",
    "industry_code": "34",
    "nature": "private",
    "registered_capital": 3000.0,
    "established_on": "2011-04-18",
    "employees": 186.0,
    "legal_representative": "王建国",
    "contact_name": "王敏",
    "contact_phone": "13904512187",
    "company_profile": "主要生产精密轴承和机床主轴，产品用于风电、机床和农机。",
    "revenue_y1": 8600.0,
    "total_assets_y1": 9100.0,
    "certificates": [],
    "declarations": [],
}


class FileLookups:
    """Names of codes from the product's own reference files, for work without a database."""

    def __init__(self) -> None:
        folder = Path(definitions_room.__file__).parent / "reference"
        regions = yaml.load((folder / "regions.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
        industries = yaml.load((folder / "industries.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
        self._regions = {r["code"]: r["name"] for r in regions["regions"]}
        self._industries = {d["code"]: d["name"] for d in (*industries["sections"], *industries["divisions"])}

    def region(self, code: str) -> str | None:
        """Name of a region or None."""
        return self._regions.get(code)

    def industry(self, code: str) -> str | None:
        """Name of an industry or None."""
        return self._industries.get(code)


def draw(spec: FieldSpec, rng: random.Random) -> Raw:
    """One sample answer of a field, as it would be typed."""
    return field_types.get(spec.type).sample(spec, rng)


def _is_typed(spec: FieldSpec) -> bool:
    return not (spec.computed or spec.readonly or spec.prefill or spec.fixed is not None)


def sample_answers(
    definition: Definition,
    params: Mapping[str, Any],
    rng: random.Random,
    *,
    lookups: Lookups,
    facts: Mapping[str, Any] | None = None,
    rows: int | None = None,
) -> Answers:
    """Complete answers that keep the definition's own rules. ``rows`` per table (default: its minimum, at least one).

    RuntimeError naming what is left if the rules cannot be met by drawing (a condition on facts, say).
    """
    answers = Answers(main={f.key: draw(f, rng) for _, f in definition.fields() if _is_typed(f)})
    for section in definition.sections:
        for table in section.tables:
            _add_rows(answers, table, None, rng, rows)
    for _ in range(ROUNDS):
        verdict = _judge(definition, answers, params, lookups, facts or FACTS)
        broken = [p for p in verdict.blocking if not p.path.startswith("@")]
        if not broken:
            return answers
        for problem in broken:
            _redraw(verdict, answers, problem.path, rng)
        answers._index = None
    raise RuntimeError(f"{definition.key}: no sample keeps {'; '.join(p.message for p in broken)}")


def _add_rows(answers: Answers, table: Table, parent: str | None, rng: random.Random, rows: int | None) -> None:
    for position in range(min(table.max_rows, rows or max(1, table.min_rows))):
        values = {c.key: draw(c, rng) for c in table.all_columns if _is_typed(c)}
        row = Row(f"{table.key}-{len(answers.rows)}", table.key, parent, position, values)
        answers.rows.append(row)
        for child in table.tables:
            _add_rows(answers, child, row.id, rng, None if rows is None else min(rows, 2))


def _redraw(verdict: Evaluation, answers: Answers, path: str, rng: random.Random) -> None:
    parts = path.split("/")
    state = verdict.find(path)
    if len(parts) == 1:
        if state is not None:
            answers.main[path] = draw(state.spec, rng)
        return
    row = next(r for r in answers.rows if r.id == parts[-2 if state else -1])
    for spec in (s for s in _columns(verdict.definition, row.table) if _is_typed(s)):
        # A rule between columns (end after start) may need either side: dates move together.
        if state is None or spec.key == parts[-1] or spec.type == state.spec.type == "date":
            row.values[spec.key] = draw(spec, rng)


def _columns(definition: Definition, table: str) -> tuple[FieldSpec, ...]:
    return definition.table(table).all_columns


def _judge(
    definition: Definition, answers: Answers, params: Mapping[str, Any], lookups: Lookups, facts: Mapping[str, Any]
) -> Evaluation:
    return evaluate(definition, answers, lookups=lookups, enterprise=facts, params=params, today="2026-06-12")


def fill_declaration(user: Account, public_id: str, rng: random.Random, *, rows: int | None = None) -> None:
    """Fill a draft with sample answers through the same services that a person uses."""
    opened = load(public_id, user)
    known = enterprise_facts(user.enterprise) if user.enterprise is not None else {}
    facts = {**FACTS, **{k: v for k, v in known.items() if v is not None}}
    answers = sample_answers(opened.definition, opened.params, rng, lookups=database_lookups, facts=facts, rows=rows)
    paths = _place_rows(user, public_id, opened.definition, answers)
    values: dict[str, Raw] = dict(answers.main)
    for row in answers.rows:
        values |= {f"{paths[row.id]}/{key}": raw for key, raw in row.values.items()}
    db.session.rollback()
    save_answers(user, public_id, values)
    db.session.rollback()


def _place_rows(user: Account, public_id: str, definition: Definition, answers: Answers) -> dict[str, str]:
    """Path in the draft of every sample row; rows that are missing are added."""
    paths: dict[str, str] = {}
    for _, table, _parent in definition.tables():
        # Read again for each table: a new row brings the nested rows that it needs.
        db.session.rollback()
        present = load(public_id, user).answers
        free: dict[str | None, list[str]] = {}
        for sample in (r for r in answers.rows if r.table == table.key):
            owner = paths[sample.parent].split("/")[-1] if sample.parent else None
            if owner not in free:
                prefix = f"{paths[sample.parent]}/" if sample.parent else ""
                free[owner] = [f"{prefix}{table.key}/{r.id}" for r in present.children(table.key, owner)]
            paths[sample.id] = free[owner].pop(0) if free[owner] else add_row(user, public_id, table.key, owner)
    return paths


def check_catalogue(folder: Path = registry.CATALOGUE) -> list[str]:
    """Evaluate every expression of every definition on empty, full and half-empty answers; what failed, in words."""
    problems: list[str] = []
    lookups = FileLookups()
    for definition in registry.catalogue(folder):
        params = registry.parameters_of(definition)
        resolved = registry.resolve(definition, params)
        for name, scope, row_scope in _scopes(resolved, params, lookups):
            problems += [
                f"{definition.key}: {place} on {name} answers: {why}"
                for place, why in _failures(resolved, scope, row_scope)
            ]
        try:
            sample_answers(resolved, params, random.Random(3), lookups=lookups)
        except RuntimeError as error:
            problems.append(str(error))
    return sorted(set(problems))


def _scopes(
    definition: Definition, params: dict[str, Any], lookups: Lookups
) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    rng = random.Random(11)
    numbers = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in params.items()}
    full = Answers(main={f.key: draw(f, rng) for _, f in definition.fields() if _is_typed(f)})
    for section in definition.sections:
        for table in section.tables:
            _add_rows(full, table, None, rng, 2)
    found = []
    for name, answers, facts in (
        ("empty", Answers(), {k: None for k in FACTS}),
        ("empty", Answers(), FACTS),
        ("full", full, FACTS),
        ("full", full, {**{k: None for k in FACTS}, "certificates": [], "declarations": []}),
    ):
        form = _judge(definition, answers, params, lookups, facts).form
        scope: dict[str, Any] = {
            "form": form,
            "enterprise": facts,
            "params": numbers,
            "today": "2026-06-12",
            "review": {},
        }
        rows: dict[str, dict[str, Any]] = {
            t.key: {c.key: [] if c.type == "multiselect" else None for c in t.all_columns}
            for _, t, _ in definition.tables()
        }
        for _, table, parent in definition.tables():
            rows[table.key] |= {child.key: [] for child in table.tables}
            if parent is None and form.get(table.key):
                rows[table.key] = form[table.key][0]
                for child in table.tables:
                    if form[table.key][0].get(child.key):
                        rows[child.key] = form[table.key][0][child.key][0]
        found.append((name, scope, rows))
    return found


def _failures(definition: Definition, scope: dict[str, Any], rows: dict[str, Any]) -> list[tuple[str, str]]:
    failures = []
    for place, source, table in _expressions(definition):
        try:
            compile_expression(source).evaluate({**scope, "row": rows.get(table or "", {})})
        except ExpressionError as error:
            failures.append((place, str(error)))
    return failures


def _expressions(definition: Definition) -> list[tuple[str, str, str | None]]:
    """Every expression with its place and the table whose row it reads."""
    found: list[tuple[str, str | None, str | None]] = []
    for section in definition.sections:
        found.append((f"section {section.key} visible_if", section.visible_if, None))
    asked: list[tuple[str, FieldSpec, str | None]] = [
        (f"{section.key}.{f.key}", f, None) for section, f in definition.fields()
    ]
    asked += [(f"{t.key}.{c.key}", c, t.key) for _, t, _ in definition.tables() for c in t.all_columns]
    for place, spec, table in asked:
        for name in ("visible_if", "required_if", "computed", "prefill"):
            found.append((f"{place} {name}", getattr(spec, name), table))
    for _, child, parent in definition.tables():
        found.append((f"table {child.key} visible_if", child.visible_if, parent.key if parent else None))
    found += [(f"attachment {a.key} required_if", a.required_if, None) for a in definition.attachments]
    for condition in definition.conditions:
        found.append((f"condition {condition.key}", condition.cel, condition.each))
        found.append((f"condition {condition.key} expected", condition.expected, condition.each))
    return [(place, source, table) for place, source, table in found if source]
