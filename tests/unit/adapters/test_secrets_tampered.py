"""Encrypted values and password hashes against whoever can write into the database."""

from __future__ import annotations

import base64

import pytest
from argon2 import PasswordHasher, Type
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from app.adapters import passwords
from app.adapters.passwords import check_password, hash_password, password_problems, problem_sentence
from app.adapters.secrets import Cipher
from app.errors import Unavailable

CIPHER = Cipher("k" * 32)
NUMBER = "11010519491231002X"
FEW = settings(max_examples=40, deadline=None, derandomize=True)
SENTENCE = "这项加密保存的信息打不开，可能是系统密钥换过。信息没有丢，请告诉运维人员核对密钥。"


@FEW
@given(place=st.integers(0, 200), bit=st.integers(0, 7))
def test_any_bit_turned_is_noticed(place: int, bit: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(CIPHER.encrypt(NUMBER, "id")[3:]))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(Unavailable) as caught:
        CIPHER.decrypt("v1." + base64.urlsafe_b64encode(bytes(sealed)).decode(), "id")
    assert caught.value.message == SENTENCE
    assert NUMBER not in str(caught.value)


@FEW
@given(cut=st.integers(1, 60))
def test_any_piece_cut_off_is_noticed(cut: int) -> None:
    stored = CIPHER.encrypt(NUMBER)
    for part in (stored[:-cut], stored[:3] + stored[3 + cut :]):
        with pytest.raises(Unavailable):
            CIPHER.decrypt(part)


def test_a_value_moved_to_another_record_cannot_be_read() -> None:
    """Somebody copies the encrypted number of one account into another account's row."""
    stored = CIPHER.encrypt(NUMBER, "account.id_number")
    for context in ("", "account.phone", "account.id_number2", "ACCOUNT.ID_NUMBER"):
        with pytest.raises(Unavailable):
            CIPHER.decrypt(stored, context)


@FEW
@given(one=st.text(max_size=20), two=st.text(max_size=20))
def test_digests_are_equal_only_for_equal_values(one: str, two: str) -> None:
    digest = CIPHER.keyed_digest(one)
    assert CIPHER.digest_matches(two, digest) == (one == two)
    assert len(digest) == 64 and set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize("value", ["", " ", "密" * 5000, "\x00", "😀"], ids=ascii)
def test_any_text_can_be_kept(value: str) -> None:
    assert CIPHER.decrypt(CIPHER.encrypt(value)) == value


def test_one_secret_gives_keys_that_have_nothing_to_do_with_each_other() -> None:
    values = {CIPHER.blind_index("402817"), CIPHER.keyed_digest("402817"), Cipher("l" * 32).blind_index("402817")}
    assert len(values) == 3
    assert "402817" not in "".join(values)


# -- passwords --------------------------------------------------------------------------------------------------------


def old_hash(password: str, **cost: int) -> str:
    return PasswordHasher(**{"time_cost": 1, "memory_cost": 8192, "parallelism": 1, **cost}, type=Type.ID).hash(
        password
    )


@pytest.mark.parametrize("cost", [{}, {"time_cost": 3}, {"memory_cost": 16384}, {"parallelism": 2}], ids=str)
def test_a_hash_of_another_cost_still_opens_and_is_renewed(cost: dict[str, int]) -> None:
    stored = old_hash("Mima-2026-hao", **cost)
    assert check_password(stored, "Mima-2026-hao") == (True, True)
    assert check_password(stored, "Mima-2026-hao2") == (False, False), "nothing is renewed for a wrong password"


@pytest.mark.parametrize("method", ["scrypt", "pbkdf2:sha256:1000"])
def test_a_hash_of_the_framework_still_opens_and_is_renewed(method: str) -> None:
    stored = generate_password_hash("Mima-2026-hao", method=method)
    assert check_password(stored, "Mima-2026-hao") == (True, True)
    assert check_password(stored, "wrong") == (False, False)


def test_a_renewed_hash_needs_no_renewal() -> None:
    stored = hash_password("Mima-2026-hao")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(stored, "Mima-2026-hao") == (True, False)


@pytest.mark.parametrize(
    "stored", ["", "x", "$argon2id$", "$argon2i$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$AAAA", "plain", "scrypt:", "pbkdf2:x"]
)
def test_a_damaged_hash_opens_nothing(stored: str) -> None:
    for password in ("", stored, "Mima-2026-hao"):
        assert check_password(stored, password) == (False, False)


@pytest.mark.parametrize("password", ["", "\x00", "x" * 257, "\ud800", "密" * 1000], ids=lambda p: ascii(p[:3]))
def test_nobody_has_no_password(password: str) -> None:
    assert check_password(None, password) == (False, False)


def test_the_same_password_looks_different_for_two_people_and_both_get_in() -> None:
    one, two = hash_password("Mima-2026-hao"), hash_password("Mima-2026-hao")
    assert one != two
    assert check_password(one, "Mima-2026-hao")[0] and check_password(two, "Mima-2026-hao")[0]


def test_two_keyboards_type_one_password() -> None:
    """A decomposed and a composed é are one key on two systems."""
    assert check_password(hash_password("Caf\u00e9-2026-ok"), "Cafe\u0301-2026-ok") == (True, False)


@pytest.mark.parametrize(
    ("password", "profile", "keys"),
    [
        ("Ab3-efgh", "enterprise", []),
        ("Ab3-efgh", "gov", ["length"]),
        ("Ab3-efghij", "gov", []),
        ("zvkqxwpm", "enterprise", ["classes"]),
        ("zvkq7xwpm9", "gov", ["classes"]),
        ("密码很长很安全吗", "enterprise", ["classes"]),
        ("密码很长很安全7", "enterprise", []),
        ("Ab3-efgh" + "\x07", "enterprise", ["characters"]),
        ("A7-" + "x" * 62, "enterprise", ["too_long"]),
        ("x-beichen-77", "enterprise", ["contains_name"]),
        ("X-BEICHEN-77", "enterprise", ["contains_name"]),
        ("ok-13800001234", "enterprise", ["contains_phone"]),
    ],
)
def test_what_is_wrong_with_a_password(password: str, profile: passwords.Profile, keys: list[str]) -> None:
    assert password_problems(password, username="beichen", phone="13800001234", profile=profile) == keys
    for key in keys:
        sentence = problem_sentence(key, profile)
        assert sentence.endswith("。") and password not in sentence
