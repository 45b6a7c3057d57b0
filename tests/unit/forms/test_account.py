"""Forms of registration and sign-in: one shape for what was typed, and a sentence for what does not fit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from app.forms.account import ChangePasswordForm, CodeLoginForm, IdentityForm, PasswordLoginForm, RegisterForm

FILLED = {
    "user_type": "enterprise",
    "username": "songling-wangmin",
    "phone": "13812346120",
    "code": "123456",
    "password": "Songling-2026",
    "repeat": "Songling-2026",
    "agree": "y",
}


@pytest.fixture(autouse=True)
def sentences() -> Iterator[None]:
    """Sentences need a language."""
    app = Flask(__name__)
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    Babel(app)
    with app.test_request_context():
        yield


def form(**changes: str | None) -> RegisterForm:
    values = {k: v for k, v in (FILLED | changes).items() if v is not None}
    return RegisterForm(MultiDict(values))


def first_error(name: str, **changes: str | None) -> str:
    checked = form(**changes)
    assert not checked.validate()
    assert list(checked.errors) == [name]
    return checked.errors[name][0]


def test_a_filled_form_passes() -> None:
    assert form().validate()


@pytest.mark.parametrize(
    ("typed", "normal"),
    [("138 1234 6120", "13812346120"), ("+86 13812346120", "13812346120"), ("１３８１２３４６１２０", "13812346120")],
)
def test_phones_are_brought_into_one_form(typed: str, normal: str) -> None:
    checked = form(phone=typed)
    assert checked.validate()
    assert checked.phone.data == normal


@pytest.mark.parametrize("typed", ["1381234612", "138123461200", "0451-84000000", "12812346120", "abc", "１３８"])
def test_only_mobile_numbers_pass(typed: str) -> None:
    assert "11 位" in first_error("phone", phone=typed) or "第二位" in first_error("phone", phone=typed)


@pytest.mark.parametrize(("typed", "normal"), [("１２３４５６", "123456"), (" 123 456 ", "123456")])
def test_codes_are_understood_in_full_width_and_with_spaces(typed: str, normal: str) -> None:
    checked = form(code=typed)
    assert checked.validate()
    assert checked.code.data == normal


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345a", "一二三四五六"])
def test_other_codes_are_refused_before_a_try_is_spent(typed: str) -> None:
    assert first_error("code", code=typed) == "短信验证码是 6 位数字，请核对短信。"


@pytest.mark.parametrize("name", ["松岭王敏", "wang_min-1", "Ａbc", "王1", "a" * 30])
def test_usernames_that_pass(name: str) -> None:
    assert form(username=name).validate()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("王", "2 到 30 个字"),
        ("a" * 31, "现在是 31 个"),
        ("wang min", "只能用字母"),
        ("<b>", "只能用字母"),
        ("ab\u0000c", "只能用字母"),
        ("wang\u202emin", "只能用字母"),
        ("13812346120", "不能全是数字"),
        ("91230108MA18WF3X4Q", "18 位"),
        ("11010519491231002X", "18 位"),
    ],
)
def test_usernames_that_are_refused(name: str, words: str) -> None:
    assert words in first_error("username", username=name)


def test_width_of_a_username_does_not_matter() -> None:
    checked = form(username="ｗａｎｇ")
    assert checked.validate()
    assert checked.username.data == "wang"


@pytest.mark.parametrize("name", ["username", "phone", "code", "password", "agree"])
def test_every_missing_part_is_asked_for(name: str) -> None:
    checked = form(**{name: None}, **({"repeat": "x"} if name == "password" else {}))
    assert not checked.validate()
    assert checked.errors[name][0].startswith(("请填", "请取", "请设", "请先"))


def test_the_kind_must_be_one_of_two() -> None:
    assert first_error("user_type", user_type="staff") == "请选择您是企业用户还是个人用户。"


def test_the_password_is_typed_twice() -> None:
    assert first_error("repeat", repeat="Songling-2027") == "两次输入的密码不一样，请再输一次。"


def test_an_empty_form_asks_for_everything_in_chinese() -> None:
    empty = RegisterForm(MultiDict({"user_type": ""}))
    assert not empty.validate()
    assert set(empty.errors) == {"user_type", "username", "phone", "code", "password", "repeat", "agree"}
    assert not any(c.isascii() and c.isalpha() for errors in empty.errors.values() for e in errors for c in e)


def test_sign_in_forms_ask_for_little() -> None:
    assert PasswordLoginForm(MultiDict({"username": "any thing", "password": "x"})).validate()
    assert set(_errors(PasswordLoginForm(MultiDict({"username": " "})))) == {"username", "password"}
    assert set(_errors(CodeLoginForm(MultiDict({"phone": "1"})))) == {"phone", "code"}
    assert set(_errors(ChangePasswordForm(MultiDict({"password": "a"})))) == {"current", "repeat"}


def _errors(checked: object) -> dict[str, list[str]]:
    assert not checked.validate()  # type: ignore[attr-defined]
    return checked.errors  # type: ignore[attr-defined, no-any-return]


def test_identity_is_optional_and_checked() -> None:
    assert IdentityForm(MultiDict({"name": "", "id_number": ""})).validate()
    given = IdentityForm(MultiDict({"name": " 孙晓明\u0007 ", "id_number": "11010519491231002x"}))
    assert given.validate()
    assert (given.name.data, given.id_number.data) == ("孙晓明", "11010519491231002X")
    wrong = IdentityForm(MultiDict({"name": "孙" * 41, "id_number": "110105194912310021"}))
    assert "校验位" in _errors(wrong)["id_number"][0]
    assert "110105" not in str(wrong.errors)
    assert "41 个" in wrong.errors["name"][0]
