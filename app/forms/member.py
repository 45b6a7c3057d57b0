"""What owners post about their colleagues: whom to invite, and which rights on which declarations."""

from __future__ import annotations

import unicodedata

from werkzeug.datastructures import MultiDict

WHOLE, CHOSEN = "whole", "chosen"


def read_phone(data: MultiDict[str, str]) -> str:
    """The typed number in half-width digits without spaces; whether it is one is the service's business."""
    return "".join(unicodedata.normalize("NFKC", data.get("phone", "")).replace("-", " ").split())[:20]


def read_rights(data: MultiDict[str, str]) -> dict[str, str]:
    """``{"*": right}`` for everything, or public id → right for each ticked declaration; empty if none is ticked."""
    if data.get("scope") != CHOSEN:
        return {"*": data.get("right", "")}
    return {key: data.get(f"right.{key}", "") for key in data.getlist("chosen")}
