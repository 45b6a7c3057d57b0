"""What a member of an enterprise may do, as data: the rights, and the right that each deed of the enterprise needs."""

from __future__ import annotations

from app.models import Account

FILL, SUBMIT, OWNER = "fill", "submit", "owner"
WHOLE = "*"
"""Key of a member's rights that stands for everything of the enterprise."""
RIGHTS = (FILL, SUBMIT)
RIGHT_LABELS = {FILL: "填报", SUBMIT: "填报和提交", OWNER: "负责人"}
RANKS = {"none": 0, FILL: 1, SUBMIT: 2, OWNER: 3}

NEEDED = {
    "submit": SUBMIT,
    "resubmit": SUBMIT,
    "stamp": SUBMIT,
    "recall": SUBMIT,
    "withdraw": SUBMIT,
    "discard": SUBMIT,
}
"""Right that a deed needs; a deed of the enterprise that is not named needs the owner."""
NEEDED_TO_CERTIFY = dict.fromkeys(NEEDED, OWNER)
"""The same for a certification: it speaks for the enterprise as a whole, so only its owner does these."""
DEED_WORDS = {
    "submit": "提交",
    "resubmit": "重新提交",
    "stamp": "提交盖章材料",
    "recall": "撤回修改",
    "withdraw": "撤回申报",
    "discard": "删除草稿",
}


def needed_for(action: str, *, certifies: bool) -> str:
    """The right that ``action`` needs."""
    return (NEEDED_TO_CERTIFY if certifies else NEEDED).get(action, OWNER)


def right_of(user: Account, declaration_id: int | None) -> str | None:
    """Right of ``user`` on a declaration of the own enterprise; None for a member whom it was not given to."""
    if user.enterprise_role != "member":
        return OWNER
    held = user.member_rights or {}
    right = held.get(WHOLE) or held.get(str(declaration_id))
    return right if right in RIGHTS else None


def is_unlimited(user: Account) -> bool:
    """Whether ``user`` sees every declaration of the enterprise."""
    return user.enterprise_role != "member" or WHOLE in (user.member_rights or {})


def chosen_ids(user: Account) -> list[int]:
    """Ids of the declarations that a limited member was given."""
    return sorted(int(key) for key in user.member_rights or {} if key.isdigit())
