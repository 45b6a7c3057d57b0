"""One made-up programme goes through everything the engine does, with no code of its own: only its YAML file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import python_calamine
from docx import Document
from flask import Flask
from sqlalchemy import inspect, select

from app.definitions import registry
from app.definitions.evaluation import evaluate
from app.definitions.schema import Definition
from app.documents.context import PaperFacts, build_paper
from app.documents.font_build import build_fonts
from app.documents.pdf import write_pdf
from app.documents.tree import walk_texts
from app.documents.word import write_word
from app.errors import Conflict, InvalidInput
from app.extensions import db
from app.fields import registry as field_types
from app.models import Account, Batch, Declaration, Event, Recognition, Revision
from app.models.generated import Projection, build_projection
from app.permissions import roles
from app.services import review
from app.services.answers import add_row, remove_row, restore_row, save_answers
from app.services.declaration import accept_statement, load
from app.services.effects import canonical
from app.services.export import summary
from app.services.opened import Opened
from app.services.privacy import masked
from app.services.projection import rebuild, sync_definitions
from app.services.samples import FACTS, FileLookups, check_catalogue, sample_answers
from app.workflow.engine import event_digest
from tests.factories import attach, find, login, make_account, perform
from tests.factories_everything import (
    DETERMINED,
    FOLDER,
    KEY,
    add_devices,
    everything,
    everything_batch,
    everything_draft,
    install,
    rows_of,
    walk,
)


@pytest.fixture
def definition(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Definition:
    """The programme, in the catalogue and synced."""
    return install(monkeypatch)


@pytest.fixture
def batch(definition: Definition) -> Batch:
    return everything_batch()


@pytest.fixture
def owner(definition: Definition) -> Account:
    return make_account(roles.ENTERPRISE)


@pytest.fixture
def projection(definition: Definition) -> Projection:
    return build_projection(definition)


def newest(declaration: Declaration) -> Revision:
    found = db.session.scalars(
        select(Revision).where(Revision.declaration_id == declaration.id).order_by(Revision.number.desc())
    ).first()
    assert found is not None
    return found


def opened(declaration: Declaration, user: Account) -> Opened:
    db.session.rollback()
    return load(declaration.public_id, user)


# -- the definition -------------------------------------------------------------------------------------------------


def test_it_has_every_field_type_and_no_expression_fails() -> None:
    used = {spec.type for _, spec in registry.specs(everything())}
    assert used == set(field_types.names())
    assert check_catalogue(FOLDER) == []


def test_it_has_every_part_that_a_definition_may_have() -> None:
    ours = everything()
    columns = [c for _, t, _ in ours.tables() for c in t.all_columns]
    fields = [f for _, f in ours.fields()]
    assert any(s.visible_if for s in ours.sections)
    assert any(t.visible_if for _, t, _ in ours.tables())
    assert any(parent for _, _, parent in ours.tables()), "nested rows"
    assert max(t.max_rows for _, t, _ in ours.tables()) == 200
    for name in ("visible_if", "required_if", "computed", "prefill", "fixed"):
        assert any(getattr(f, name) for f in fields), name
    assert any(c.computed for c in columns)
    assert any(c.required_if for c in columns)
    assert {c.severity for c in ours.conditions} == {"block", "warn"}
    assert any(c.each for c in ours.conditions)
    assert any(c.cel is None for c in ours.conditions), "a rule that only a person can judge"
    assert [s.kind for s in ours.route] == ["review", "stamp", "decide"]


def test_tables_come_from_the_file(projection: Projection) -> None:
    inspector = inspect(db.engine)
    definition = everything()
    names = {f"form_{KEY}": {f.key for _, f in definition.fields()}}
    names |= {f"form_{KEY}_{t.key}": {c.key for c in t.all_columns} for _, t, _ in definition.tables()}
    for name, keys in names.items():
        assert keys <= {c["name"] for c in inspector.get_columns(name)}, name
    parents = {k["referred_table"] for k in inspector.get_foreign_keys(f"form_{KEY}_members")}
    assert {f"form_{KEY}_projects", f"form_{KEY}", "declaration"} == parents


def test_syncing_again_changes_nothing(definition: Definition) -> None:
    said: list[str] = []
    sync_definitions(said.append)
    assert said == []


# -- answers --------------------------------------------------------------------------------------------------------


def test_invalid_text_is_kept_and_marked(batch: Batch, owner: Account) -> None:
    draft = everything_draft(owner, batch)
    device = rows_of(draft, "devices")[0]
    wrong = {"staff": "三十个人", "rd_ratio": "120", f"devices/{device.row_id}/quantity": "1.5", "region": "999999"}
    save_answers(owner, draft.public_id, wrong)
    verdict = opened(draft, owner).evaluation
    for path, typed in wrong.items():
        state = verdict.find(path)
        assert state is not None
        assert (state.raw, state.value) == (typed, None), path
        assert state.error, path
    assert {p.path for p in verdict.blocking} == set(wrong)
    assert verdict.find(f"devices/{device.row_id}/amount").value is None, "computed from what is wrong: undecided"
    with pytest.raises(InvalidInput, match="还有 4 处要改"):
        perform(owner, draft, "submit")
    assert find(draft.public_id).status == "draft"


def test_computed_and_carried_over_values_cannot_be_typed(batch: Batch, owner: Account) -> None:
    draft = everything_draft(owner, batch)
    for path in ("revenue_per_head", "device_total", "city", "enterprise_name"):
        with pytest.raises(InvalidInput, match="自动带出"):
            save_answers(owner, draft.public_id, {path: "1"})
    verdict = opened(draft, owner).evaluation
    assert verdict.find("revenue_per_head").value == Decimal("31.26")
    assert verdict.find("city").value == "哈尔滨市"
    assert verdict.find("enterprise_name").value == owner.enterprise.name


def test_hidden_answers_stay_with_the_draft_and_out_of_the_record(batch: Batch, owner: Account) -> None:
    draft = everything_draft(owner, batch, ownership="foreign", foreign_share="30", investor="北方投资公司")
    row = add_row(owner, draft.public_id, "shareholders")
    save_answers(owner, draft.public_id, {f"{row}/name": "某股东", f"{row}/share": "30"})
    content = opened(draft, owner).evaluation.content()
    assert (content["fields"]["investor"], len(content["tables"]["shareholders"])) == ("北方投资公司", 2)
    save_answers(owner, draft.public_id, {"foreign_share": "20"})
    assert "shareholders" not in opened(draft, owner).evaluation.content()["tables"]
    save_answers(owner, draft.public_id, {"ownership": "private"})
    sent = perform(owner, draft, "submit")
    content = json.loads(newest(sent).content)
    assert not {"investor", "foreign_share", "ownership_other"} & content["fields"].keys()
    assert opened(sent, owner).answers.main["investor"] == "北方投资公司"
    kept = build_projection(everything()).tables["shareholders"]
    assert db.session.scalars(select(kept)).all() == []


def test_rules_are_told_where_they_belong(batch: Batch, owner: Account) -> None:
    draft = everything_draft(owner, batch, revenue="80", profit="90")
    device = rows_of(draft, "devices")[0]
    path = f"devices/{device.row_id}"
    save_answers(owner, draft.public_id, {f"{path}/delivered_on": "2027-01-01", f"{path}/unit_price": "1500"})
    verdict = opened(draft, owner).evaluation
    told = {p.path: (p.severity, p.message) for p in verdict.problems}
    assert told["revenue"] == ("error", "“2024年营业收入”是 80.00 万元，低于本批要求的 100 万元")
    assert told["profit"] == ("warn", "“利润”是 90.00 万元，大于营业收入 80.00 万元，请核对")
    assert told[f"{path}/delivered_on"] == (
        "error",
        "第 1 个设备的“交付日期”是 2027 年 1 月 1 日，请改成 2026 年 12 月 31 日或更早",
    )
    assert told[f"{path}/unit_price"] == ("warn", "第 1 个设备的“单价”是 1,500.00 万元，超过 1,000.00 万元，请核对")
    undecided = {f.condition.key for f in verdict.findings if f.result is None}
    assert undecided == {"assets_on_record", "site_visited"}


# -- the whole way --------------------------------------------------------------------------------------------------


def test_from_start_to_list(batch: Batch, owner: Account, projection: Projection) -> None:
    district, city = make_account(roles.DISTRICT), make_account(roles.CITY)
    sent = perform(owner, everything_draft(owner, batch), "submit")
    assert (sent.status, sent.step_key, sent.holder_role) == ("in_progress", "district_review", "district")
    assert sent.serial_no == f"{batch.year}-QL-0001"
    assert (sent.region_code, sent.holder_region) == ("230108", "230108")
    stamping = perform(district, sent, "confirm")
    assert (stamping.step_key, stamping.holder_role) == ("stamping", "enterprise")
    with pytest.raises(InvalidInput, match="还没有上传盖章扫描件"):
        perform(owner, sent, "stamp")
    attach(sent, "stamped_material")
    assert perform(owner, sent, "stamp").step_key == "decision"
    done = perform(city, sent, "approve")
    assert (done.status, done.step_key, done.holder_role, done.due_at) == ("approved", None, None, None)
    recognised = db.session.scalars(select(Recognition)).unique().one()
    assert (recognised.enterprise_id, recognised.title) == (owner.enterprise_id, "全类型示例名单")
    events = db.session.scalars(select(Event).where(Event.declaration_id == sent.id).order_by(Event.id)).all()
    assert [e.action for e in events] == ["start", "submit", "confirm", "stamp", "approve"]
    assert [e.label for e in events][2:] == ["审核通过", "提交盖章材料", "列入名单"]
    assert all(e.digest == event_digest(e) for e in events)
    assert [e.previous for e in events] == [None, *(e.digest for e in events[:-1])]


def test_a_step_that_the_batch_leaves_out_is_skipped(owner: Account) -> None:
    batch = everything_batch(parameters={"district_step": False})
    assert perform(owner, everything_draft(owner, batch), "submit").step_key == "stamping"


def test_the_record_is_exact_and_never_changes(batch: Batch, owner: Account) -> None:
    sent = perform(owner, everything_draft(owner, batch), "submit")
    first = newest(sent)
    text, digest = first.content, first.digest
    content = json.loads(text)
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert canonical(content) == text
    assert content["fields"]["revenue"] == "1250.50"
    assert content["fields"]["budget"] == "9000.1250"
    assert content["fields"]["owner_id"] != DETERMINED["owner_id"], "identity numbers rest encrypted"
    assert (content["programme"], content["params"]["base_year"]) == (KEY, 2024)
    assert [f["name"] for f in content["attachments"]["audit_report"]] == ["附件.pdf"]
    perform(make_account(roles.DISTRICT), sent, "return", "请核对从业人数。")
    save_answers(owner, sent.public_id, {"staff": "41"})
    assert opened(sent, owner).submitted.find("staff").value == 40
    again = perform(owner, sent, "resubmit")
    assert (newest(again).number, json.loads(newest(again).content)["fields"]["staff"]) == (2, 41)
    kept = db.session.scalars(select(Revision).where(Revision.number == 1)).one()
    assert (kept.content, kept.digest) == (text, digest)
    assert again.serial_no == sent.serial_no


def typed_rows(opened: Opened) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(table, row id, typed values by key) of everything that was submitted; the form itself has no row id."""
    verdict = opened.submitted
    yield "", "", {f.spec.key: f.value for s in verdict.sections if s.visible for f in s.fields if f.visible}
    waiting = [t for s in verdict.sections for t in s.tables if s.visible and t.visible]
    while waiting:
        table = waiting.pop()
        for row in table.rows:
            yield table.spec.key, row.id, {k: f.value for k, f in row.fields.items() if f.visible}
            waiting += row.tables.values()


def assert_projected(declaration: Declaration, owner: Account, projection: Projection) -> int:
    """Every submitted value stands in its typed column; returns how many were compared."""
    compared = 0
    for key, row_id, values in typed_rows(opened(declaration, owner)):
        model = projection.tables[key] if key else projection.main
        chosen = select(model).where(model.declaration_id == declaration.id)
        row = db.session.scalars(chosen.where(model.row_id == row_id) if key else chosen).unique().one()
        for name, value in values.items():
            expected = masked(str(value)) if name == "owner_id" else value
            assert getattr(row, name) == expected, (key, name)
            assert type(getattr(row, name)) is type(expected), (key, name)
            compared += 1
    return compared


def test_projection_equals_the_record(batch: Batch, owner: Account, projection: Projection) -> None:
    sent = perform(owner, everything_draft(owner, batch, seed=5), "submit")
    assert assert_projected(sent, owner, projection) > 35
    member = db.session.scalars(select(projection.tables["members"])).first()
    project = db.session.scalars(select(projection.tables["projects"])).first()
    form = db.session.scalars(select(projection.main)).unique().one()
    assert (member.parent_id, member.form_id, project.form_id) == (project.id, form.id, form.id)
    assert form.revision_no == 1


def test_projection_can_be_remade(batch: Batch, owner: Account, projection: Projection) -> None:
    sent = perform(owner, everything_draft(owner, batch), "submit")
    before = {model.__tablename__: len(db.session.scalars(select(model)).unique().all()) for model in projection.all()}
    with db.engine.begin() as connection:
        for model in reversed(projection.all()):
            connection.execute(model.__table__.delete())
    assert rebuild() == 1
    after = {model.__tablename__: len(db.session.scalars(select(model)).unique().all()) for model in projection.all()}
    assert after == before
    assert_projected(sent, owner, projection)


def test_two_hundred_rows(batch: Batch, owner: Account, projection: Projection) -> None:
    draft = everything_draft(owner, batch)
    add_devices(draft, 199)
    with pytest.raises(InvalidInput, match="最多 200 个"):
        add_row(owner, draft.public_id, "devices")
    first = rows_of(draft, "devices")[0]
    remove_row(owner, draft.public_id, f"devices/{first.row_id}")
    assert len(opened(draft, owner).evaluation.section("equipment").tables[0].rows) == 199
    assert restore_row(owner, draft.public_id, "devices", first.row_id) == f"devices/{first.row_id}"
    sent = perform(owner, draft, "submit")
    content = json.loads(newest(sent).content)
    rows = [values for key, _, values in walk(content) if key == "devices"]
    assert len(rows) == 200
    total = sum(Decimal(r["amount"]) for r in rows)
    assert Decimal(content["fields"]["device_total"]) == total
    model = projection.tables["devices"]
    stored = db.session.scalars(select(model).order_by(model.position)).unique().all()
    assert [r.position for r in stored] == list(range(1, 201))
    assert sum(r.amount for r in stored) == total


def test_a_return_opens_the_remarked_answers_only(batch: Batch, owner: Account) -> None:
    district = make_account(roles.DISTRICT)
    sent = perform(owner, everything_draft(owner, batch), "submit")
    device, other = rows_of(sent, "devices")[0], rows_of(sent, "projects")[0]
    review.remark(district, sent.public_id, f"devices/{device.row_id}/imported", "请核对是否进口。")
    review.remark(district, sent.public_id, "has_branch", "请核对。")
    returned = perform(district, sent, "return", "请按批注修改。")
    path = f"devices/{device.row_id}"
    assert {f"{path}/imported", f"{path}/origin_country", "has_branch", "branch_note"} <= set(returned.reopened)
    save_answers(
        owner, sent.public_id, {f"{path}/imported": "yes", f"{path}/origin_country": "德国", "has_branch": "no"}
    )
    for closed in ("staff", f"{path}/quantity", f"projects/{other.row_id}/title"):
        with pytest.raises(Conflict, match="这次没有退回"):
            save_answers(owner, sent.public_id, {closed: "7"})
    with pytest.raises(Conflict, match="不是这张表"):
        add_row(owner, sent.public_id, "projects")
    again = perform(owner, sent, "resubmit")
    assert (again.step_key, again.reopened) == ("district_review", None)


# -- outputs --------------------------------------------------------------------------------------------------------


def test_papers_come_from_the_file(batch: Batch, owner: Account) -> None:
    sent = perform(owner, everything_draft(owner, batch), "submit")
    facts = PaperFacts("全类型示例申报表", owner.enterprise.name, serial=sent.serial_no, code="7K3F92QD", seal=True)
    paper = build_paper(opened(sent, owner).submitted, facts)
    word = Document(io.BytesIO(write_word(paper)))
    cells = [c.text for t in word.tables for row in t.rows for c in row.cells]
    text = "\n".join([p.text for p in word.paragraphs] + cells)
    for label in ("2024年营业收入", "成立日期", "设备名称", "合格率", "姓名", "企业性质"):
        assert label in text, label
    for value in ("1,250.50", "9,000.1250", "创新型中小企业", "民营", owner.enterprise.name, "31.26"):
        assert value in text, value
    assert "外方投资者" not in text, "hidden questions are left out"


def test_pdf_comes_from_the_file(tmp_path: Path) -> None:
    ours, params = everything(), registry.parameters_of(everything())
    ours = registry.resolve(ours, params)
    answers = sample_answers(ours, params, random.Random(2), lookups=FileLookups())
    verdict = evaluate(ours, answers, lookups=FileLookups(), enterprise=FACTS, params=params, today="2026-06-12")
    paper = build_paper(verdict, PaperFacts("全类型示例申报表", FACTS["name"]))
    signs = {ord(sign) for text in walk_texts(paper) for sign in text} | set(range(0x20, 0x7F))
    build_fonts(tmp_path, lambda line: None, unicodes=signs)
    pages = pypdfium2.PdfDocument(write_pdf(paper, tmp_path))
    text = "".join(page.get_textpage().get_text_bounded() for page in pages)
    for value in (FACTS["name"], "成立日期", "设备名称"):
        assert value in "".join(text.split()), value


def test_summary_comes_from_the_file(batch: Batch, owner: Account) -> None:
    sent = perform(owner, everything_draft(owner, batch), "submit")
    made = summary(make_account(roles.CITY), batch.public_id)
    sheet = python_calamine.load_workbook(io.BytesIO(made.content)).get_sheet_by_index(0).to_python()
    line = next(row for row in sheet if sent.serial_no in row)
    assert line[1] == owner.enterprise.name
    assert line[3:5] == [40, 1250.5], "numbers are numbers"
    assert line[5:7] == ["民营", "创新型中小企业、专精特新中小企业"]


def test_pages_come_from_the_file(context: Flask, batch: Batch, owner: Account) -> None:
    draft = everything_draft(owner, batch)
    accept_statement(owner, draft.public_id)
    client = login(context.test_client(), owner)
    for section in ("basics", "equipment", "teams"):
        page = client.get(f"/declarations/{draft.public_id}/sections/{section}")
        assert page.status_code == 200, section
    text = client.get(f"/declarations/{draft.public_id}/sections/basics").text
    for label in ("2024年营业收入", "已有称号", "负责人身份证号", "所属行业"):
        assert label in text, label
    assert client.get(f"/declarations/{draft.public_id}/check").status_code == 200
    perform(owner, draft, "submit")
    staff = login(context.test_client(), make_account(roles.DISTRICT))
    shown = staff.get(f"/review/{draft.public_id}/")
    assert shown.status_code == 200
    assert "1,250.50" in shown.text


# -- a file that grows ----------------------------------------------------------------------------------------------

ADDED = (
    ("{key: email,", "{key: website, label: 公司网址, type: string, max_length: 100, required: false, list: true}"),
    ("{key: imported,", "{key: maker, label: 制造商, type: string, max_length: 100, required: false}"),
)


def start(app: Flask, folder: Path, step: str) -> dict[str, Any]:
    """One start of the program in a process of its own, with the catalogue's file as it is in ``folder`` now."""
    environment = os.environ | {
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "DATA_DIR": str(app.config["DATA_DIR"]),
    }
    command = [sys.executable, "-m", "tests.start_with_catalogue", str(folder), step]
    done = subprocess.run(
        command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_field_added_to_the_file_appears_everywhere(app: Flask, tmp_path: Path) -> None:
    """Sync again after a restart: columns are added, what was submitted before stays readable, new drafts have it."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    text = (FOLDER / "everything.yaml").read_text("utf-8")
    (folder / "everything.yaml").write_text(text, "utf-8")
    before = start(app, folder, "before")
    for beside, line in ADDED:
        assert text.count(f"- {beside}") == 1
        indent = " " * (text.index(f"- {beside}") - text.rindex("\n", 0, text.index(f"- {beside}")) - 1)
        text = text.replace(f"- {beside}", f"- {line}\n{indent}- {beside}")
    (folder / "everything.yaml").write_text(text.replace("version: 1\n", "version: 2\n", 1), "utf-8")
    after = start(app, folder, "after")
    assert sorted(after["said"]) == [
        "added form_everything.website", "added form_everything_devices.maker", "everything: new version",
    ]  # fmt: skip
    assert after["old"]["content"] == before["content"]
    assert after["old"]["values"] == before["values"]
    assert after["old"]["fields"] == before["fields"], "an old revision is judged by its own version"
    assert after["old"]["projected"] is None
    assert after["new"] == {"website": "https://beichen.test", "maker": "北方机床厂", "number": 2}
    assert after["rebased"] == {"kept": "37", "asks": ["maker", "website"]}
    assert after["columns"] == ["公司网址", "制造商"]
