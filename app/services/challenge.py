"""Challenges before a code is sent: made and checked here, one answer each, two minutes, bound to one session."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.challenge import make_picture_code, make_slider, picture_audio, slider_matches
from app.errors import NotFound, TooMany
from app.extensions import db
from app.models import Challenge
from app.models.base import now
from app.services.throttle import Limit, hit, lock, network_of, seconds_to_wait
from app.services.unit_of_work import unit_of_work

Kind = Literal["slider", "picture"]

LIFE = timedelta(minutes=2)
PER_ADDRESS, WINDOW = 120, timedelta(minutes=10)
SOUNDS = 5
"""How often one picture code is spoken: speaking takes a third of a second."""
_MADE, _SPOKEN = "challenge", "sound"


@dataclass(frozen=True)
class Visitor:
    """Somebody not yet known: the digest of the session's id, and the address the request came from."""

    session_digest: str
    address: str | None = None

    @property
    def network(self) -> str:
        """What the address is counted as."""
        return network_of(self.address)


@dataclass(frozen=True)
class Solution:
    """What was answered: the challenge's token, and where the piece was left or which digits were read."""

    token: str
    answer: str


def new_challenge(visitor: Visitor, kind: Kind) -> Challenge:
    """A new challenge of ``kind`` for this session. TooMany if the address asks for pictures too often."""
    limit = Limit(_MADE, visitor.network, PER_ADDRESS, WINDOW)
    _refuse_beyond(db.session(), limit)
    # Drawn outside the transaction: it takes longer than everything else here.
    row = _drawn(kind)
    row.token, row.session_digest, row.created_at = secrets.token_urlsafe(32), visitor.session_digest, now()
    with unit_of_work() as session:
        hit(session, _MADE, visitor.network)
        session.add(row)
    return row


def _drawn(kind: Kind) -> Challenge:
    if kind == "slider":
        puzzle = make_slider()
        return Challenge(kind=kind, answer=str(puzzle.offset), picture=puzzle.background, piece=puzzle.piece,
                         piece_top=puzzle.piece_top)  # fmt: skip
    code = make_picture_code()
    return Challenge(kind=kind, answer=code.text, picture=code.png)


def _refuse_beyond(session: Session, limit: Limit) -> None:
    wait = seconds_to_wait(session, limit)
    if wait:
        raise TooMany(_("验证图换得太频繁，请 %(n)s 秒后再试。", n=wait), retry_after=wait)


def shown_to(visitor: Visitor, token: str) -> Challenge:
    """The challenge, for its pictures. NotFound if it is another session's, used up or too old."""
    row = db.session.scalars(select(Challenge).where(Challenge.token == token)).first()
    if row is None or not _is_open(row, visitor):
        raise NotFound(_("这张验证图已经用过或过期，请换一张。"))
    return row


def sound_of(visitor: Visitor, token: str) -> bytes:
    """The digits of a picture code, spoken, as WAV. NotFound, TooMany."""
    row = shown_to(visitor, token)
    if row.kind != "picture":
        raise NotFound(_("拼图没有语音，请改用图片验证码。"))
    subject = f"challenge:{row.id}"
    with unit_of_work() as session:
        lock(session, subject)
        _refuse_beyond(session, Limit(_SPOKEN, subject, SOUNDS, LIFE))
        hit(session, _SPOKEN, subject)
    return picture_audio(row.answer)


def use_up(session: Session, visitor: Visitor, solution: Solution) -> bool:
    """Whether the challenge is solved. Right or wrong, it cannot be answered again; the caller commits."""
    row = session.scalars(select(Challenge).where(Challenge.token == solution.token).with_for_update()).first()
    if row is None or not _is_open(row, visitor):
        return False
    row.used_at = now()
    if _is_solved(row, solution.answer):
        row.solved_at = row.used_at
    return row.solved_at is not None


def _is_open(row: Challenge, visitor: Visitor) -> bool:
    return row.used_at is None and row.session_digest == visitor.session_digest and now() - row.created_at <= LIFE


def _is_solved(row: Challenge, answer: str) -> bool:
    digits = "".join(unicodedata.normalize("NFKC", answer).split())
    if not re.fullmatch(r"[0-9]{1,4}", digits):
        return False
    if row.kind == "slider":
        return slider_matches(int(digits), int(row.answer))
    return secrets.compare_digest(digits, row.answer)
