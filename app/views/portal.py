"""The portal: everything that needs no account."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from app.services import portal
from app.services.challenge import Solution, Visitor, new_challenge, sound_of
from app.views.office_page import period_words
from app.views.paging import asked_page, make_pager
from app.views.session import StoredSession

blueprint = Blueprint("portal", __name__)


@dataclass(frozen=True)
class Asked:
    """What somebody asks about an enterprise."""

    name: str
    code: str


CODE = re.compile(r"[0-9A-Za-z]{18}")


@blueprint.get("/")
def home() -> Any:
    """Front page; ``?level=`` chooses the tab of the notices."""
    front = portal.front_page(portal.check_level(request.args.get("level") or "city"))
    return render_template("portal/home.html", front=front, levels=portal.LEVELS, state_of=portal.publicity_words)


@blueprint.get("/notices/")
def notices() -> Any:
    """All notices, by level and search."""
    level, query = request.args.get("level") or None, portal.clean_query(request.args.get("q", ""))
    page = portal.list_notices(query, portal.check_level(level) if level else None, asked_page())
    pager = make_pager(page, "portal.notices", level=level, q=query)
    return render_template(
        "portal/notices.html", page=page, pager=pager, level=level, query=query, levels=portal.LEVELS
    )


@blueprint.get("/notices/<uuid:id>/")
def notice(id: Any) -> Any:
    """One notice."""
    return render_template("portal/notice.html", notice=portal.get_notice(str(id)), levels=portal.LEVELS)


@blueprint.get("/publicity/")
def publicity() -> Any:
    """Published lists."""
    page = portal.list_public_lists(asked_page())
    counts = portal.count_entries(page.rows)
    return render_template(
        "portal/publicity.html",
        page=page,
        pager=make_pager(page, "portal.publicity"),
        counts=counts,
        state_of=portal.publicity_words,
    )


@blueprint.get("/publicity/<uuid:id>/")
def public_list(id: Any) -> Any:
    """One published list with its enterprises."""
    listed, query = portal.get_public_list(str(id)), portal.clean_query(request.args.get("q", ""))
    page = portal.list_entries(listed, query, asked_page(20))
    pager = make_pager(page, "portal.public_list", id=id, q=query)
    return render_template(
        "portal/public_list.html", listed=listed, page=page, pager=pager, query=query, state=portal.publicity_words(listed),
        period=period_words(listed),
    )  # fmt: skip


@blueprint.get("/recognitions/")
def recognitions() -> Any:
    """Asks which enterprise is meant; ``?q=`` from the front page is a name or a code."""
    query = portal.clean_query(request.args.get("q", ""))
    is_code = CODE.fullmatch(query) is not None
    name, code = request.args.get("name", "" if is_code else query), request.args.get("code", query if is_code else "")
    return _recognition_page(Asked(portal.clean_query(name), portal.clean_query(code)))


@blueprint.post("/recognitions/")
def find_recognitions() -> Any:
    """What an enterprise was recognised as: for those who know its name and code, after a picture code."""
    form = request.form
    asked = Asked(portal.clean_query(form.get("name", "")), portal.clean_query(form.get("code", "")).upper())
    errors = _recognition_errors(asked)
    solution = Solution(form.get("token", "")[:43], form.get("answer", "")[:20])
    if not errors and not portal.solve_challenge(_visitor(), solution):
        errors["answer"] = _("验证码不对或者过期了，已换一张，请照新图再填。")
    if errors:
        return _recognition_page(asked, errors=errors), 422
    portal.count_lookup("recognition", request.remote_addr)
    return _recognition_page(asked, found=portal.find_recognitions(asked.name, asked.code))


def _recognition_errors(asked: Asked) -> dict[str, str]:
    errors = {}
    if not asked.name:
        errors["name"] = _("请填企业名称，与营业执照一致。")
    if not CODE.fullmatch(asked.code):
        errors["code"] = _("代码应为 18 位数字和字母，现在是 %(n)s 位，请核对。", n=len(asked.code))
    return errors


def _recognition_page(asked: Asked, *, errors: dict[str, str] | None = None, found: Any = None) -> str:
    challenge = new_challenge(_visitor(), "picture")
    return render_template(
        "portal/recognitions.html",
        asked=asked,
        errors=errors or {},
        found=found,
        token=challenge.token,
        source="data:image/png;base64," + b64encode(challenge.picture).decode(),
    )


def _visitor() -> Visitor:
    """This browser, also before its first cookie."""
    assert isinstance(session, StoredSession)
    return Visitor(session.ensure_id(), request.remote_addr)


@blueprint.get("/recognitions/sound/<token>")
def sound(token: str) -> Any:
    """The picture code as speech."""
    return Response(sound_of(_visitor(), token[:43]), mimetype="audio/wav")


@blueprint.get("/verify/")
def verify_form() -> Any:
    """Asks for the code printed on a paper; with ``?code=`` leads to what it stands for."""
    code = portal.clean_query(request.args.get("code", ""))
    if code:
        return redirect(url_for("portal.verify", code=code.replace("/", "-")))
    return render_template("portal/verify.html", printed=None)


@blueprint.get("/verify/<code>")
def verify(code: str) -> Any:
    """What a printed code stands for. Look-ups are counted, so that codes cannot be tried out."""
    portal.count_lookup("verify", request.remote_addr)
    return render_template("portal/verify.html", printed=portal.printed_paper(portal.clean_query(code)))


@blueprint.get("/style")
def style() -> Any:
    """The product's own components with every state."""
    return render_template("portal/style.html")
