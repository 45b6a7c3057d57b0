"""Identity numbers: sealed wherever they rest, opened only by this installation, and masked where others look."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.schema import Definition
from app.errors import Unavailable
from app.fields.base import FieldSpec
from app.services.privacy import (
    SENSITIVE,
    change_values,
    cipher,
    mask_content,
    masked,
    seal,
    seal_content,
    sensitive_keys,
    unseal,
    unseal_content,
)
from tests.factories_everything import everything

NUMBER = "11010519491231002X"
ID = FieldSpec(key="owner_id", label="负责人身份证号", type="id_number")
PLAIN = FieldSpec(key="name", label="名称", type="string")


@pytest.fixture(autouse=True)
def installation() -> Iterator[Flask]:
    app = Flask("privacy")
    app.config["SECRET_KEY"] = "one-installation-" + "0" * 40
    Babel(app)
    with app.app_context():
        yield app


@pytest.fixture
def definition() -> Definition:
    """The made-up programme with an identity number in a nested row as well."""
    whole = everything()
    section = next(s for s in whole.sections if any(t.tables for t in s.tables))
    projects = next(t for t in section.tables if t.tables)
    members = projects.tables[0]
    members = members.model_copy(update={"columns": (*members.columns, ID.model_copy(update={"key": "member_id"}))})
    projects = projects.model_copy(update={"tables": (members,)})
    tables = tuple(projects if t.key == projects.key else t for t in section.tables)
    changed = section.model_copy(update={"tables": tables})
    return whole.model_copy(update={"sections": tuple(changed if s.key == section.key else s for s in whole.sections)})


@pytest.fixture
def content() -> dict[str, Any]:
    member = {"id": "m1", "values": {"name": "王敏", "member_id": NUMBER}, "tables": {}}
    project = {"id": "p1", "values": {"title": "智能产线"}, "tables": {"members": [member]}}
    fields = {"owner_id": NUMBER, "summary": f"负责人 {NUMBER}", "revenue": "1.00"}
    return {"fields": fields, "tables": {"projects": [project], "devices": []}, "today": "2026-06-01"}


def test_a_sealed_number_is_unreadable_and_comes_back() -> None:
    sealed = seal(ID, NUMBER)
    assert isinstance(sealed, str) and NUMBER not in sealed and NUMBER[:6] not in sealed
    assert unseal(ID, sealed) == NUMBER


def test_sealing_twice_gives_two_texts() -> None:
    # The same person in two declarations must not be recognisable by the stored text.
    assert seal(ID, NUMBER) != seal(ID, NUMBER)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40))
def test_whatever_was_typed_comes_back(typed: str) -> None:
    assert unseal(ID, seal(ID, typed)) == typed


@pytest.mark.parametrize("raw", [None, "", []])
def test_nothing_typed_is_stored_as_nothing(raw: Any) -> None:
    assert seal(ID, raw) == raw == unseal(ID, raw)


@pytest.mark.parametrize("raw", ["哈尔滨", None, ["a", "b"]])
def test_other_fields_are_left_alone(raw: Any) -> None:
    assert seal(PLAIN, raw) == raw == unseal(PLAIN, raw)


def test_another_installation_cannot_read_it(installation: Flask) -> None:
    sealed = seal(ID, NUMBER)
    installation.config["SECRET_KEY"] = "another-installation-" + "0" * 40
    with pytest.raises(Unavailable, match="请告诉运维人员核对密钥") as refused:
        unseal(ID, sealed)
    assert NUMBER not in str(refused.value)


def test_one_cipher_per_secret(installation: Flask) -> None:
    first = cipher()
    assert cipher() is first
    installation.config["SECRET_KEY"] = "another-installation-" + "1" * 40
    assert cipher() is not first


def test_a_cipher_text_of_another_purpose_is_refused() -> None:
    foreign = cipher().encrypt(NUMBER, "account")
    with pytest.raises(Unavailable, match="请告诉运维人员核对密钥") as refused:
        unseal(ID, foreign)
    assert NUMBER not in str(refused.value)


def test_keys_are_found_in_the_form_and_in_nested_rows(definition: Definition) -> None:
    found = {table: sorted(keys) for table, keys in sensitive_keys(definition).items()}
    assert found == {"": ["owner_id"], "members": ["member_id"]}
    assert frozenset({"id_number"}) == SENSITIVE


def test_a_revision_rests_sealed_at_every_depth(definition: Definition, content: dict[str, Any]) -> None:
    before = copy.deepcopy(content)
    sealed = seal_content(definition, content)
    assert content == before, "the caller's content is not touched"
    text = json.dumps({**sealed, "fields": {**sealed["fields"], "summary": ""}})
    assert NUMBER not in text
    assert unseal_content(definition, sealed) == content


def test_only_the_sensitive_answers_are_changed(definition: Definition, content: dict[str, Any]) -> None:
    sealed = seal_content(definition, content)
    assert sealed["fields"]["revenue"] == "1.00" and sealed["today"] == "2026-06-01"
    assert sealed["tables"]["projects"][0]["values"] == {"title": "智能产线"}
    assert sealed["tables"]["projects"][0]["tables"]["members"][0]["values"]["name"] == "王敏"
    assert sealed["tables"]["devices"] == []


def test_grids_get_the_masked_number_whether_sealed_or_not(definition: Definition, content: dict[str, Any]) -> None:
    shown = mask_content(definition, seal_content(definition, content))
    assert shown["fields"]["owner_id"] == "1101************2X"
    assert shown["tables"]["projects"][0]["tables"]["members"][0]["values"]["member_id"] == "1101************2X"


def test_an_unanswered_number_is_masked_as_nothing(definition: Definition, content: dict[str, Any]) -> None:
    content["fields"]["owner_id"] = None
    del content["tables"]["projects"][0]["tables"]["members"][0]["values"]["member_id"]
    shown = mask_content(definition, content)
    assert shown["fields"]["owner_id"] is None
    assert "member_id" not in shown["tables"]["projects"][0]["tables"]["members"][0]["values"]


def test_a_definition_without_numbers_passes_through(definition: Definition, content: dict[str, Any]) -> None:
    bare = definition.model_copy(update={"sections": ()})
    assert seal_content(bare, content) is content


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (NUMBER, "1101************2X"), ("1234567", "1234*67"), ("123456", "******"), ("12", "**"), ("", ""),
        ("110105491231002", "1101*********02"),
    ],
)  # fmt: skip
def test_masks(number: str, shown: str) -> None:
    assert masked(number) == shown


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.text(alphabet="0123456789X", max_size=24))
def test_a_mask_keeps_the_length_and_at_most_six_signs(number: str) -> None:
    shown = masked(number)
    assert len(shown) == len(number)
    kept = len(shown) - shown.count("*")
    assert kept == (6 if len(number) > 6 else 0)
    assert all(a in (b, "*") for a, b in zip(shown, number, strict=True))


def test_only_keys_that_are_there_are_changed() -> None:
    values = {"name": "王敏", "owner_id": "x"}
    upper = change_values({"owner_id": ID, "missing": ID}, values, lambda _spec, raw: str(raw).upper())
    assert upper == {"name": "王敏", "owner_id": "X"} and values["owner_id"] == "x"
