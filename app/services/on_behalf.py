"""代填: an official begins a declaration on behalf of an enterprise, which reads at once who did it and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Batch, Declaration, Enterprise
from app.models.base import now
from app.permissions import roles, rules, scopes
from app.services.declaration import create_draft, live_key
from app.services.message import tell_enterprise
from app.services.permission import has_door
from app.services.projection import current_programme
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

MAX_BASIS = 500
MAX_BATCHES = 50


def open_batches(programme_key: str) -> Sequence[Batch]:
    """The batches of a programme that take declarations now, newest first, at most 50."""
    statement = select(Batch).where(Batch.programme_key == programme_key, Batch.published)
    found = db.session.scalars(statement.order_by(Batch.id.desc()).limit(MAX_BATCHES)).unique()
    return [batch for batch in found if batch.is_open(now())]


def start_on_behalf(user: Account, programme_key: str, enterprise: str, batch_id: str, basis: str) -> str:
    """Begin a declaration of ``enterprise`` (credit code or exact name) in the batch; returns its public id.

    ``basis`` says by what papers the enterprise asked for it. Refused without the door or where only the enterprise
    itself may, InvalidInput naming the field, Conflict if there is a living declaration already.
    """
    if not has_door(user, f"{roles.FORM}{programme_key}", "add"):
        raise Refused("您的账号没有代填这类申报的权限。要用的话，请联系平台管理员开通。")
    words = _basis(basis)
    with unit_of_work() as session:
        batch = _batch(session, programme_key, batch_id)
        firm = _enterprise(session, user, enterprise)
        programme = current_programme(session, programme_key)
        refusal = rules.refuse_fill_for(programme.definition, firm.certification_status)
        if refusal:
            raise InvalidInput(refusal, fields={"enterprise": refusal})
        key = live_key(programme.key, programme.definition.applicant.once_per, batch.id, firm.id)
        _check_none_living(session, key)
        declaration = create_draft(session, user, firm, batch, programme, key)
        engine.record(session, declaration, user, action="start_for", label="代企业开始填写", opinion=words)
        _tell(session, user, declaration, words)
        return declaration.public_id


def _basis(text: str) -> str:
    words = clean_text(text, multiline=True)
    if not words or len(words) > MAX_BASIS:
        sentence = (
            f"依据最多 {MAX_BASIS} 个字，现在是 {len(words)} 个，请精简。"
            if words
            else "请写明凭什么材料代填，企业会看到这段话。"
        )
        raise InvalidInput(sentence, fields={"basis": sentence})
    return words


def _batch(session: Session, programme_key: str, public_id: str) -> Batch:
    batch = session.scalars(
        select(Batch).where(Batch.public_id == public_id, Batch.programme_key == programme_key, Batch.published)
    ).unique().first()  # fmt: skip
    if batch is None or not batch.is_open(now()):
        sentence = "这个批次现在没有开放申报。请从列表里选一个开放的批次。"
        raise InvalidInput(sentence, fields={"batch": sentence})
    return batch


def _enterprise(session: Session, user: Account, typed: str) -> Enterprise:
    """The enterprise, locked, so that two who begin at once take turns."""
    text = clean_text(typed)
    named = or_(Enterprise.credit_code == text.upper(), Enterprise.name == text)
    statement = select(Enterprise).where(named, scopes.enterprises(user)).with_for_update(of=Enterprise).limit(2)
    found = session.scalars(statement).all() if text else []
    if len(found) == 1:
        return found[0]
    if found:
        sentence = "有几家企业叫这个名称，请改填统一社会信用代码。"
    else:
        sentence = "没有找到这家企业。请输入名称后从列表里选，或填 18 位统一社会信用代码。"
    raise InvalidInput(sentence, fields={"enterprise": sentence})


def _check_none_living(session: Session, key: str | None) -> None:
    living = key and session.scalars(select(Declaration).where(Declaration.unique_key == key)).unique().first()
    if living:
        which = f"受理号 {living.serial_no}" if living.serial_no else "还没提交的草稿"
        raise Conflict(
            f"这家企业在这一批已经有一件申报（{which}），不能再代填。",
            fields={"enterprise": f"已经有一件申报：{which}。"},
        )


def _tell(session: Session, user: Account, declaration: Declaration, basis: str) -> None:
    title = declaration.programme.title if declaration.programme else declaration.programme_key
    tell_enterprise(
        session, declaration.enterprise_id, "declaration_reminder", f"{user.get_full_name()}正在替您填写{title}",
        f"依据：{basis} 填好提交后会再告诉您。不是您委托的，请马上与办理单位联系；草稿您也可以自己修改或删除。",
        f"/declarations/{declaration.public_id}/",
    )  # fmt: skip


def starters_of(found: Iterable[Declaration]) -> dict[int, str]:
    """The officials who began some of ``found`` on behalf of their enterprise: id → name."""
    ids = {d.created_by for d in found if d.created_by is not None}
    people = db.session.scalars(select(Account).where(Account.id.in_(ids), Account.user_type == "staff")).unique()
    return {person.id: person.get_full_name() for person in people}
