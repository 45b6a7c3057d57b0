"""The demo's stamped paper is read back as a real one is."""

from __future__ import annotations

from pathlib import Path

from app.adapters.pdf import check_pdf
from app.adapters.scan import read_scan
from app.documents.codes import make_qr_text
from app.documents.demo import plain_page, stamped_pages


def test_code_on_every_page_and_a_seal_on_the_last(tmp_path: Path) -> None:
    code = make_qr_text("2026-PY-0007", "7K3F-92QD")
    path = tmp_path / "scan.pdf"
    path.write_bytes(stamped_pages(code, 3))
    assert (check_pdf(path).ok, check_pdf(path).pages) == (True, 3)
    facts = read_scan(path)
    assert facts.codes == ((code,), (code,), (code,))
    assert (facts.seals, facts.seal, facts.colour) == (("cannot_tell", "cannot_tell", "seen"), "seen", True)


def test_a_plain_page_is_a_good_pdf_and_always_the_same(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(plain_page("audit_report"))
    assert (check_pdf(path).ok, check_pdf(path).pages) == (True, 1)
    assert plain_page("audit_report") == path.read_bytes() != plain_page("other")
