"""Seeding: complete, by the rules, and a second run changes nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, text
from stdnum.cn import uscc

from app.adapters.passwords import check_password, password_problems
from app.definitions import registry
from app.extensions import db
from app.models import (
    Account,
    Assignment,
    Batch,
    Declaration,
    Enterprise,
    Event,
    Holiday,
    Industry,
    Notice,
    PrintRecord,
    PublicListEntry,
    Region,
    Revision,
    StampedScan,
)
from app.models.base import Model, now
from app.permissions import roles
from app.services import audit, expert, installation, seed, seed_demo, stamp, todo
from app.services.opened import open_declaration
from app.services.projection import rebuild
from app.services.storage import store
from app.services.unit_of_work import unit_of_work

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def counts() -> dict[str, int]:
    """Rows of every table that is there; other tests of this process may know programmes that this database has not."""
    db.session.rollback()
    there = set(inspect(db.engine).get_table_names())
    tables = {name: t for name, t in Model.metadata.tables.items() if name in there}
    assert {"declaration", "form_hrb_cultivation_intake"} <= tables.keys()
    return {name: db.session.scalar(select(func.count()).select_from(t)) for name, t in tables.items()}


def test_reference_data_have_full_names(context: Flask) -> None:
    region = db.session.scalars(select(Region).where(Region.code == "230108")).one()
    assert (region.full_name, region.parent_code) == ("黑龙江省 / 哈尔滨市 / 平房区", "230100")
    industry = db.session.scalars(select(Industry).where(Industry.code == "34")).one()
    assert industry.full_name == "制造业 / 通用设备制造业"
    assert db.session.scalar(select(Holiday.working).where(Holiday.day == date(2026, 10, 10))) is True
    assert db.session.scalar(select(Holiday.working).where(Holiday.day == date(2026, 2, 17))) is False


def test_reference_seed_adds_only_what_is_missing(context: Flask) -> None:
    before = counts()
    with unit_of_work() as session:
        session.scalars(select(Region).where(Region.code == "230108")).one().name = "改过的名字"
        session.execute(text("DELETE FROM industry WHERE code = '34'"))
    said: list[str] = []
    seed.seed_reference("230100", said.append)
    assert counts() == before
    assert "industries: 1 added" in said
    assert db.session.scalar(select(Region.name).where(Region.code == "230108")) == "改过的名字"


def test_preparing_again_changes_nothing(context: Flask) -> None:
    before = counts()
    installation.prepare_database()
    assert counts() == before
    assert installation.is_prepared()


def test_other_tables_than_noted_are_not_prepared(context: Flask) -> None:
    installation.prepare_database()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not installation.is_prepared()


def test_nothing_noted_is_not_prepared(context: Flask) -> None:
    assert not installation.is_prepared()


@pytest.fixture
def seeded(context: Flask) -> list[tuple[seed_demo.Person, str]]:
    """A demo of nine enterprises, eight of which declare."""
    steps: list[int] = []
    created = seed_demo.seed_demo(9, 8, steps.append)
    assert sum(steps) == 17
    db.session.rollback()
    return created


def test_demo_has_every_role_and_every_state(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    assert {p.role for p, _ in seeded} == {
        roles.ADMIN, roles.CITY, roles.DISTRICT, roles.EXPERT, roles.ENTERPRISE, roles.INDIVIDUAL,
    }  # fmt: skip
    found = db.session.execute(
        select(Declaration.status, Declaration.step_key).where(Declaration.programme_key == seed_demo.INTAKE)
    )
    assert {step or status for status, step in found} == {
        "draft", "preliminary_review", "stamping", "returned", "conformity_review", "expert_review", "publish_list",
        "approved", "rejected",
    }  # fmt: skip
    assert db.session.scalar(select(func.count()).select_from(PublicListEntry)) == 1
    assert {n.level for n in db.session.scalars(select(Notice))} == {"city", "province", "ministry"}


def test_demo_obeys_the_rules(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    enterprises = db.session.scalars(select(Enterprise).where(Enterprise.certification_status == "approved")).all()
    assert len(enterprises) == 9
    assert all(uscc.is_valid(e.credit_code) for e in enterprises)
    assert len({e.name for e in enterprises}) == 9
    newcomer = db.session.scalars(select(Account).where(Account.username == "newcomer")).unique().one()
    assert newcomer.enterprise.certification_status == "none"
    first, second = db.session.scalars(
        select(Batch).where(Batch.programme_key == seed_demo.INTAKE).order_by(Batch.id)
    ).all()
    assert first.parameters == {"correction_days": 10}
    assert second.parameters == {"correction_days": 10, "expert_step": True}
    assert (first.is_open(now()), second.is_open(now())) == (True, False)
    count, problems = audit.verify(context.config["DATA_DIR"])
    assert (count > 40, problems) == (True, [])


def test_demo_has_scans_that_were_really_looked_at(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    scans = db.session.scalars(select(StampedScan)).unique().all()
    assert scans
    for scan in scans:
        assert (scan.state, scan.matched, scan.seal) == ("done", "this", "seen")
        assert scan.findings["pages"] == scan.findings["printed"] == scan.attachment.pages > 1
        verdict = stamp.verdict_of(scan.state, scan.matched, scan.seal, scan.findings)
        assert verdict.clean, verdict
        with store().open(scan.attachment.sha256) as file:
            assert file.read(5) == b"%PDF-"
    assert db.session.scalar(select(func.count()).select_from(PrintRecord)) == len(scans)


def test_passwords_work_are_stored_hashed_and_fit_the_staff_rules(
    context: Flask, seeded: list[tuple[seed_demo.Person, str]]
) -> None:
    for who, word in seeded:
        account = db.session.scalars(select(Account).where(Account.username == who.username)).unique().one()
        assert account.password.startswith("$argon2id$")
        assert check_password(account.password, word)[0]
        assert password_problems(word, username=who.username, phone=account.phone or "", profile="gov") == []
    assert len({word for _, word in seeded}) == len(seeded)


def test_second_run_changes_nothing(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    assert seed_demo.is_seeded()
    before = counts()
    assert seed_demo.seed_demo(9, 8) == []
    assert counts() == before
    assert "set-password" in seed_demo.describe([])


def test_a_larger_demo_extends_the_smaller_one(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    assert seed_demo.seed_demo(10, 9) == []
    db.session.rollback()
    declared = select(Batch.title, func.count()).join(Declaration.batch).group_by(Batch.title)
    found = {
        title.partition("年")[2]: n
        for title, n in db.session.execute(declared.where(Batch.programme_key == seed_demo.INTAKE))
    }
    assert found == {"第一批": 9, "标杆样板": 2}


@sqlite_only
def test_the_expert_has_one_to_score_and_one_scored(context: Flask, seeded: list[tuple[seed_demo.Person, str]]) -> None:
    asked = db.session.scalars(select(Account).where(Account.username == "expert")).unique().one()
    (waiting,) = todo.waiting(asked, todo.Filters()).entries
    (handled,) = todo.handled(asked, todo.Filters()).entries
    assert (waiting.declaration.step_key, waiting.declaration.holder_role) == ("expert_review", roles.EXPERT)
    assert (handled.declaration.step_key, handled.event and handled.event.action) == ("publish_list", "score")
    city = db.session.scalars(select(Account).where(Account.username == "city")).unique().one()
    seen = open_declaration(db.session, handled.declaration.public_id, city)
    result = expert.result_of(seen)
    assert result is not None and (result.done, result.average) == (1, Decimal("83.50"))
    (lines,) = result.scores.values()
    assert [s.criterion for s in lines] == [c.key for c in expert.rubric_of(seen)]
    own = expert.scores_of(result.assignments[0])
    assert list(own) == [c.key for c in expert.rubric_of(seen)], "in the order of the sheet"
    owed = expert.result_of(open_declaration(db.session, waiting.declaration.public_id, city))
    assert owed is not None and (owed.done, owed.average, len(owed.assignments)) == (0, None, 1)


@sqlite_only
def test_a_demo_of_one_enterprise_asks_no_expert(context: Flask) -> None:
    seed_demo.seed_demo(1, 1)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Assignment)) == 0
    assert db.session.scalar(select(func.count()).where(Batch.programme_key == seed_demo.INTAKE)) == 1


def test_accounts_are_described_with_their_passwords(context: Flask) -> None:
    said = seed_demo.describe([(seed_demo.OWNER, "Abcd-1234-efgh"), (seed_demo.STAFF[0], "Wxyz-5678-abcd")])
    assert "Abcd-1234-efgh" in said
    assert "企业（已认证）" in said
    assert "平台管理员" in said


class TestAudit:
    """The audit trail finds what was changed behind the product's back."""

    @pytest.fixture(autouse=True)
    def trail(self, context: Flask) -> None:
        seed_demo.seed_demo(2, 2)
        audit.write_head(context.config["DATA_DIR"])
        # Behind its back means past the rule that the database itself has. Reading must be over for that.
        db.session.rollback()
        with db.engine.begin() as connection:
            for rule in ("event_fixed", "event_kept", "revision_fixed"):
                table = rule.split("_")[0]
                on = f" ON {table}" if db.engine.dialect.name == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER {rule}{on}"))

    def change(self, statement: str) -> list[str]:
        db.session.rollback()
        with db.engine.begin() as connection:
            connection.execute(text(statement))
        return audit.verify(self.folder)[1]

    @pytest.fixture(autouse=True)
    def data_dir(self, context: Flask) -> None:
        self.folder = context.config["DATA_DIR"]

    def test_changed_words(self) -> None:
        newest = db.session.scalar(select(func.max(Event.id)).where(Event.declaration_id.is_not(None)))
        assert self.change(f"UPDATE event SET opinion = 'x' WHERE id = {newest}") == [
            f"event {newest} was changed after it was written"
        ]

    def test_removed_event(self) -> None:
        first = db.session.scalar(select(func.min(Event.id)).where(Event.declaration_id.is_not(None)))
        found = self.change(f"DELETE FROM event WHERE id = {first}")
        assert any("does not follow" in line for line in found)
        assert any("events at" in line for line in found)

    def test_removed_end(self) -> None:
        newest = db.session.scalar(select(func.max(Event.id)))
        assert any(
            "is not the one that was noted" in line for line in self.change(f"DELETE FROM event WHERE id = {newest}")
        )

    def test_changed_revision(self) -> None:
        assert any(
            "revision 1 was changed" in line for line in self.change("UPDATE revision SET content = '{}' WHERE id = 1")
        )

    def test_revision_whose_digest_was_changed_too_little(self) -> None:
        """The text is as it was and the digest is not: as bad as the other way round."""
        line = self.change(f"UPDATE revision SET digest = '{'0' * 64}' WHERE id = 1")
        assert any("revision 1 was changed" in x for x in line)

    def test_added_revision(self) -> None:
        number = db.session.scalar(select(func.max(Revision.id))) + 1
        found = self.change(
            "INSERT INTO revision (id, declaration_id, number, programme_id, content, digest, created_at) "
            f"SELECT {number}, declaration_id, number + 1, programme_id, content, digest, created_at FROM revision "
            "WHERE id = 1"
        )
        assert len(found) == 1 and "its newest revision has 2" in found[0]

    def test_typed_rows_that_differ_from_the_record(self) -> None:
        definition = registry.catalogue().get(seed_demo.INTAKE)
        table = next(t.key for _, t, parent in definition.tables() if parent is None and t.min_rows)
        sent = db.session.scalar(
            select(Declaration.id).join(Revision).where(Declaration.programme_key == definition.key)
        )
        main, child = f"form_{definition.key}", f"form_{definition.key}_{table}"
        nested = [f"form_{definition.key}_{t.key}" for _, t, parent in definition.tables() if parent is not None]
        for name in nested:
            self.change(f"DELETE FROM {name} WHERE declaration_id = {sent}")
        found = self.change(f"DELETE FROM {child} WHERE declaration_id = {sent}")
        assert [x for x in found if x.startswith(f"{child} has 0 rows for declaration {sent}, its newest revision has")]
        found = self.change(f"UPDATE {main} SET revision_no = 9 WHERE declaration_id = {sent}")
        assert any(f"{main} shows revision 9 for declaration {sent}, its newest revision has 1" in x for x in found)
        rebuild()
        assert audit.verify(self.folder)[1] == []

    def test_a_typed_row_without_a_record(self) -> None:
        definition = registry.catalogue().get(seed_demo.INTAKE)
        draft = db.session.scalar(select(Declaration.id).where(Declaration.status == "draft"))
        found = self.change(
            f"INSERT INTO form_{definition.key} (id, declaration_id, revision_no) VALUES (9999, {draft}, 1)"
        )
        assert any(f"form_{definition.key} shows revision 1 for declaration {draft}" in x for x in found)

    def test_a_table_that_is_gone(self) -> None:
        nested = next(t.key for _, t, parent in registry.catalogue().get(seed_demo.INTAKE).tables() if parent)
        found = self.change(f"DROP TABLE form_{seed_demo.INTAKE}_{nested}")
        assert found == [f"form_{seed_demo.INTAKE}_{nested} missing: run flask definitions sync"]

    def test_head_is_written_once_per_news(self) -> None:
        before = (self.folder / audit.HEADS).read_text()
        audit.write_head(self.folder)
        assert (self.folder / audit.HEADS).read_text() == before
