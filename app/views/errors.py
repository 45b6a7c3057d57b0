"""Turns every refusal and accident into one Chinese page (or JSON) with a next step and a number for repair."""

from __future__ import annotations

import logging
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.errors import DomainError, TooMany, Unavailable
from app.views.api import refusal
from app.views.api.refusal import is_interface, refusal_response

log = logging.getLogger(__name__)

TEXTS = {
    400: ("请求有问题，没有改动任何内容", "地址或内容不完整。请返回上一页再试。"),
    401: ("请先登录", "登录以后会回到这一页。"),
    403: ("这个页面不对您开放", "您的账号没有这一项权限。要用的话，请联系本单位的平台管理员开通。"),
    404: ("没有找到这个页面", "地址可能写错了，或者内容已经移走。请从菜单重新进入。"),
    405: ("不能这样打开", "请从页面上的按钮操作，不要直接输入地址。"),
    409: ("这次没有办成", "请刷新看最新内容，再决定要不要办。"),
    413: ("文件太大", "文件要小于 100 MB。请把扫描分辨率降到每英寸 200 点后再传。"),
    415: ("不支持这种文件", "请按页面上写的格式上传。"),
    422: ("内容还要改", "请按提示修改后再提交。"),
    429: ("操作太频繁", "请过一会儿再试。"),
    500: ("系统出了问题，已经记下", "已保存的内容都在。请稍后再试；还不行，请打咨询电话并报下面的编号。"),
    503: (
        "系统正忙，请稍后再试",
        "先前保存的内容都在。请过 30 秒再试；刚才点过提交的，先看看有没有办成，再决定要不要重做。",
    ),
}
RETRY_SECONDS = 30
"""When to come again while the database is busy."""
BUSY = (OperationalError, PoolTimeout, Unavailable)
"""What a database without a connection to spare raises, and what services make of it."""


WRITTEN = ("opinion", "text", "reason", "content", "note", "reply")
"""Fields of forms with sentences that somebody thought about: shown again when the login has expired meanwhile."""


def _page_before() -> str | None:
    """Path of the page with the form that was sent, None if the browser does not say."""
    before = urlsplit(request.referrer or "")
    return before.path if before.netloc == request.host else None


def wants_json() -> bool:
    """Whether the caller is a script and not a person with a browser."""
    return is_interface() or request.accept_mimetypes.best == "application/json"


def error_page(status: int, title: str | None = None, message: str | None = None, **more: Any) -> Response:
    """One page for all errors; JSON for scripts."""
    default = TEXTS.get(status, TEXTS[400 if status < 500 else 500])
    if is_interface():
        return refusal_response(status, message or refusal.TEXTS.get(status) or _(default[1]))
    error = {
        "status": status,
        "title": title or _(default[0]),
        "message": message or _(default[1]),
        "next_label": _("回到首页"),
        "next_url": url_for("portal.home"),
        "request_id": g.get("request_id", ""),
        **more,
    }
    if wants_json():
        body = jsonify(status=status, title=error["title"], message=error["message"], fields=more.get("fields", {}))
        return make_response(body, status)
    return make_response(render_template("errors/error.html", error=error), status)


def refuse_flood() -> None:
    """Whoever announces too much need not send it: refused before anything is read."""
    if (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]:
        abort(413)


def _written() -> list[str]:
    """The sentences of the form that was sent."""
    return [text for name in WRITTEN for text in request.form.getlist(name) if text.strip()]


def _undone_page(error: DomainError) -> Response:
    """Somebody was first, or the words do not fit: they are shown again, and said to be there only if they are."""
    typed = [] if wants_json() else _written()
    message = error.message + (_("您写的内容在下面，没有丢。") if typed else "")
    more: dict[str, Any] = {"fields": error.fields, "details": error.details, "typed": typed}
    here = (request.view_args or {}).get("id")
    if error.status == 409 and here is not None and request.path.startswith("/declarations/"):
        more |= {"next_label": _("看最新内容"), "next_url": url_for("declaration.show", id=here)}
        more["home_url"] = url_for("portal.home")
    return error_page(error.status, error.details.get("title"), message, **more)


def _expired_page() -> Response:
    """The login ended while something was being written: nothing is lost, and the way back is shown."""
    typed = _written()
    words = _("写的内容在下面，没有丢。请先复制，重新登录后再做一次。") if typed else _("请重新登录，再做一次。")
    return error_page(400, _("登录已过期，刚才的操作没有完成"), words, typed=typed,
                      next_label=_("去登录"), next_url=url_for("account.login", next=_page_before()))  # fmt: skip


def number_request() -> None:
    """A number for repair. A session that could not be read ends the request here: nobody is taken for signed out."""
    g.request_id = secrets.token_hex(4).upper()
    failure = getattr(session, "failure", None)
    if failure is not None:
        raise failure


def finish(response: Response) -> Response:
    """Show the number, and when to come again."""
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if response.status_code == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def init_errors(app: Flask) -> None:
    """Number every request and register the handlers."""

    app.before_request(number_request)
    app.before_request(refuse_flood)
    app.after_request(finish)

    @app.errorhandler(DomainError)
    def refused(error: DomainError) -> Response:
        if error.status in (409, 422):
            return _undone_page(error)
        response = error_page(error.status, message=error.message, fields=error.fields, details=error.details)
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Response:
        if not current_user.is_authenticated and request.method == "POST":
            return _expired_page()
        return error_page(400, _("页面放得太久了，刚才的操作没有完成"), _("请返回上一页，刷新后再做一次。"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response | Any:
        if error.code is not None and error.code < 400:
            return redirect(error.get_response().location) if error.response is None else error
        if isinstance(getattr(error, "original_exception", None), BUSY):
            # The answer was ready, and the session could not be written after it.
            return error_page(503)
        return error_page(error.code or 500)

    @app.errorhandler(OverflowError)
    @app.errorhandler(DataError)
    @app.errorhandler(UnicodeError)
    def unreadable(error: Exception) -> Response:
        log.info("unreadable input %s: %s", g.get("request_id"), error)
        return error_page(400)

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(OperationalError)
    def busy(error: Exception) -> Response:
        log.error("database %s: %s", g.get("request_id"), error)
        again = {"next_label": _("再试一次"), "next_url": request.full_path.rstrip("?")}
        return error_page(503, **again if request.method == "GET" else {})

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.exception("request %s failed", g.get("request_id"))
        return error_page(500)
