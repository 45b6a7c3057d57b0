"""Whether an uploaded file is a PDF that officials can open, and if not, what to do about it.

The first kilobyte is judged here, so that a picture or a Word file is refused at once; everything else is read by
``pdf_reader`` in a limited child process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from app.adapters.process import ProcessLimit, run_limited

HEAD = 1024
# Starts of other formats. A PDF header behind one of these is a file that is two things at once.
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")
_OTHERS = (b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"#!", b"<", b"%!PS")


@dataclass(frozen=True)
class PdfFacts:
    """The verdict. ``reason`` is a sentence for the reader and ``reason_key`` its stable name, empty when ``ok``.

    ``unclear``: the check ran into a limit, so the file is unproven rather than wrong.
    """

    ok: bool
    pages: int = 0
    reason_key: str = ""
    reason: str = ""
    unclear: bool = False


def check_pdf(path: Path) -> PdfFacts:
    """Check the file at ``path``; never raises for what is in it."""
    if early := _judge_head(path):
        return _refused(early)
    try:
        found = run_limited("app.adapters.pdf_reader:inspect", str(path))
    except ProcessLimit:
        return _refused("too_complex")
    if not found["ok"]:
        return _refused(found["reason_key"], found["pages"], found["page"])
    return PdfFacts(ok=True, pages=found["pages"])


def _judge_head(path: Path) -> str:
    """The reason to refuse that the first bytes give, or an empty text."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    start = head.lstrip(b"\xef\xbb\xbf\x00 \t\r\n")
    if not head:
        return "no_bytes"
    if start.startswith(_PICTURES):
        return "picture"
    if start.startswith(_OFFICE):
        return "office"
    if start.startswith(_OTHERS) or b"%PDF-" not in head:
        return "not_pdf"
    return ""


def _refused(key: str, pages: int = 0, page: int = 0) -> PdfFacts:
    return PdfFacts(
        ok=False, pages=pages, reason_key=key, reason=_sentence(key, pages, page), unclear=key == "too_complex"
    )


def _sentence(key: str, pages: int, page: int) -> str:
    """What is wrong, then what to do."""
    sentences: dict[str, str] = {
        "no_bytes": _("这个文件是空的，里面没有内容。请在电脑上打开看一下，再重新选择。"),
        "picture": _("这个文件是图片，不是 PDF。请用扫描软件把图片合成一个 PDF 再传。"),
        "office": _("这个文件是 Word、表格或压缩包，不是 PDF。请先另存为 PDF，再传。"),
        "not_pdf": _("这个文件不是 PDF，只改后缀名不行。请把材料导出或扫描成 PDF 再传。"),
        "encrypted": _("这个 PDF 加了密码或权限限制，审核人员打不开。请去掉密码，重新导出后再传。"),
        "damaged": _("这个 PDF 不完整或已损坏，打不开。请先在电脑上打开确认，再重新导出或扫描。"),
        "empty": _("这个 PDF 一页也没有。请检查导出的文件，换一个有内容的再传。"),
        "too_many_pages": _(
            "这个 PDF 有 %(pages)s 页，最多 5000 页。请只保留要求的材料，或分成几个文件再传。", pages=pages
        ),
        "script": _("这个 PDF 里带有脚本或自动执行的动作，为了安全不能收。请打印成普通 PDF 再传。"),
        "attachment": _("这个 PDF 里夹带了别的文件，为了安全不能收。请把夹带的文件去掉，或打印成普通 PDF 再传。"),
        "page_size": _("第 %(page)s 页的纸张尺寸不对，无法打印。请按 A4 重新导出或扫描。", page=page),
        "too_complex": _("这个 PDF 太复杂，没能检查完。请重新导出或扫描成普通的 PDF 再传。"),
    }
    return sentences[key]
