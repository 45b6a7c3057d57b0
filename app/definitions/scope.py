"""What expressions look at while answers are judged, and what becomes of their results."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from app.definitions.expressions import ExpressionError, compile_expression
from app.fields.base import FieldSpec, Raw
from app.fields.number import INTEGER_DIGITS

log = logging.getLogger(__name__)

LIMIT = 10**INTEGER_DIGITS
"""No number field takes as much as this."""


class Undecidable(Exception):
    """An expression gives no answer for what was typed: it fails, divides by zero, or its result is none."""


class Scope:
    """The variables of one pass. ``form`` is filled and kept up to date by whoever judges.

    ``definition`` is the key under which failing expressions are told in the log.
    """

    def __init__(
        self, enterprise: Mapping[str, Any], params: Mapping[str, Any], today: str, definition: str = ""
    ) -> None:
        self.form: dict[str, Any] = {}
        self._definition = definition
        # Every number inside expressions is a double: whole parameters too.
        numbers = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in params.items()}
        self._variables = {
            "form": self.form, "enterprise": enterprise, "params": numbers, "today": today, "review": {}, "row": {},
        }  # fmt: skip

    def _value(self, source: str, row: Mapping[str, Any] | None) -> Any:
        variables = self._variables if row is None else {**self._variables, "row": row}
        return compile_expression(source).evaluate(variables)

    def run(self, source: str, row: Mapping[str, Any] | None = None, *, path: str = "") -> Any:
        """Value of ``source``, which stands at ``path``, over the form and ``row``; None if it cannot be decided."""
        try:
            return self._value(source, row)
        except ExpressionError:
            # The definition's check evaluates every expression on empty and full samples, so this is a rare
            # combination: undecided (a condition shows as "cannot be decided" to the reviewer).
            self.report(source, path)
            return None

    def holds(self, source: str | None, row: Mapping[str, Any] | None = None, *, default: bool, path: str = "") -> bool:
        """Whether ``source`` is true; ``default`` where there is no expression, or one that fails.

        So a question is never hidden because its expression fails: nobody could answer it then.
        """
        if source is None:
            return default
        try:
            return self._value(source, row) is True
        except ExpressionError:
            self.report(source, path)
            return default

    def answer(self, spec: FieldSpec, source: str, row: Mapping[str, Any] | None = None) -> Raw:
        """What ``source`` answers ``spec`` with, as it would be typed. Undecidable if it gives no such answer."""
        try:
            return raw_of(spec, self._value(source, row))
        except ExpressionError as error:
            raise Undecidable from error

    def report(self, source: str, path: str) -> None:
        """Tell the operator, once per process and place. Answers and rows stay out of the log."""
        _warn(self._definition, "/".join(path.split("/")[::2]), source)


@lru_cache(maxsize=4096)
def _warn(definition: str, place: str, source: str) -> None:
    log.warning("definition %s: expression at %r cannot be decided for some answers: %s", definition, place, source)


def raw_of(spec: FieldSpec, result: Any) -> Raw:
    """An expression's result as it would be typed. Undecidable if it is no answer to ``spec``."""
    if result is None or isinstance(result, str):
        return result
    if isinstance(result, bool):
        return "yes" if result else "no"
    if isinstance(result, (int, float)):
        return _number_text(spec, result)
    if isinstance(result, list) and spec.type == "multiselect" and all(isinstance(item, str) for item in result):
        return result
    raise Undecidable


def _number_text(spec: FieldSpec, number: float) -> str:
    if not (math.isfinite(number) and abs(number) < LIMIT):
        raise Undecidable
    places = 0 if spec.type in {"integer", "year"} else 2
    if spec.decimals is not None and places:
        places = spec.decimals
    # Binary noise is removed at 1e-6 first, so that halves are rounded as people expect.
    exact = Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-6), ROUND_HALF_UP)
    return format(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")
