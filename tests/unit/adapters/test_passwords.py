"""Hashing and the password policy."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from argon2 import PasswordHasher
from werkzeug.security import generate_password_hash

from app.adapters import passwords
from app.adapters.passwords import Profile, check_password, hash_password, password_problems, problem_sentence

GOOD = "北辰轴承-2041年"


def problems(
    password: str, profile: Profile = "enterprise", username: str = "beichen", phone: str = "13812346120"
) -> list[str]:
    return password_problems(password, username=username, phone=phone, profile=profile)


def test_hash_is_argon2id_with_the_promised_cost() -> None:
    assert hash_password(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_right_password_matches_and_needs_no_renewal() -> None:
    assert check_password(hash_password(GOOD), GOOD) == (True, False)


@pytest.mark.parametrize("wrong", ["", GOOD + " ", GOOD[:-1], GOOD.upper() + "x", "\ud800", "x" * 100_000])
def test_wrong_password_does_not_match(wrong: str) -> None:
    assert check_password(hash_password(GOOD), wrong) == (False, False)


def test_long_passwords_are_not_truncated() -> None:
    stored = hash_password("长" * 64)
    assert check_password(stored, "长" * 64)[0]
    assert not check_password(stored, "长" * 63)[0]
    assert not check_password(stored, "长" * 63 + "短")[0]


def test_composed_and_decomposed_letters_are_one_password() -> None:
    assert check_password(hash_password("cafe\u0301-2041"), "caf\u00e9-2041")[0]


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password(GOOD) != hash_password(GOOD)


@pytest.mark.parametrize("method", ["scrypt", "pbkdf2:sha256:1000"])
def test_hashes_of_the_framework_are_accepted_and_renewed(method: str) -> None:
    stored = generate_password_hash("Abc-20419", method=method)
    assert check_password(stored, "Abc-20419") == (True, True)
    assert check_password(stored, "Abc-20418") == (False, False)
    assert check_password(stored, "\ud800") == (False, False)


def test_weaker_argon2_hash_is_renewed() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    assert check_password(weak, GOOD) == (True, True)


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$broken", "scrypt:", "pbkdf2:x"])
def test_no_usable_hash_never_matches(stored: str | None) -> None:
    if stored is not None and stored.startswith(("scrypt:", "pbkdf2:")):
        assert check_password(stored, "") == (False, False)
    assert check_password(stored, GOOD) == (False, False)


def test_decoy_password_opens_nothing() -> None:
    assert check_password(None, "no account has this password") == (False, False)


def test_unknown_user_costs_as_much_as_a_wrong_password() -> None:
    stored = hash_password(GOOD)
    check_password(None, "warm-up")

    def median(known: str | None) -> float:
        times = []
        for _turn in range(9):
            started = time.process_time()
            check_password(known, "wrong-2041")
            times.append(time.process_time() - started)
        return sorted(times)[4]

    assert abs(median(stored) - median(None)) < 0.010


def test_at_most_four_hashes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, highest, gate = 0, 0, threading.Lock()

    class Counting:
        def hash(self, _password: bytes) -> str:
            nonlocal running, highest
            with gate:
                running += 1
                highest = max(highest, running)
            time.sleep(0.02)
            with gate:
                running -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Counting())
    threads = [threading.Thread(target=hash_password, args=(GOOD,)) for _turn in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert highest == 4


@pytest.mark.parametrize(
    "password",
    [GOOD, "Kd7-plxq", "密码要长一点2041", "u8#vT2-wRm", "轴" * 60 + "-204", "correct horse battery", "ÜberGröße-77"],
)
def test_good_passwords_of_enterprises(password: str) -> None:
    assert problems(password) == []


@pytest.mark.parametrize("password", [GOOD, "u8#vT2-wRm", "Long-enough-77", "轴承steel2041x"])
def test_good_passwords_of_staff(password: str) -> None:
    assert problems(password, "gov") == []


@pytest.mark.parametrize(
    ("password", "profile", "expected"),
    [
        ("Kd7-plx", "enterprise", "length"),
        ("", "enterprise", "length"),
        ("Kd7-plxq9", "gov", "length"),
        ("Kd7-" * 16 + "x", "enterprise", "too_long"),
        ("kdwplxqv", "enterprise", "classes"),
        ("KDWplxqv", "enterprise", "classes"),
        ("82640173", "enterprise", "classes"),
        ("轴承精密制造有限公司", "enterprise", "classes"),
        ("kdwplxqv8264", "gov", "classes"),
        ("Kd7-plxq\x00", "enterprise", "characters"),
        ("Kd7-plxq\n", "enterprise", "characters"),
        ("Kd7-plxq\ud800", "enterprise", "characters"),
        ("my-BeiChen-77", "enterprise", "contains_name"),
        ("my-ｂｅｉｃｈｅｎ-77", "enterprise", "contains_name"),
        ("x13812346120y", "enterprise", "contains_phone"),
        ("x１３８１２３４６１２０", "enterprise", "contains_phone"),
    ],
)
def test_each_rule_names_itself(password: str, profile: Profile, expected: str) -> None:
    assert expected in problems(password, profile)


COMMON = """
password1 Password123 P@ssw0rd p@ssw0rd! Passw0rd Admin123 admin@123 ADMIN888 Aa123456 aa123456!
abc123456 a1234567 1qaz2wsx 1qaz@WSX !QAZ2wsx qwer1234 Qwer1234! qweasd123 1q2w3e4r Q1w2e3r4
asdf1234 zxcvbnm123 woaini1314 woaini520 5201314a a5201314 iloveyou1 Test123456 root123456
huawei@123 Welcome1 Welcome123! changeme123 qq123456 123456qq 123456abc 123abc456 abcd1234 Abcd@1234
abc@1234 aini1314 wang123456 zhang123456 li123456 harbin2024 china@2024 ceshi1234 mima1234 gongsi123
caiwu123 qiye@123456 gongxinju123 密码123456 我爱你1314
"""


@pytest.mark.parametrize("password", COMMON.split())
def test_common_passwords_are_refused(password: str) -> None:
    assert "common" in problems(password)


@pytest.mark.parametrize(
    "password", ["aaaaaaaa", "abcdefgh", "hgfedcba", "ab1ab1ab1", "x1x1x1x1", "1-1-1-1-", "23456789"]
)
def test_patterns_are_common(password: str) -> None:
    assert "common" in problems(password)


def test_list_is_long_enough_and_clean() -> None:
    lines = (
        passwords.Path(passwords.__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    )
    entries = [line for line in lines if not line.startswith("##")]
    assert len(entries) >= 3000
    assert len(entries) == len(set(entries))
    assert all(entry == entry.strip().casefold() and entry for entry in entries)


def test_short_names_and_missing_phones_do_not_refuse_everything() -> None:
    assert problems("Kd7-plxq", username="k", phone="") == []
    assert problems("Kd7-plxq", username="", phone="") == []


def test_all_problems_come_at_once() -> None:
    assert problems("beichen") == ["length", "classes", "contains_name"]


@pytest.mark.parametrize("profile", ["enterprise", "gov"])
def test_every_problem_has_a_sentence(profile: Any) -> None:
    for key in ("length", "too_long", "classes", "characters", "contains_name", "contains_phone", "common"):
        assert problem_sentence(key, profile).endswith("。")
    assert "%" not in problem_sentence("length", profile)


def test_sentences_name_the_numbers_of_the_profile() -> None:
    assert "至少 8 个" in problem_sentence("length", "enterprise")
    assert "至少 10 个" in problem_sentence("length", "gov")
    assert "至少三种" in problem_sentence("classes", "gov")
