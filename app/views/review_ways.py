"""Deeds of a submission that are done on pages of their own, as the review page offers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import url_for
from flask_babel import gettext as _

from app.services.opened import Opened
from app.services.publication import follows_publicity
from app.views.office_page import Way, period_words, waiting_words
from app.workflow.engine import Option


def is_listed(opened: Opened) -> bool:
    """Whether an approval means a place on a list, which is published for several at once."""
    outcome = opened.definition.outcome
    return follows_publicity(opened.declaration) or (outcome is not None and outcome.kind == "list")


def ways_of(opened: Opened, options: Sequence[Option]) -> list[Way]:
    """The pages on which the reader's deeds are done, in the order of the table."""
    found = (WAYS[o.deed.action](opened) for o in options if o.deed.action in WAYS)
    return [way for way in found if way is not None]


def _publish(opened: Opened) -> Way | None:
    if not is_listed(opened):
        return None
    url = url_for("batch.publish", id=opened.declaration.batch.public_id)
    if follows_publicity(opened.declaration):
        return Way(_("轮到发布公示"), _("同批企业可以一起选好，预览后发布。"), _("去发布公示"), url)
    return Way(_("轮到公布名单"), _("同批企业可以一起选好，预览后公布。"), _("去公布名单"), url)


def _hand_over(opened: Opened) -> Way:
    url = url_for("handover.index", id=opened.declaration.batch.public_id)
    return Way(_("轮到行文推荐"), _("选好同批企业，上传盖章的推荐文件，一并报出。"), _("去行文推荐"), url)


def _object(opened: Opened) -> Way:
    public = opened.publicity
    count = opened.declaration.open_objections
    url = url_for("objection.index", id=opened.declaration.public_id)
    if count:
        return Way(
            _("有 %(n)s 条异议等核查", n=count), _("核查完写结论；还收到异议的，也在那里登记。"), _("办理异议"), url
        )
    period = _("公示期 %(period)s", period=period_words(public)) if public is not None else ""
    return Way(waiting_words(public) if public is not None else _("公示中"), period, _("登记异议"), url)


def _conclude(opened: Opened) -> Way | None:
    public = opened.publicity
    if public is None:
        return None
    text = _("同一次公示的企业一起办；有异议没办结的留下。")
    return Way(_("办理这次公示"), text, _("看公示，期满转下一步"), url_for("publicity.show", id=public.public_id))


def _allocate(opened: Opened) -> Way:
    url = url_for("funding.show", id=opened.declaration.batch.public_id)
    return Way(_("等资金下达"), _("按一份资金文件，可以给同批多家企业一起下达。"), _("去下达资金"), url)


WAYS: dict[str, Callable[[Opened], Way | None]] = {
    "approve": _publish,
    "recommend": _hand_over,
    "object": _object,
    "conclude": _conclude,
    "allocate": _allocate,
}
"""By deed."""
