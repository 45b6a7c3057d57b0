"""phone: a mobile number, or a landline with its area code."""

from __future__ import annotations

import random
import re

from flask_babel import gettext as _

from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems, length_problems
from app.fields.text import TextValue

_COUNTRY = re.compile(r"(?:\+|00)86[ -]*")
_MOBILE = re.compile(r"(?:86)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(
    r"\(?(010|02[0-9]|0[3-9][0-9]{2})\)?[ -]*"  # area code
    r"([1-9][0-9]{2,3})[ -]?([0-9]{4})"  # 7 or 8 digits, often written in two groups
    r"(?:(?: ?转 ?|-)([0-9]{1,6}))?"  # extension
)
_MOBILE_SAMPLE = "13800000000"
_LANDLINE_SAMPLE = "0451-84000000"


def normal_phone(text: str) -> str | None:
    """``13800001234`` or ``0451-84000000[-801]`` out of any usual spelling, None if it is no phone number."""
    plain = half_width(text)
    local = _COUNTRY.sub("", plain, count=1) if _COUNTRY.match(plain) else plain
    if mobile := _MOBILE.fullmatch(re.sub(r"[ -]", "", local)):
        return mobile[1]
    landline = _LANDLINE.fullmatch(local)
    if landline is None and local != plain:
        landline = _LANDLINE.fullmatch("0" + local)  # +86 451 … leaves the 0 of the area code out
    if landline is None:
        return None
    return f"{landline[1]}-{landline[2]}{landline[3]}" + (f"-{landline[4]}" if landline[4] else "")


class PhoneType(TextValue):
    """Contact phones may be landlines, unless ``pattern`` (over the normal form) lets only mobile numbers pass."""

    name = "phone"
    default_length = 20
    attributes = ("max_length", "pattern")
    input_attributes = {"inputmode": "tel", "autocomplete": "tel"}

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The number in normal form, None if empty."""
        text = one_text(raw)
        if text is None:
            return None
        phone = normal_phone(text)
        if phone is None:
            raise FieldError(self._problem(spec, text))
        if spec.pattern is not None and not re.fullmatch(spec.pattern, phone, re.ASCII):
            if self._admits(spec, _MOBILE_SAMPLE) and not self._admits(spec, _LANDLINE_SAMPLE):
                raise FieldError(_("请填 11 位手机号；现在填的是“%(seen)s”。", seen=seen(text)))
            raise FieldError(_("号码格式不对，现在填的是“%(seen)s”，请对照说明修改。", seen=seen(text)))
        self.check_length(spec, phone)
        return phone

    def _problem(self, spec: FieldSpec, text: str) -> str:
        digits = re.sub(r"[ ()-]", "", _COUNTRY.sub("", half_width(text), count=1))
        if re.fullmatch(r"1[0-9]{6,}", digits):
            if len(digits) < 11:
                return _("手机号应为 11 位，现在是 %(n)s 位，请补全。", n=len(digits))
            if len(digits) > 11:
                return _("手机号应为 11 位，现在是 %(n)s 位，请删去多余的数字。", n=len(digits))
            return _("手机号的第二位应为 3 到 9，现在填的是“%(seen)s”，请核对。", seen=seen(text))
        if not self._admits(spec, _LANDLINE_SAMPLE):
            return _("请填 11 位手机号；现在填的是“%(seen)s”。", seen=seen(text))
        if re.fullmatch(r"[2-9][0-9]{6,7}", digits):
            return _("座机请写上区号，例如 0451-84000000；现在填的是“%(seen)s”。", seen=seen(text))
        return _("请填 11 位手机号，或带区号的座机，例如 0451-84000000；现在填的是“%(seen)s”。", seen=seen(text))

    def _admits(self, spec: FieldSpec, phone: str) -> bool:
        return spec.pattern is None or re.fullmatch(spec.pattern, phone, re.ASCII) is not None

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A number of the unassigned range 138 0000, or a made-up landline where mobiles are excluded."""
        mobile = f"1380000{rng.randint(0, 9999):04d}"
        landline = f"0451-8400{rng.randint(0, 9999):04d}"
        return next(
            phone for phone in (mobile, landline, _MOBILE_SAMPLE, _LANDLINE_SAMPLE) if self._admits(spec, phone)
        )

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """A pattern must be sound and let mobiles or landlines pass."""
        problems = attribute_problems(spec, *self.attributes) + length_problems(spec, 13, 20)
        try:
            if not (self._admits(spec, _MOBILE_SAMPLE) or self._admits(spec, _LANDLINE_SAMPLE)):
                problems.append(f"pattern {spec.pattern!r} lets neither mobile numbers nor landlines pass")
        except re.error as error:
            problems.append(f"pattern {spec.pattern!r} is no regular expression: {error}")
        return problems
