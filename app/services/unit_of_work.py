"""The one way to change anything: a fresh session, one transaction, effects after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.errors import Conflict, Unavailable
from app.extensions import db


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """A session whose changes are committed together when the block ends, or not at all.

    Nothing slow belongs inside (no hashing, files, network, documents). Conflict and Unavailable replace the
    database's own errors.
    """
    session = Session(db.engine, expire_on_commit=False)
    try:
        session.connection(execution_options={"immediate": True})
        yield session
        session.commit()
        for call in session.info.pop("after_commit", []):
            call()
    except StaleDataError as error:
        session.rollback()
        raise Conflict("这条记录刚被别人改过，您的内容还没保存。请刷新后再试，已填的内容不会丢。") from error
    except IntegrityError as error:
        session.rollback()
        raise Conflict("和已有的记录重复了，没有保存。请核对后再试。", cause=str(error.orig)) from error
    except (OperationalError, PoolTimeout) as error:
        session.rollback()
        raise Unavailable("系统正忙，这次没有保存。请稍等几秒再试，已填的内容不会丢。") from error
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Run ``call`` once the transaction is durable; it never runs if the transaction fails."""
    session.info.setdefault("after_commit", []).append(call)
