"""id_number: the 18-character number of a resident identity card (居民身份证号)."""

from __future__ import annotations

import random
import re
from datetime import date

from flask_babel import gettext as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value
from app.fields.raw import half_width, one_text
from app.fields.spec import attribute_problems, length_problems
from app.fields.text import TextValue

_SIGNS = re.compile(r"[0-9]{17}[0-9X]")
_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)


def _was_born(number: str) -> bool:
    """Whether the birth date is a day of the calendar from 1900 to today."""
    try:
        return date(1900, 1, 1) <= ric.get_birth_date(number) <= date.today()
    except ValidationError:
        return False


class IdNumberType(TextValue):
    """Province, birth date and check digit are verified. No sentence repeats the number: it is personal.

    The county is not: numbers were first given out in the 1980s with the codes of that time, so comparing the
    county with the year of birth (as stdnum's ``validate`` does) would refuse genuine cards.
    """

    name = "id_number"
    default_length = 18
    input_attributes = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The number, its last X in upper case; None if empty."""
        text = one_text(raw)
        if text is None:
            return None
        number = "".join(half_width(text).replace("-", "").split()).upper()
        if len(number) != 18:
            raise FieldError(_("身份证号应为 18 位，现在是 %(n)s 位，请核对。", n=len(number)))
        if not _SIGNS.fullmatch(number):
            raise FieldError(_("身份证号前 17 位是数字，最后一位是数字或 X，请核对。"))
        if number[17] != ric.calc_check_digit(number):
            raise FieldError(_("身份证号的校验位对不上，可能有一位填错了，请对照证件逐位核对。"))
        if number[:2] not in _PROVINCES or not _was_born(number):
            raise FieldError(_("身份证号里的地区或出生日期不对，请对照证件逐位核对。"))
        return number

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A well-formed number with the sequence 000, which no person was ever given."""
        first, last = date(1970, 1, 1).toordinal(), date(1999, 12, 31).toordinal()
        body = "230102" + date.fromordinal(rng.randint(first, last)).strftime("%Y%m%d") + "000"
        return body + ric.calc_check_digit(body + "0")

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """The length is given by the standard; naming it is allowed."""
        return attribute_problems(spec, *self.attributes) + length_problems(spec, 18, 18)
