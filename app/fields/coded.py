"""region and industry: codes of national lists, whose names the caller's ``Lookups`` know."""

from __future__ import annotations

import random
import re
from abc import abstractmethod
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String
from sqlalchemy.types import TypeEngine

from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems
from app.fields.text import TextValue

_CODE = re.compile(r"[A-Z]?[0-9]{0,12}")


class Coded(TextValue):
    """A code out of a list that is too long to stand in a definition."""

    default_length = 12
    attributes = ()

    @abstractmethod
    def name_of(self, code: str, lookups: Lookups) -> str | None:
        """Full name of ``code``, None if the list has no such code."""

    @abstractmethod
    def unknown(self, text: str) -> str:
        """The sentence for a code that is not in the list."""

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """The code, None if empty; FieldError if the list has none such."""
        text = one_text(raw)
        if text is None:
            return None
        code = half_width(text).upper()
        if not _CODE.fullmatch(code) or self.name_of(code, lookups) is None:
            raise FieldError(self.unknown(seen(text)))
        return code

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """VARCHAR(12)."""
        return String(self.default_length)

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """The list is given: nothing to set."""
        return attribute_problems(spec)

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """The full name; the code itself where the list has lost it."""
        return (self.name_of(value, lookups) or value) if isinstance(value, str) and value else ""


class RegionType(Coded):
    """Administrative division code, ``230108``."""

    name = "region"
    widget = "region"

    def name_of(self, code: str, lookups: Lookups) -> str | None:
        """``黑龙江省 / 哈尔滨市 / 平房区``."""
        return lookups.region(code)

    def unknown(self, text: str) -> str:
        """The sentence for a code that is not in the list."""
        return _("地区列表里没有“%(seen)s”，请从列表里选择。", seen=text)

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """道里区 of 哈尔滨市."""
        return "230102"


class IndustryType(Coded):
    """Code of the national industry classification, ``34``."""

    name = "industry"
    widget = "industry"

    def name_of(self, code: str, lookups: Lookups) -> str | None:
        """``制造业 / 通用设备制造业``."""
        return lookups.industry(code)

    def unknown(self, text: str) -> str:
        """The sentence for a code that is not in the list."""
        return _("行业列表里没有“%(seen)s”，请从列表里选择。", seen=text)

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """通用设备制造业."""
        return "34"
