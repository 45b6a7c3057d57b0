"""Password hashes (Argon2id) and what makes a password acceptable.

Hashing costs 19 MiB and tens of milliseconds, so at most four run at once; further callers wait. Hashes that the
framework wrote before (scrypt, PBKDF2) are accepted and reported for renewal. Nothing is ever truncated.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError
from flask_babel import gettext as _
from werkzeug.security import check_password_hash

Profile = Literal["enterprise", "gov"]
MIN_LENGTH: dict[Profile, int] = {"enterprise": 8, "gov": 10}
MIN_CLASSES: dict[Profile, int] = {"enterprise": 2, "gov": 3}
MAX_LENGTH = 64
# Longer than any password that was ever accepted: compared with nothing, but at the usual cost.
CHECK_LENGTH = 256
SHORTEST_NAME = 3

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
_slots = threading.BoundedSemaphore(4)
_FRAMEWORK_HASHES = ("scrypt:", "pbkdf2:")
_DISGUISES = str.maketrans({"@": "a", "0": "o", "1": "l", "$": "s", "3": "e", "5": "s", "!": "i"})


def hash_password(password: str) -> str:
    """An Argon2id hash with its own salt."""
    with _slots:
        return _hasher.hash(_bytes(password))


def check_password(stored: str | None, password: str) -> tuple[bool, bool]:
    """``(matches, needs_rehash)``. ``None`` (no such user) costs as much time as a real check and never matches."""
    if len(password) > CHECK_LENGTH:
        stored, password = None, ""
    if stored is not None and stored.startswith(_FRAMEWORK_HASHES):
        with _slots:
            matches = _is_encodable(password) and check_password_hash(stored, password)
        return matches, matches
    with _slots:
        try:
            _hasher.verify(stored or _decoy(), _bytes(password))
        except (Argon2Error, InvalidHashError):
            return False, False
    return (True, _hasher.check_needs_rehash(stored)) if stored else (False, False)


def password_problems(password: str, *, username: str, phone: str, profile: Profile) -> list[str]:
    """Keys of what is wrong: length, too_long, classes, characters, contains_name, contains_phone, common."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    name = unicodedata.normalize("NFKC", username).casefold()
    found = {
        "length": len(password) < MIN_LENGTH[profile],
        "too_long": len(password) > MAX_LENGTH,
        "classes": len(_classes(password)) < MIN_CLASSES[profile],
        "characters": any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in password),
        "contains_name": folded == name or (len(name) >= SHORTEST_NAME and name in folded),
        "contains_phone": bool(phone) and phone in folded,
        "common": _is_common(folded),
    }
    return [key for key, wrong in found.items() if wrong]


def problem_sentence(key: str, profile: Profile) -> str:
    """The sentence for one key of ``password_problems``."""
    classes = (
        _("请用字母、数字、符号、汉字中的至少两种。")
        if profile == "enterprise"
        else _("请用字母、数字、符号、汉字中的至少三种。")
    )
    sentences: dict[str, str] = {
        "length": _("密码至少 %(n)s 个字符，请补长。", n=MIN_LENGTH[profile]),
        "too_long": _("密码最多 %(n)s 个字符，请改短。", n=MAX_LENGTH),
        "classes": classes,
        "characters": _("密码里有看不见的控制字符，请删掉后重新输入。"),
        "contains_name": _("密码不能包含用户名，请换一个。"),
        "contains_phone": _("密码不能包含手机号，请换一个。"),
        "common": _("这个密码太常见，容易被猜到，请换一个。"),
    }
    return sentences[key]


def _bytes(password: str) -> bytes:
    """One form for one password, whichever keyboard typed it; lone surrogates become bytes that never match."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


def _is_encodable(password: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in password)


@cache
def _decoy() -> str:
    """A hash of nobody's password."""
    return _hasher.hash(b"no account has this password")


def _classes(password: str) -> set[str]:
    return {_class_of(character) for character in password}


def _class_of(character: str) -> str:
    if character.isascii() and character.isalpha():
        return "letter"
    if character.isdecimal():
        return "digit"
    return "han" if character.isalpha() else "symbol"


def _is_common(folded: str) -> bool:
    """On the list as typed, with usual disguises undone (``p@ssw0rd``), or nothing but a pattern."""
    bare = folded.strip("!@#$%^&*.?_-~ ")
    forms = {folded, bare, folded.translate(_DISGUISES), bare.translate(_DISGUISES)}
    return bool(forms & _common_passwords()) or _is_pattern(folded)


def _is_pattern(folded: str) -> bool:
    """One short unit repeated (``ab1ab1ab1``) or a run up or down the alphabet or the digits (``abcdefgh``)."""
    size = len(folded)
    repeated = any(folded == folded[:unit] * (size // unit) for unit in range(1, min(4, size // 2) + 1))
    steps = {ord(right) - ord(left) for left, right in pairwise(folded)}
    return size > 1 and (repeated or steps in ({1}, {-1}, {0}))


@cache
def _common_passwords() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("##"))
