"""Rights of members: every deed of the enterprise in the workflow's table × every right, written down by hand."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Role

from app.models import Account, Declaration, Enterprise, Programme
from app.permissions import members, roles, rules
from app.workflow.steps import DEEDS

OWN = 7


def somebody(role: str | None, rights: dict[str, str] | None = None, name: str = "李工", key: int = 1) -> Account:
    user = Account(
        id=key, username=name, display_name=name, user_type="enterprise", enterprise_id=OWN, enterprise_role=role,
        member_rights=rights, active=True,
    )  # fmt: skip
    user.roles = [Role(name=roles.ENTERPRISE)]
    return user


def draft(
    kind: str = "declaration", key: int = 12, enterprise: int = OWN, people: tuple[Account, ...] = ()
) -> Declaration:
    found = Declaration(id=key, enterprise_id=enterprise, status="draft", programme=Programme(kind=kind))
    found.enterprise = Enterprise(id=enterprise)
    found.enterprise.people = list(people)
    return found


RIGHTS = {
    "owner": ("owner", None),
    "submits": ("member", {"*": "submit"}),
    "fills": ("member", {"*": "fill"}),
    "submits this": ("member", {"12": "submit"}),
    "fills this": ("member", {"12": "fill", "13": "submit"}),
    "other only": ("member", {"13": "submit"}),
    "nothing": ("member", {}),
    "no rights at all": ("member", None),
    "strange right": ("member", {"*": "everything"}),
}
HELD = {
    "owner": "owner", "submits": "submit", "fills": "fill", "submits this": "submit", "fills this": "fill",
    "other only": None, "nothing": None, "no rights at all": None, "strange right": None,
}  # fmt: skip


@pytest.mark.parametrize("who", RIGHTS)
def test_right_on_a_declaration(who: str) -> None:
    user = somebody(*RIGHTS[who])
    assert rules.right_on(user, draft()) == HELD[who]
    assert rules.is_own(user, draft()) is (HELD[who] is not None)
    assert rules.can_see(user, draft()) is (HELD[who] is not None)
    assert rules.right_on(user, draft(enterprise=8)) is None, "of another enterprise, whatever the rights say"


@pytest.mark.parametrize("who", RIGHTS)
def test_filling_in_needs_the_declaration_only(who: str) -> None:
    refusal = rules.refuse_edit(somebody(*RIGHTS[who]), draft())
    assert (refusal is None) is (HELD[who] is not None)
    assert refusal is None or "不是您企业的" in refusal


ACTIONS = sorted({d.action for d in DEEDS if d.by == "enterprise"})
# action: who may, of owner, submit, fill; on a declaration and on a certification.
TABLE = {
    "discard": ("yyn", "ynn"),
    "recall": ("yyn", "ynn"),
    "resubmit": ("yyn", "ynn"),
    "stamp": ("yyn", "ynn"),
    "submit": ("yyn", "ynn"),
    "withdraw": ("yyn", "ynn"),
}


def test_every_deed_of_the_enterprise_is_in_the_table() -> None:
    assert ACTIONS == sorted(TABLE) == sorted(members.NEEDED) == sorted(members.DEED_WORDS)


@pytest.mark.parametrize("kind", ["declaration", "certification"])
@pytest.mark.parametrize("action", sorted(TABLE))
def test_who_may_do_it(action: str, kind: str) -> None:
    row = TABLE[action][kind == "certification"]
    for who, may in zip(("owner", "submits", "fills"), row, strict=True):
        refusal = rules.refuse_deed(somebody(*RIGHTS[who]), draft(kind), action)
        assert (refusal is None) is (may == "y"), who


@pytest.mark.parametrize("who", ["submits this", "fills this"])
def test_a_limited_member_has_the_right_of_that_declaration(who: str) -> None:
    user = somebody(*RIGHTS[who])
    assert (rules.refuse_deed(user, draft(), "submit") is None) is (who == "submits this")
    assert (rules.refuse_deed(user, draft(key=13), "submit") is None) is (who == "fills this")


@pytest.mark.parametrize("who", ["other only", "nothing", "strange right"])
def test_without_the_declaration_there_is_no_deed(who: str) -> None:
    assert rules.refuse_deed(somebody(*RIGHTS[who]), draft(), "submit") == "这件申报不是您企业的，不能办理。"


def test_an_unnamed_deed_needs_the_owner() -> None:
    assert rules.refuse_deed(somebody("owner"), draft(), "sell") is None
    assert "只有填报和提交的权限" in (rules.refuse_deed(somebody(*RIGHTS["submits"]), draft(), "sell") or "")


def test_the_refusal_says_who_can() -> None:
    owner = somebody("owner", name="王经理", key=1)
    zhao = somebody("member", {"*": "submit"}, name="赵工", key=2)
    li = somebody("member", {"*": "fill"}, name="李工", key=3)
    gone = somebody("member", {"*": "submit"}, name="走了的人", key=4)
    gone.active = False
    people = (owner, zhao, li, gone)
    assert (
        rules.refuse_deed(li, draft(people=people), "submit") == "您在这件申报上只有填报的权限。请让赵工、王经理提交。"
    )
    assert rules.refuse_deed(zhao, draft("certification", people=people), "recall") == (
        "您在这件申报上只有填报和提交的权限。请让王经理撤回修改。"
    )
    assert "企业的负责人提交" in (rules.refuse_deed(li, draft(), "submit") or "")


def test_at_most_three_names_are_said() -> None:
    many = tuple(somebody("member", {"*": "submit"}, name=f"赵{n}", key=n) for n in range(2, 9))
    refusal = rules.refuse_deed(somebody(*RIGHTS["fills"]), draft(people=many), "submit") or ""
    assert "请让赵2、赵3、赵4提交" in refusal


@pytest.mark.parametrize(
    ("rights", "unlimited", "ids"),
    [({"*": "fill"}, True, []), ({"15": "fill", "3": "submit"}, False, [3, 15]), ({}, False, []), (None, False, [])],
)
def test_limited_to_chosen_ones(rights: dict[str, str] | None, unlimited: bool, ids: list[int]) -> None:
    user = somebody("member", rights)
    assert (members.is_unlimited(user), members.chosen_ids(user)) == (unlimited, ids)
    assert members.is_unlimited(somebody("owner", rights)), "an owner is never limited"
