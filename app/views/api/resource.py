"""The addresses under ``/api/v1``: one resource for all grids. A key is the only way in; cookies count for nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, request
from flask_appbuilder.api import BaseApi
from flask_appbuilder.baseviews import expose
from flask_babel import gettext as _

from app.models import ApiToken
from app.services.api_token import readable, seconds_to_wait, token_of
from app.views.admin.spec import Grid
from app.views.api.openapi import document
from app.views.api.parameters import Asked, read_list, read_one, refuse_all
from app.views.api.reading import Found, Source, read_row, read_rows
from app.views.api.refusal import Refusal, answer_refusal, unknown_row

BASE = "/api/v1"
_KEY = re.compile(r"Bearer +([A-Za-z0-9_-]{43})", re.IGNORECASE)
_ID = re.compile(r"[0-9]{1,18}")

View = Callable[..., Response]


def _token() -> ApiToken:
    """The key of this request. Refusal (401, 429)."""
    header = _KEY.fullmatch(request.headers.get("Authorization", "").strip())
    token = token_of(header[1]) if header else None
    if token is None:
        problem = ', error="invalid_token"' if "Authorization" in request.headers else ""
        raise Refusal(401, "unauthorized", _("没有可用的令牌。请在 Authorization 里写 Bearer 和令牌；过期或停用的请找平台管理员换。"),
                      headers={"WWW-Authenticate": f'Bearer realm="shenbao"{problem}'})  # fmt: skip
    wait = seconds_to_wait(token, current_app.config["API_PER_MINUTE"])
    if wait:
        raise Refusal(429, "too_many_requests", _("读得太快了，请 %(n)s 秒后再试。", n=wait),
                      headers={"Retry-After": str(wait)})  # fmt: skip
    return token


def keyed(view: View) -> View:
    """Give ``view`` the key of the request and the names of the grids that it opens."""

    @wraps(view)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Response:
        token = _token()
        names = readable(token.account, token)
        if not names:
            raise Refusal(403, "forbidden", _("这个令牌的账号没有能读的表。请找平台管理员。"))
        return view(self, token, names, *args, **kwargs)

    return guarded


class TableApi(BaseApi):
    """Every grid as JSON, for reading."""

    route_base = BASE

    def __init__(self) -> None:
        super().__init__()
        self._sources: dict[str, Source] = {}

    def create_blueprint(self, *args: Any, **kwargs: Any) -> Any:
        """The blueprint, which answers refusals as JSON."""
        blueprint = super().create_blueprint(*args, **kwargs)
        blueprint.register_error_handler(Refusal, answer_refusal)
        return blueprint

    @expose("/", methods=("GET",))
    @keyed
    def index(self, _token: ApiToken, names: set[str]) -> Response:
        """What this key may read."""
        refuse_all(request.args)
        resources = [
            {"name": g.name, "label": g.label, "columns": len(g.columns), "parent": g.parent, "url": f"{BASE}/{g.name}"}
            for g in _grids()
            if g.name in names
        ]
        return _answer({"resources": resources, "openapi": f"{BASE}/openapi.json"})

    @expose("/openapi.json", methods=("GET",))
    @keyed
    def openapi(self, _token: ApiToken, names: set[str]) -> Response:
        """The description of what this key may read, for programs."""
        refuse_all(request.args)
        return _answer(document([g for g in _grids() if g.name in names], current_app.config["API_PER_MINUTE"]))

    @expose("/<string:name>", methods=("GET",))
    @keyed
    def rows(self, token: ApiToken, names: set[str], name: str) -> Response:
        """Rows of one grid."""
        source = self._source(name, names)
        asked = read_list(source.grid, request.args)
        return _answer(_page(name, asked, read_rows(source, token.account, asked)))

    @expose("/<string:name>/<string:key>", methods=("GET",))
    @keyed
    def row(self, token: ApiToken, names: set[str], name: str, key: str) -> Response:
        """One row."""
        source = self._source(name, names)
        asked = read_one(source.grid, request.args)
        found = read_row(source, token.account, int(key), asked.labels) if _ID.fullmatch(key) else None
        if found is None:
            raise unknown_row()
        return _answer(found)

    def _source(self, name: str, names: set[str]) -> Source:
        """The grid behind ``name``. Refusal (404, 403)."""
        if name not in self._sources:
            grid = next((g for g in _grids() if g.name == name), None)
            if grid is None:
                raise Refusal(404, "not_found", _("没有“%(name)s”这张表。能读的表在 /api/v1/ 里列出。", name=name[:40]))
            self._sources[name] = Source(grid)
        if name not in names:
            raise Refusal(
                403, "forbidden", _("这个令牌不能读“%(label)s”。请找平台管理员。", label=self._sources[name].grid.label)
            )
        return self._sources[name]


def _grids() -> list[Grid]:
    grids: list[Grid] = current_app.extensions["grids"]
    return grids


def _page(name: str, asked: Asked, found: Found) -> dict[str, Any]:
    """Rows with the addresses before and after them."""
    following: str | None = None
    if asked.after is not None:
        page, before = None, None
        following = _link(after=found.rows[-1]["id"]) if found.more else None
    else:
        page, before = asked.page, (_link(page=asked.page - 1) if asked.page > 1 else None)
        following = _link(page=asked.page + 1) if found.more else None
    return {
        "resource": name, "total": found.total, "page": page, "page_size": asked.page_size, "next": following,
        "previous": before, "rows": found.rows,
    }  # fmt: skip


def _link(**changes: Any) -> str:
    return f"{request.path}?{urlencode({**request.args.to_dict(), **changes})}"


def _answer(body: Any) -> Response:
    """``body`` as JSON with an ETag; 304 without a body where the caller has it already."""
    response = Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    response.add_etag()
    response.make_conditional(request)
    return response
