"""The form of a new interface key. What is allowed is the service's business."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Form, PasswordField, SelectMultipleField, StringField

from app.fields.base import clean_text
from app.forms.account import Needed


def _clean(text: str | None) -> str:
    return clean_text(text or "")


class DayField(DateField):
    """A day; what is none counts as nothing chosen, and the sentence of the form says what to do."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day, if it is one."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None


class ApiTokenForm(Form):
    """Whom a key is for, whose rows it reads, which tables, and until when."""

    name = StringField(_l("用途"), [Needed(_l("请写这个令牌给哪个系统用。"))], filters=[_clean])
    account = StringField(_l("账号"), [Needed(_l("请填令牌代表的用户名。"))], filters=[_clean])
    last_day = DayField(_l("用到哪一天"), [Needed(_l("请选用到哪一天，最长一年。"))])
    resources = SelectMultipleField(_l("能读的表"), choices=[], validate_choice=True)
    password = PasswordField(_l("您的密码"), [Needed(_l("请再输一次您登录用的密码。"))])

    def offer(self, tables: Iterable[tuple[str, str]]) -> None:
        """Let the person choose from ``tables``: name and label."""
        self.resources.choices = list(tables)

    @property
    def day(self) -> date | None:
        """The last day of use."""
        day: date | None = self.last_day.data
        return day
