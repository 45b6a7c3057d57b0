"""Round trips for any value: what is shown, stored or bound to a column comes back exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from stdnum.cn import ric, uscc

from app.fields import registry
from app.fields.base import FieldError, FieldSpec, Lookups, Option, Value, clean_text, has_control_characters
from app.fields.phone import normal_phone
from app.fields.raw import half_width, one_text, seen
from app.fields.sqltypes import ExactDecimal, UtcDateTime, canonical_json
from app.fields.uscc import organisation_check

FEW = settings(max_examples=30, deadline=None, derandomize=True)
DIALECTS = pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda d: d.name)
letters = st.characters(exclude_categories=["Cs", "Cc", "Cn"])
lines = st.text(letters, min_size=1, max_size=40)


@FEW
@given(decimals=st.integers(0, 6), units=st.integers(-(10**12) + 1, 10**12 - 1))
def test_a_number_of_any_decimals(
    decimals: int, units: int, spec: Callable[..., FieldSpec], lookups: Lookups, parse: Callable[..., Value]
) -> None:
    number = Decimal(units).scaleb(-decimals)
    kind, one = registry.get("decimal"), spec("decimal", decimals=decimals)
    assert parse("decimal", kind.text(one, number, lookups), decimals=decimals) == number
    assert str(kind.from_json(json.loads(json.dumps(kind.to_json(number))))) == format(number, "f")


@FEW
@given(number=st.integers(-(10**16) + 1, 10**16 - 1))
def test_a_whole_number(
    number: int, spec: Callable[..., FieldSpec], lookups: Lookups, parse: Callable[..., Value]
) -> None:
    shown = registry.get("integer").text(spec("integer"), number, lookups)
    assert parse("integer", shown) == number
    wide = shown.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789,-"})
    assert parse("integer", wide) == number, "as an input method for Chinese writes it"


@FEW
@given(year=st.integers(1900, 2100), day=st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_years_and_days(
    year: int, day: date, spec: Callable[..., FieldSpec], lookups: Lookups, parse: Callable[..., Value]
) -> None:
    assert parse("year", f"{year}年") == parse("year", registry.get("year").text(spec("year"), year, lookups)) == year
    for form in (
        f"{day:%Y}年{day.month}月{day.day}日",
        f"{day:%Y/%m/%d}",
        f"{day:%Y}.{day.month}.{day.day}",
        f"{day:%Y%m%d}",
    ):
        assert parse("date", form) == day


@FEW
@given(year=st.integers(0, 9999).filter(lambda y: not 1900 <= y <= 2100))
def test_years_of_other_centuries_are_refused(year: int, refusal: Callable[..., str]) -> None:
    assert refusal("date", f"{year:04d}-06-01") == f"年份应在 1900 到 2100 之间，现在是 {year:04d}，请核对。"
    assert refusal("year", str(year)).startswith("不能小于" if year < 1900 else "不能大于")


@FEW
@given(text=lines)
def test_one_line_is_cleaned_once_and_for_all(text: str, parse: Callable[..., Value]) -> None:
    try:
        value = parse("string", text, max_length=300)
    except FieldError:
        return
    if value is not None:
        assert isinstance(value, str) and value == clean_text(value) and "\n" not in value
        assert parse("string", value, max_length=300) == value


@FEW
@given(text=st.text(st.one_of(letters, st.just("\n"), st.just("\t"), st.just("\r")), max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for multiline in (True, False):
        cleaned = clean_text(text, multiline=multiline)
        assert clean_text(cleaned, multiline=multiline) == cleaned
        assert not has_control_characters(cleaned)


@FEW
@given(text=st.text(max_size=40))
def test_what_is_quoted_back_was_typed(text: str) -> None:
    shown = seen(text)
    assert len(shown) <= 21
    assert set(shown.removesuffix("…")) <= set(clean_text(text)) | {"…"}


@FEW
@given(body=st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), area=st.integers(0, 999999))
def test_every_credit_code_with_right_digits_passes_and_any_slip_is_told(
    body: str, area: int, parse: Callable[..., Value], refusal: Callable[..., str]
) -> None:
    stem = f"91{area:06d}{body}{organisation_check(body)}"
    code = stem + uscc.calc_check_digit(stem)
    assert parse("uscc", code.lower()) == code
    place = area % 8
    slip = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
    assert "校验位对不上" in refusal("uscc", slip)


@FEW
@given(born=st.dates(date(1950, 1, 1), date(2005, 12, 31)), turn=st.integers(0, 999), place=st.integers(0, 15))
def test_every_identity_number_with_right_digits_passes_and_a_slip_never_shows_it(
    born: date, turn: int, place: int, parse: Callable[..., Value], refusal: Callable[..., str]
) -> None:
    body = f"230102{born:%Y%m%d}{turn:03d}"
    number = body + ric.calc_check_digit(body + "0")
    assert parse("id_number", number.lower()) == number
    slip = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
    message = refusal("id_number", slip)
    assert message.startswith("身份证号") and slip not in message and number[6:14] not in message


@FEW
@given(tail=st.integers(0, 10**9 - 1), head=st.sampled_from("3456789"), gap=st.sampled_from(["", " ", "-"]))
def test_every_mobile_number_has_one_form(tail: int, head: str, gap: str) -> None:
    plain = f"1{head}{tail:09d}"
    spoken = gap.join((plain[:3], plain[3:7], plain[7:]))
    for prefix in ("", "+86", "+86 ", "0086-", "86"):
        assert normal_phone(prefix + spoken) == plain
    assert normal_phone(plain) == normal_phone(normal_phone(plain) or "")


@FEW
@given(area=st.sampled_from(["010", "021", "0451", "0459", "0755"]), local=st.integers(10**6, 10**8 - 1))
def test_every_landline_has_one_form(area: str, local: int) -> None:
    plain = normal_phone(f"({area}) {local}")
    if plain is not None:
        assert plain == f"{area}-{local}" == normal_phone(plain)
        assert normal_phone(f"{plain}转801") == f"{plain}-801"
    else:
        assert len(str(local)) not in (7, 8) or str(local)[0] == "0"


@FEW
@given(chosen=st.lists(st.sampled_from(["mes", "erp", "wms"]), min_size=1, max_size=8))
def test_choices_are_a_set_in_the_order_of_the_list(
    chosen: list[str], spec: Callable[..., FieldSpec], lookups: Lookups, parse: Callable[..., Value]
) -> None:
    value = parse("multiselect", chosen)
    assert value == [v for v in ("mes", "erp", "wms") if v in chosen]
    shown = registry.get("multiselect").text(spec("multiselect"), value, lookups)
    assert parse("multiselect", shown.split("、")) == value


@FEW
@given(values=st.lists(st.text("abcdef", min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
def test_every_option_can_be_chosen(values: list[str], parse: Callable[..., Value]) -> None:
    options = tuple(Option(value=v, label=f"第{n}项") for n, v in enumerate(values))
    for n, value in enumerate(values):
        assert parse("select", value, options=options) == parse("select", f"第{n}项", options=options) == value


@FEW
@given(raw=st.text(max_size=30))
def test_half_width_keeps_the_number_of_signs_or_fewer(raw: str) -> None:
    assert len(half_width(raw)) <= len(raw)
    assert half_width(raw).isascii() or not raw.isascii()


@pytest.mark.parametrize("raw", ["\x00", "a\u202eb", "\ufffe", "\udc00"], ids=ascii)
def test_refused_text_is_refused_before_any_type_sees_it(raw: str) -> None:
    with pytest.raises(FieldError, match="看不见的控制字符"):
        one_text(raw)


# -- columns and JSON -----------------------------------------------------------------------------------------------


@DIALECTS
@FEW
@given(scale=st.integers(0, 6), units=st.integers(-(10**18) + 1, 10**18 - 1))
def test_an_amount_through_its_column(dialect: Any, scale: int, units: int) -> None:
    column, amount = ExactDecimal(18, scale), Decimal(units).scaleb(-scale)
    back = column.process_result_value(column.process_bind_param(amount, dialect), dialect)
    assert back == amount and isinstance(back, Decimal)


@FEW
@given(one=st.integers(-(10**9), 10**9), two=st.integers(-(10**9), 10**9))
def test_amounts_sort_in_the_database_as_they_do_for_people(one: int, two: int) -> None:
    column, dialect = ExactDecimal(18, 2), sqlite.dialect()
    low, high = (Decimal(n).scaleb(-2) for n in (one, two))
    bound = [column.process_bind_param(n, dialect) for n in (low, high)]
    assert (bound[0] < bound[1]) == (low < high)


@DIALECTS
@FEW
@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), hours=st.integers(-12, 14))
def test_a_moment_of_any_zone_through_its_column(dialect: Any, moment: datetime, hours: int) -> None:
    column, aware = UtcDateTime(), moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    back = column.process_result_value(column.process_bind_param(aware, dialect), dialect)
    assert back == aware and back.tzinfo is UTC


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@FEW
@given(data=plain_json)
def test_one_text_for_one_value(data: Any) -> None:
    text = canonical_json(data)
    assert json.loads(text) == data
    assert canonical_json(json.loads(text)) == text
    assert ": " not in text.replace('": "', "") or '"' in text
    if isinstance(data, dict):
        assert canonical_json(dict(reversed(list(data.items())))) == text
