"""What is stored. Core tables by hand, one file per noun; ``generated`` builds tables from definitions.

Importing this package registers every core table. Nothing here decides or commits.
"""

# First: it names constraints, and Flask-AppBuilder's own tables are declared by the next line.
from app import extensions as _extensions  # noqa: F401
from app.models.account import Account, LoginSession
from app.models.attachment import Attachment, Blob, PrintRecord, StampedScan
from app.models.batch import Batch
from app.models.declaration import AnswerRow, Declaration, Event, Revision
from app.models.enterprise import Enterprise, Recognition
from app.models.job import IdempotencyKey, Job
from app.models.notice import Message, Notice, PublicList, PublicListEntry
from app.models.programme import Programme
from app.models.reference import Counter, Holiday, Industry, Region
from app.models.review import Assignment, Opinion, Remark, Score
from app.models.security import Challenge, SmsCode, SmsMessage, Throttle

__all__ = [
    "Account",
    "AnswerRow",
    "Assignment",
    "Attachment",
    "Batch",
    "Blob",
    "Challenge",
    "Counter",
    "Declaration",
    "Enterprise",
    "Event",
    "Holiday",
    "IdempotencyKey",
    "Industry",
    "Job",
    "LoginSession",
    "Message",
    "Notice",
    "Opinion",
    "PrintRecord",
    "Programme",
    "PublicList",
    "PublicListEntry",
    "Recognition",
    "Region",
    "Remark",
    "Revision",
    "Score",
    "SmsCode",
    "SmsMessage",
    "StampedScan",
    "Throttle",
]
