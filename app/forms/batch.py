"""Forms of a batch: window in Shanghai dates, and one field for each parameter, typed as the definition's value is."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, Form, SelectChoice, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length

from app.definitions.schema import Definition, Parameter
from app.fields.base import clean_text, has_control_characters
from app.models import Batch

PREFIX = "parameter_"
MAX_TEXT = 200
MAX_NUMBER = 10**12
_INTEGER = re.compile(r"-?[0-9]+")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _clean(text: str | None) -> str:
    return clean_text(text or "")


def _iso_day(text: str) -> date:
    """The day written as 2026-06-17. ValueError for other forms: ``fromisoformat`` alone takes 20260617 and weeks too."""
    if not _ISO_DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _is_iso(text: Any) -> bool:
    try:
        return isinstance(text, str) and _iso_day(text) is not None
    except ValueError:
        return False


def _day(field: Field) -> date | None:
    text = field.data or ""
    if not text:
        return None
    try:
        day = _iso_day(text)
    except ValueError:
        raise ValidationError(_("请填日期，例如 2026-06-17；现在填的是“%(text)s”。", text=text[:20])) from None
    if not 2000 <= day.year <= 2100:
        raise ValidationError(_("年份要在 2000 到 2100 之间；现在填的是“%(text)s”。", text=text[:20]))
    return day


class BatchForm(Form):
    """Title, window and whether it is shown. Dates are read as Shanghai days; the last one counts to 24:00."""

    kinds: ClassVar[dict[str, _Kind]] = {}
    """How each parameter's field is asked and read, by its name."""

    title = StringField(
        _l("批次名称"),
        filters=[_clean],
        validators=[
            DataRequired(_l("请写批次名称，例如“2026 年第一批”。")),
            Length(max=100, message=_l("批次名称最多 100 个字，请精简。")),
        ],
    )
    opens = StringField(_l("开始日期"), filters=[_clean], render_kw={"type": "date"})
    closes = StringField(_l("截止日期"), filters=[_clean], render_kw={"type": "date"})
    published = BooleanField(_l("对企业显示"))

    def validate_opens(self, field: Field) -> None:
        """A day, or nothing."""
        _day(field)

    def validate_closes(self, field: Field) -> None:
        """A day not before the first one, or nothing."""
        closes = _day(field)
        if closes and _is_iso(self.opens.data) and closes < date.fromisoformat(self.opens.data):
            raise ValidationError(_("截止日期早于开始日期 %(day)s，请改一个。", day=self.opens.data))

    @property
    def days(self) -> tuple[date | None, date | None]:
        """First and last day of a valid form; None is no limit."""
        return _day(self.opens), _day(self.closes)

    def parameter_fields(self) -> list[Field]:
        """The fields of the definition's parameters, in order."""
        return [f for f in self if f.name.startswith(PREFIX)]

    def parameters(self) -> dict[str, Any]:
        """Typed values of all parameters."""
        return {f.name.removeprefix(PREFIX): self.kinds[f.name].value_of(f) for f in self.parameter_fields()}


class _Kind:
    """How one parameter is asked and read: as text here, otherwise by a subclass, after the definition's value."""

    keywords: ClassVar[dict[str, str]] = {}
    """Attributes of the input."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter, self.default = parameter, parameter.value

    def field(self) -> Any:
        label, help_text = self.parameter.label, self.parameter.help or ""
        return StringField(
            label, filters=[_clean], description=help_text, render_kw=self.keywords, validators=[self.check]
        )

    def typed(self, value: Any) -> str:
        """``value`` as the form shows it."""
        return "" if value is None else str(value)

    def check(self, _form: Form, field: Field) -> None:
        """A sentence if the text is no value of this kind."""
        text = field.data or ""
        if has_control_characters(text) or len(text) > MAX_TEXT:
            raise ValidationError(_("最多 %(n)s 个字，不能有特殊字符，请修改。", n=MAX_TEXT))
        if self.default is not None and not text:
            raise ValidationError(_("这一项不能空着，请填写。"))
        self.check_type(text)

    def check_type(self, text: str) -> None:
        """Not below the parameter's least, if it names one; subclasses say which texts they understand."""
        if self.parameter.min is not None and float(text) < self.parameter.min:
            raise ValidationError(_("不能小于 %(n)s；现在填的是 %(text)s。", n=self.parameter.min, text=text[:20]))

    def value_of(self, field: Field) -> Any:
        """The typed value of a valid field."""
        return field.data or None


class _YesNo(_Kind):
    def field(self) -> Any:
        label, help_text = self.parameter.label, self.parameter.help or ""
        choices = [SelectChoice("yes", _l("是")), SelectChoice("no", _l("否"))]
        return SelectField(label, choices=choices, description=help_text, validate_choice=True)

    def typed(self, value: Any) -> str:
        return "yes" if value in (True, "yes", "true") else "no"

    def value_of(self, field: Field) -> Any:
        return field.data == "yes"


class _Integer(_Kind):
    keywords = {"inputmode": "numeric"}

    def check_type(self, text: str) -> None:
        if not (_INTEGER.fullmatch(text) and abs(int(text)) < MAX_NUMBER):
            raise ValidationError(_("请填整数；现在填的是“%(text)s”。", text=text[:20]))
        super().check_type(text)

    def value_of(self, field: Field) -> Any:
        return int(field.data)


class _Number(_Kind):
    keywords = {"inputmode": "numeric"}

    def check_type(self, text: str) -> None:
        if not _is_number(text):
            raise ValidationError(_("请填数字；现在填的是“%(text)s”。", text=text[:20]))
        super().check_type(text)

    def value_of(self, field: Field) -> Any:
        return float(field.data)


class _Day(_Kind):
    keywords = {"type": "date"}

    def check_type(self, text: str) -> None:
        super().check_type(text)
        if not _is_iso(text):
            raise ValidationError(_("请填日期，例如 2026-06-17；现在填的是“%(text)s”。", text=text[:20]))


_KINDS: dict[type, type[_Kind]] = {bool: _YesNo, int: _Integer, float: _Number}


def _kind_of(parameter: Parameter) -> _Kind:
    if _is_iso(parameter.value):
        return _Day(parameter)
    return _KINDS.get(type(parameter.value), _Kind)(parameter)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < MAX_NUMBER
    except ValueError:
        return False


def build_batch_form(definition: Definition) -> type[BatchForm]:
    """The form class for batches of ``definition``."""
    kinds = {f"{PREFIX}{key}": _kind_of(p) for key, p in definition.parameters.items()}
    return type("ProgrammeBatchForm", (BatchForm,), {**{n: k.field() for n, k in kinds.items()}, "kinds": kinds})


def filled_batch_form(
    definition: Definition,
    batch: Batch | None,
    posted: MultiDict[str, str] | None = None,
    days: tuple[date | None, date | None] = (None, None),
) -> BatchForm:
    """The form with what was posted, else with the batch's values (``days``: its window), else with the definition's."""
    kind = build_batch_form(definition)
    if posted is not None:
        return kind(posted)
    values = {key: p.value for key, p in definition.parameters.items()} | (dict(batch.parameters) if batch else {})
    data: dict[str, Any] = {
        f"{PREFIX}{k}": kind.kinds[f"{PREFIX}{k}"].typed(v) for k, v in values.items() if k in definition.parameters
    }
    if batch is None:
        return kind(data=data | {"published": True})
    window = {name: day.isoformat() if day else "" for name, day in zip(("opens", "closes"), days, strict=True)}
    return kind(data=data | window | {"title": batch.title, "published": batch.published})


class PublicationForm(Form):
    """Words of a published list; lengths are checked by the service."""

    title = StringField(_l("名单标题"), filters=[_clean])
    body = TextAreaField(_l("正文"))
