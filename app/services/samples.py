"""Made-up answers for any definition, and the check that no expression of the catalogue can fail.

Used by the demo seed, by tests and by ``flask definitions check``; the check needs no database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from app.services.facts import doubles, enterprise_facts
from app.services.reference import lookups as database_lookups

ROUNDS = 80
"""How often answers that break a rule are drawn again before giving up."""

TODAY = "2026-06-12"
"""The day on which samples are judged, always the same."""

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
    answers = _draw_all(definition, rng, rows)
    for _ in range(ROUNDS):
        verdict = _judge(definition, answers, params, lookups, facts or FACTS)
        broken = [p for p in verdict.blocking if not p.path.startswith("@")]
        if not broken:
            return answers
        for problem in broken:
            _redraw(verdict, answers, problem.path, rng)
        answers._index = None
    raise RuntimeError(f"{definition.key}: no sample keeps {'; '.join(p.message for p in broken)}")


def _draw_all(definition: Definition, rng: random.Random, rows: int | None) -> Answers:
    answers = Answers(main={f.key: draw(f, rng) for _, f in definition.fields() if _is_typed(f)})
    for section in definition.sections:
        for table in section.tables:
            _add_rows(answers, table, None, rng, rows)
    return answers


def _add_rows(answers: Answers, table: Table, parent: str | None, rng: random.Random, rows: int | None) -> None:
    for position in range(min(table.max_rows, rows or max(1, table.min_rows))):
        values = {c.key: draw(c, rng) for c in table.all_columns if _is_typed(c)}
        row = Row(f"{table.key}-{len(answers.rows)}", table.key, parent, position, values)
        answers.rows.append(row)
        for child in table.tables:
            _add_rows(answers, child, row.id, rng, None if rows is None else min(rows, 2))


def _redraw(verdict: Evaluation, answers: Answers, path: str, rng: random.Random) -> None:
    """Draw again what broke a rule at ``path``: a field, a column, or a whole row."""
    state = verdict.find(path)
    if "/" in path:
        row_id = path.split("/")[-2 if state else -1]
        row = next(r for r in answers.rows if r.id == row_id)
        _redraw_row(verdict.definition.table(row.table), row, state.spec if state else None, rng)
    elif state is not None:
        answers.main[path] = draw(state.spec, rng)


def _redraw_row(table: Table, row: Row, broken: FieldSpec | None, rng: random.Random) -> None:
    """Draw the ``broken`` column of ``row`` again, or all of it."""
    for spec in table.all_columns:
        if _is_typed(spec) and (broken is None or _moves_with(spec, broken)):
            row.values[spec.key] = draw(spec, rng)


def _moves_with(spec: FieldSpec, broken: FieldSpec) -> bool:
    # A rule between columns (end after start) may need either side: dates move together.
    return spec.key == broken.key or spec.type == broken.type == "date"


def _judge(
    definition: Definition, answers: Answers, params: Mapping[str, Any], lookups: Lookups, facts: Mapping[str, Any]
) -> Evaluation:
    return evaluate(definition, answers, lookups=lookups, enterprise=facts, params=params, today=TODAY)


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
        for trial in _trials(resolved, params, lookups):
            problems += [
                f"{definition.key}: {place} on {trial.name} answers: {why}" for place, why in _failures(resolved, trial)
            ]
        try:
            sample_answers(resolved, params, random.Random(3), lookups=lookups)
        except RuntimeError as error:
            problems.append(str(error))
    return sorted(set(problems))


@dataclass(frozen=True)
class Trial:
    """Answers to try expressions on: their name, what is in scope, and the row that each table's expressions read."""

    name: str
    scope: dict[str, Any]
    rows: dict[str, dict[str, Any]]


def _trials(definition: Definition, params: Mapping[str, Any], lookups: Lookups) -> Iterator[Trial]:
    full = _draw_all(definition, random.Random(11), 2)
    nothing = dict.fromkeys(FACTS)
    for name, answers, facts in (
        ("empty", Answers(), nothing),
        ("empty", Answers(), FACTS),
        ("full", full, FACTS),
        ("full", full, {**nothing, "certificates": [], "declarations": []}),
    ):
        form = _judge(definition, answers, params, lookups, facts).form
        numbers = doubles(params)
        scope: dict[str, Any] = {"form": form, "enterprise": facts, "params": numbers, "today": TODAY, "review": {}}
        yield Trial(name, scope, _first_rows(definition, form))


def _first_rows(definition: Definition, form: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each table its first row in ``form``, an unanswered one where it has none."""
    rows: dict[str, dict[str, Any]] = {}
    for _, table, parent in definition.tables():
        present = (rows[parent.key] if parent else form).get(table.key)
        rows[table.key] = present[0] if present else _unanswered(table)
    return rows


def _unanswered(table: Table) -> dict[str, Any]:
    columns: dict[str, Any] = {c.key: [] if c.type == "multiselect" else None for c in table.all_columns}
    return columns | {child.key: [] for child in table.tables}


def _failures(definition: Definition, trial: Trial) -> list[tuple[str, str]]:
    failures = []
    for place, source, table in _expressions(definition):
        try:
            compile_expression(source).evaluate({**trial.scope, "row": trial.rows.get(table or "", {})})
        except ExpressionError as error:
            failures.append((place, str(error)))
    return failures


def _expressions(definition: Definition) -> list[tuple[str, str, str | None]]:
    """Every expression with its place and the table whose row it reads."""
    return [(place, source, table) for place, source, table in _places(definition) if source]


def _places(definition: Definition) -> Iterator[tuple[str, str | None, str | None]]:
    """Every place where there may be an expression: its name, what stands there, the table whose row it reads."""
    for section in definition.sections:
        yield f"section {section.key} visible_if", section.visible_if, None
    for section, spec in definition.fields():
        yield from _places_of(f"{section.key}.{spec.key}", spec, None)
    for _, table, parent in definition.tables():
        yield f"table {table.key} visible_if", table.visible_if, parent.key if parent else None
        for column in table.all_columns:
            yield from _places_of(f"{table.key}.{column.key}", column, table.key)
    for attachment in definition.attachments:
        yield f"attachment {attachment.key} required_if", attachment.required_if, None
    for condition in definition.conditions:
        yield f"condition {condition.key}", condition.cel, condition.each
        yield f"condition {condition.key} expected", condition.expected, condition.each


def _places_of(asked: str, spec: FieldSpec, table: str | None) -> Iterator[tuple[str, str | None, str | None]]:
    for name in ("visible_if", "required_if", "computed", "prefill"):
        yield f"{asked} {name}", getattr(spec, name), table
