"""Encrypted values, indexes and digests."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.secrets import Cipher
from app.errors import Unavailable

ID_NUMBER = "11010519491231002X"
CIPHER = Cipher("a" * 32)
OTHER = Cipher(b"b" * 32)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet="abc._", max_size=9))
def test_what_was_encrypted_comes_back(value: str, context: str) -> None:
    assert CIPHER.decrypt(CIPHER.encrypt(value, context), context) == value


def test_same_value_looks_different_each_time_and_never_shows() -> None:
    stored = {CIPHER.encrypt(ID_NUMBER) for _turn in range(20)}
    assert len(stored) == 20
    assert not any(ID_NUMBER in text or ID_NUMBER in str(base64.urlsafe_b64decode(text[3:])) for text in stored)


@pytest.mark.parametrize("place", [5, 20, -5])
def test_changed_text_is_refused(place: int) -> None:
    stored = list(CIPHER.encrypt(ID_NUMBER))
    stored[place] = "A" if stored[place] != "A" else "B"
    with pytest.raises(Unavailable, match="核对密钥"):
        CIPHER.decrypt("".join(stored))


@pytest.mark.parametrize("stored", ["", "v1.", "v1.AAAA", "v2.AAAA", ID_NUMBER, "v1.密文", "v1.A"])
def test_what_was_never_encrypted_is_refused(stored: str) -> None:
    with pytest.raises(Unavailable):
        CIPHER.decrypt(stored)


def test_other_secret_or_other_column_cannot_read() -> None:
    stored = CIPHER.encrypt(ID_NUMBER, "account.id_number")
    with pytest.raises(Unavailable):
        OTHER.decrypt(stored, "account.id_number")
    with pytest.raises(Unavailable):
        CIPHER.decrypt(stored, "enterprise.id_number")


def test_index_finds_the_same_value_and_depends_on_the_secret() -> None:
    index = CIPHER.blind_index(ID_NUMBER)
    assert index == Cipher("a" * 32).blind_index(ID_NUMBER)
    assert index != OTHER.blind_index(ID_NUMBER)
    assert index != CIPHER.blind_index(ID_NUMBER[:-1])
    assert len(index) == 64


def test_index_and_digest_are_different_worlds() -> None:
    assert CIPHER.blind_index("402817") != CIPHER.keyed_digest("402817")


def test_digest_matches_only_its_value() -> None:
    digest = CIPHER.keyed_digest("login|13812346120|402817")
    assert CIPHER.digest_matches("login|13812346120|402817", digest)
    assert not CIPHER.digest_matches("reset|13812346120|402817", digest)
    assert not CIPHER.digest_matches("login|13812346120|\ud800", digest)
    assert not OTHER.digest_matches("login|13812346120|402817", digest)


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, b"x" * 31])
def test_short_secret_is_refused(secret: str | bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(secret)
