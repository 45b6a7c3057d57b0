"""What all tables share: the declarative base, column shorthands and time."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from flask_appbuilder import Model
from sqlalchemy import JSON, BigInteger, Integer, String, Text
from sqlalchemy.orm import mapped_column

from app.fields.sqltypes import UtcDateTime

__all__ = ["Model", "jsonb", "key40", "long_text", "new_public_id", "now", "pk", "public_id", "str100", "utc"]

# Row ids are 64-bit on PostgreSQL; SQLite's rowid needs plain INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")

pk = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]
key40 = Annotated[str, mapped_column(String(40))]
str100 = Annotated[str, mapped_column(String(100))]
long_text = Annotated[str, mapped_column(Text)]
utc = Annotated[datetime, mapped_column(UtcDateTime)]
jsonb = Annotated[dict[str, Any], mapped_column(JSON)]


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def new_public_id() -> str:
    """UUIDv7 as text: sortable by time, not guessable (74 random bits)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


public_id = Annotated[str, mapped_column(String(36), unique=True, default=new_public_id)]
