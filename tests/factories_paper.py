"""A believable 企业培育入库申报表 as a value tree: three projects, two needs, two attachments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.documents.tree import (
    Block,
    Card,
    Cards,
    Column,
    Facts,
    FileRow,
    Files,
    Pair,
    Pairs,
    Paper,
    Prose,
    Rows,
    SealPlace,
)

ENTERPRISE = "哈尔滨北辰精密轴承制造有限公司"
STATEMENT = (
    "本企业承诺所填报内容及提交材料真实、准确、完整，如有虚假愿承担相应责任。\n"
    "本企业知悉：提供虚假材料的，三年内不得申报中小企业数字化转型相关资金和荣誉。"
)
INTRO = (
    "公司成立于2009年，位于哈尔滨市平房区，主要从事精密轴承、数控机床主轴单元及配套零部件的研发、生产和销售，"
    "主要产品为“北辰”牌角接触球轴承（年产12万套）、主轴单元（年产3,200台）；产品广泛用于航空、风电、轨道交通等领域。"
    "公司现有职工186人，其中研发人员34人，拥有专利47项；2021年被认定为省级专精特新中小企业，"
    "2022年通过两化融合管理体系评定，建有省级企业技术中心1个。\n"
    "近三年营业收入年均增长11.6%，产品出口德国、日本、韩国等8个国家和地区。"
)
NAMES = ("智能排产与制造执行系统", "设备物联与能耗管理平台", "质量追溯与供应链协同平台")
EFFECTS = (
    ("数字化水平等级", "二级", "三级"),
    ("创新方面", "关键工序数控化率：50%", "关键工序数控化率：60%，提高20%"),
    ("市场方面", "准时交货率：70%", "准时交货率：90%，提高28.5%"),
    ("提质方面", "月度平均产品合格率：90%", "月度平均产品合格率：99%，提高10%"),
    ("降本方面", "月度平均能耗总成本：60万元", "月度平均能耗总成本减少：10万元，降低16.7%"),
    ("增效方面", "生产计划达成率：80%；库存周转率：20%", "生产计划达成率：95%，提高18.7%；库存周转率：30%，提高50%"),
    ("绿色方面", "产能利用率：40%", "产能利用率：70%，提高75%"),
    ("安全方面", "月度生产设备故障率：10%", "月度生产设备故障率：1%，降低90%"),
)


def basic_facts() -> Facts:
    """The eighteen answers of table 5-1."""
    return Facts(
        "基本情况",
        (
            Pair("企业名称", ENTERPRISE),
            Pair("企业信用代码", "91230108MA1BXQ3T7K"),
            Pair("所属城市", "哈尔滨市"),
            Pair("联系人", "王敏"),
            Pair("注册地址", "黑龙江省哈尔滨市平房区哈南工业新城核心区哈南第八大道17号", wide=True),
            Pair("联系方式", "13904512187"),
            Pair("企业性质", "民营"),
            Pair("企业基本情况", INTRO, wide=True),
            Pair("企业规模", "小型企业"),
            Pair("是否规上企业", "是"),
            Pair("优质中小企业情况", "专精特新中小企业、2024-2025年计划申请成为专精特新“小巨人”企业", wide=True),
            Pair("所属细分行业", "制造业 / 通用设备制造业 / 轴承、齿轮和传动部件制造", wide=True),
            Pair("2023年营业收入（万元）", "12,480.55", align="right"),
            Pair("2023年利润（万元）", "-186.20", align="right"),
            Pair("2023年人均营业收入（万元）", "67.10", align="right"),
            Pair("已有数字化转型投入（万元）", "320.00", align="right"),
            Pair("2023年研发投入占销售收入比例（%）", "5.32", align="right"),
            Pair("截至2023年累计专利申请数（个）", "47", align="right"),
        ),
    )


def needs() -> Rows:
    """The rows of table 5-2."""
    return Rows(
        "数字化转型需求",
        (Column("序号", "center", weight=4), Column("需求种类", weight=14), Column("需求描述", weight=40)),
        (
            (
                "1",
                "生产管理数字化",
                "现有排产依赖人工经验，订单插单频繁，需要建设高级排产与制造执行系统，打通订单、工艺、设备数据。",
            ),
            (
                "2",
                "质量管控数字化",
                "检测数据以纸质记录为主，无法追溯到炉号、机台、班组，需要建设在线检测与质量追溯系统。",
            ),
        ),
    )


def project(number: int) -> Card:
    """One project of table 5-3: ten facts, before and after, two providers."""
    plan = (
        "以“数据驱动、分步实施”为原则：第一阶段完成62台数控设备联网和数据采集；第二阶段上线排产、执行、质量三个模块；"
        "第三阶段与供应商协同，形成从订单到交付的闭环。项目由总经理牵头，信息部、生产部共同实施，"
        "每月召开例会检查进度，按里程碑验收。"
    )
    facts = Facts(
        "",
        (
            Pair("项目名称", NAMES[number % 3], wide=True),
            Pair("数字化转型规划", plan, wide=True),
            Pair("云服务类型", "混合云"),
            Pair("云服务提供商", "龙江云计算有限公司"),
            Pair("项目开始时间", "2023年9月1日"),
            Pair("项目结束时间", "2025年6月30日"),
            Pair("软件及云服务采购支出（万元）", "168.00", align="right"),
            Pair("数据采集传输设备支出（万元）", "92.50", align="right"),
            Pair("咨询诊断等服务支出（万元）", "26.00", align="right"),
            Pair("改造总花费（万元）", "286.50", align="right"),
        ),
    )
    effects = Pairs("数字化改造（预期）成效", ("成效维度", "改造前", "改造后"), EFFECTS, ("left", "left", "left"))
    providers = Rows(
        "所使用数字化服务商及评价",
        (
            Column("序号", "center", weight=4),
            Column("服务商名称", weight=16),
            Column("产品名称", weight=14),
            Column("评价", weight=24),
        ),
        (
            (
                "1",
                "哈尔滨工智软件有限公司",
                "工智制造执行系统V5.0",
                "交付按期，驻场人员熟悉轴承行业工艺，问题响应在4小时以内。",
            ),
            ("2", "黑龙江省联信物联科技有限公司", "联信边缘采集网关", "设备稳定；协议适配较慢，二期希望改进。"),
        ),
    )
    return Card(NAMES[number % 3], (facts, effects, providers))


def sample_paper(**changes: Any) -> Paper:
    """The reference declaration: 18 facts, 2 needs, 3 projects with 2 providers each, 2 attachments."""
    blocks: tuple[Block, ...] = (
        basic_facts(),
        needs(),
        Cards("数字化转型项目", tuple(project(number) for number in range(3))),
        Rows(
            "项目投入汇总",
            (
                Column("项目名称", weight=30),
                Column("软件及云服务", "right", "万元", 12),
                Column("设备", "right", "万元", 12),
                Column("合计", "right", "万元", 12),
            ),
            tuple((name, "168.00", "92.50", "286.50") for name in NAMES),
            ("合计", "504.00", "277.50", "859.50"),
        ),
        Facts("其他情况", (Pair("标杆样板打造", "是", wide=True),)),
        Files(
            "附件清单",
            (
                FileRow("2023年度审计报告", "北辰轴承2023年审计报告.pdf", "12.4 MB"),
                FileRow("信用中国网站企业信用信息报告", "信用报告20240418.pdf", "1.1 MB"),
            ),
        ),
    )
    paper = Paper(
        title="哈尔滨市中小企业数字化改造试点\n企业培育入库申报表",
        subtitle="（2024年度首批）",
        serial="2024-PYRK-0001",
        blocks=blocks,
        code="7K3F-92QD",
        qr="GZCL1|2024-PYRK-0001|7K3F92QD",
        verify_url="https://shenbao.example.cn/verify/7K3F-92QD",
        version_label="第2版，2024年4月19日17时26分提交",
        statement=STATEMENT,
        seal_place=SealPlace(ENTERPRISE),
        footer="哈尔滨市工业和信息化局监制",
        digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    )
    return replace(paper, **changes)


def plain_paper(*blocks: Block, **changes: Any) -> Paper:
    """A short paper without seal, header or code."""
    return replace(Paper(title="情况说明", serial="2024-TEST-0001", blocks=blocks or (Prose("", "正文。"),)), **changes)
