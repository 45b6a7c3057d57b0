"""What every template may use: addresses of static files, the office's name, dates and sizes as people read them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for

from app.documents.context import file_size
from app.services.reference import lookups, region_name
from app.views.navigation import navigation
from app.workflow.calendar import SHANGHAI
from app.workflow.steps import STATUS_LABELS, STATUS_TONES


@lru_cache(maxsize=256)
def _fingerprint(path: str, _modified: float) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def static_url(name: str) -> str:
    """Address of a static file with the fingerprint of its content, so that browsers may keep it."""
    path = Path(current_app.static_folder or "") / name
    if not path.exists():
        return url_for("static", filename=name)
    return url_for("static", filename=name, v=_fingerprint(str(path), path.stat().st_mtime))


def local_time(moment: datetime | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """An aware moment in Shanghai time; empty for None."""
    return moment.astimezone(SHANGHAI).strftime(pattern) if moment else ""


def short_time(moment: datetime | None) -> str:
    """``06-12 10:42``."""
    return local_time(moment, "%m-%d %H:%M")


def clock_time(moment: datetime | None) -> str:
    """``10:42``."""
    return local_time(moment, "%H:%M")


def mask_phone(phone: str | None) -> str:
    """``138****6120``."""
    return f"{phone[:3]}****{phone[-4:]}" if phone and len(phone) == 11 else (phone or "")


def init_pages(app: Flask) -> None:
    """Register globals and filters."""
    app.jinja_env.globals.update(
        static_url=static_url,
        navigation=navigation,
        site_owner=app.config["SITE_OWNER"],
        site_contact=_contact(app),
        STATUS_LABELS=STATUS_LABELS,
        STATUS_TONES=STATUS_TONES,
        lookups=lookups,
    )
    app.jinja_env.filters.update(
        local_time=local_time,
        short_time=short_time,
        clock_time=clock_time,
        file_size=file_size,
        mask_phone=mask_phone,
        region_name=region_name,
    )


def _contact(app: Flask) -> str:
    return f"工作日 9:00–17:00 · 填报咨询 {app.config['SITE_PHONE']}"
