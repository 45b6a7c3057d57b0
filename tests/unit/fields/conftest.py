"""What the tests of field types share: made-up lists of codes, a maker of specs, and reading or refusing an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.fields import registry
from app.fields.base import FieldError, FieldSpec, Lookups, Option, Value


class FakeLookups:
    """Two regions and two industries; refuses to be asked with anything that a database could not take."""

    def region(self, code: str) -> str | None:
        """Full name of a region."""
        assert code.isascii() and len(code) <= 13
        return {"230102": "黑龙江省 / 哈尔滨市 / 道里区", "230108": "黑龙江省 / 哈尔滨市 / 平房区"}.get(code)

    def industry(self, code: str) -> str | None:
        """Full name of an industry."""
        assert code.isascii() and len(code) <= 13
        return {"34": "制造业 / 通用设备制造业", "C": "制造业"}.get(code)


OPTIONS = (
    Option(value="mes", label="生产执行系统"),
    Option(value="erp", label="企业资源计划"),
    Option(value="wms", label="仓储管理"),
    Option(value="none", label="无", exclusive=True),
)


def make_spec(type_name: str, **attributes: Any) -> FieldSpec:
    """A valid spec of the type; ``attributes`` on top."""
    if type_name in {"select", "multiselect"}:
        attributes.setdefault("options", OPTIONS)
    return FieldSpec(**{"key": "answer", "label": "项目名称", "type": type_name, **attributes})


@pytest.fixture(scope="session")
def lookups() -> Lookups:
    """Names of codes."""
    return FakeLookups()


@pytest.fixture(scope="session")
def spec() -> Callable[..., FieldSpec]:
    """``spec("decimal", min=0)``."""
    return make_spec


@pytest.fixture(scope="session")
def parse(lookups: Lookups) -> Callable[..., Value]:
    """``parse("decimal", "12.5", min=0)`` is the value."""

    def read(type_name: str, raw: Any, **attributes: Any) -> Value:
        return registry.get(type_name).parse(make_spec(type_name, **attributes), raw, lookups)

    return read


@pytest.fixture(scope="session")
def refusal(parse: Callable[..., Value]) -> Callable[..., str]:
    """``refusal("decimal", "12万")`` is the sentence; fails if the answer is accepted."""

    def refuse(type_name: str, raw: Any, **attributes: Any) -> str:
        with pytest.raises(FieldError) as caught:
            parse(type_name, raw, **attributes)
        return str(caught.value)

    return refuse


@pytest.fixture(scope="session")
def problems() -> Callable[..., list[str]]:
    """``problems("decimal", decimals=9)`` are the defects of that spec."""

    def check(type_name: str, **attributes: Any) -> list[str]:
        return registry.get(type_name).check_spec(make_spec(type_name, **attributes))

    return check
