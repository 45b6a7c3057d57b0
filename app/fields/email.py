"""email: one mail address."""

from __future__ import annotations

import random
import re

from flask_babel import gettext as _

from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems, length_problems
from app.fields.text import TextValue

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]")


class EmailType(TextValue):
    """ASCII address; the domain is kept in lower case."""

    name = "email"
    default_length = 254
    input_attributes = {"inputmode": "email", "autocomplete": "email"}

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The address, None if empty."""
        text = one_text(raw)
        if text is None:
            return None
        address = half_width(text)
        self.check_length(spec, address)
        if not _ADDRESS.fullmatch(address):
            raise FieldError(_("请填邮箱地址，例如 name@example.com；现在填的是“%(seen)s”。", seen=seen(text)))
        name, _at, domain = address.rpartition("@")
        return f"{name}@{domain.lower()}"

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """An address of a domain that is reserved for examples."""
        return f"hr{rng.randint(0, 9999):04d}@example.com"

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """There must be room for an address."""
        return attribute_problems(spec, *self.attributes) + length_problems(spec, 20, 254)
