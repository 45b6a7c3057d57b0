"""Papers for the demo: a page that says what it stands for, and a stamped material as it comes back from the scanner."""

from __future__ import annotations

import math
from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

CODE_SIDE = 72.0
SEAL = (430.0, 170.0, 57.0)
"""Centre and radius of the seal in points: four centimetres wide, at the lower right."""
RED = (0.75, 0.12, 0.14)


def plain_page(name: str) -> bytes:
    """A PDF of one page with ``name`` (ASCII) on it."""
    target = BytesIO()
    sheet = Canvas(target, pagesize=A4, invariant=True)
    _head(sheet, name)
    sheet.save()
    return target.getvalue()


def stamped_pages(code: str, pages: int) -> bytes:
    """A PDF of ``pages`` pages, each with the QR text ``code`` at the upper right, and a red seal on the last."""
    target = BytesIO()
    sheet = Canvas(target, pagesize=A4, invariant=True)
    for number in range(1, pages + 1):
        _head(sheet, f"{number} / {pages}")
        drawing = Drawing(CODE_SIDE, CODE_SIDE)
        drawing.add(QrCodeWidget(code, barLevel="M", barWidth=CODE_SIDE, barHeight=CODE_SIDE))
        renderPDF.draw(drawing, sheet, 480, 740)
        if number == pages:
            _seal(sheet)
        sheet.showPage()
    sheet.save()
    return target.getvalue()


def _head(sheet: Canvas, words: str) -> None:
    sheet.setFont("Helvetica", 14)
    sheet.drawString(72, 760, f"DEMO / {words}")


def _seal(sheet: Canvas) -> None:
    """Ring, star, and signs around it."""
    x, y, radius = SEAL
    sheet.setStrokeColorRGB(*RED)
    sheet.setFillColorRGB(*RED)
    sheet.setLineWidth(4)
    sheet.circle(x, y, radius)
    star = sheet.beginPath()
    for tip in range(10):
        reach, turn = radius * (0.4 if tip % 2 == 0 else 0.16), math.radians(90 + tip * 36)
        (star.lineTo if tip else star.moveTo)(x + math.cos(turn) * reach, y + math.sin(turn) * reach)
    star.close()
    sheet.drawPath(star, fill=1)
    sheet.setFont("Helvetica-Bold", 11)
    for turn in range(-120, 121, 24):
        sheet.saveState()
        sheet.translate(x, y)
        sheet.rotate(-turn)
        sheet.drawCentredString(0, radius * 0.7, "H")
        sheet.restoreState()
