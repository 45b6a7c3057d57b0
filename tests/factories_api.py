"""Makers for the interface: keys without the administrator's page, and a caller that shows one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.models import Account, ApiToken
from app.models.base import now
from app.permissions import roles
from app.services.api_token import digest_of
from tests.factories import make_account, store

BASE = "/api/v1"


def make_token(account: Account, **facts: Any) -> tuple[ApiToken, str]:
    """A usable key that acts as ``account``; its record and the key itself."""
    key = secrets.token_urlsafe(32)
    values = {
        "name": "测试系统",
        "digest": digest_of(key),
        "prefix": key[:6],
        "account_id": account.id,
        "resources": [],
        "created_at": now(),
        "created_by": account.id,
        "expires_at": now() + timedelta(days=30),
    }
    return store(ApiToken(**(values | facts))), key


@dataclass
class Caller:
    """Another system: asks with its key, keeps no cookies."""

    app: Flask
    key: str | None

    def get(self, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        """GET ``path`` under the base with ``query``."""
        own = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        client = self.app.test_client(use_cookies=False)
        return client.get(f"{BASE}/{path}", query_string=query or None, headers=own | (headers or {}))

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The rows of an answer that must be 200."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json["rows"]

    def ids(self, path: str, **query: Any) -> list[int]:
        """Their ids."""
        return [row["id"] for row in self.rows(path, **query)]

    def walk(self, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """Every page from the first on, by the ``next`` links."""
        answer = self.get(path, **query)
        while True:
            assert answer.status_code == 200, answer.text
            yield answer.json["rows"]
            if answer.json["next"] is None:
                return
            answer = self.get(answer.json["next"].removeprefix(f"{BASE}/"))


def caller(app: Flask, role: str, *, region: str | None = None, **facts: Any) -> Caller:
    """Another system whose key acts as a new account of ``role``; ``facts`` are those of the key."""
    return Caller(app, make_token(make_account(role, region=region), **facts)[1])


def administrator(app: Flask) -> Caller:
    """A caller that reads everything."""
    return caller(app, roles.ADMIN)


def error_of(answer: TestResponse) -> tuple[int, str, str | None]:
    """Status, code and parameter of a refusal, whose sentence must be Chinese and end."""
    error = answer.json["error"]
    assert set(error) == {"code", "message", "parameter"}
    assert any("\u4e00" <= c <= "\u9fff" for c in error["message"]) and error["message"][-1] in "。？", error["message"]
    return answer.status_code, error["code"], error["parameter"]
