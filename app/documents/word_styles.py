"""Styles, font fall-backs and language of the Word file, as XML. Sizes come from ``layout``."""

from __future__ import annotations

from app.documents import layout

TITLE_FONT, BODY_FONT, HEADING_FONT, PART_FONT, NUMBER_FONT = (
    "方正小标宋简体",
    "仿宋_GB2312",
    "黑体",
    "楷体_GB2312",
    "宋体",
)
LATIN_FONT = "Times New Roman"

# A clerk's machine may lack the left one; Word then takes the first on the right that it has.
FALLBACKS = {
    TITLE_FONT: "小标宋,华文中宋,宋体,SimSun",
    BODY_FONT: "仿宋,FangSong,华文仿宋",
    PART_FONT: "楷体,KaiTi,华文楷体",
    HEADING_FONT: "SimHei",
    NUMBER_FONT: "SimSun",
}

FAMILIES = {TITLE_FONT: "roman", NUMBER_FONT: "roman"}

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _half_points(size: float) -> int:
    return round(size * 2)


def _twentieths(size: float) -> int:
    return round(size * 20)


def _run(font: str, size: float, extra: str = "") -> str:
    half = _half_points(size)
    latin = " ".join(f'w:{script}="{LATIN_FONT}"' for script in ("ascii", "hAnsi", "cs"))
    fonts = f'<w:rFonts {latin} w:eastAsia="{font}" w:hint="eastAsia"/>'
    return f'<w:rPr>{fonts}{extra}<w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>'


def _style(key: str, name: str, paragraph: str, run: str, *, base: str = "sbBase", follows: str = "") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    default = ' w:default="1"' if not base else ""
    after = f'<w:next w:val="{follows}"/>' if follows else ""
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{key}"><w:name w:val="{name}"/>{based}{after}<w:qFormat/>'
        f"<w:pPr>{paragraph}</w:pPr>{run}</w:style>"
    )


def _exact(pitch: float, before: float = 0, after: float = 0) -> str:
    """Fixed line pitch, in points: Chinese faces differ in height, the page must not."""
    return (
        f'<w:spacing w:before="{_twentieths(before)}" w:after="{_twentieths(after)}"'
        f' w:line="{_twentieths(pitch)}" w:lineRule="exact"/>'
    )


def _at_least(pitch: float, before: float = 0, after: float = 0) -> str:
    return _exact(pitch, before, after).replace('"exact"', '"atLeast"')


def styles_xml() -> str:
    """The whole style part: base, title, two heading levels, running text, table text, header and page number."""
    body, cell = _twentieths(layout.BODY_SIZE), layout.CELL_PITCH
    centre, right = '<w:jc w:val="center"/>', '<w:jc w:val="right"/>'
    justified = '<w:jc w:val="both"/>'
    keep = "<w:keepNext/><w:keepLines/>"
    cell_run = _run(BODY_FONT, layout.CELL_SIZE)
    grey = '<w:color w:val="444444"/>'
    styles = [
        _style("sbBase", "Normal", "<w:widowControl/><w:kinsoku/><w:overflowPunct/>", _run(BODY_FONT, 16), base=""),
        _style(
            "sbTitle", "Title", keep + _exact(34, 0, 6) + centre + '<w:outlineLvl w:val="0"/>', _run(TITLE_FONT, 22)
        ),
        _style("sbSubtitle", "Subtitle", keep + _exact(24, 0, 6) + centre, _run(PART_FONT, 14)),
        _style(
            "sbHeading", "heading 1", keep + _exact(28.95, 10, 4) + '<w:outlineLvl w:val="1"/>', _run(HEADING_FONT, 16)
        ),
        _style("sbCard", "heading 2", keep + _exact(26, 8, 3) + '<w:outlineLvl w:val="2"/>', _run(PART_FONT, 15)),
        _style("sbPart", "heading 3", keep + _exact(22, 6, 2) + '<w:outlineLvl w:val="3"/>', _run(HEADING_FONT, 12)),
        _style(
            "sbProse",
            "Body Text",
            _exact(28.95) + f'<w:ind w:firstLineChars="200" w:firstLine="{body * 2}"/>' + justified,
            _run(BODY_FONT, layout.BODY_SIZE),
        ),
        _style("sbGap", "sbGap", _exact(6), _run(BODY_FONT, 5)),
        _style("sbCell", "sbCell", _at_least(cell), cell_run),
        _style("sbCellRight", "sbCellRight", _at_least(cell) + right, cell_run),
        _style("sbCellCenter", "sbCellCenter", _at_least(cell) + centre, cell_run),
        _style("sbLabel", "sbLabel", _at_least(cell) + centre, cell_run),
        _style("sbHead", "sbHead", "<w:keepNext/>" + _at_least(cell) + centre, _run(HEADING_FONT, layout.CELL_SIZE)),
        _style(
            "sbPledge",
            "sbPledge",
            _at_least(24) + '<w:ind w:firstLineChars="200" w:firstLine="480"/>',
            _run(BODY_FONT, 12),
        ),
        _style("sbSign", "sbSign", _at_least(26), _run(BODY_FONT, 12)),
        _style("sbSignCenter", "sbSignCenter", _at_least(26) + centre, _run(BODY_FONT, 12)),
        _style("sbHeader", "header", _exact(14), _run(NUMBER_FONT, layout.SMALL_SIZE, grey)),
        _style("sbWarning", "sbWarning", _exact(14) + centre, _run(NUMBER_FONT, layout.SMALL_SIZE, grey)),
        _style("sbPicture", "sbPicture", '<w:spacing w:before="30" w:after="30"/>' + centre, _run(NUMBER_FONT, 5)),
        _style(
            "sbPageOdd", "footer", _exact(20) + '<w:ind w:right="280"/>' + right, _run(NUMBER_FONT, layout.NUMBER_SIZE)
        ),
        _style("sbPageEven", "sbPageEven", _exact(20) + '<w:ind w:left="280"/>', _run(NUMBER_FONT, layout.NUMBER_SIZE)),
        _style("sbFooter", "sbFooter", _exact(14) + centre, _run(NUMBER_FONT, layout.SMALL_SIZE, grey)),
    ]
    defaults = (
        f"<w:docDefaults><w:rPrDefault><w:rPr>{_language()}</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
    )
    return f"<w:styles {NAMESPACE}>{defaults}{''.join(styles)}</w:styles>"


def _language() -> str:
    return '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'


def font_table_xml() -> str:
    """Every face with the names that may stand in for it."""
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="86"/>'
        f'<w:family w:val="{FAMILIES.get(name, "modern")}"/></w:font>'
        for name, others in FALLBACKS.items()
    )
    return f"<w:fonts {NAMESPACE}>{entries}</w:fonts>"


def settings_xml() -> str:
    """Document settings: different headers on odd and even pages, current Word layout rules, compressed punctuation."""
    mode = '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
    return (
        f'<w:settings {NAMESPACE}><w:zoom w:percent="100"/><w:defaultTabStop w:val="420"/><w:evenAndOddHeaders/>'
        f'<w:characterSpacingControl w:val="compressPunctuation"/><w:compat>{mode}</w:compat>'
        '<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>'
    )
