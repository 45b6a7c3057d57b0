"""Who may do what to this record, with the reason. The user is an argument."""

from __future__ import annotations

from app.definitions.schema import Definition
from app.models import Account, Assignment, Declaration
from app.permissions import members, roles


def can_see(user: Account, declaration: Declaration, assignments: list[Assignment] | None = None) -> bool:
    """Whether ``declaration`` exists for ``user``. The same rule as ``scopes.declarations``."""
    held = user.role_names
    if roles.ADMIN in held or is_own(user, declaration):
        return True
    if held & set(roles.OFFICERS) and _is_sent_to_region(declaration, user.region_code):
        return True
    return roles.EXPERT in held and any(a.expert_id == user.id for a in assignments or [])


def is_own(user: Account, declaration: Declaration) -> bool:
    """Whether it is of the user's enterprise and, for a member limited to some declarations, one of these."""
    return right_on(user, declaration) is not None


def right_on(user: Account, declaration: Declaration) -> str | None:
    """What ``user`` may do with a declaration of the own enterprise: owner, submit or fill; None for any other.

    An official who fills one in for an enterprise stands in for somebody who may submit.
    """
    if is_filling_for(user, declaration):
        return members.SUBMIT
    if user.enterprise_id is None or declaration.enterprise_id != user.enterprise_id:
        return None
    return members.right_of(user, declaration.id)


def is_filling_for(user: Account, declaration: Declaration) -> bool:
    """Whether ``user`` is the official who began this draft on behalf of the enterprise (代填); ends with its filing."""
    if declaration.status not in ("draft", "returned") or user.id is None or declaration.created_by != user.id:
        return False
    return user.enterprise_id is None and bool(user.role_names & set(roles.STAFF))


STAND_IN = ("submit", "resubmit", "discard")
"""Deeds of the enterprise that the official who fills in for it may do."""


def refuse_deed(user: Account, declaration: Declaration, action: str) -> str | None:
    """Why ``user`` may not do a deed of the enterprise (``action`` of the workflow's table), with the names of those
    who may; None if they may."""
    right = right_on(user, declaration)
    if right is None or (action not in STAND_IN and is_filling_for(user, declaration)):
        return "这件申报不是您企业的，不能办理。"
    certifies = declaration.programme is not None and declaration.programme.kind == "certification"
    needed = members.needed_for(action, certifies=certifies)
    if members.RANKS[right] >= members.RANKS[needed]:
        return None
    who = "、".join(_names_of_able(declaration, needed)) or "企业的负责人"
    return f"您在这件申报上只有{members.RIGHT_LABELS[right]}的权限。请让{who}{members.DEED_WORDS.get(action, '办理')}。"


def _is_sent_to_region(declaration: Declaration, region_code: str | None) -> bool:
    """Whether it was handed in from inside ``region_code``; drafts are nobody's business but the enterprise's."""
    if declaration.submitted_at is None or declaration.status == "draft":
        return False
    region = declaration.region_code
    return region is not None and region.startswith(roles.region_prefix(region_code))


def _names_of_able(declaration: Declaration, needed: str) -> list[str]:
    """Names of up to three people of the enterprise whose right is enough, its owner last."""
    people = declaration.enterprise.people if declaration.enterprise is not None else []
    held = {a: right_on(a, declaration) or "none" for a in people if a.active and a.enterprise_role is not None}
    able = [a for a, right in held.items() if members.RANKS[right] >= members.RANKS[needed]]
    return [a.get_full_name() for a in sorted(able, key=lambda a: (held[a] == members.OWNER, a.id))][:3]


def refuse_edit(user: Account, declaration: Declaration) -> str | None:
    """Why ``user`` cannot change the answers, or None if they can."""
    if not is_own(user, declaration):
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
    """Whether the row at ``table/<row>`` or ``table/<row>/child/<row>`` may be added or removed.

    A remark on a row opens what stands in it and its removal; one on the table also new rows.
    """
    opened = declaration.reopened
    if declaration.status != "returned" or not opened:
        return declaration.status in ("draft", "returned")
    return any(path == p or path.startswith(f"{p}/") for p in opened)


def refuse_fill_for(definition: Definition, certification_status: str) -> str | None:
    """Why nobody can fill in this kind of declaration on behalf of an enterprise in this state, or None."""
    if definition.kind in roles.PERSONAL:
        return f"“{definition.title}”要由企业自己办理，不能代填。"
    if definition.applicant.certified and certification_status != "approved":
        return "这家企业还没有完成企业认证，不能代填。请先让企业完成认证。"
    return None


def refuse_declare(user: Account, definition: Definition) -> str | None:
    """Why ``user`` cannot start this kind of declaration at all, or None."""
    if user.user_type != definition.applicant.user_type or user.enterprise is None:
        return "个人用户不能申报。请用企业账号登录；还没有的，可以注册企业用户。"
    if not members.is_unlimited(user):
        return "您只参与负责人指定的几件申报，不能新建。要新建的话，请让企业的负责人来办，或请负责人放开您的权限。"
    if definition.applicant.certified and user.enterprise.certification_status != "approved":
        return "申报前要先完成企业认证。"
    return None
