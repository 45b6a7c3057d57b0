"""The catalogue says what the guide says: every field, option, help, table, attachment, condition and step.

``tests/data/domain`` is what was collected from the guide, marked S (stated there), P or K (our own). Each text of it
is one item. Deviations must stand in the exceptions table of ``docs/guide-coverage.md`` with a reason: at most 1 %,
never one marked S.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from app.definitions.registry import catalogue, parameters_of, resolve
from app.definitions.schema import Definition, Table
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Option

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "domain"
PAGE = ROOT / "docs" / "guide-coverage.md"
INTAKE, CERTIFICATION = "hrb_cultivation_intake", "enterprise_certification"
LEVELS = {"enterprise": "enterprise", "district_miit": "district", "city_miit": "city", "expert": "city"}
KINDS = {"pool_intake": "declaration"}
NUMBERS = ("min", "max", "decimals")


class Item(NamedTuple):
    """One text or value that the guide's data holds, at ``path``."""

    path: str
    value: Any
    mark: str


class Lookup:
    """No names of coded values are needed here."""

    def region(self, code: str) -> str | None:
        return None

    def industry(self, code: str) -> str | None:
        return None


def read(name: str) -> dict[str, Any]:
    """A data file; the test fails (not skips) if it is absent."""
    path = DATA / name
    assert path.is_file(), f"{path.relative_to(ROOT)} is missing: nothing would be compared"
    data = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(data, dict)
    return data


def definition(key: str) -> Definition:
    """The catalogue's definition with the default parameters filled in."""
    raw = catalogue().get(key)
    return resolve(raw, parameters_of(raw))


# -- what the guide's data holds -----------------------------------------------------------------------------


def guide_field(path: str, field: dict[str, Any], mark: str) -> Iterator[Item]:
    """Items of one question."""
    mark = field.get("src", mark)
    for name in ("label", "help", "unit", "fixed"):
        if field.get(name) is not None:
            yield Item(f"{path}/{name}", field[name], mark)
    yield Item(f"{path}/type", field["type"], mark)
    yield Item(f"{path}/required", field.get("required", True), "K")
    if field.get("readonly"):
        yield Item(f"{path}/readonly", True, mark)
    for name in NUMBERS:
        if field.get(name) is not None:
            yield Item(f"{path}/{name}", float(field[name]), "K")
    if field.get("min_selected") is not None:
        yield Item(f"{path}/min", float(field["min_selected"]), "K")
    if field.get("max_length") and field["type"] in {"string", "text"}:
        yield Item(f"{path}/max_length", field["max_length"], "K")
    for option in field.get("options", ()):
        yield Item(f"{path}/option {option['value']}", option["label"], mark)
        if option.get("exclusive"):
            yield Item(f"{path}/option {option['value']}/exclusive", True, mark)
    if field.get("options"):
        yield Item(f"{path}/options in order", [o["value"] for o in field["options"]], mark)


def guide_table(path: str, table: dict[str, Any], mark: str) -> Iterator[Item]:
    """Items of one table with its groups, columns and nested tables."""
    mark = table.get("src", mark)
    yield Item(f"{path}/label", table["label"], mark)
    if table.get("help"):
        yield Item(f"{path}/help", table["help"], mark)
    yield Item(f"{path}/rows", [table["min_rows"], table["max_rows"]], mark)
    columns = list(table.get("columns") or [])
    for group in table.get("groups") or []:
        yield Item(f"{path}.{group['key']}/label", group["label"], mark)
        if group.get("help"):
            yield Item(f"{path}.{group['key']}/help", group["help"], mark)
        columns += group["columns"]
    yield Item(f"{path}/columns in order", [c["key"] for c in columns], mark)
    for column in columns:
        yield from guide_field(f"{path}.{column['key']}", column, mark)
    for nested in table.get("tables") or []:
        yield from guide_table(f"{path}.{nested['key']}", nested, mark)


def guide_programme(data: dict[str, Any]) -> Iterator[Item]:
    """Items of a whole programme."""
    yield Item("title", data["name"], data["src"])
    yield Item("short_title", data["short_name"], data["src"])
    yield Item("jurisdiction", data["jurisdiction"], data["src"])
    yield Item("kind", KINDS[data["kind"]], "K")
    yield Item("purpose", data["purpose"], "K")
    yield Item("policies", [p["title"] for p in data["policy_basis"]], "P")
    applicant = data["applicant"]
    yield Item("applicant/text", applicant["text"], applicant["src"])
    yield Item("applicant/certified", applicant["requires_certification"], applicant["src"])
    yield Item("applicant/scales", applicant["scale_allowed"], applicant["src"])
    for key, parameter in data["parameters"].items():
        yield Item(f"parameter {key}", parameter["value"], parameter["src"])
    for condition in data["conditions"]:
        yield Item(f"condition {condition['key']}/text", condition["text"], condition["src"])
        yield Item(f"condition {condition['key']}/severity", condition["severity"], "K")
    yield Item("sections in order", [s["key"] for s in data["sections"]], data["src"])
    for section in data["sections"]:
        yield Item(f"{section['key']}/label", section["label"], section["src"])
        yield Item(f"{section['key']}/fields in order", [f["key"] for f in section["fields"]], section["src"])
        for field in section["fields"]:
            yield from guide_field(f"{section['key']}.{field['key']}", field, section["src"])
        for table in section["tables"]:
            yield from guide_table(f"{section['key']}.{table['key']}", table, section["src"])
    yield from guide_outcome(data)


def guide_outcome(data: dict[str, Any]) -> Iterator[Item]:
    """Items of attachments, statement, route, documents and outcome."""
    yield Item("attachments in order", [a["key"] for a in data["attachments"]], data["src"])
    for file in data["attachments"]:
        for name in ("label", "formats", "max_size_mb", "required", "max_files", "stage", "help"):
            yield Item(f"attachment {file['key']}/{name}", file[name], file["src"])
        yield Item(f"attachment {file['key']}/stamped", file.get("stamped", False), file["src"])
    yield Item("statement", data["truthfulness_statement"]["text"], data["truthfulness_statement"]["src"])
    steps = sorted(data["review_chain"], key=lambda s: s["step"])
    yield Item("steps in order", [s["key"] for s in steps], data["src"])
    for step in steps:
        yield Item(f"step {step['key']}/label", step["name"], step["src"])
        yield Item(f"step {step['key']}/level", LEVELS[step["role"]], step["src"])
    for document in data["documents"]:
        yield Item(f"document {document['key']}/title", document["name"], document["src"])
        yield Item(f"document {document['key']}/format", document["format"], document["src"])
        yield Item(f"document {document['key']}/help", document["help"], document["src"])
    yield Item("outcome", [data["outcome"]["type"], data["outcome"]["name"]], data["outcome"]["src"])


def guide_certification(data: dict[str, Any]) -> Iterator[Item]:
    """Items of the certification; its guide has one flat list, ours has sections."""
    yield Item("title", data["label"], data["src"])
    for field in data["fields"]:
        if field["type"] == "file":
            yield Item(f"attachment {field['key']}/label", field["label"], field["src"])
            yield Item(f"attachment {field['key']}/required", field["required"], "K")
        else:
            yield from guide_field(field["key"], field, data["src"])


# -- what the catalogue holds --------------------------------------------------------------------------------


def options_of(spec: FieldSpec) -> tuple[Option, ...]:
    """Choices of a question; yes/no questions bring their own."""
    if spec.type != "boolean" or spec.options:
        return spec.options
    kind = field_types.get("boolean")
    return tuple(Option(value=v, label=kind.text(spec, v, Lookup())) for v in ("yes", "no"))


def our_field(path: str, spec: FieldSpec) -> dict[str, Any]:
    """Values of one question by path."""
    values: dict[str, Any] = {
        f"{path}/{name}": getattr(spec, name)
        for name in ("label", "help", "unit", "fixed", "type", "required", "readonly", "max_length")
    }
    values |= {f"{path}/{n}": None if (v := getattr(spec, n)) is None else float(v) for n in NUMBERS}
    for option in options_of(spec):
        values[f"{path}/option {option.value}"] = option.label
        values[f"{path}/option {option.value}/exclusive"] = option.exclusive
    values[f"{path}/options in order"] = [o.value for o in options_of(spec)]
    return values


def our_table(path: str, table: Table) -> dict[str, Any]:
    """Values of one table by path."""
    values: dict[str, Any] = {
        f"{path}/label": table.label,
        f"{path}/help": table.help,
        f"{path}/rows": [table.min_rows, table.max_rows],
        f"{path}/columns in order": [c.key for c in table.all_columns],
    }
    for group in table.groups:
        values |= {f"{path}.{group.key}/label": group.label, f"{path}.{group.key}/help": group.help}
    for column in table.all_columns:
        values |= our_field(f"{path}.{column.key}", column)
    for nested in table.tables:
        values |= our_table(f"{path}.{nested.key}", nested)
    return values


def our_values(ours: Definition, *, flat: bool = False) -> dict[str, Any]:
    """Every value of a definition by the path that the guide's data uses."""
    values: dict[str, Any] = {
        "title": ours.title,
        "short_title": ours.short_title,
        "jurisdiction": ours.jurisdiction,
        "kind": ours.kind,
        "purpose": ours.purpose,
        "policies": [p["title"] for p in ours.policy_basis],
        "applicant/text": ours.applicant.text,
        "applicant/certified": ours.applicant.certified,
        "applicant/scales": list(ours.applicant.scales),
        "sections in order": [s.key for s in ours.sections],
        "attachments in order": [a.key for a in ours.attachments],
        "statement": ours.statement,
        "steps in order": [s.key for s in ours.route if not s.enabled_by],
        "outcome": [ours.outcome.kind, ours.outcome.title] if ours.outcome else None,
    }
    values |= {f"parameter {k}": p.value for k, p in ours.parameters.items()}
    for condition in ours.conditions:
        values[f"condition {condition.key}/text"] = condition.text
        values[f"condition {condition.key}/severity"] = condition.severity
    for section in ours.sections:
        place = "" if flat else f"{section.key}."
        values[f"{section.key}/label"] = section.label
        values[f"{section.key}/fields in order"] = [f.key for f in section.fields]
        for field in section.fields:
            values |= our_field(place + field.key, field)
        for table in section.tables:
            values |= our_table(place + table.key, table)
    for file in ours.attachments:
        for name in ("label", "max_size_mb", "required", "max_files", "stage", "help", "stamped"):
            values[f"attachment {file.key}/{name}"] = getattr(file, name)
        values[f"attachment {file.key}/formats"] = list(file.formats)
    for step in ours.route:
        values |= {f"step {step.key}/label": step.label, f"step {step.key}/level": step.level}
    for document in ours.documents:
        for name in ("title", "format", "help"):
            values[f"document {document.key}/{name}"] = getattr(document, name)
    return values


# -- comparison ----------------------------------------------------------------------------------------------


def table_rows(heading: str) -> list[list[str]]:
    """Body rows of the first table below ``heading`` on the page."""
    assert PAGE.is_file(), "docs/guide-coverage.md is missing"
    text = PAGE.read_text("utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def all_items() -> list[Item]:
    """Everything that is compared, with the definition's key before the path."""
    programme = next(p for p in read("programmes.yaml")["programmes"] if p["code"] == INTAKE)
    certification = read("enterprise_profile.yaml")["certification"]
    return [Item(f"{INTAKE}/{i.path}", i.value, i.mark) for i in guide_programme(programme)] + [
        Item(f"{CERTIFICATION}/{i.path}", i.value, i.mark) for i in guide_certification(certification)
    ]


def all_values() -> dict[str, Any]:
    """The catalogue's side of the comparison."""
    sides = {INTAKE: our_values(definition(INTAKE)), CERTIFICATION: our_values(definition(CERTIFICATION), flat=True)}
    return {f"{key}/{path}": value for key, values in sides.items() for path, value in values.items()}


def test_catalogue_holds_every_text_of_the_guide() -> None:
    items, ours = all_items(), all_values()
    assert len(items) > 400, "the comparison data shrank"
    excused = {row[0] for row in table_rows("Exceptions")}
    wrong = [i for i in items if ours.get(i.path) != i.value]
    unexcused = [f"{i.path}: guide {i.value!r}, ours {ours.get(i.path)!r}" for i in wrong if i.path not in excused]
    assert not unexcused, "\n".join(unexcused)
    assert excused == {i.path for i in wrong}, "the exceptions table names something that no longer deviates"
    assert len(wrong) <= len(items) / 100
    assert not [i.path for i in wrong if i.mark == "S"], "what the guide states has no exceptions"


def test_exceptions_have_reasons() -> None:
    for row in table_rows("Exceptions"):
        assert len(row) == 3, row
        assert len(row[2]) >= 10, f"{row[0]} has no reason"


@pytest.mark.parametrize("damage", ["label", "option", "step", "missing"])
def test_comparison_notices_damage(damage: str) -> None:
    """The comparison itself works: a changed or lost text is seen."""
    path = {
        "label": f"{INTAKE}/basic_info.revenue/label",
        "option": f"{INTAKE}/basic_info.ownership_type/option private",
        "step": f"{INTAKE}/steps in order",
        "missing": f"{INTAKE}/digital_content.digital_projects.service_providers.evaluation/label",
    }[damage]
    ours = all_values()
    assert path in ours
    ours.pop(path)
    assert path in {i.path for i in all_items() if ours.get(i.path) != i.value}


def test_map_of_the_guide_is_honest() -> None:
    """Every sentence has a page and a test; what is called tested names a test that exists."""
    rows = table_rows("Sentences")
    assert len(rows) >= 40
    for number, sentence, page, test, state in rows:
        assert sentence and page, number
        assert state in {"tested", "open"}, f"{number}: state {state!r}"
        assert re.fullmatch(r"tests(/\w+)+/test_\w+\.py::test_\w+", test), f"{number}: {test}"
        if state == "tested":
            path, name = test.split("::")
            assert (ROOT / path).is_file() and f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{number}: {test}"
    assert [r[0] for r in rows] == [str(n) for n in range(1, len(rows) + 1)]
