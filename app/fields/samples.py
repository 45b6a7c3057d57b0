"""Believable Chinese texts for samples, tests and demo data. Names of companies and people are made up."""

from __future__ import annotations

import random

_TOWNS = ("松北", "道里", "平房", "香坊", "呼兰", "阿城")
_WORDS = ("恒达", "瑞丰", "启明", "宏远", "北辰", "鑫源", "华控", "永泰", "联创", "博远")
_TRADES = ("精密机械", "智能装备", "轴承制造", "食品", "生物医药", "新材料", "电气设备", "汽车零部件")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
_GIVEN = ("建国", "海燕", "志强", "晓明", "丽华", "文博", "雪松", "静", "伟", "思远", "佳宁", "鹏飞")
_STREETS = ("科技创新路", "学院路", "哈南大道", "智谷大街", "工农大街", "松花江路")
_PRODUCTS = ("数控车床主轴", "高速精密轴承", "速冻饺子生产线", "智能配电柜", "汽车转向节", "碳纤维预浸料")
_SYSTEMS = ("生产执行系统", "企业资源计划系统", "设备联网监测平台", "仓储管理系统", "质量追溯系统")
_JOBS = ("总经理", "生产部经理", "信息化主管", "财务负责人")
_BANKS = ("中国工商银行哈尔滨道里支行", "中国建设银行哈尔滨松北支行", "哈尔滨银行平房支行")
_SENTENCES = (
    "公司成立于2008年，主要生产{product}，产品供应省内外三十多家主机厂。",
    "现有生产线4条，员工一百余人，其中技术人员占三成。",
    "近两年上线了{system}，关键工序设备联网率达到七成。",
    "改造后订单交付周期由20天缩短到14天，产品不良品率下降明显。",
    "下一步计划把{system}与财务系统打通，实现订单、生产、库存数据一致。",
    "项目由公司信息化小组负责，外聘服务商提供实施和培训。",
    "目前的难点是老设备接口不统一，数据采集需要加装网关。",
)


def company(rng: random.Random) -> str:
    """A company name."""
    return f"哈尔滨{rng.choice(_WORDS)}{rng.choice(_TRADES)}有限公司"


def person(rng: random.Random) -> str:
    """A person's name."""
    return rng.choice(_SURNAMES) + rng.choice(_GIVEN)


def address(rng: random.Random) -> str:
    """An address in the city."""
    return f"黑龙江省哈尔滨市{rng.choice(_TOWNS)}区{rng.choice(_STREETS)}{rng.randint(1, 999)}号"


_KINDS = (
    (("开户", "银行名"), lambda rng: rng.choice(_BANKS)),
    (("账号", "账户"), lambda rng: "62" + "".join(str(rng.randint(0, 9)) for _place in range(17))),
    (("邮编", "邮政编码"), lambda rng: f"1500{rng.randint(10, 99)}"),
    (
        ("编号", "文号", "专利号", "代码", "号码", "登记号"),
        lambda rng: f"HRB{rng.randint(2020, 2025)}{rng.randint(1, 99999):05d}",
    ),
    (("国籍",), lambda rng: "中国"),
    (("城市",), lambda rng: "哈尔滨市"),
    (("地址", "地点"), address),
    (("职务", "职称"), lambda rng: rng.choice(_JOBS)),
    (("产品", "设备", "型号", "品牌"), lambda rng: rng.choice(_PRODUCTS)),
    (("系统", "软件", "平台", "项目", "功能"), lambda rng: rng.choice(_SYSTEMS)),
    (("企业", "公司", "单位", "服务商", "供应商", "股东", "提供商", "机构", "投资方"), company),
    (("人", "姓名", "专家"), person),
)


def line(key: str, label: str, rng: random.Random, limit: int) -> str:
    """One line of at most ``limit`` characters that suits ``label``."""
    for words, make in _KINDS:
        if any(word in label for word in words):
            return make(rng)[:limit]
    return (company(rng) if key.endswith("name") else rng.choice(_SYSTEMS + _PRODUCTS))[:limit]


def paragraph(label: str, rng: random.Random, limit: int) -> str:
    """Two to four sentences, at most ``limit`` characters."""
    chosen = rng.sample(_SENTENCES, rng.randint(2, 4))
    text = "".join(s.format(product=rng.choice(_PRODUCTS), system=rng.choice(_SYSTEMS)) for s in chosen)
    return text[:limit]
