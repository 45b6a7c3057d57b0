"""What the program says hangs on an answer, against what really changes when that answer changes.

A page in use redraws only what ``influenced`` names: a field that is missing there would keep showing an old value.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from app.definitions import registry
from app.definitions.answers import Answers
from app.definitions.dependents import with_dependents
from app.definitions.evaluation import Evaluation, FieldState, evaluate
from app.definitions.influence import Place, influenced
from app.definitions.schema import Definition
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Raw
from app.services.samples import FACTS, FileLookups, sample_answers
from tests.factories_everything import everything

NAMES = FileLookups()
DEFINITIONS = {"everything": everything, "intake": lambda: registry.catalogue().get("hrb_cultivation_intake")}


@cache
def resolved(name: str) -> Definition:
    definition = DEFINITIONS[name]()
    return registry.resolve(definition, registry.parameters_of(definition))


@cache
def answers_of(name: str, seed: int) -> Answers:
    definition = resolved(name)
    return sample_answers(definition, registry.parameters_of(definition), random.Random(seed), lookups=NAMES)


def judge(name: str, answers: Answers) -> Evaluation:
    definition = resolved(name)
    return evaluate(
        definition, answers, lookups=NAMES, enterprise=FACTS, params=registry.parameters_of(definition),
        today="2026-06-12",
    )  # fmt: skip


def with_answer(answers: Answers, table: str, key: str, raw: Raw) -> Answers:
    """A copy with one answer changed: of the main form, or of the first row of ``table``."""
    rows = [type(r)(r.id, r.table, r.parent, r.position, dict(r.values)) for r in answers.rows]
    main = dict(answers.main)
    if table:
        next(row for row in rows if row.table == table).values[key] = raw
    else:
        main[key] = raw
    return Answers(main, rows)


def questions(definition: Definition) -> Iterator[tuple[str, FieldSpec]]:
    """Everything a person may type, with its table."""
    asked = [("", f) for _section, f in definition.fields()]
    asked += [(t.key, c) for _section, t, _parent in definition.tables() for c in t.all_columns]
    yield from ((t, s) for t, s in asked if not (s.computed or s.readonly or s.fixed is not None))


def other_answers(spec: FieldSpec) -> list[Raw]:
    """Nothing, and every option or some samples."""
    if spec.type == "multiselect":
        return [[], *([o.value] for o in spec.options)]
    if spec.options or spec.type == "boolean":
        return ["", *(o.value for o in spec.options or ()), "yes", "no"][:6]
    return ["", field_types.get(spec.type).sample(spec, random.Random(99)), "0"]


def picture(state: FieldState) -> tuple[Any, ...]:
    return state.visible, state.required, state.text if state.visible else "", state.error, state.warning


def changed_places(before: Evaluation, after: Evaluation) -> set[tuple[str, str]]:
    """Table and key of every field that looks different, and of every table that came or went."""
    one, two = ({f.path: f for f in verdict.all_fields()} for verdict in (before, after))
    found = set()
    for path in one.keys() | two.keys():
        if path not in one or path not in two or picture(one[path]) != picture(two[path]):
            parts = path.split("/")
            found.add((parts[-3] if len(parts) > 1 else "", parts[-1]))
    return found


def is_named(place: tuple[str, str], named: frozenset[Place], tables_named: set[str]) -> bool:
    return any((p.table, p.key) == place for p in named) or place[0] in tables_named


CASES = [(name, table, spec.key) for name in DEFINITIONS for table, spec in questions(resolved(name))]


@pytest.mark.parametrize(("name", "table", "key"), CASES, ids=["-".join(c) for c in CASES])
def test_whatever_changes_was_named(name: str, table: str, key: str) -> None:
    definition, answers = resolved(name), answers_of(name, 5)
    spec = next(s for t, s in questions(definition) if (t, s.key) == (table, key))
    if table and not any(row.table == table for row in answers.rows):
        pytest.skip("the sample has no such row")
    named = influenced(definition, table, key)
    tables_named = {p.table for p in named if not p.key}
    before = judge(name, answers)
    for raw in other_answers(spec):
        after = judge(name, with_answer(answers, table, key, raw))
        unnamed = {p for p in changed_places(before, after) - {(table, key)} if not is_named(p, named, tables_named)}
        assert unnamed == set(), raw


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_place_never_influences_itself(name: str) -> None:
    definition = resolved(name)
    for table, spec in questions(definition):
        assert (table, spec.key) not in {(p.table, p.key) for p in influenced(definition, table, spec.key)}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_named_places_exist(name: str) -> None:
    definition = resolved(name)
    known = {("", f.key) for _section, f in definition.fields()}
    for _section, table, _parent in definition.tables():
        known |= {(table.key, "")} | {(table.key, c.key) for c in table.all_columns}
    for table_key, spec in questions(definition):
        assert {(p.table, p.key) for p in influenced(definition, table_key, spec.key)} <= known


# -- what a return reopens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFINITIONS)
def test_reopening_is_complete_at_once(name: str) -> None:
    """Asking again for what was found opens nothing more, and more paths never open less."""
    definition = resolved(name)
    paths = [spec.key for table, spec in questions(definition) if not table]
    everything_open = with_dependents(definition, paths)
    for path in paths:
        found = with_dependents(definition, [path])
        assert path in found
        assert with_dependents(definition, found) == found
        assert found <= everything_open


@pytest.mark.parametrize("name", DEFINITIONS)
def test_reopened_paths_exist(name: str) -> None:
    definition = resolved(name)
    known = {f.key for _section, f in definition.fields()} | {t.key for _section, t, _parent in definition.tables()}
    known |= {f"@{a.key}" for a in definition.attachments}
    for _section, table, _parent in definition.tables():
        known |= {f"{table.key}/r1/{c.key}" for c in table.all_columns}
    for table_key, spec in questions(definition):
        path = f"{table_key}/r1/{spec.key}" if table_key else spec.key
        if table_key not in {t.key for _section, t, parent in definition.tables() if parent}:
            assert with_dependents(definition, [path]) <= known, path


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_question_that_becomes_required_is_reopened_with_its_reason(name: str) -> None:
    """Otherwise an enterprise could neither answer it nor submit again."""
    definition, answers = resolved(name), answers_of(name, 5)
    before = judge(name, answers)
    for table, spec in questions(definition):
        if table:
            continue
        opened = with_dependents(definition, [spec.key])
        for raw in other_answers(spec):
            after = judge(name, with_answer(answers, "", spec.key, raw))
            new = {p.path for p in after.problems if p.severity == "missing"}
            new -= {p.path for p in before.problems} | {spec.key}
            reachable = {p for p in new if p in opened or p.split("/")[0] in opened}
            assert new == reachable, (spec.key, raw, new - reachable)
