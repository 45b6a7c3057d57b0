"""What is stored. Core tables by hand, one file per noun; ``generated`` builds tables from definitions.

Importing this package registers every core table. Nothing here decides or commits.
"""

# First: it names constraints, and Flask-AppBuilder's own tables are declared by the next line.
from app import extensions as _extensions  # noqa: F401
from app.models.account import Account, LoginSession
from app.models.allocation import Allocation
from app.models.api_token import ApiToken
from app.models.attachment import Attachment, Blob, PrintRecord, StampedScan
from app.models.batch import Batch
from app.models.bulk_act import BulkAct
from app.models.declaration import AnswerRow, Declaration, Event, Revision
from app.models.enterprise import Enterprise, Recognition
from app.models.handover import Handover, HandoverEntry
from app.models.job import IdempotencyKey, Job
from app.models.member import Invitation, Presence
from app.models.notice import Message, Notice, PublicList, PublicListEntry
from app.models.programme import Programme
from app.models.publicity import Objection
from app.models.reference import Counter, Holiday, Industry, Region
from app.models.review import Assignment, InternalNote, Opinion, Remark, Score
from app.models.security import Challenge, SmsCode, SmsMessage, Throttle
from app.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "Account",
    "Allocation",
    "AnswerRow",
    "ApiToken",
    "Assignment",
    "Attachment",
    "Batch",
    "BulkAct",
    "Blob",
    "Challenge",
    "Counter",
    "Declaration",
    "Enterprise",
    "Event",
    "Handover",
    "HandoverEntry",
    "Holiday",
    "IdempotencyKey",
    "Industry",
    "InternalNote",
    "Invitation",
    "Job",
    "LoginSession",
    "Message",
    "Notice",
    "Objection",
    "Opinion",
    "Presence",
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
    "Webhook",
    "WebhookDelivery",
]
