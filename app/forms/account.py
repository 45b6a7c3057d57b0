"""Forms of registration, sign-in and the own account. They bring what was typed into one shape and say what is missing."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form, PasswordField, RadioField, StringField, ValidationError
from wtforms.validators import StopValidation

from app.fields import registry as field_types
from app.fields.base import FieldError, FieldSpec, clean_text

PHONE = FieldSpec(key="phone", label="手机号", type="phone", pattern=r"1[3-9][0-9]{9}")
ID_NUMBER = FieldSpec(key="id_number", label="身份证号", type="id_number")
NAME_LENGTH, PASSWORD_LENGTH, REAL_NAME_LENGTH = 30, 64, 40
_NAME = re.compile(r"[A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff_-]+")


class NoLookups:
    """Phones and identity numbers need no names of codes."""

    def region(self, code: str) -> str | None:
        """No region is known here."""

    def industry(self, code: str) -> str | None:
        """No industry is known here."""


def _parsed(spec: FieldSpec, field: Any) -> None:
    """Put the normal form into ``field``, or refuse with the sentence of its type."""
    try:
        field.data = field_types.get(spec.type).parse(spec, field.data, NoLookups())
    except FieldError as error:
        raise ValidationError(str(error)) from error


class Needed:
    """Something must be there; ``sentence`` says what to do. Nothing else is checked then."""

    def __init__(self, sentence: Any) -> None:
        self.sentence = sentence

    def __call__(self, _form: Form, field: Any) -> None:
        """Stop here if nothing was typed."""
        if not field.data or not str(field.data).strip():
            raise StopValidation(str(self.sentence))


def check_username(_form: Form, field: Any) -> None:
    """Letters, digits, Chinese characters, - and _; nothing that reads like a phone, credit code or 身份证号."""
    name = unicodedata.normalize("NFKC", field.data).strip()
    field.data = name
    if not 2 <= len(name) <= NAME_LENGTH:
        raise ValidationError(_("用户名要 2 到 30 个字，现在是 %(n)s 个，请修改。", n=len(name)))
    if not _NAME.fullmatch(name):
        raise ValidationError(_("用户名只能用字母、数字、汉字、-、_，请去掉其他符号和空格。"))
    if name.isascii() and name.isdigit():
        raise ValidationError(_("用户名不能全是数字，免得和手机号弄混。请加上字母或汉字。"))
    if re.fullmatch(r"[0-9A-Za-z]{18}", name):
        raise ValidationError(_("用户名不能正好是 18 位字母和数字，免得和信用代码弄混。请改短或加上汉字。"))


def check_phone(_form: Form, field: Any) -> None:
    """A mobile number in normal form."""
    _parsed(PHONE, field)


def check_code(_form: Form, field: Any) -> None:
    """Six digits; full-width ones and spaces are understood."""
    digits = "".join(unicodedata.normalize("NFKC", field.data).split())
    if not re.fullmatch(r"[0-9]{6}", digits):
        raise ValidationError(_("短信验证码是 6 位数字，请核对短信。"))
    field.data = digits


def check_repeat(form: Form, field: Any) -> None:
    """The same password twice."""
    if field.data != form["password"].data:
        raise ValidationError(_("两次输入的密码不一样，请再输一次。"))


def phone_field() -> Any:
    """手机号, the way all forms ask for it."""
    return StringField(_l("手机号"), [Needed(_l("请填手机号，验证码会发到这个号码。")), check_phone])


def code_field() -> Any:
    """短信验证码."""
    return StringField(
        _l("短信验证码"), [Needed(_l("请填短信里的 6 位验证码；还没有的话，请先获取验证码。")), check_code]
    )


class RegisterForm(Form):
    """注册."""

    user_type = RadioField(
        _l("您是"),
        [Needed(_l("请选择您是企业用户还是个人用户。"))],
        choices=["enterprise", "individual"],
        default="enterprise",
        validate_choice=False,
    )
    username = StringField(_l("用户名"), [Needed(_l("请取一个用户名，以后用来登录。")), check_username])
    phone = phone_field()
    code = code_field()
    password = PasswordField(_l("密码"), [Needed(_l("请设一个密码。"))])
    repeat = PasswordField(_l("再输一次密码"), [Needed(_l("请再输一次密码。")), check_repeat])
    agree = BooleanField(_l("同意协议"), [Needed(_l("请先阅读协议和隐私政策，同意后勾选。"))])

    def validate_user_type(self, field: Any) -> None:
        """One of the two kinds."""
        if field.data not in ("enterprise", "individual"):
            raise ValidationError(_("请选择您是企业用户还是个人用户。"))


class PasswordLoginForm(Form):
    """密码登录."""

    username = StringField(_l("用户名"), [Needed(_l("请填用户名或手机号。"))])
    password = PasswordField(_l("密码"), [Needed(_l("请填密码。"))])
    keep = BooleanField(_l("记住用户名"))


class CodeLoginForm(Form):
    """短信登录."""

    phone = phone_field()
    code = code_field()
    keep = BooleanField(_l("记住手机号"))


class RecoverForm(Form):
    """账号找回."""

    phone = phone_field()
    code = code_field()
    password = PasswordField(_l("新密码"), [Needed(_l("请设一个新密码。"))])
    repeat = PasswordField(_l("再输一次新密码"), [Needed(_l("请再输一次新密码。")), check_repeat])


class SecondForm(Form):
    """短信核验 of staff."""

    code = code_field()


class ChangePasswordForm(Form):
    """修改密码."""

    current = PasswordField(_l("现在的密码"), [Needed(_l("请填现在的密码。"))])
    password = PasswordField(_l("新密码"), [Needed(_l("请设一个新密码。"))])
    repeat = PasswordField(_l("再输一次新密码"), [Needed(_l("请再输一次新密码。")), check_repeat])


class IdentityForm(Form):
    """姓名 and, for individuals, 身份证号."""

    name = StringField(_l("姓名"))
    id_number = StringField(_l("身份证号"))

    def validate_name(self, field: Any) -> None:
        """At most 40 characters, one line."""
        field.data = clean_text(field.data or "")
        if len(field.data) > REAL_NAME_LENGTH:
            raise ValidationError(_("姓名最多 40 个字，现在是 %(n)s 个，请改短。", n=len(field.data)))

    def validate_id_number(self, field: Any) -> None:
        """A genuine number, if one was typed."""
        _parsed(ID_NUMBER, field)
