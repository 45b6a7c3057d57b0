"""Picture codes for questions that need no account: made, spoken and compared on the server, used once."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, select, update

from app.adapters.challenge import make_picture_code, picture_audio
from app.errors import NotFound
from app.extensions import db
from app.models import Challenge
from app.models.base import now
from app.services.unit_of_work import unit_of_work

KIND = "picture"
LIFETIME = timedelta(minutes=2)
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")


@dataclass(frozen=True)
class Picture:
    """A code to be shown: ``token`` goes into the form, ``png`` on the page."""

    token: str
    png: bytes


def new_picture(session_digest: str) -> Picture:
    """A new code for this browser session; codes that are over are removed."""
    code = make_picture_code()
    token = secrets.token_urlsafe(24)
    with unit_of_work() as session:
        session.execute(delete(Challenge).where(Challenge.kind == KIND, Challenge.created_at < now() - 5 * LIFETIME))
        session.add(
            Challenge(
                token=token,
                kind=KIND,
                answer=code.text,
                session_digest=session_digest,
                picture=code.png,
                created_at=now(),
            )
        )
    return Picture(token, code.png)


def speak_picture(token: str, session_digest: str) -> bytes:
    """The code as speech (WAV). NotFound if it is over or of another session."""
    answer = db.session.scalar(select(Challenge.answer).where(*_living(token, session_digest)))
    if answer is None:
        raise NotFound(_("这张验证码过期了。请回到上一页换一张，再听语音。"))
    return picture_audio(answer)


def solve_picture(token: str, session_digest: str, typed: str) -> bool:
    """Whether ``typed`` is the code. Either way it is used up, also when two requests come at once."""
    with unit_of_work() as session:
        answer = session.scalar(select(Challenge.answer).where(*_living(token, session_digest)))
        if answer is None:
            return False
        used = session.execute(
            update(Challenge).where(*_living(token, session_digest)).values(used_at=now(), tries=Challenge.tries + 1)
        )
        if used.rowcount != 1:
            return False
    digits = "".join(typed.translate(_DIGITS).split())
    return hmac.compare_digest(answer.encode(), digits.encode())


def _living(token: str, session_digest: str) -> tuple:
    return (
        Challenge.token == token,
        Challenge.kind == KIND,
        Challenge.session_digest == session_digest,
        Challenge.used_at.is_(None),
        Challenge.created_at > now() - LIFETIME,
    )
