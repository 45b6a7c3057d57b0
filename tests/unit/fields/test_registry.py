"""The registry finds types, names the known ones, and does not take two of a name."""

from __future__ import annotations

import pytest

from app.fields import registry
from app.fields.number import DecimalType
from app.fields.text import StringType


def test_get_returns_one_shared_instance() -> None:
    assert registry.get("decimal") is registry.get("decimal")
    assert isinstance(registry.get("decimal"), DecimalType)


def test_every_name_leads_to_its_type() -> None:
    assert all(registry.get(name).name == name for name in registry.names())
    assert len(set(registry.names())) == len(registry.names()) == 16


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(KeyError, match=r"money.*boolean, date, decimal.*uscc, year"):
        registry.get("money")


def test_a_duplicate_stops_the_start() -> None:
    class Other(StringType):
        """A second type that calls itself string."""

    with pytest.raises(RuntimeError, match="'string' is registered twice: StringType and Other"):
        registry.by_name([StringType(), Other()])
