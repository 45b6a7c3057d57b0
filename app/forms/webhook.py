"""The forms of an address that hears of deeds. What is allowed is the service's business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask_babel import lazy_gettext as _l
from wtforms import Form, IntegerField, PasswordField, SelectField, SelectMultipleField, StringField

from app.fields.base import clean_text
from app.forms.account import Needed


def _clean(text: str | None) -> str:
    return clean_text(text or "")


class SecretForm(Form):
    """The password, asked once more before a secret is shown."""

    password = PasswordField(_l("您的密码"), [Needed(_l("请再输一次您登录用的密码。"))])


class WebhookForm(Form):
    """Where announcements go, of which declarations and deeds. ``version`` is the one that was shown."""

    name = StringField(_l("用途"), [Needed(_l("请写推送给哪个系统。"))], filters=[_clean])
    url = StringField(_l("地址"), [Needed(_l("请填对方给的网址，以 https:// 开头。"))], filters=[_clean])
    region = SelectField(_l("地区"), choices=[])
    events = SelectMultipleField(_l("推送哪些事"), choices=[])
    programmes = SelectMultipleField(_l("推送哪些项目"), choices=[])
    password = PasswordField(_l("您的密码"), [Needed(_l("请再输一次您登录用的密码。"))])
    version = IntegerField(_l("版本"))

    def offer(
        self, regions: Iterable[tuple[str, str]], events: Mapping[str, str], programmes: Mapping[str, str]
    ) -> None:
        """Let the person choose from these: codes or keys with their names."""
        self.region.choices = list(regions)
        self.events.choices = list(events.items())
        self.programmes.choices = list(programmes.items())
