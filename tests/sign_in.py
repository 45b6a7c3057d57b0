"""Steps of registration and sign-in as tests need them: a solved challenge, the code from the outbox."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.errors import DomainError
from app.extensions import db
from app.models import Challenge, Throttle
from app.services import sms
from app.services.challenge import Solution, Visitor, new_challenge
from app.services.unit_of_work import unit_of_work

PHONE = "13812346120"
VISITOR = Visitor("a" * 64, "203.0.113.7")
ANSWERS = {"user_type": "enterprise", "username": "松岭-wangmin", "phone": PHONE, "agree": "y"}
GOOD = "Songling-2026"


def solved(visitor: Visitor = VISITOR) -> Solution:
    """A challenge with its right answer."""
    row = new_challenge(visitor, "slider")
    return Solution(row.token, row.answer)


def answer_of(token: str) -> str:
    """The right answer, which only the database knows."""
    return db.session.scalars(select(Challenge.answer).where(Challenge.token == token)).one()


def token_in(page: str) -> str:
    """The token of the challenge on a page."""
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, "no challenge on the page"
    return found[1]


def last_text(phone: str = PHONE) -> str:
    """The newest message to ``phone``."""
    return sms.outbox(1, phone)[0][1]


def last_code(phone: str = PHONE) -> str:
    """The code in the newest message to ``phone``."""
    found = re.search(r"验证码 (\d{6})", last_text(phone))
    assert found, f"no code in {last_text(phone)!r}"
    return found[1]


def forget_pauses() -> None:
    """Let the next code be sent at once."""
    with unit_of_work() as session:
        for row in session.scalars(select(Throttle).where(Throttle.kind.like("sms-%"))):
            session.delete(row)


def ask_code(
    client: FlaskClient, purpose: str, phone: str = PHONE, path: str | None = None, **typed: Any
) -> TestResponse:
    """Solve the challenge of a page and ask for a code, by ordinary posts."""
    paths = {"register": "/account/register", "login": "/account/login?way=sms", "recover": "/account/recover"}
    token = token_in(client.get(path or paths[purpose]).text)
    data = {"purpose": purpose, "do": "send", "phone": phone, "token": token, "answer": answer_of(token)}
    return client.post("/account/code", data=data | typed)


def sign_up(client: FlaskClient, **changes: Any) -> TestResponse:
    """Register through the pages."""
    answers = ANSWERS | {"password": GOOD, "repeat": GOOD} | changes
    assert ask_code(client, "register", answers["phone"]).status_code == 200
    return client.post("/account/register", data={"code": last_code(answers["phone"])} | answers)


def sign_in(client: FlaskClient, name: str, password: str, **more: Any) -> TestResponse:
    """Sign in by password through the page."""
    return client.post("/account/login", data={"username": name, "password": password} | more)


def at_once(app: Flask, number: int, call: Callable[[int], Any]) -> list[Any]:
    """What ``number`` simultaneous calls returned or raised."""
    barrier, results = threading.Barrier(number), [None] * number

    def run(place: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[place] = call(place)
            except DomainError as error:
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
