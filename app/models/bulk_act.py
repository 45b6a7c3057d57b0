"""What became of several declarations that were acted on at once."""

from __future__ import annotations

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, utc


class BulkAct(Model):
    """One form sent for several declarations: ``results`` says row by row what was done or why not.

    ``key`` is the idempotency key of the form, so that a form that comes twice finds its answer here.
    """

    __tablename__ = "bulk_act"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(20))
    results: Mapped[list] = mapped_column(JSON)
    created_at: Mapped[utc]
