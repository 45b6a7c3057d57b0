"""Several people at the same moment: each in a thread with an application context of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from app.errors import DomainError
from app.extensions import db
from app.models import Account


def together(app: Flask, deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of ``deeds`` in their order, all begun at once; a refusal is given back as what it is."""
    barrier = threading.Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        barrier.wait(20)
        try:
            with app.app_context():
                return deed()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def apart(account: Account) -> Account:
    """``account`` read whole and taken out of its session, so that threads can share it and hold no connection."""
    db.session.rollback()
    found = db.session.get_one(Account, account.id)
    for part in (*found.roles, found.enterprise, found):
        if part is not None:
            db.session.expunge(part)
    db.session.rollback()
    return found


def refusals(results: Sequence[Any]) -> list[DomainError]:
    """The refusals among ``results``."""
    return [r for r in results if isinstance(r, DomainError)]
