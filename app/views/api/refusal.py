"""How the interface says no: ``{"error": {"code", "message", "parameter"}}`` with the fitting status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError

PREFIX = "/api/"

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
    503: "unavailable",
}
TEXTS: dict[int, Any] = {
    404: _l("没有找到。请核对地址；能读的表在 /api/v1/ 里列出。"),
    405: _l("接口只能读取，请用 GET。"),
    413: _l("请求太大。接口只读取数据，不用带正文。"),
}
"""Sentences for programs where the one for people would speak of buttons and pages."""


class Refusal(DomainError):
    """A request of another system that is not answered, with a stable ``code`` and the ``parameter`` it is about."""

    def __init__(
        self, status: int, code: str, message: str, *, parameter: str | None = None, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.parameter, self.headers = status, code, parameter, headers


def is_interface() -> bool:
    """Whether the request is one of another system."""
    return request.path.startswith(PREFIX)


def refusal_response(
    status: int, message: str, *, code: str | None = None, parameter: str | None = None,
    headers: Mapping[str, str] = {},
) -> Response:  # fmt: skip
    """The JSON answer for a refusal or an accident."""
    error = {"code": code or CODES.get(status, "error"), "message": str(message), "parameter": parameter}
    response = jsonify(error=error)
    response.status_code = status
    response.headers.extend(headers)
    return response


def answer_refusal(refusal: Refusal) -> Response:
    """The JSON answer for ``refusal``."""
    return refusal_response(
        refusal.status, refusal.message, code=refusal.code, parameter=refusal.parameter, headers=refusal.headers
    )


def unknown_row() -> Refusal:
    """The one answer for a row that does not exist and for one that this account may not know of."""
    return Refusal(404, "not_found", _("没有找到这条记录。它可能不存在，也可能不在这个令牌的范围里。"))
