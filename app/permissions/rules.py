"""Who may do what to this record, with the reason. The user is an argument."""

from __future__ import annotations

from app.definitions.schema import Definition
from app.models import Account, Assignment, Declaration
from app.permissions import roles


def can_see(user: Account, declaration: Declaration, assignments: list[Assignment] | None = None) -> bool:
    """Whether ``declaration`` exists for ``user``. The same rule as ``scopes.declarations``."""
    held = user.role_names
    if roles.ADMIN in held or (user.enterprise_id is not None and declaration.enterprise_id == user.enterprise_id):
        return True
    if held & set(roles.OFFICERS):
        prefix = roles.region_prefix(user.region_code)
        sent = declaration.submitted_at is not None and declaration.status != "draft"
        if sent and (declaration.region_code or "").startswith(prefix):
            return True
    return roles.EXPERT in held and any(a.expert_id == user.id for a in assignments or [])


def refuse_edit(user: Account, declaration: Declaration) -> str | None:
    """Why ``user`` cannot change the answers, or None if they can."""
    if user.enterprise_id is None or declaration.enterprise_id != user.enterprise_id:
        return "这件申报不是您企业的，不能修改。"
    if declaration.status == "draft" or declaration.status == "returned":
        return None
    if declaration.status == "in_progress":
        return "已经提交，正在办理，现在不能修改。发现填错了，可以先撤回，或等工作人员退回。"
    return "这件申报已经办结，不能再修改。"


def is_open_path(declaration: Declaration, path: str) -> bool:
    """Whether the answer at ``path`` may change: everything in a draft, the reopened paths in a returned one."""
    if declaration.status == "draft":
        return True
    if declaration.status != "returned":
        return False
    opened = declaration.reopened
    if not opened:
        return True
    return any(path == p or path.startswith(f"{p}/") or p.startswith(f"{path}/") for p in opened)


def is_open_table(declaration: Declaration, path: str) -> bool:
    """Whether rows may be added, moved or removed at ``table/<row>`` or ``table/<row>/child/<row>``."""
    opened = declaration.reopened
    if declaration.status != "returned" or not opened:
        return declaration.status in ("draft", "returned")
    table = path.split("/")[-2]
    return any(p in (table, path) or p.endswith(f"/{table}") or path.startswith(f"{p}/") for p in opened)


def refuse_declare(user: Account, definition: Definition) -> str | None:
    """Why ``user`` cannot start this kind of declaration at all, or None."""
    if user.user_type != definition.applicant.user_type or user.enterprise is None:
        return "个人用户不能申报。请用企业账号登录；还没有的，可以注册企业用户。"
    if definition.applicant.certified and user.enterprise.certification_status != "approved":
        return "申报前要先完成企业认证。"
    return None
