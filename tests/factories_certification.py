"""A filled 企业认证, for tests of pages that show it."""

from __future__ import annotations

from app.models import Account, Declaration
from app.permissions import roles
from app.services.answers import save_answers
from app.services.declaration import start_declaration
from tests.factories import attach, credit_code, find, make_account, make_enterprise, perform, standing_batch

NUMBER = 880_000
ANSWERS = {
    "enterprise_name": "哈尔滨松岭精密机械有限公司",
    "legal_representative": "赵志远",
    "legal_person_id": "11010519491231002X",
    "enterprise_nature": "private",
    "industry_code": "34",
    "registered_capital": "3000.00",
    "established_on": "2011-04-18",
    "employees": "286",
    "region_code": "230108",
    "registered_address": "平房区哈南工业新城松花路 88 号",
    "contact_name": "王敏",
    "contact_phone": "13800006120",
    "company_profile": "主要生产数控机床主轴、精密齿轮箱和风电装备零部件，产品用于航空、风电和农机。",
}


def uncertified(**facts: object) -> Account:
    """The owner of an enterprise that is not certified."""
    return make_account(roles.ENTERPRISE, enterprise=make_enterprise(certified=False), **facts)


def drafted_certification(user: Account, number: int = NUMBER) -> Declaration:
    """A draft with every answer and the licence."""
    public_id = start_declaration(user, standing_batch().public_id)
    save_answers(user, public_id, ANSWERS | {"credit_code": credit_code(number)})
    attach(find(public_id), "business_licence", "营业执照副本.pdf")
    return find(public_id)


def sent_certification(user: Account, number: int = NUMBER) -> Declaration:
    """A submitted certification."""
    return perform(user, drafted_certification(user, number), "submit")
