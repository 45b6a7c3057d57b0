"""What two versions of a definition do not share: for ``flask definitions diff`` and the note on a draft."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from app.definitions.schema import Definition


def compare(old: Definition, new: Definition) -> dict[str, dict[str, list[str]]]:
    """Added, removed and changed parts by kind (fields, tables, attachments, steps, conditions); unchanged kinds left out."""
    found = {}
    for kind in ("fields", "tables", "attachments", "steps", "conditions"):
        before, after = _parts(old, kind), _parts(new, kind)
        change = {
            "added": sorted(after.keys() - before.keys()),
            "removed": sorted(before.keys() - after.keys()),
            "changed": sorted(k for k in before.keys() & after.keys() if before[k] != after[k]),
        }
        if any(change.values()):
            found[kind] = {k: v for k, v in change.items() if v}
    return found


def _parts(definition: Definition, kind: str) -> dict[str, Any]:
    if kind == "fields":
        parts: dict[str, BaseModel] = {f.key: f for _, f in definition.fields()}
        for _, table, _parent in definition.tables():
            parts |= {f"{table.key}.{c.key}": c for c in table.all_columns}
        return parts
    if kind == "tables":
        # Without its columns: those are compared one by one.
        return {
            t.key: t.model_copy(update={"columns": (), "groups": (), "tables": ()}) for _, t, _ in definition.tables()
        }
    members: tuple[Any, ...] = {
        "attachments": definition.attachments,
        "steps": definition.route,
        "conditions": definition.conditions,
    }[kind]
    return {m.key: m for m in members}


STARTER = """# {title}
key: {key}
version: 1
title: {title}
short_code: XX          # two to four capitals, part of the serial number
kind: declaration       # declaration, recognition, subsidy …
jurisdiction: '230100'
purpose: 一句话说明这是什么、给谁报。
# Who may declare, and how often: once_per is batch, enterprise or none.
applicant: {{certified: true, user_type: enterprise, once_per: batch}}
# What a batch sets; labels may use {{correction_days}}, expressions params.correction_days.
parameters:
  correction_days: {{label: 补正期（天）, value: 0}}
# One rule for pre-check, hints, submission and review; cel gives true, false or null (cannot be decided).
conditions:
- {{key: certified, text: 已完成企业认证, cel: enterprise.certification_status == "approved", precheck: true}}
# The pages of the form. What hangs on another answer: visible_if, required_if, computed.
sections:
- key: basic_info
  label: 基本情况
  fields:
  - {{key: enterprise_name, label: 企业名称, type: string, readonly: true, prefill: enterprise.name, list: true, search: true}}
  - {{key: summary, label: 情况说明, type: text, max_length: 500}}
attachments:
- {{key: evidence, label: 佐证材料, formats: [pdf]}}
statement: 本企业承诺所填报内容及提交材料真实、准确、完整，如有虚假愿承担相应责任。
# The steps after submission, in order.
route:
- {{key: preliminary_review, label: 初审, kind: review, level: city, due_days: 10, confirm_label: 初审确认}}
- {{key: publish_list, label: 公布名单, kind: decide, level: city}}
outcome: {{kind: list, title: {title}名单}}
"""


def starter(key: str, title: str) -> str:
    """A commented definition to begin with; it loads as it is once ``short_code`` is unique."""
    return STARTER.format(key=key, title=title)
