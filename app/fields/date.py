"""date: a day of the calendar."""

from __future__ import annotations

import random
import re
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date
from sqlalchemy.types import TypeEngine
from wtforms import Field as WTField
from wtforms import StringField

from app.fields.base import FieldError, FieldSpec, FieldType, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems
from app.fields.widget import field_arguments

FIRST_YEAR, LAST_YEAR = 1900, 2100

_FORMS = tuple(
    re.compile(form)
    for form in (
        r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})",
        r"([0-9]{4}) ?(年) ?([0-9]{1,2}) ?月 ?([0-9]{1,2}) ?[日号]",
        r"([0-9]{4})()([0-9]{2})([0-9]{2})",
    )
)


class DateType(FieldType):
    """Typed as 2024-06-01, 2024/6/1, 2024.6.1, 2024年6月1日 or 20240601."""

    name = "date"
    widget = "date"

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The day, None if empty; FieldError if it is none of the calendar between 1900 and 2100."""
        text = one_text(raw)
        if text is None:
            return None
        plain = half_width(text)
        match = next((m for form in _FORMS if (m := form.fullmatch(plain))), None)
        if match is None:
            raise FieldError(_("请填日期，例如 2024-06-01；现在填的是“%(seen)s”。", seen=seen(text)))
        year, month, day = int(match[1]), int(match[3]), int(match[4])
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise FieldError(
                _(
                    "年份应在 %(first)s 到 %(last)s 之间，现在是 %(n)s，请核对。",
                    first=FIRST_YEAR,
                    last=LAST_YEAR,
                    n=match[1],
                )
            )
        try:
            return date(year, month, day)
        except ValueError:
            raise FieldError(_("日历上没有 %(y)s 年 %(m)s 月 %(d)s 日，请核对。", y=year, m=month, d=day)) from None

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """DATE."""
        return Date()

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """A date input over plain text: what the browser sends is kept as it is."""
        limits = {"min": f"{FIRST_YEAR}-01-01", "max": f"{LAST_YEAR}-12-31"}
        return StringField(**field_arguments(spec, kwargs, type="date", **limits))

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A day of 2023 to 2025."""
        return date.fromordinal(rng.randint(date(2023, 1, 1).toordinal(), date(2025, 12, 31).toordinal())).isoformat()

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """A date has no limits in the spec; that is what conditions are for."""
        return attribute_problems(spec)

    def from_json(self, data: Any) -> Value:
        """The day of an ISO text."""
        return None if data is None else date.fromisoformat(data)

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """``2024-06-11``."""
        return value.isoformat() if isinstance(value, date) else ""
