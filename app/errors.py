"""Refusals that people read. Every error carries a sentence, an HTTP status and, where it helps, the next step.

Services and the engine raise these; only ``views`` turns them into pages. A plain ``Exception`` is a defect.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """A request that cannot be carried out, said in the reader's language.

    ``message`` is one or more sentences: what is wrong, then what to do. ``fields`` maps an answer path or a
    form field name to its own sentence. ``details`` is material for a page (who, when, both texts), never a log.
    """

    status = 400

    def __init__(self, message: str, *, fields: dict[str, str] | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}
        self.details = details


class InvalidInput(DomainError):
    """The input does not fit; nothing was changed."""

    status = 422


class Refused(DomainError):
    """The person may not do this, for a reason that is said."""

    status = 403


class NotFound(DomainError):
    """No such record, or none that this person may know of."""

    status = 404


class Conflict(DomainError):
    """Somebody else was first, or the record has moved on."""

    status = 409


class TooLarge(DomainError):
    """The file or request is over its limit."""

    status = 413


class TooMany(DomainError):
    """A limit on how often was reached; ``retry_after`` is in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int = 60, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """An outside part does not answer; nothing was changed, trying again later helps."""

    status = 503
