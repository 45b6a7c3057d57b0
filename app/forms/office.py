"""What offices fill in at publicity, hand-over, funds and outcomes. Rules are the services' business."""

from __future__ import annotations

import re
from datetime import date

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, RadioField, SelectChoice, StringField, TextAreaField

from app.errors import InvalidInput
from app.forms.batch import PublicationForm

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY = {"type": "date"}


class PublicityForm(PublicationForm):
    """A 公示: title, text, first day, and where objections go."""

    opens_on = StringField(_l("公示开始日期"), render_kw=_DAY)
    office = StringField(_l("异议受理单位"))
    phone = StringField(_l("异议受理电话"), render_kw={"inputmode": "tel"})
    email = StringField(_l("异议受理邮箱"), render_kw={"inputmode": "email"})


class ObjectionForm(Form):
    """An objection as it was received."""

    objector = StringField(_l("异议人（真实姓名或单位全称）"))
    contact = StringField(_l("联系方式（电话或邮箱）"))
    unit = StringField(_l("被异议单位"))
    received_on = StringField(_l("受理日期"), render_kw=_DAY)
    content = TextAreaField(_l("异议内容"))


class ConclusionForm(Form):
    """What an enquiry came to."""

    verdict = RadioField(
        _l("结论"), choices=[SelectChoice("dismissed", _l("异议不成立")), SelectChoice("upheld", _l("异议成立"))]
    )
    conclusion = TextAreaField(_l("核查结论"))


class DocumentForm(Form):
    """Number and day of an official document."""

    doc_no = StringField(_l("文号"))
    dated = StringField(_l("日期"), render_kw=_DAY)


class OutcomeForm(Form):
    """A correction or revocation of an outcome."""

    title = StringField(_l("认定名称"))
    certificate_no = StringField(_l("证书编号"))
    valid_from = StringField(_l("有效期起"), render_kw=_DAY)
    valid_to = StringField(_l("有效期止"), render_kw=_DAY)
    reason = TextAreaField(_l("理由"))


def read_day(field: Field) -> date:
    """The day of a field. InvalidInput (by the field's name) if there is none, or none between 2000 and 2100."""
    day = read_optional_day(field)
    if day is None:
        raise _refused(field, f"请填{field.label.text}，例如 2026-06-17。")
    return day


def read_optional_day(field: Field) -> date | None:
    """The same, but an empty field is None."""
    text = (field.data or "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise _refused(field, f"{field.label.text}请填日期，例如 2026-06-17；现在填的是“{text[:20]}”。")
    return day


def _refused(field: Field, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={field.name: sentence})


def mark_errors(form: Form, error: InvalidInput) -> None:
    """Put a service's sentences beside their fields."""
    for name, sentence in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]


def read_amounts(data: MultiDict[str, str]) -> dict[str, str]:
    """Posted ``amount.<public id>`` by public id."""
    return {name.removeprefix("amount."): text for name, text in data.items() if name.startswith("amount.")}
