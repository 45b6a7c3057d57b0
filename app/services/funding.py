"""下达资金: what the finance office allocates to an approved declaration. Money is Decimal yuan, two places."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import select

from app.definitions.schema import Definition
from app.errors import InvalidInput
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Allocation, Declaration
from app.models.base import now
from app.services.declaration import Deeds, act
from app.services.opened import Opened
from app.workflow.calendar import local_date

MAX_AMOUNT = Decimal("9999999999999999.99")
MAX_DOC_NO = 60
_CENT = Decimal("0.01")
_IN_YUAN = {"元": Decimal(1), "万元": Decimal(10000), "亿元": Decimal(100000000)}


def default_amount(opened: Opened) -> Decimal | None:
    """The amount that was approved, in yuan: what the newest submission says where ``outcome.amount`` points.

    None if the definition names no such question, it was not answered, or its unit is no unit of money.
    """
    return approved_amount(opened.definition, opened.revision.content if opened.revision is not None else None)


def approved_amount(definition: Definition, content: str | None) -> Decimal | None:
    """``default_amount`` from the content of the newest revision (None: nothing was submitted)."""
    outcome = definition.outcome
    if outcome is None or outcome.amount is None or content is None:
        return None
    spec = next((f for _, f in definition.fields() if f.key == outcome.amount), None)
    value = json.loads(content)["fields"].get(outcome.amount)
    factor = _IN_YUAN.get(spec.unit or "元") if spec is not None else None
    return (Decimal(str(value)) * factor).quantize(_CENT) if value is not None and factor is not None else None


def read_amount(text: str) -> Decimal:
    """``1,250,000.50`` as Decimal yuan. InvalidInput (field amount) for anything but a number ≥ 0 with two places."""
    typed = clean_text(text).replace(",", "").replace("，", "")
    try:
        # Decimal reads 1_0 as 10, which nobody means.
        amount = Decimal(typed.replace("_", "?"))
    except InvalidOperation:
        raise _refused("请填下达金额，单位元，例如 1250000.00。") from None
    if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT:
        raise _refused("下达金额要大于或等于 0，单位元。")
    if amount != amount.quantize(_CENT):
        raise _refused("下达金额最多两位小数，精确到分。")
    return abs(amount.quantize(_CENT))


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"amount": sentence})


def allocate(
    user: Account,
    public_id: str,
    amount: Decimal,
    doc_no: str,
    dated: date,
    *,
    version: int,
    key: str | None = None,
    address: str | None = None,
) -> Declaration:
    """下达资金: ``amount`` yuan by document ``doc_no`` of ``dated``; the declaration goes on, or ends approved.

    InvalidInput by field (amount, doc_no, dated); NotFound, Refused and Conflict as for every deed.
    """
    number, exact = check_document(doc_no, dated), read_amount(str(amount))
    allocation = {"amount": exact, "doc_no": number, "dated": dated}
    event = {"amount": f"{exact:.2f}", "doc_no": number}
    payload = {"allocation": allocation, "event": event}
    return act(user, public_id, "allocate", Deeds(version, payload=payload, idempotency_key=key, address=address))


def check_document(doc_no: str, dated: date) -> str:
    """The number of the document that orders it, cleaned. InvalidInput by field: doc_no, dated."""
    number = clean_text(doc_no)
    found = {
        "doc_no": "" if 0 < len(number) <= MAX_DOC_NO else f"请填资金文件的文号，最多 {MAX_DOC_NO} 个字。",
        "dated": "下达日期不能晚于今天。" if dated > local_date(now()) else "",
    }
    errors = {k: v for k, v in found.items() if v}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return number


def disapprove(
    user: Account, public_id: str, reason: str, *, version: int, key: str | None = None, address: str | None = None
) -> Declaration:
    """报批未通过: the city takes it back from the funds with the reason; it ends rejected."""
    words = clean_text(reason, multiline=True)
    return act(user, public_id, "disapprove", Deeds(version, words, idempotency_key=key, address=address))


def allocation_of(declaration: Declaration) -> Allocation | None:
    """What was allocated to the declaration, if anything."""
    statement = select(Allocation).where(Allocation.declaration_id == declaration.id)
    return db.session.scalars(statement).unique().first()
