"""Measures the product beside a bare Flask page, in one run: ``make bench``.

Everything runs on a database of its own in a temporary folder. Server time is taken around the WSGI call, without
network; the median of many calls counts. Writes ``docs/bench.md``.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FOLDER = Path(tempfile.mkdtemp(prefix="shenbao-bench-"))
os.environ["DATA_DIR"] = str(FOLDER)

# DATA_DIR must be set before the application reads it.
from flask_migrate import upgrade  # noqa: E402
from sqlalchemy import text  # noqa: E402

from app import create_app  # noqa: E402
from app.extensions import db  # noqa: E402
from app.models import Account  # noqa: E402
from app.services.declaration import start_declaration  # noqa: E402
from app.services.document import material  # noqa: E402
from app.services.permission import sync_permissions  # noqa: E402
from app.services.projection import sync_definitions  # noqa: E402
from app.services.samples import fill_declaration  # noqa: E402
from app.services.seed import seed_reference  # noqa: E402
from app.services.unit_of_work import unit_of_work  # noqa: E402
from scripts.bench_upload import upload_megabytes  # noqa: E402
from tests import factories, factories_queue  # noqa: E402
from tests.factories_review import with_rows  # noqa: E402

PAGE_BUDGET, SAVE_BUDGET, WORD_BUDGET, UPLOAD_BUDGET, START_BUDGET = 20.0, 15.0, 100.0, 50.0, 3.0
ROWS_BUDGET = 50.0


@dataclass(frozen=True)
class Figure:
    """One measured thing: milliseconds (or ``unit``), with its budget if there is one."""

    name: str
    value: float
    budget: float | None
    unit: str = "ms"

    def line(self, bare: float) -> str:
        """A row of the table."""
        ratio = f"{self.value / bare:.1f} ×" if self.unit == "ms" else ""
        budget = "" if self.budget is None else f"{self.budget:g} {self.unit}"
        verdict = "" if self.budget is None else ("yes" if self.value <= self.budget else "**no**")
        return f"| {self.name} | {self.value:.2f} {self.unit} | {ratio} | {budget} | {verdict} |"


def median_ms(call: Callable[[], Any], rounds: int, warm: int = 3) -> float:
    """Median milliseconds of ``call`` over ``rounds``, after ``warm`` calls that do not count."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def bare_page(rounds: int) -> float:
    """Median of a Flask page that does nothing."""
    app = Flask("bare")
    app.add_url_rule("/", view_func=lambda: "<p>ok</p>")
    client = app.test_client()
    return median_ms(lambda: client.get("/"), rounds)


def one_commit(rounds: int) -> float:
    """Median of one small committed change, flushed to disk."""
    with db.engine.begin() as connection:
        connection.execute(text("create table if not exists bench_commit (n integer)"))

    def commit() -> None:
        with unit_of_work() as session:
            session.execute(text("insert into bench_commit values (1)"))

    return median_ms(commit, rounds)


@dataclass(frozen=True)
class Scene:
    """The reference declaration twice, as a draft and in review, with their owners and an officer."""

    draft: str
    submitted: str
    owner: int
    applicant: int
    officer: int


def set_scene() -> Scene:
    """Three projects with two providers each, demands, two attachments: one draft, one released for stamping."""
    batch = factories.make_batch()
    ids, owners = [], []
    for _ in range(2):
        owners.append(factories.make_account("enterprise"))
        ids.append(start_declaration(owners[-1], batch.public_id))
        fill_declaration(owners[-1], ids[-1], random.Random(5), rows=3)
        for key in ("audit_report", "credit_china_report"):
            factories.attach(factories.find(ids[-1]), key)
    officer = factories.make_account("city")
    factories.perform(owners[1], factories.find(ids[1]), "submit")
    return Scene(ids[0], ids[1], owners[0].id, owners[1].id, officer.id)


def account(key: int) -> Account:
    """The account with this id, as an object of the current session."""
    return db.session.get_one(Account, key)


def pages(app: Flask, scene: Scene, rounds: int) -> list[Figure]:
    """Own GET pages, the grid and autosave."""
    # Requests run outside an application context of ours: they would share ``g``, and with it the person.
    anybody = app.test_client()
    with app.app_context():
        owner = factories.login(app.test_client(), account(scene.owner))
        officer = factories.login(app.test_client(), account(scene.officer))
    base = f"/declarations/{scene.draft}"
    owner.post(f"{base}/statement", data={"statement": "yes"})
    wanted: list[tuple[str, FlaskClient, str]] = [
        ("portal", anybody, "/"),
        ("sign-in", anybody, "/account/login"),
        ("workbench", owner, "/workbench/"),
        ("programmes", owner, "/programmes/"),
        ("one programme", owner, "/programmes/hrb_cultivation_intake/"),
        ("my declarations", owner, "/declarations/"),
        ("enterprise", owner, "/enterprise/"),
        ("messages", owner, "/messages/"),
        ("to-do (enterprise)", owner, "/todo/"),
        ("wizard: basics", owner, f"{base}/sections/basic_info"),
        ("wizard: 3 projects × 2 providers", owner, f"{base}/sections/digital_content"),
        ("wizard: attachments", owner, f"{base}/sections/attachments"),
        ("check", owner, f"{base}/check"),
        ("preview", owner, f"{base}/preview"),
        ("to-do (city)", officer, "/todo/"),
        ("review", officer, f"/review/{scene.submitted}/"),
        ("batches", officer, "/batches/"),
        ("grid: all declarations (Flask-AppBuilder)", officer, "/admin/declaration/list/"),
    ]
    figures = []
    for name, client, path in wanted:
        response = client.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}")
        figures.append(Figure(name, median_ms(partial(client.get, path), rounds), PAGE_BUDGET))
    return [*figures, many_rows(app, officer, rounds), autosave(owner, scene, rounds)]


def many_rows(app: Flask, officer: FlaskClient, rounds: int) -> Figure:
    """The review page of a declaration with 200 child rows, all of them shown."""
    with app.app_context():
        path = f"/review/{with_rows(factories.make_account('enterprise'), 200).public_id}/?all=1"
    officer.get(path)
    return Figure("review: 200 child rows", median_ms(partial(officer.get, path), rounds), ROWS_BUDGET)


QUEUE = 10_000


def long_queue(app: Flask, scene: Scene, rounds: int) -> list[Figure]:
    """The queue of an office the day after a window closed. Last of the pages: it fills the database."""
    with app.app_context():
        clerks = [account(scene.officer), factories.make_account("city")]
        batches = [factories.make_batch() for _n in range(4)]
        ids = factories_queue.fill_queue(QUEUE, batches, clerks)
        officer = factories.login(app.test_client(), account(scene.officer))
    wanted = {
        "first page": "/todo/",
        "last page": f"/todo/?page={QUEUE // 20}",
        "search": "/todo/?q=轴承",
        "two filters": "/todo/?claim=free&soon=1",
        "handled": "/todo/?tab=handled",
        "who is at work": f"/todo/{ids[-1]}/claim",
    }
    return [
        Figure(f"queue of {QUEUE:,}: {name}", median_ms(partial(officer.get, path), rounds), PAGE_BUDGET)
        for name, path in wanted.items()
    ]  # fmt: skip


def autosave(client: FlaskClient, scene: Scene, rounds: int) -> Figure:
    """One field saved as the wizard does it, a new text each time."""
    path = f"/declarations/{scene.draft}/sections/basic_info/field"
    names = iter(range(10_000_000))

    def save() -> None:
        answer = client.post(path, data={"contact_name": f"王{next(names)}"}, headers={"HX-Request": "true"})
        if answer.status_code != 200:
            raise SystemExit(f"autosave answered {answer.status_code}")

    return Figure("autosave of one field", median_ms(save, rounds), SAVE_BUDGET)


def word(scene: Scene, rounds: int) -> Figure:
    """The Word material of the reference declaration, from loading the record to the finished file."""
    factories.perform(account(scene.officer), factories.find(scene.submitted), "confirm")

    def make() -> None:
        material(account(scene.applicant), scene.submitted)
        db.session.rollback()

    return Figure("Word material", median_ms(make, max(5, rounds // 5)), WORD_BUDGET)


def start_seconds() -> float:
    """Seconds until the application is built, in a new process (the database is there)."""
    code = "from app import create_app; create_app()"
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env={**os.environ})
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--no-write", action="store_true", help="do not write docs/bench.md")
    options = parser.parse_args()
    app = create_app({"WTF_CSRF_ENABLED": False})
    with app.app_context():
        upgrade()
        sync_definitions()
        seed_reference(app.config["CITY_CODE"])
        sync_permissions(g.name for g in app.extensions["grids"])
        scene = set_scene()
        commit = one_commit(options.rounds)
    bare = bare_page(options.rounds)
    figures = [Figure("bare Flask page", bare, None), Figure("one fsynced commit", commit, None)]
    figures += pages(app, scene, options.rounds)
    with app.app_context():
        figures.append(word(scene, options.rounds))
        figures.append(
            Figure(
                "100 MB upload: memory added",
                upload_megabytes(app, scene.draft, account(scene.owner)),
                UPLOAD_BUDGET,
                "MB",
            )
        )
    figures += long_queue(app, scene, options.rounds)
    figures.append(Figure("start", start_seconds(), START_BUDGET, "s"))
    table = report(figures, bare, options.rounds)
    print(table)
    if not options.no_write:
        (ROOT / "docs" / "bench.md").write_text(table, "utf-8")


def report(figures: list[Figure], bare: float, rounds: int) -> str:
    """The page that is written."""
    head = (
        "# Figures\n\nWritten by `make bench`. One run on SQLite (WAL, synchronous FULL), medians of "
        f"{rounds} calls; ratios are against the bare Flask page of the same run. "
        "Server time around the WSGI call, without network.\n\n"
        "| what | median | ratio | budget | kept |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(f.line(bare) for f in figures) + "\n"


if __name__ == "__main__":
    main()
