"""From judged answers to the value tree: every paper of every definition is built here, by one set of rules.

Fields become form tables. Rows of a child table become lines of a list while they are short, and one card each when
they are long, hold comparisons or have rows of their own. Hidden questions are left out. Nothing reads the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from app.definitions.evaluation import Evaluation, FieldState, FileState, RowState, SectionState, TableState
from app.definitions.schema import Group
from app.documents.codes import make_qr_text
from app.documents.layout import CELL_SIZE, TEXT_WIDTH, display_width
from app.documents.tree import (
    Align,
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
    Rows,
    SealPlace,
)
from app.fields.base import FieldSpec

MAX_LIST_COLUMNS, MAX_SHORT_COLUMNS = 5, 8
"""Columns of a list: at most five, or eight if every one is short; a row with more becomes a card."""
SHORT_LENGTH = 100
NUMBERS = frozenset({"integer", "decimal", "percent"})
_LONG = frozenset({"text", "region", "industry", "multiselect"})
CAPACITY = round(TEXT_WIDTH / 25.4 * 72 / CELL_SIZE * 2)
"""Half-width signs in a line of a table."""
_MAX_WIDTH, _HEAD_WIDTH, _PADDING, _NUMBER_WEIGHT = 44, 8, 3, 7
_GAP = re.compile(r"(?<=[0-9]) (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) (?=[0-9])")
_BRACKETED = re.compile(r"\(([^()]*)\)$")


@dataclass(frozen=True)
class PaperFacts:
    """What a paper says besides the answers. Empty text and 0 are left out.

    ``code`` is the check code of this revision, ``digest`` its SHA-256 in hex; ``submitted`` the moment in words.
    ``seal`` asks for the place of seal and signature, with the statement above it.
    """

    title: str
    enterprise: str
    batch: str = ""
    serial: str = ""
    code: str = ""
    verify_url: str = ""
    revision: int = 0
    submitted: str = ""
    digest: str = ""
    seal: bool = False


def build_paper(evaluation: Evaluation, facts: PaperFacts) -> Paper:
    """The paper of a declaration's answers with its attachments, statement and place for the seal."""
    blocks: list[Block] = []
    for section in evaluation.sections:
        if section.visible:
            blocks += _section(section)
    files = _files(evaluation)
    return paper_of(
        facts,
        [*blocks, files] if files else blocks,
        statement=(evaluation.definition.statement or "") if facts.seal else "",
        seal_place=SealPlace(facts.enterprise) if facts.seal else None,
    )


def paper_of(
    facts: PaperFacts, blocks: Sequence[Block], *, statement: str = "", seal_place: SealPlace | None = None
) -> Paper:
    """A paper of ``blocks`` with the title, codes and footer that ``facts`` give."""
    return Paper(
        title=paper_title(facts.title),
        subtitle=f"（{tight(facts.batch)}）" if facts.batch else "",
        serial=facts.serial,
        blocks=tuple(blocks),
        code=facts.code,
        qr=make_qr_text(facts.serial, facts.code) if facts.code else "",
        verify_url=facts.verify_url,
        version_label=_version(facts),
        statement=statement,
        seal_place=seal_place,
        footer=_("内容摘要 %(digest)s", digest=facts.digest[:16]) if facts.digest else "",
        digest=facts.digest,
    )


def paper_title(title: str) -> str:
    """``title`` without a closing remark in brackets: 申报表（待盖章材料） is headed 申报表."""
    head = title[: title.rindex("（")] if title.endswith("）") and "（" in title[1:] else title
    return head or title


def tight(text: str) -> str:
    """``text`` without the blanks between figures and Chinese that pages have and paper has not."""
    return _GAP.sub("", text)


def file_size(size: int | None) -> str:
    """``8.6 MB``, ``420 KB``; ``size`` in bytes."""
    if size is None:
        return ""
    return f"{size / 1_048_576:.1f} MB" if size >= 1_048_576 else f"{max(1, round(size / 1024))} KB"


def _version(facts: PaperFacts) -> str:
    if not facts.revision:
        return ""
    label = _("第%(n)s版", n=facts.revision)
    return f"{label}，{tight(facts.submitted)}" if facts.submitted else str(label)


def _section(section: SectionState) -> list[Block]:
    blocks: list[Block] = []
    pairs = _pairs_of(section.fields)
    if pairs:
        blocks.append(Facts(section.spec.label, pairs))
    return blocks + [_table(t) for t in section.tables if t.visible]


def _pairs_of(fields: Iterable[FieldState]) -> tuple[Pair, ...]:
    return tuple(
        Pair(label_with_unit(f.spec), _text(f), wide=f.spec.wide or f.spec.type == "text", align=_align(f))
        for f in fields
        if f.visible
    )


def label_with_unit(spec: FieldSpec) -> str:
    """The label with its unit in brackets, once."""
    label, unit = _BRACKETED.sub(r"（\1）", spec.label), spec.unit
    return f"{label}（{unit}）" if unit and not label.endswith(f"（{unit}）") else label


def _text(field: FieldState) -> str:
    """The answer as paper shows it: dates written out, all else as pages show it."""
    if isinstance(field.value, date):
        return _("%(y)s年%(m)s月%(d)s日", y=field.value.year, m=field.value.month, d=field.value.day)
    return field.text


def _align(field: FieldState) -> Align:
    return "right" if field.spec.type in NUMBERS and not field.error else "left"


def _table(table: TableState) -> Rows | Cards:
    if _fits_line(table):
        return _rows(table)
    cards = tuple(Card(row.title, _card_parts(table, row)) for row in table.rows)
    return Cards(table.spec.label, cards, empty=_("无"))


def _fits_line(table: TableState) -> bool:
    """Whether the rows can be lines of a list."""
    spec = table.spec
    if spec.tables or any(group.layout == "pairs" for group in spec.groups):
        return False
    columns = spec.all_columns
    return len(columns) <= (MAX_SHORT_COLUMNS if all(map(_is_short, columns)) else MAX_LIST_COLUMNS)


def _is_short(column: FieldSpec) -> bool:
    return column.type not in _LONG and not column.wide and (column.max_length or 0) <= SHORT_LENGTH


def _rows(table: TableState) -> Rows:
    """Lines with a running number; columns are as wide as what they hold."""
    specs = table.spec.all_columns
    shown = [s for s in specs if not table.rows or any(row.fields[s.key].visible for row in table.rows)]
    lines = [tuple(_line_cell(row.fields[s.key]) for s in shown) for row in table.rows]
    columns = [Column(_("序号"), "center", weight=_NUMBER_WEIGHT)]
    weights = _weights(shown, lines)
    for spec, weight in zip(shown, weights, strict=True):
        state, unit = FieldState(spec, spec.key), spec.unit or ""
        label = label_with_unit(spec).removesuffix(f"（{unit}）")
        columns.append(Column(label, _align(state), unit, weight))
    rows = tuple((str(number), *line) for number, line in enumerate(lines, 1))
    return Rows(table.spec.label, tuple(columns), rows, empty=_("无"))


def _line_cell(field: FieldState) -> str:
    """The answer in a narrow column: dates stay short and on one line."""
    return field.text if field.visible else ""


def _cell(field: FieldState) -> str:
    return _text(field) if field.visible else ""


def _weights(specs: Sequence[FieldSpec], lines: Sequence[Sequence[str]]) -> list[int]:
    """Widths in half-width signs: figures and dates get what they need, texts share what is left."""
    needs = [_need(spec, [line[index] for line in lines]) for index, spec in enumerate(specs)]
    texts = [0 if _is_firm(spec) else need for spec, need in zip(specs, needs, strict=True)]
    wanted = sum(texts)
    left = CAPACITY - _NUMBER_WEIGHT - (sum(needs) - wanted)
    if left < wanted / 4:
        return needs
    return [max(1, round(text * left / wanted)) if text else need for text, need in zip(texts, needs, strict=True)]


def _is_firm(spec: FieldSpec) -> bool:
    return spec.type in NUMBERS or spec.type == "date"


def _need(spec: FieldSpec, texts: Sequence[str]) -> int:
    """Width at which nothing of ``texts`` or the head breaks inside a word, within limits."""
    longest = max((display_width(part) for text in texts for part in text.split("\n")), default=0)
    unit = display_width(spec.unit) + 4 if spec.unit else 0
    head = max(unit, min(_HEAD_WIDTH, display_width(spec.label)))
    return max(head, min(_MAX_WIDTH, longest)) + _PADDING


def _card_parts(table: TableState, row: RowState) -> tuple[Facts | Rows | Pairs, ...]:
    """A row's own columns, its groups in order, then its nested tables."""
    parts: list[Facts | Rows | Pairs] = []
    own = _pairs_of(row.fields[c.key] for c in table.spec.columns)
    if own:
        parts.append(Facts("", own))
    for group in table.spec.groups:
        part = _group(group, row, group.label if parts else "")
        if part is not None:
            parts.append(part)
    for nested in row.tables.values():
        if nested.visible:
            parts += _nested(nested)
    return tuple(parts)


def _group(group: Group, row: RowState, title: str) -> Facts | Pairs | None:
    """A run of columns: compared side by side if it is meant so and can be, else a form table; None if all is hidden."""
    comparison = _comparison(group, row, title) if group.layout == "pairs" else None
    if comparison is not None:
        return comparison
    facts = _pairs_of(row.fields[c.key] for c in group.columns)
    return Facts(title, facts) if facts else None


def _nested(table: TableState) -> list[Rows] | list[Facts]:
    """Short nested rows as one list; long ones as a form table each, with the row's name."""
    if _fits_line(table):
        return [_rows(table)]
    return [
        Facts(f"{table.spec.row_label}{row.number}：{row.title}", _pairs_of(row.fields.values())) for row in table.rows
    ]


@dataclass(frozen=True)
class _Couple:
    """The same question before and after."""

    before: FieldState
    after: FieldState

    @property
    def names(self) -> tuple[str, str, str] | None:
        """What both labels share and what each has of its own, if they come apart so."""
        return split_labels(self.before.spec.label, self.after.spec.label)

    def line(self) -> tuple[str, str, str]:
        """Name with unit, answer before, answer after."""
        spec = self.before.spec
        name = self.names[0] if self.names else spec.label
        unit = f"（{spec.unit}）" if spec.unit else ""
        return f"{name}{unit}", _cell(self.before), _cell(self.after)


def _comparison(group: Group, row: RowState, title: str) -> Pairs | None:
    """Before and after side by side; None if the columns do not come in such pairs, or all are hidden."""
    couples = _couples(group, row)
    if not couples:
        return None
    heads = [couple.names[1:] for couple in couples if couple.names] or [(_("改造前"), _("改造后"))]
    are_numbers = all(couple.before.spec.type in NUMBERS for couple in couples)
    align: Align = "right" if are_numbers else "left"
    lines = tuple(couple.line() for couple in couples)
    return Pairs(title, (_("项目"), *heads[-1]), lines, ("left", align, align))


def _couples(group: Group, row: RowState) -> list[_Couple]:
    """The pairs of columns of which at least one is shown."""
    couples = [_Couple(row.fields[before], row.fields[after]) for before, after in couples_of(group) or ()]
    return [couple for couple in couples if couple.before.visible or couple.after.visible]


def couples_of(group: Group) -> list[tuple[str, str]] | None:
    """Keys of the columns that stand before and after each other, in order; None if one is left over."""
    keys = [c.key for c in group.columns]
    return list(zip(keys[::2], keys[1::2], strict=True)) if len(keys) % 2 == 0 else None


def split_labels(before: str, after: str) -> tuple[str, str, str] | None:
    """What two labels share and what each has of its own: 改造前合格率, 改造后合格率 → 合格率, 改造前, 改造后."""
    length = 0
    while length < min(len(before), len(after)) and before[-1 - length] == after[-1 - length]:
        length += 1
    shared, own = before[len(before) - length :], (before[: len(before) - length], after[: len(after) - length])
    return (shared, *own) if shared and all(own) else None


def _files(evaluation: Evaluation) -> Files | None:
    """The list of what was sent in; what comes after stamping is not part of the stamped paper."""
    states = [f for f in evaluation.files if f.spec.stage == "submit"]
    if not states:
        return None
    rows = tuple(row for state in states for row in _file_rows(state))
    return Files(_("附件清单"), rows, empty=_("无"))


def _file_rows(state: FileState) -> list[FileRow]:
    return [FileRow(state.spec.label, str(f["name"]), file_size(f.get("size"))) for f in state.files]
