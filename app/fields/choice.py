"""select, boolean, multiselect: answers out of the spec's options."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String
from sqlalchemy.types import TypeEngine
from wtforms import Field as WTField

from app.fields.base import FieldError, FieldSpec, FieldType, Lookups, Option, Raw, Value, clean_text
from app.fields.raw import one_text, seen, several_texts
from app.fields.spec import attribute_problems
from app.fields.sqltypes import JsonText
from app.fields.widget import choice_field

YES_NO = (Option(value="yes", label="是"), Option(value="no", label="否"))
_VALUE_LENGTH = 64


def find_option(options: tuple[Option, ...], text: str) -> str:
    """Value of the option that ``text`` names by value or, as in a filled-in sheet, by label. FieldError if none."""
    for option in options:
        if option.value == text:
            return option.value
    labelled = [option.value for option in options if option.label == text]
    if len(labelled) != 1:
        raise FieldError(_("选项里没有“%(seen)s”，请从列表里重新选择。", seen=seen(text)))
    return labelled[0]


def labels(options: tuple[Option, ...], values: list[str]) -> str:
    """Labels joined by 、; a value without an option (an older version had it) stands for itself."""
    known = {option.value: option.label for option in options}
    return "、".join(known.get(value, value) for value in values)


class SelectType(FieldType):
    """Exactly one of the options."""

    name = "select"
    widget = "select"

    def options(self, spec: FieldSpec) -> tuple[Option, ...]:
        """The choices."""
        return spec.options

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """Value of the chosen option, None if nothing is chosen."""
        text = one_text(raw)
        return None if text is None else find_option(self.options(spec), text)

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """VARCHAR(64)."""
        return String(_VALUE_LENGTH)

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """A list to choose from, or radio buttons, after ``widget``."""
        return choice_field(spec, self.options(spec), self.widget, kwargs)

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """One of the options."""
        return rng.choice(self.options(spec)).value

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """There must be options, without duplicates."""
        return attribute_problems(spec, "options") + option_problems(spec)

    def from_json(self, data: Any) -> Value:
        """The value itself."""
        return None if data is None else str(data)

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """The option's label."""
        return labels(self.options(spec), [str(value)]) if value else ""


class BooleanType(SelectType):
    """Yes or no; the values are ``yes`` and ``no``, the labels 是 and 否 unless the spec words them."""

    name = "boolean"
    widget = "radio"

    def options(self, spec: FieldSpec) -> tuple[Option, ...]:
        """The spec's wording, or 是 and 否."""
        return spec.options or YES_NO

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Own options must be exactly yes and no, since expressions compare with these."""
        problems = attribute_problems(spec, "options")
        if sorted(option.value for option in self.options(spec)) != ["no", "yes"]:
            problems.append("options of a boolean must be exactly 'yes' and 'no'")
        return problems


class MultiSelectType(FieldType):
    """Several options. ``min`` and ``max`` count choices; an ``exclusive`` option (无) stands alone."""

    name = "multiselect"
    widget = "checks"

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """Chosen values in the order of the options, each once; ``[]`` if nothing is chosen."""
        chosen = {find_option(spec.options, text) for text in several_texts(raw)}
        answer = [option for option in spec.options if option.value in chosen]
        alone = next((option for option in answer if option.exclusive), None)
        if alone is not None and len(answer) > 1:
            raise FieldError(_("“%(label)s”不能和其他选项一起选，请只留一种。", label=alone.label))
        if answer and alone is None:
            self._check_count(spec, len(answer))
        return [option.value for option in answer]

    def _check_count(self, spec: FieldSpec, count: int) -> None:
        if spec.min is not None and count < spec.min:
            raise FieldError(_("至少选 %(limit)s 项，现在选了 %(n)s 项，请补选。", limit=int(spec.min), n=count))
        if spec.max is not None and count > spec.max:
            raise FieldError(_("最多选 %(limit)s 项，现在选了 %(n)s 项，请去掉几项。", limit=int(spec.max), n=count))

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """JSON list in TEXT; ``sqltypes.list_contains`` filters it."""
        return JsonText()

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """Boxes to tick."""
        return choice_field(spec, spec.options, self.widget, kwargs)

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """Some options that go together."""
        free = [option.value for option in spec.options if not option.exclusive]
        most = min(len(free), 3 if spec.max is None else int(spec.max))
        least = max(1, 0 if spec.min is None else int(spec.min))
        if least > len(free):
            return [next(option.value for option in spec.options if option.exclusive)]
        return rng.sample(free, rng.randint(least, max(least, most)))

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Options without duplicates; limits that are counts and can be met."""
        problems = attribute_problems(spec, "options", "min", "max") + option_problems(spec)
        for name, limit in (("min", spec.min), ("max", spec.max)):
            if limit is not None and not _is_count(limit):
                problems.append(f"{name} {limit} is no count of choices")
        free = sum(not option.exclusive for option in spec.options)
        if not problems and spec.min is not None and spec.min > free:
            problems.append(f"min {spec.min} is more than the {free} options that can be chosen together")
        return problems

    def from_json(self, data: Any) -> Value:
        """The list of values."""
        return [str(value) for value in data or []]

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """Labels joined by 、."""
        return labels(spec.options, value) if isinstance(value, list) else ""


def option_problems(spec: FieldSpec) -> list[str]:
    """Words for missing, duplicate or overlong options."""
    values = [option.value for option in spec.options]
    names = [option.label for option in spec.options]
    problems = [] if values else [f"type {spec.type!r} needs options"]
    problems += [f"option value {v!r} stands twice" for v in _repeated(values)]
    problems += [f"option label {n!r} stands twice" for n in _repeated(names)]
    rule = f"must have 1 to {_VALUE_LENGTH} characters, none of them blank at the ends or invisible"
    problems += [f"option value {v!r} {rule}" for v in values if not _fits(v)]
    return problems


def _repeated(words: list[str]) -> list[str]:
    return sorted({word for word in words if words.count(word) > 1})


def _is_count(limit: Decimal) -> bool:
    return limit.is_finite() and limit == int(limit) and limit >= 1


def _fits(value: str) -> bool:
    # What is typed or posted is cleaned first: a value of another form could never be chosen.
    return 0 < len(value) <= _VALUE_LENGTH and value == clean_text(value)
