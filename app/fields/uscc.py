"""uscc: the 18-character unified social credit code of an organisation (统一社会信用代码)."""

from __future__ import annotations

import random

from flask_babel import gettext as _
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems, length_problems
from app.fields.text import TextValue

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def organisation_check(body: str) -> str:
    """Check character of the eight characters of an organisation code (GB 11714)."""
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


class UsccType(TextValue):
    """Kept in upper case and half width; the check digit is verified."""

    name = "uscc"
    default_length = 18
    input_attributes = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The code, None if empty; FieldError that says which part is wrong."""
        text = one_text(raw)
        if text is None:
            return None
        code = "".join(half_width(text).replace("-", "").split()).upper()
        try:
            return uscc.validate(code)
        except ValidationError:
            raise FieldError(self._problem(code)) from None

    def _problem(self, code: str) -> str:
        foreign = next((i for i, char in enumerate(code) if char not in _ALPHABET), None)
        if foreign is not None:
            return _(
                "信用代码只用数字和大写字母，不用 I、O、S、V、Z；第 %(n)s 位是“%(seen)s”，请对照营业执照核对。",
                n=foreign + 1,
                seen=seen(code[foreign]),
            )
        if len(code) < 18:
            return _("信用代码应为 18 位，现在是 %(n)s 位，请补全。", n=len(code))
        if len(code) > 18:
            return _("信用代码应为 18 位，现在是 %(n)s 位，请删去多余的字符。", n=len(code))
        if not code[:8].isdigit():
            return _("信用代码的前 8 位都是数字，现在是“%(seen)s”，请对照营业执照核对。", seen=code[:8])
        return _("信用代码“%(seen)s”的校验位对不上，可能有一位填错了，请对照营业执照逐位核对。", seen=code)

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A code as a company registered in 道里区 would have, with right check digits."""
        body = "MA" + "".join(rng.choice("0123456789ABCDEFGH") for _place in range(6))
        code = "91230102" + body + organisation_check(body)
        return code + uscc.calc_check_digit(code)

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """The length is given by the standard; naming it is allowed."""
        return attribute_problems(spec, *self.attributes) + length_problems(spec, 18, 18)
