"""string and text: one line, or several; also the base of every type whose value is one text."""

from __future__ import annotations

import random
import re
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, Text
from sqlalchemy.types import TypeEngine
from wtforms import Field as WTField
from wtforms import StringField, TextAreaField

from app.fields import pattern, samples
from app.fields.base import FieldError, FieldSpec, FieldType, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems, length_problems
from app.fields.widget import field_arguments


class TextValue(FieldType):
    """Base of the types whose value is one text; a subclass says what is accepted and how long it can get."""

    widget = "text"
    default_length = 255
    """Longest answer, in characters, where the spec says nothing; also the width of the column."""
    attributes: tuple[str, ...] = ("max_length",)
    input_attributes: dict[str, str] = {}

    def limit(self, spec: FieldSpec) -> int:
        """Most characters of an answer."""
        return self.default_length if spec.max_length is None else spec.max_length

    def check_length(self, spec: FieldSpec, text: str) -> None:
        """FieldError that counts, if ``text`` is too long."""
        if len(text) > self.limit(spec):
            raise FieldError(_("最多 %(most)s 个字，现在是 %(n)s 个字，请删减。", most=self.limit(spec), n=len(text)))

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """VARCHAR of the longest answer."""
        return String(self.limit(spec))

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """A text input."""
        return StringField(**field_arguments(spec, kwargs, **self.input_attributes))

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Attributes that mean nothing here, a length without room."""
        return attribute_problems(spec, *self.attributes) + length_problems(spec, 1, 10_000)

    def from_json(self, data: Any) -> Value:
        """The text itself."""
        return None if data is None else str(data)

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """The text as it was accepted."""
        return "" if value is None else str(value)


class StringType(TextValue):
    """One line. ``pattern`` is a regular expression for the whole text (``\\d`` is 0–9), for short codes."""

    name = "string"
    attributes = ("max_length", "pattern", "unit")

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """One cleaned line, None if empty; FieldError if too long, unprintable or not of the pattern."""
        text = one_text(raw)
        if text is None:
            return None
        if spec.pattern is not None:
            text = half_width(text)
        self.check_length(spec, text)
        if spec.pattern is not None and not re.fullmatch(spec.pattern, text, re.ASCII):
            raise FieldError(self._pattern_message(spec.pattern, text))
        return text

    def _pattern_message(self, expression: str, text: str) -> str:
        digits = re.fullmatch(r"\^?\\d\{(\d+)\}\$?", expression)
        if digits is None:
            return _("格式不对，现在填的是“%(seen)s”，请对照说明修改。", seen=seen(text))
        if text.isascii() and text.isdigit():
            return _("应为 %(most)s 位数字，现在是 %(n)s 位，请核对。", most=digits[1], n=len(text))
        return _("应为 %(most)s 位数字，现在填的是“%(seen)s”，请修改。", most=digits[1], seen=seen(text))

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A line that suits the label, or one that fits the pattern."""
        if spec.pattern is not None:
            return pattern.sample(spec.pattern, rng)
        return samples.line(spec.key, spec.label, rng, self.limit(spec))

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Also: the pattern must be one that samples can be made for, within ``max_length``."""
        problems = super().check_spec(spec)
        if spec.pattern is None or problems:
            return problems
        return pattern.problems(spec.pattern, self.limit(spec))


class TextType(TextValue):
    """Several lines."""

    name = "text"
    widget = "textarea"
    default_length = 5000

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """Cleaned lines joined by ``\\n``, None if empty; FieldError if too long or unprintable."""
        text = one_text(raw, multiline=True)
        if text is not None:
            self.check_length(spec, text)
        return text

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """TEXT."""
        return Text()

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """A text area, higher for long answers."""
        rows = "3" if self.limit(spec) <= 300 else "6"
        return TextAreaField(**field_arguments(spec, kwargs, rows=rows))

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A few sentences about a factory."""
        return samples.paragraph(spec.label, rng, self.limit(spec))
