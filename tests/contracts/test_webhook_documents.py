"""docs/webhooks.md: its code recognises what is really sent, its example and its figures are those of the product."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.adapters import webhook
from app.models.declaration import STATUSES
from app.permissions import roles
from app.services import announcement
from app.services.job import FIRST_WAIT
from tests import factories
from tests.factories_webhook import SECRET, allow, deliveries, make_webhook, receiving, run_all

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    """The function of the document."""
    space: dict[str, Callable[..., bool]] = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.S)[1], space)  # type: ignore[index]
    return space["is_genuine"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_its_code_recognises_what_is_sent(context: Flask, is_genuine: Callable[..., bool]) -> None:
    allow(context, "127.0.0.1")
    with receiving() as receiver:
        make_webhook(receiver.url)
        factories.submitted()
        run_all()
        (seen,) = receiver.seen
    signature = seen.headers["x-shenbao-signature"]
    assert is_genuine(SECRET, signature, seen.body)
    assert not is_genuine(SECRET, signature, seen.body + b" ")
    assert not is_genuine("another", signature, seen.body)
    for name in ("X-Shenbao-Signature", "X-Shenbao-Delivery", "X-Shenbao-Event", "User-Agent"):
        assert f"`{name}`" in TEXT and name.lower() in seen.headers
    assert f"`{seen.headers['user-agent']}`" in TEXT


@pytest.mark.parametrize(
    "signature", ["", "t=1", "v1=00", "t=x,v1=00", "nonsense", "t=1,v1=哈", f"t={10**30},v1=00"], ids=ascii
)
def test_its_code_refuses_nonsense(is_genuine: Callable[..., bool], signature: str) -> None:
    assert not is_genuine(SECRET, signature, b"{}")


def test_its_code_refuses_old_texts(is_genuine: Callable[..., bool]) -> None:
    at = int(time.time())
    assert is_genuine(SECRET, webhook.sign(SECRET, at - 200, b"{}"), b"{}")
    assert not is_genuine(SECRET, webhook.sign(SECRET, at - 400, b"{}"), b"{}")
    assert not is_genuine(SECRET, webhook.sign(SECRET, at + 400, b"{}"), b"{}")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_its_example_has_the_shape_of_a_real_text(context: Flask) -> None:
    def shape(value: object) -> object:
        return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value).__name__

    make_webhook(events=["confirm"])
    factories.perform(factories.make_account(roles.CITY), factories.submitted(), "confirm")
    example = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.S)[1])  # type: ignore[index]
    assert shape(example) == shape(json.loads(deliveries()[0].body))


def test_its_figures() -> None:
    for status in STATUSES:
        assert f"`{status}`" in TEXT
    pauses = [FIRST_WAIT * 4**n for n in range(announcement.TRIES - 1)]
    assert (pauses[0].seconds, pauses[1].seconds, announcement.TRIES) == (10, 40, 9)
    assert 2.4 < sum(p.total_seconds() for p in pauses) / 86400 < 2.6
    assert (webhook.SECONDS, webhook.ANSWER_LIMIT) == (10, 65536)
    for words in ("nine times in two and a half days", "within 10 seconds", "64 KiB", "`WEBHOOK_ALLOWED_HOSTS`"):
        assert words in TEXT
