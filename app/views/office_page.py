"""What pages of publicity, hand-over and funds share: keys of forms, and what a batch has waiting for its reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext as _

from app.definitions.schema import Definition
from app.errors import InvalidInput
from app.forms.review import read_key
from app.models import Account, Batch, PublicList
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import handover, publication, publicity_board
from app.services.allotment import waiting as waiting_for_funds
from app.services.batch import Summary
from app.services.deadline import day_words
from app.services.publicity_board import OFFICES
from app.workflow.calendar import local_date


@dataclass(frozen=True)
class Way:
    """Something that is done on a page of its own: what it is about, and the link there."""

    title: str
    text: str
    label: str
    url: str


def needed_key() -> str:
    """The idempotency key of the posted form. InvalidInput if it carries none."""
    key = read_key(request.form.get("key"))
    if key is None or len(key) != len(new_public_id()):
        raise InvalidInput(_("页面不完整，什么都没有办。请刷新页面后再办。"))
    return key


def period_words(public: PublicList) -> str:
    """``公示期 6 月 10 日 至 6 月 17 日 24:00``."""
    if public.opens_on is None or public.closes_on is None:
        return ""
    today = public.opens_on
    first, last = day_words(public.opens_on, today), day_words(public.closes_on, today)
    return _("%(first)s 至 %(last)s 24:00", first=_with_year(public, first), last=last)


def _with_year(public: PublicList, words: str) -> str:
    year = public.opens_on.year if public.opens_on else 0
    return _("%(year)s 年 %(day)s", year=year, day=words)


def preview_words(facts: Mapping[str, Any]) -> str:
    """The same for a period that is not begun yet (columns of ``publication.check_period``)."""
    return period_words(PublicList(opens_on=facts["opens_on"], closes_on=facts["closes_on"]))


def is_publicity(user: Account, batch: Batch) -> bool:
    """Whether what waits for a list in ``batch`` is to be publicised first."""
    return any(publication.follows_publicity(d) for d in publication.ready(user, batch))


def first_texts(user: Account, summary: Summary) -> dict[str, str]:
    """What stands in the form of a new list: for a 公示 the office and its addresses of the last time."""
    title = publication.default_title(summary.batch)
    if not is_publicity(user, summary.batch):
        return {"title": title}
    last = publicity_board.last_contact(user, summary.batch)
    contact = {k: getattr(last, k) or "" for k in ("phone", "email", "office")} if last is not None else {}
    office = user.department or current_app.config["SITE_OWNER"]
    return {"title": _("%(title)s公示", title=title), "opens_on": today_iso(), "office": office, **contact}


def waiting_words(public: PublicList) -> str:
    """What the clerk of a running 公示 can do now: register objections and wait, or conclude."""
    if publicity_board.is_over(public):
        return _("公示期满，可以转下一步")
    left = publicity_board.days_left(public)
    if left is None:
        return _("登记异议或等公示期满")
    return _("登记异议或等公示期满（还有 %(n)s 个工作日）", n=left)


def ways_of_batch(user: Account, batch: Batch) -> list[Way]:
    """What waits for ``user`` in ``batch``, in the order of a route."""
    held = user.role_names
    ways: list[Way] = []
    if held & {roles.DISTRICT, roles.CITY, roles.PROVINCE}:
        ways += _handover_ways(user, batch)
    if held & set(OFFICES):
        ways += _list_ways(user, batch)
    if roles.FINANCE in held:
        ways += _fund_ways(user, batch)
    return ways


def _handover_ways(user: Account, batch: Batch) -> list[Way]:
    count = len(handover.waiting(user, batch))
    gathered = sum(h.state == "open" for h in handover.handovers_of(user, batch))
    if not count and not gathered:
        return []
    title = _("有 %(n)s 件等行文推荐", n=count) if count else _("有一份行文推荐还没有报出")
    text = _("选好企业，上传盖章的推荐文件，一并报出。")
    return [Way(title, text, _("去行文推荐"), url_for("handover.index", id=batch.public_id))]


def _list_ways(user: Account, batch: Batch) -> list[Way]:
    ways = []
    ready = publication.ready(user, batch)
    if ready:
        public = any(publication.follows_publicity(d) for d in ready)
        title = _("有 %(n)s 件在等发布公示", n=len(ready)) if public else _("有 %(n)s 件在等公布名单", n=len(ready))
        label = _("选企业发布公示") if public else _("选企业公布名单")
        ways.append(Way(title, "", label, url_for("batch.publish", id=batch.public_id)))
    for listed in publicity_board.running(user, batch):
        text = f"{waiting_words(listed)}。{period_words(listed)}"
        ways.append(Way(listed.title, text, _("办理公示"), url_for("publicity.show", id=listed.public_id)))
    return ways


def _fund_ways(user: Account, batch: Batch) -> list[Way]:
    count = len(waiting_for_funds(user, batch))
    if not count:
        return []
    title = _("有 %(n)s 件等资金下达", n=count)
    return [
        Way(title, _("填写文号和日期，核对金额后下达。"), _("去下达资金"), url_for("funding.show", id=batch.public_id))
    ]


def pages_of(definition: Definition, batch: Batch) -> list[tuple[str, str]]:
    """Pages that a batch has because of the steps of its route: label and address."""
    kinds = {s.kind for s in definition.route}
    known = (("handover", _("行文推荐"), "handover.index"), ("fund", _("资金下达"), "funding.show"))
    return [(label, url_for(endpoint, id=batch.public_id)) for kind, label, endpoint in known if kind in kinds]


def today_iso() -> str:
    """Today in Shanghai, as date fields want it."""
    return local_date(now()).isoformat()
