"""The list of handlers."""

from __future__ import annotations

import pytest

from app.tasks import registry


def test_every_module_of_the_package_is_found() -> None:
    assert "upkeep" in registry.kinds()


def test_handler_is_found_by_kind() -> None:
    assert callable(registry.handler_of("upkeep"))


def test_unknown_kind_is_named() -> None:
    with pytest.raises(LookupError, match="'nothing'"):
        registry.handler_of("nothing")


def test_second_handler_of_a_kind_is_refused() -> None:
    registry.load()
    with pytest.raises(RuntimeError, match="two handlers"):
        registry.task("upkeep")(lambda args, report: None)
