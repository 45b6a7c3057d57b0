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


def _style(key: str, name: str, paragraph: str, run: str, *, base: str = "sbBase") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    default = ' w:default="1"' if not base else ""
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{key}"><w:name w:val="{name}"/>{based}<w:qFormat/>'
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


def _points(millimetres: float) -> float:
    return millimetres / 25.4 * 72


def _seal_line(*, above: float = 0, below: float = 0) -> str:
    """A line that the seal rides on: centred in the right part of its cell; measures in mm."""
    indent = _twentieths(_points(layout.TEXT_WIDTH - layout.PLEDGE_LABEL - layout.SEAL_CELL))
    spacing = _at_least(_points(layout.SEAL_LINE), _points(above), _points(below))
    return f'{spacing}<w:ind w:left="{indent}"/><w:jc w:val="center"/>'


_CENTRE, _RIGHT = '<w:jc w:val="center"/>', '<w:jc w:val="right"/>'
_KEEP = "<w:keepNext/><w:keepLines/>"


def styles_xml() -> str:
    """The whole style part: base, title, headings, running text, table text, seal, header and page number."""
    styles = "".join([*_text_styles(), *_table_styles(), *_edge_styles()])
    defaults = f"<w:rPrDefault><w:rPr>{_language()}</w:rPr></w:rPrDefault><w:pPrDefault/>"
    return f"<w:styles {NAMESPACE}><w:docDefaults>{defaults}</w:docDefaults>{styles}</w:styles>"


def _heading(key: str, name: str, font: str, size: float, spacing: str, level: int, align: str = "") -> str:
    return _style(key, name, f'{_KEEP}{spacing}{align}<w:outlineLvl w:val="{level}"/>', _run(font, size))


def _first_line(size: float) -> str:
    """First line indented by two signs of ``size`` points."""
    return f'<w:ind w:firstLineChars="200" w:firstLine="{_twentieths(size) * 2}"/>'


def _text_styles() -> list[str]:
    """Title, headings and running text."""
    pitch, body = layout.BODY_PITCH, layout.BODY_SIZE
    return [
        _style("sbBase", "Normal", "<w:widowControl/><w:kinsoku/><w:overflowPunct/>", _run(BODY_FONT, body), base=""),
        _heading("sbTitle", "Title", TITLE_FONT, layout.TITLE_SIZE, _exact(34, 0, 6), 0, _CENTRE),
        _style("sbSubtitle", "Subtitle", _KEEP + _exact(24, 0, 6) + _CENTRE, _run(PART_FONT, 14)),
        _heading("sbHeading", "heading 1", HEADING_FONT, layout.HEADING_SIZE, _exact(pitch, 10, 4), 1),
        _heading("sbCard", "heading 2", PART_FONT, 15, _exact(26, 8, 3), 2),
        _heading("sbPart", "heading 3", HEADING_FONT, layout.PART_SIZE, _exact(22, 6, 2), 3),
        _style(
            "sbProse", "Body Text", f'{_exact(pitch)}{_first_line(body)}<w:jc w:val="both"/>', _run(BODY_FONT, body)
        ),
        _style("sbGap", "sbGap", _exact(6), _run(BODY_FONT, 5)),
    ]


def _table_styles() -> list[str]:
    """Cells by alignment, labels, heads, and the box with statement and seal."""
    pitch, text, sign = _at_least(layout.CELL_PITCH), _run(BODY_FONT, layout.CELL_SIZE), _run(BODY_FONT, 12)
    return [
        _style("sbCell", "sbCell", pitch, text),
        _style("sbCellRight", "sbCellRight", pitch + _RIGHT, text),
        _style("sbCellCenter", "sbCellCenter", pitch + _CENTRE, text),
        _style("sbLabel", "sbLabel", pitch + _CENTRE, text),
        _style("sbHead", "sbHead", f"<w:keepNext/>{pitch}{_CENTRE}", _run(HEADING_FONT, layout.CELL_SIZE)),
        _style("sbPledge", "sbPledge", _at_least(24) + _first_line(12), sign),
        _style("sbSign", "sbSign", _at_least(26), sign),
        _style("sbSealFirst", "sbSealFirst", _seal_line(above=layout.SEAL_ABOVE), sign),
        _style("sbSeal", "sbSeal", _seal_line(), sign),
        _style("sbSealLast", "sbSealLast", _seal_line(below=layout.SEAL_BELOW), sign),
    ]


def _edge_styles() -> list[str]:
    """What stands at the top and the bottom of every page."""
    small = _run(NUMBER_FONT, layout.SMALL_SIZE, '<w:color w:val="444444"/>')
    number = _run(NUMBER_FONT, layout.NUMBER_SIZE)
    inside = _twentieths(layout.NUMBER_SIZE)
    return [
        _style("sbHeader", "header", _exact(14), small),
        _style("sbWarning", "sbWarning", _exact(14) + _CENTRE, small),
        _style("sbPicture", "sbPicture", f'<w:spacing w:before="30" w:after="30"/>{_CENTRE}', _run(NUMBER_FONT, 5)),
        _style("sbPageOdd", "footer", f'{_exact(20)}<w:ind w:right="{inside}"/>{_RIGHT}', number),
        _style("sbPageEven", "sbPageEven", f'{_exact(20)}<w:ind w:left="{inside}"/>', number),
        _style("sbFooter", "sbFooter", _exact(14) + _CENTRE, small),
    ]


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
