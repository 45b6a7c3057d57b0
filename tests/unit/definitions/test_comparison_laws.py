"""Laws of differences: nothing against itself, mirror images the other way round, and what is told can be carried out."""

from __future__ import annotations

import copy
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions import registry
from app.definitions.comparison import KEEP, MAX_INLINE, Change, compare_contents, inline_parts
from app.definitions.difference import compare
from app.definitions.evaluation import evaluate
from app.definitions.schema import Definition
from app.fields import registry as field_types
from app.services.samples import FACTS, FileLookups, sample_answers
from tests.factories_everything import everything

FEW = settings(max_examples=40, deadline=None, derandomize=True)
NAMES = FileLookups()
MIRROR = {"changed": "changed", "added": "removed", "removed": "added"}
words = st.text(alphabet="甲乙丙丁，。 abc12.%\n", max_size=120)


@cache
def content(seed: int) -> dict[str, Any]:
    """The record of a sample declaration of everything.yaml."""
    params = registry.parameters_of(everything())
    typed = sample_answers(everything(), params, random.Random(seed), lookups=NAMES)
    verdict = evaluate(everything(), typed, lookups=NAMES, enterprise=FACTS, params=params, today="2026-06-12")
    files = {"audit_report": [{"id": f"a{seed}", "name": f"报告{seed}.pdf", "sha256": f"{seed:064x}"}]}
    return verdict.content() | {"attachments": files}


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return compare_contents(everything(), old, new, NAMES)


pairs_of_seeds = pytest.mark.parametrize(("one", "two"), [(1, 2), (2, 3), (3, 1), (4, 9), (7, 8)])


@pytest.mark.parametrize("seed", range(5))
def test_a_record_differs_from_itself_in_nothing(seed: int) -> None:
    assert changes(content(seed), copy.deepcopy(content(seed))) == []


@pairs_of_seeds
def test_the_other_way_round_is_the_mirror_image(one: int, two: int) -> None:
    there = [(c.path, MIRROR[c.kind], c.after, c.before) for c in changes(content(one), content(two)) if not in_row(c)]
    back = [(c.path, c.kind, c.before, c.after) for c in changes(content(two), content(one)) if not in_row(c)]
    assert there == back
    assert there, "two samples differ in something"


def in_row(change: Change) -> bool:
    """Rows have ids of their own in each sample: added rows are named by their path, removed ones by their table."""
    return change.kind != "changed" or "/" in change.path


@pairs_of_seeds
def test_every_difference_of_the_form_is_told_once(one: int, two: int) -> None:
    old, new = content(one)["fields"], content(two)["fields"]
    told = [c.path for c in changes(content(one), content(two)) if "/" not in c.path and c.kind == "changed"]
    differing = {key for key in old.keys() | new.keys() if (old.get(key) or None) != (new.get(key) or None)}
    assert set(told) - {"@audit_report"} == differing
    assert len(told) == len(set(told))


@pairs_of_seeds
def test_what_is_told_stands_in_the_order_of_the_form(one: int, two: int) -> None:
    order = [key for section in everything().sections for key in [f.key for f in section.fields]]
    told = [c.path for c in changes(content(one), content(two)) if c.path in order]
    assert told == sorted(told, key=order.index)
    assert [c.path for c in changes(content(one), content(two))][-1] == "@audit_report", "files come last"


@pairs_of_seeds
def test_carrying_the_differences_out_leads_to_the_new_record(one: int, two: int) -> None:
    old, new = copy.deepcopy(content(one)), content(two)
    for change in changes(old, new):
        if change.kind == "changed" and "/" not in change.path and not change.path.startswith("@"):
            if change.path in new["fields"]:
                old["fields"][change.path] = new["fields"][change.path]
            else:
                old["fields"].pop(change.path)
    old["tables"], old["attachments"] = copy.deepcopy(new["tables"]), new["attachments"]
    assert changes(old, new) == []


@pytest.mark.parametrize("table", ["devices", "projects"])
def test_one_cell_is_one_difference_and_says_its_row(table: str) -> None:
    old = content(1)
    spec = everything().table(table)
    for column in spec.all_columns:
        new = copy.deepcopy(old)
        row = new["tables"][table][-1]
        if column.key not in row["values"]:
            continue
        kind, drawn = field_types.get(column.type), random.Random(column.key)
        value = kind.to_json(kind.parse(column, kind.sample(column, drawn), NAMES))
        if row["values"][column.key] == value:
            continue
        row["values"][column.key] = value
        (change,) = changes(old, new)
        assert change.path == f"{table}/{row['id']}/{column.key}"
        assert (change.label, change.kind) == (column.label, "changed")
        assert change.place and change.before != change.after


@pytest.mark.parametrize("turn", range(4))
def test_the_order_of_rows_is_no_difference(turn: int) -> None:
    new = copy.deepcopy(content(turn))
    for rows in new["tables"].values():
        random.Random(turn).shuffle(rows)
    assert changes(content(turn), new) == []


@FEW
@given(before=words, after=words)
def test_parts_put_together_are_the_texts(before: str, after: str) -> None:
    parts = inline_parts(before, after)
    if any("……" in part.text for part in parts if part.op == "same"):
        return
    assert "".join(p.text for p in parts if p.op != "ins") == before
    assert "".join(p.text for p in parts if p.op != "del") == after


@FEW
@given(before=words, after=words)
def test_no_part_is_empty_and_struck_out_comes_before_put_in(before: str, after: str) -> None:
    parts = inline_parts(before, after)
    assert all(part.text for part in parts if part.op != "same")
    for first, second in zip(parts, parts[1:], strict=False):
        assert (first.op, second.op) != ("ins", "del")


@FEW
@given(
    kept=st.text(alphabet="甲乙丙丁戊己庚辛", min_size=60, max_size=90), new=st.sampled_from(["壬癸", "2025年", "子"])
)
def test_far_unchanged_text_is_cut_but_the_neighbourhood_stays(kept: str, new: str) -> None:
    middle = len(kept) // 2
    before, after = kept, kept[:middle] + new + kept[middle:]
    parts = inline_parts(before, after)
    assert [p.text for p in parts if p.op == "ins"] == [new]
    assert parts[0].text == "……" + kept[:middle][-KEEP:]
    assert parts[-1].text == kept[middle:][:KEEP] + "……"


def test_a_text_just_within_the_limit_is_shown_word_by_word() -> None:
    half = MAX_INLINE // 2
    before = "建" * (half - 1)
    assert [p.op for p in inline_parts(before, before + "设")] == ["same", "ins"]
    assert [p.op for p in inline_parts(before + "设", before + "设立")] == ["del", "ins"]


# -- definitions ----------------------------------------------------------------------------------------------------


def thinned(definition: Definition, rng: random.Random) -> Definition:
    """A version with some questions, files and steps left out or renamed."""
    sections = []
    for section in definition.sections:
        fields = tuple(f for f in section.fields if rng.random() > 0.2)
        fields = tuple(f.model_copy(update={"label": f.label + "（新）"}) if rng.random() < 0.2 else f for f in fields)
        sections.append(section.model_copy(update={"fields": fields}))
    files = tuple(a for a in definition.attachments if rng.random() > 0.3)
    return definition.model_copy(update={"sections": tuple(sections), "attachments": files})


@pytest.mark.parametrize("seed", range(8))
def test_versions_compared_both_ways_are_mirror_images(seed: int) -> None:
    one, two = thinned(everything(), random.Random(seed)), thinned(everything(), random.Random(seed + 100))
    there, back = compare(one, two), compare(two, one)
    turned = {kind: {MIRROR[what]: keys for what, keys in parts.items()} for kind, parts in there.items()}
    assert turned == back


@pytest.mark.parametrize("seed", range(8))
def test_what_versions_do_not_share_is_complete(seed: int) -> None:
    one, two = everything(), thinned(everything(), random.Random(seed))
    old, new = ({f.key: f for _section, f in d.fields()} for d in (one, two))
    found = compare(one, two).get("fields", {})
    assert set(found.get("removed", [])) == old.keys() - new.keys()
    assert found.get("added", []) == []
    assert set(found.get("changed", [])) == {k for k in new if new[k] != old[k]}
    assert compare(two, two) == {}


@pytest.mark.parametrize("definition", [*registry.catalogue(), everything()], ids=lambda d: d.key)
def test_a_stored_version_does_not_differ_from_its_file(definition: Definition) -> None:
    stored = registry.from_json(registry.to_json(definition))
    assert compare(definition, stored) == {}
    assert registry.digest(stored) == registry.digest(definition)
    resolved = registry.resolve(definition, registry.parameters_of(definition))
    assert [f.key for _section, f in resolved.fields()] == [f.key for _section, f in definition.fields()]
