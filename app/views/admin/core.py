"""The grids of the core tables, as data, in the order of the 数据 page."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select, true

from app.definitions import registry
from app.definitions.expressions import size_labels
from app.models import (
    Account,
    Allocation,
    Assignment,
    Attachment,
    Batch,
    Declaration,
    Enterprise,
    Event,
    Handover,
    HandoverEntry,
    Holiday,
    Industry,
    Job,
    LoginSession,
    Message,
    Notice,
    Objection,
    Opinion,
    PrintRecord,
    Programme,
    PublicList,
    PublicListEntry,
    Recognition,
    Region,
    Remark,
    Revision,
    Score,
    SmsMessage,
    StampedScan,
    WebhookDelivery,
)
from app.models.base import Model
from app.models.notice import MESSAGE_KINDS
from app.permissions import roles, scopes
from app.services.message import KIND_LABELS
from app.views.admin.spec import Column, Grid, Scope, grids_of, keep_names
from app.workflow.outcomes import STATE_LABELS
from app.workflow.steps import STATUS_LABELS

APPLICATIONS, MATTERS, ENTERPRISES = "项目申报", "企业事项", "企业和账号"
PROCESS, EXPERTS, RESULTS = "审核过程", "专家评审", "结果"
PUBLIC, REFERENCE, RECORDS = "公开内容", "基础数据", "运行记录"
GROUPS = (APPLICATIONS, MATTERS, ENTERPRISES, PROCESS, EXPERTS, RESULTS, PUBLIC, REFERENCE, RECORDS)

ROLE_LABELS = {**roles.LABELS, "system": "系统"}
LEVELS = {"ministry": "部级", "province": "省级", "city": "市级"}
STATES = {"queued": "等待", "running": "进行中", "done": "完成", "dead": "失败"}
YES = {"none": "未认证", "submitted": "审核中", "approved": "已认证", "rejected": "未通过"}
VERDICTS = {"confirm": "通过", "return": "退回修改", "reject": "不通过", "stamp_return": "退回盖章材料", "approve": "列入名单",
            "assign": "分派专家", "unassign": "收回分派", "recommend": "行文推荐", "send_back": "退回审核",
            "object": "收到异议", "dismiss_objection": "异议不成立", "uphold_objection": "异议成立",
            "conclude": "公示无异议", "allocate": "下达资金", "disapprove": "报批未通过"}  # fmt: skip
OBJECTIONS = {"open": "待核查", "dismissed": "不成立", "upheld": "成立", "moot": "不用再办"}
TITLES = {d.key: d.menu or d.title for d in registry.catalogue()}
PAPERS = {"receipt": "受理回执"} | {p.key: p.title for d in registry.catalogue() for p in d.documents}
TASKS = {"sms": "发短信", "check_scan": "核对盖章材料", "package": "打包材料", "sweep_files": "清理没用的文件",
         "upkeep": "日常整理", "webhook": "推送事件"}  # fmt: skip
PURPOSES = {"register": "注册验证码", "login": "登录验证码", "recover": "找回账号验证码", "second": "工作人员核验",
            "notice": "提醒"}  # fmt: skip


DELIVERIES = {"queued": "等待", "sent": "已送到", "failed": "会再试", "dead": "没有送到"}
ASSESSED = {"manufacturing": "制造业", "producer_services": "生产性服务业", "other": "其他行业"}
SUBJECTS = {
    "phone": "手机号",
    "address": "来源地址",
    "api_token": "接口令牌",
    "role": "角色",
    "webhook": "事件推送",
    "declaration": "申报",
}
"""What an event is about, by the word before the colon; every grid adds its own name."""


def by_declaration(model: type[Model]) -> Scope:
    """Rows of ``model`` whose declaration the person may see."""

    def scope(user: Account) -> ColumnElement[bool]:
        return model.declaration_id.in_(select(Declaration.id).where(scopes.declarations(user)))

    return scope


def everybody(_user: Account) -> ColumnElement[bool]:
    """No row is hidden: who may open the grid at all is a matter of doors."""
    return true()


def own_region_accounts(user: Account) -> ColumnElement[bool]:
    """Accounts of the enterprises in scope, and staff of the own region."""
    if roles.ADMIN in user.role_names:
        return true()
    enterprises = select(Enterprise.id).where(scopes.enterprises(user))
    prefix = roles.region_prefix(user.region_code)
    return or_(Account.enterprise_id.in_(enterprises), Account.region_code.startswith(prefix, autoescape=True))


def own_assignments(user: Account) -> ColumnElement[bool]:
    """Assignments of the declarations in scope; who is nothing but an expert sees no other expert's."""
    if user.role_names & set(roles.STAFF):
        return by_declaration(Assignment)(user)
    return Assignment.expert_id == user.id


def own_batches(user: Account) -> ColumnElement[bool]:
    """Batches inside the own region; a district sees those of its city too."""
    if roles.ADMIN in user.role_names:
        return true()
    inside = Batch.region_code.startswith(roles.region_prefix(user.region_code), autoescape=True)
    return or_(inside, Batch.region_code == (user.region_code or "------")[:4] + "00")


def own_handovers(user: Account) -> ColumnElement[bool]:
    """Hand-overs from inside the own region."""
    if roles.ADMIN in user.role_names:
        return true()
    return Handover.region_code.startswith(roles.region_prefix(user.region_code), autoescape=True)


def event_scope(user: Account) -> ColumnElement[bool]:
    """Events of the declarations in scope, and the person's own ones."""
    if roles.ADMIN in user.role_names:
        return true()
    return or_(by_declaration(Event)(user), Event.actor_id == user.id)


def filed_attachments(user: Account) -> ColumnElement[bool]:
    """Files of the declarations in scope, once they were handed to an office."""
    return and_(by_declaration(Attachment)(user), scopes.filed())


def via(model: type[Model], column: str, target: type[Model], scope: Scope) -> Scope:
    """Rows of ``model`` that point to a ``target`` in ``scope``."""

    def inner(user: Account) -> ColumnElement[bool]:
        return getattr(model, column).in_(select(target.id).where(scope(user)))

    return inner


STATUS = Column("declaration.status", "状态", "option", STATUS_LABELS, search=True)
FACTS = (
    Column("declaration.serial_no", "受理号", search=True),
    Column("declaration.enterprise_name", "企业名称", search=True, pick="enterprise"),
    STATUS,
    Column("declaration.region_code", "区县", "region", search=True, listed=False),
    Column("declaration.submitted_at", "提交时间", "time", search=True),
)
WHO = FACTS[:2]


def _generated() -> list[Grid]:
    grids: list[Grid] = []
    for definition in registry.catalogue():
        group = APPLICATIONS if definition.kind in ("declaration", "recognition", "subsidy") else MATTERS
        resolved = registry.resolve(definition, registry.parameters_of(definition))
        grids += grids_of(resolved, FACTS, by_declaration, group)
    return grids


def _declarations() -> list[Grid]:
    return [
        Grid("declaration", "全部申报", APPLICATIONS, Declaration, (
            Column("serial_no", "受理号", search=True),
            Column("enterprise_name", "企业名称", search=True, pick="enterprise"),
            Column("programme_key", "项目", "option", TITLES, search=True),
            Column("batch.title", "批次", search=True, pick="batch"),
            Column("region_code", "区县", "region", search=True),
            Column("status", "状态", "option", STATUS_LABELS, search=True),
            Column("holder_role", "现在由谁办", "option", ROLE_LABELS, search=True),
            Column("due_at", "办理期限", "time", search=True),
            Column("submitted_at", "提交时间", "time", search=True, listed=False),
            Column("decided_at", "办结时间", "time", search=True, listed=False),
        ), scopes.declarations),
    ]  # fmt: skip


def _enterprises() -> list[Grid]:
    return [
        Grid("enterprise", "企业", ENTERPRISES, Enterprise, (
            Column("name", "企业名称", search=True),
            Column("credit_code", "统一社会信用代码", search=True),
            Column("certification_status", "认证", "option", YES, search=True),
            Column("region_code", "注册地", "region", search=True),
            Column("industry_code", "所属行业", "industry", search=True),
            Column("employees", "从业人员", "int", search=True),
            Column("registered_capital", "注册资本（万元）", "money", search=True, listed=False),
            Column("established_on", "成立日期", "date", search=True, listed=False),
            Column("legal_representative", "法定代表人", search=True, listed=False),
            Column("contact_name", "联系人", listed=False),
            Column("contact_phone", "联系方式", "phone", listed=False),
            Column("registered_address", "注册地址", listed=False),
            Column("certified_at", "认证时间", "time", search=True, listed=False),
        ), scopes.enterprises),
        Grid("account", "账号", ENTERPRISES, Account, (
            Column("username", "用户名", search=True),
            Column("display_name", "姓名", search=True),
            Column("user_type", "类型", "option", {"enterprise": "企业用户", "individual": "个人用户", "staff": "工作人员"}, search=True),
            Column("phone", "手机号", "phone"),
            Column("enterprise.name", "企业", search=True, pick="enterprise"),
            Column("department", "部门", search=True),
            Column("region_code", "地区", "region", search=True),
            Column("active", "启用", "bool", search=True),
        ), own_region_accounts),
        Grid("login_session", "登录会话", ENTERPRISES, LoginSession, (
            Column("account_id", "账号编号", "int", search=True),
            Column("address", "来源地址", search=True),
            Column("agent", "浏览器", "agent"),
            Column("created_at", "登录时间", "time", search=True),
            Column("last_seen_at", "最近活动", "time", search=True),
        ), everybody),
    ]  # fmt: skip


def _process() -> list[Grid]:
    return [
        Grid("batch", "批次", PROCESS, Batch, (
            Column("title", "批次名称", search=True),
            Column("programme_key", "项目", "option", TITLES, search=True),
            Column("year", "年度", "int", search=True),
            Column("region_code", "地区", "region", search=True),
            Column("opens_at", "开放时间", "time", search=True),
            Column("closes_at", "截止时间", "time", search=True),
            Column("published", "已发布", "bool", search=True),
        ), own_batches),
        Grid("revision", "提交的版本", PROCESS, Revision, (
            Column("declaration_id", "申报编号", "int", search=True),
            Column("number", "版本", "int", search=True),
            Column("digest", "摘要", search=True),
            Column("created_at", "提交时间", "time", search=True),
        ), by_declaration(Revision)),
        Grid("opinion", "审核意见", PROCESS, Opinion, (
            *WHO,
            Column("verdict", "结论", "option", VERDICTS, search=True),
            Column("text", "意见", "long", search=True),
            Column("author_name", "办理人", search=True),
            Column("created_at", "时间", "time", search=True),
        ), by_declaration(Opinion)),
        Grid("remark", "批注", PROCESS, Remark, (
            Column("label", "哪一项", search=True),
            Column("text", "批注", "long", search=True),
            Column("state", "状态", "option", {"draft": "还没发出", "open": "待修改", "settled": "已解决"}, search=True),
            Column("author_name", "写的人", search=True),
            Column("created_at", "时间", "time", search=True),
        ), by_declaration(Remark)),
        Grid("stamped_scan", "盖章材料", PROCESS, StampedScan, (
            Column("attachment.filename", "文件", search=True),
            Column("state", "核对", "option", {"pending": "等待核对", "done": "已核对", "failed": "要人工核对"}, search=True),
            Column("seal", "红章", "option", {"seen": "看到", "not_seen": "没看到", "cannot_tell": "看不清"}, search=True),
            Column("checked_at", "核对时间", "time", search=True),
        ), via(StampedScan, "attachment_id", Attachment, filed_attachments)),
        Grid("print_record", "打印记录", PROCESS, PrintRecord, (
            Column("code", "校验码", search=True),
            *WHO,
            Column("revision_no", "版本", "int"),
            Column("document", "文书", "option", PAPERS, search=True),
            Column("created_at", "时间", "time", search=True),
        ), by_declaration(PrintRecord)),
        Grid("attachment", "附件", PROCESS, Attachment, (
            Column("filename", "文件名", search=True),
            *WHO,
            Column("size", "大小", "size"),
            Column("pages", "页数", "int"),
            Column("created_at", "上传时间", "time", search=True),
            Column("removed_at", "移除时间", "time", search=True, listed=False),
        ), filed_attachments),
        Grid("handover", "行文推荐", PROCESS, Handover, (
            Column("doc_no", "文号", search=True),
            Column("batch.title", "批次", search=True, pick="batch"),
            Column("region_code", "推荐地区", "region", search=True),
            Column("state", "状态", "option", {"open": "还没报出", "sent": "已报出"}, search=True),
            Column("dated", "行文日期", "date", search=True),
            Column("sent_at", "报出时间", "time", search=True),
        ), own_handovers),
        Grid("handover_entry", "推荐名单", PROCESS, HandoverEntry, (
            Column("position", "序号", "int"),
            Column("enterprise_name", "企业名称", search=True),
            Column("serial_no", "受理号", search=True),
            Column("handover.doc_no", "文号", search=True),
        ), via(HandoverEntry, "handover_id", Handover, own_handovers), indent=True),
        Grid("objection", "异议", PROCESS, Objection, (
            *WHO,
            Column("unit", "被异议单位", search=True),
            Column("content", "异议内容", "long", search=True),
            Column("state", "状态", "option", OBJECTIONS, search=True),
            Column("received_on", "受理日期", "date", search=True),
            Column("conclusion", "调查结论", "long", listed=False),
        ), by_declaration(Objection)),
    ]  # fmt: skip


def _experts() -> list[Grid]:
    return [
        Grid("assignment", "分派", EXPERTS, Assignment, (
            *WHO,
            Column("expert.display_name", "专家", search=True, pick="account"),
            Column("verdict", "结论", "option", {"agree": "符合", "disagree": "不符合"}, search=True),
            Column("total", "得分", "money", search=True),
            Column("assigned_at", "分派时间", "time", search=True),
            Column("done_at", "完成时间", "time", search=True),
        ), own_assignments),
        Grid("score", "评分", EXPERTS, Score, (
            Column("label", "评分项", search=True),
            Column("points", "得分", "money", search=True),
            Column("maximum", "满分", "int"),
            Column("reason", "理由", "long"),
        ), via(Score, "assignment_id", Assignment, own_assignments)),
    ]  # fmt: skip


def _results() -> list[Grid]:
    return [
        Grid("recognition", "认定和入库", RESULTS, Recognition, (
            Column("enterprise.name", "企业名称", search=True, pick="enterprise"),
            Column("title", "名称", search=True),
            Column("programme_key", "项目", "option", TITLES, search=True),
            Column("valid_from", "起", "date", search=True),
            Column("valid_to", "止", "date", search=True),
            Column("state", "状态", "option", STATE_LABELS, search=True),
            Column("certificate_no", "证书编号", search=True, listed=False),
            Column("banned_until", "限制申报到", "date", search=True, listed=False),
        ), by_declaration(Recognition)),
        Grid("allocation", "下达资金", RESULTS, Allocation, (
            *WHO,
            Column("amount", "金额（元）", "money", search=True),
            Column("doc_no", "文号", search=True),
            Column("dated", "日期", "date", search=True),
        ), by_declaration(Allocation)),
        Grid("public_list", "公布的名单", RESULTS, PublicList, (
            Column("title", "名单", search=True),
            Column("batch.title", "批次", search=True, pick="batch"),
            Column("authority", "公布单位"),
            Column("kind", "性质", "option", {"publicity": "公示", "final": "公布"}, search=True),
            Column("closes_on", "公示截止", "date", search=True, listed=False),
            Column("published_at", "公布时间", "time", search=True),
        ), via(PublicList, "batch_id", Batch, own_batches)),
        Grid("public_list_entry", "名单企业", RESULTS, PublicListEntry, (
            Column("position", "序号", "int"),
            Column("enterprise_name", "企业名称", search=True),
            Column("credit_code", "统一社会信用代码", search=True),
            Column("region_name", "区县", search=True),
            Column("industry_name", "所属行业", search=True),
            Column("list.title", "名单", search=True),
        ), by_declaration(PublicListEntry), indent=True),
        Grid("notice", "通知公告", PUBLIC, Notice, (
            Column("title", "标题", search=True),
            Column("level", "层级", "option", LEVELS, search=True),
            Column("category", "类别", search=True),
            Column("authority", "主管部门", search=True),
            Column("doc_no", "文号", search=True),
            Column("content", "正文", "long", listed=False),
            Column("published_at", "发布时间", "time", search=True),
            Column("visible", "显示", "bool", search=True),
        ), everybody, writable=True),
        Grid("message", "消息", PUBLIC, Message, (
            Column("title", "标题", search=True),
            Column("kind", "类别", "option", {k: KIND_LABELS[k] for k in MESSAGE_KINDS}, search=True),
            Column("sent_at", "时间", "time", search=True),
            Column("read_at", "阅读时间", "time", search=True),
        ), via(Message, "account_id", Account, own_region_accounts)),
    ]  # fmt: skip


def _reference() -> list[Grid]:
    return [
        Grid("region", "行政区划", REFERENCE, Region, (
            Column("code", "代码", search=True),
            Column("name", "名称", search=True),
            Column("full_name", "全称", search=True),
            Column("level", "级别", "option", {"province": "省级", "city": "市级", "county": "县级"}, search=True),
            Column("parent_code", "上级代码", search=True, pick="regions"),
            Column("active", "启用", "bool", search=True),
        ), everybody, writable=True, order=("code", "asc")),
        Grid("industry", "国民经济行业", REFERENCE, Industry, (
            Column("code", "代码", search=True),
            Column("name", "名称", search=True),
            Column("full_name", "全称", search=True),
            Column("level", "级别", "option", {"section": "门类", "division": "大类", "group": "中类", "class": "小类"}, search=True),
            Column("parent_code", "上级代码", search=True, pick="industries"),
            Column("assessment_category", "评测类别", "option", ASSESSED, search=True, listed=False),
            Column("size_category", "划型类别", "option", size_labels(), search=True, listed=False),
            Column("active", "启用", "bool", search=True),
        ), everybody, writable=True, order=("code", "asc")),
        Grid("holiday", "节假日", REFERENCE, Holiday, (
            Column("day", "日期", "date", search=True),
            Column("name", "名称", search=True),
            Column("working", "上班", "bool", search=True),
        ), everybody, writable=True, order=("day", "desc")),
        Grid("programme", "项目定义", REFERENCE, Programme, (
            Column("title", "名称", search=True),
            Column("number", "版本", "int"),
            Column("current", "现行", "bool", search=True),
            Column("digest", "摘要"),
            Column("created_at", "生效时间", "time", search=True),
        ), everybody),
        Grid("event", "办理记录", RECORDS, Event, (
            Column("at", "时间", "time", search=True),
            Column("label", "做了什么", search=True),
            Column("actor_name", "谁", search=True),
            Column("declaration.enterprise_name", "申报企业", search=True, pick="enterprise"),
            Column("declaration.serial_no", "受理号", search=True, listed=False),
            Column("subject", "对象", "subject", SUBJECTS, search=True),
            Column("opinion", "意见", "long", search=True),
            Column("actor_role", "身份", "option", ROLE_LABELS, search=True),
            Column("data", "内容", "json", listed=False),
        ), event_scope, prepare=keep_names),
        Grid("job", "后台任务", RECORDS, Job, (
            Column("kind", "任务", "option", TASKS, search=True),
            Column("state", "状态", "option", STATES, search=True),
            Column("progress", "进度", "int"),
            Column("tries", "次数", "int"),
            Column("error", "原因", "long", listed=False),
            Column("created_at", "建立时间", "time", search=True),
            Column("done_at", "完成时间", "time", search=True),
        ), everybody),
        Grid("sms_message", "短信", RECORDS, SmsMessage, (
            Column("phone", "手机号", "phone"),
            Column("purpose", "用途", "option", PURPOSES, search=True),
            Column("created_at", "时间", "time", search=True),
            Column("sent_at", "发出时间", "time", search=True),
            Column("error", "原因", "long"),
        ), everybody),
        Grid("webhook_delivery", "推送记录", RECORDS, WebhookDelivery, (
            Column("webhook.name", "推送", search=True),
            Column("event.label", "什么事", search=True),
            Column("event.declaration.serial_no", "受理号", search=True),
            Column("state", "状态", "option", DELIVERIES, search=True),
            Column("tries", "次数", "int"),
            Column("status", "对方答复", "int", search=True),
            Column("error", "原因", "long"),
            Column("created_at", "时间", "time", search=True),
            Column("sent_at", "送到时间", "time", search=True),
        ), everybody),
    ]  # fmt: skip


def all_grids() -> list[Grid]:
    """Every grid, generated ones after the table of all declarations."""
    grids = [*_declarations(), *_generated(), *_enterprises(), *_process(), *_experts(), *_results(), *_reference()]
    SUBJECTS.update({grid.name: grid.label for grid in grids})
    return grids
