"""A report as PDF (reportlab): A4, the notice on every page, fonts inside, the same bytes for the same report."""

import io
from collections.abc import Sequence
from functools import cache, singledispatch
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # writes, and parses nothing  # nosec B406

import matplotlib
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Flowable, Image, KeepInFrame, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from lungcad.report.document import Bars, Block, Code, Document, Facts, Picture, Pictures, Table, Text, Tone

MARGIN, TOP, BOTTOM = 17 * mm, 15 * mm, 17 * mm
WIDTH = A4[0] - 2 * MARGIN - 12
"""Of the text; a frame has 6 points of padding on either side."""
TALLEST = 120 * mm
"""A picture is no taller than this."""
FONT, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
INK, SOFT, LINE, TINT, ACCENT = (colors.HexColor(value) for value in ("#1c2733", "#5b6875", "#d5dce2", "#f3f6f8", "#2a6f97"))
WARNING = {Tone.WARNING: ("#8a5a00", "#fff6e0"), Tone.GRAVE: ("#9b2c00", "#ffece3")}
BODY = ParagraphStyle("body", fontName=FONT, fontSize=8.5, leading=12, textColor=INK)
STYLES = {
    Tone.PLAIN: BODY,
    Tone.NOTE: ParagraphStyle("note", BODY, fontSize=7.5, leading=10, textColor=SOFT),
    Tone.LEAD: ParagraphStyle("lead", BODY, fontName=BOLD, fontSize=13, leading=17),
}
TITLE = ParagraphStyle("title", BODY, fontName=BOLD, fontSize=17, leading=22)
HEADING = ParagraphStyle("heading", BODY, fontName=BOLD, fontSize=11, leading=14, spaceBefore=11, spaceAfter=4)
HEAD_CELL = ParagraphStyle("head", BODY, fontName=BOLD, fontSize=8, leading=10.5)
CELL = ParagraphStyle("cell", BODY, fontSize=8, leading=10.5)
DENSE_HEAD = ParagraphStyle("dense head", HEAD_CELL, fontSize=6.8, leading=8.5)
DENSE = ParagraphStyle("dense", CELL, fontSize=6.8, leading=8.5)
CODE = ParagraphStyle("code", BODY, fontName=MONO, fontSize=7.5, leading=10.5, backColor=TINT, borderPadding=5, leftIndent=5, rightIndent=5)


def to_pdf(document: Document) -> bytes:
    """The file. It holds no time of its own making but the report's date."""
    _fonts()
    story: list[Flowable] = [
        Paragraph(escape(document.title), TITLE),
        Paragraph(escape(document.subtitle), STYLES[Tone.NOTE]),
        Spacer(0, 5),
    ]
    story += _blocks(document.opening)
    for section in document.sections:
        heading, blocks = Paragraph(escape(section.title), HEADING), _blocks(section.blocks)
        story += [heading, *blocks] if document.one_page else [CondPageBreak(28 * mm), KeepTogether([heading, *blocks[:1]]), *blocks[1:]]
    if document.one_page:
        story = [KeepInFrame(WIDTH, A4[1] - TOP - BOTTOM - 14, story, mode="shrink")]
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=TOP, bottomMargin=BOTTOM, invariant=1,
        title=document.title, subject=document.subtitle, author=document.made_by, creator=document.made_by, lang="en",
    )  # fmt: skip

    def footer(canvas: Any, _: object) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN + 6, 9 * mm, f"{document.notice}  {document.made_by}, {document.date}")
        canvas.drawRightString(A4[0] - MARGIN - 6, 9 * mm, f"page {canvas.getPageNumber()}")
        canvas.restoreState()

    template.build(story, onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue()


@cache
def _fonts() -> None:
    """DejaVu, which comes with matplotlib: it has the signs that the standard fonts lack."""
    for name in (FONT, BOLD, MONO):
        pdfmetrics.registerFont(TTFont(name, Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")))


def _blocks(blocks: Sequence[Block]) -> list[Flowable]:
    return [flowable for block in blocks for flowable in (_pdf(block), Spacer(0, 4))]


@singledispatch
def _pdf(block: object) -> Flowable:
    raise TypeError(f"There is no PDF for {type(block).__name__}.")


@_pdf.register
def _(block: Text) -> Flowable:
    if block.tone in WARNING:
        ink, tint = map(colors.HexColor, WARNING[block.tone])
        style = ParagraphStyle("warning", BODY, fontName=BOLD if block.tone is Tone.GRAVE else FONT)
        box = Grid([[Paragraph(escape(block.text), style)]], [WIDTH], hAlign="LEFT")
        box.setStyle(
            [("BACKGROUND", (0, 0), (-1, -1), tint), ("LINEBEFORE", (0, 0), (0, -1), 3, ink), ("LEFTPADDING", (0, 0), (-1, -1), 8)]
        )
        return box
    return Paragraph(escape(block.text), STYLES[block.tone])


@_pdf.register
def _(block: Pictures) -> Flowable:
    widths = block.widths or [1 / len(block.pictures)] * len(block.pictures)
    gap = 4 * mm
    cells = [_picture(each, WIDTH * width - gap) for each, width in zip(block.pictures, widths, strict=True)]
    grid = Grid([cells], [WIDTH * width for width in widths], hAlign="LEFT")
    grid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), gap)])
    return grid


@_pdf.register
def _(block: Table) -> Flowable:
    widths = block.widths or [1.0] * len(block.rows[0] if block.rows else block.columns)
    has_head = any(block.columns)
    head_style, style = (DENSE_HEAD, DENSE) if block.dense else (HEAD_CELL, CELL)
    head = [[Paragraph(escape(name), head_style) for name in block.columns]] if has_head else []
    grid = _ruled(head + [[_cell(value, style) for value in row] for row in block.rows], widths, repeat=int(has_head))
    if not block.caption:
        return grid
    return KeepTogether([Paragraph(escape(block.caption), STYLES[Tone.NOTE]), grid]) if len(block.rows) < 12 else grid


@_pdf.register
def _(block: Facts) -> Flowable:
    name_style = ParagraphStyle("name", CELL, textColor=SOFT)
    return _ruled([[Paragraph(escape(name), name_style), _cell(value)] for name, value in block.rows], (1, 3.6))


@_pdf.register
def _(block: Bars) -> Flowable:
    rows: list[list[Flowable]] = [[Paragraph(escape(block.axis), STYLES[Tone.NOTE]), Spacer(0, 0), Spacer(0, 0)]]
    length = WIDTH * 0.55
    for index, (name, share) in enumerate(block.rows):
        drawing = Drawing(length, 8)
        drawing.add(Rect(0, 0, length, 8, fillColor=TINT, strokeColor=LINE, strokeWidth=0.4))
        drawing.add(Rect(0, 0, length * min(max(share, 0.0), 1.0), 8, fillColor=SOFT if index else ACCENT, strokeColor=None))
        style = CELL if index else HEAD_CELL
        number = ParagraphStyle("number", style, alignment=2)
        rows.append([Paragraph(escape(name), style), drawing, Paragraph(f"{share:.1%}", number)])
    grid = Grid(rows, [WIDTH * 0.32, WIDTH * 0.57, WIDTH * 0.11], hAlign="LEFT")
    grid.setStyle([("SPAN", (0, 0), (-1, 0)), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), *_TIGHT])
    return grid


@_pdf.register
def _(block: Code) -> Flowable:
    return Paragraph(escape(block.text).replace("\n", "<br/>"), CODE)


_TIGHT = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)]


def _ruled(rows: Sequence[Sequence[Flowable]], widths: Sequence[float], *, repeat: int = 0) -> Flowable:
    """A grid with a line below each row; headings come again on the next page."""
    grid = Grid(rows, [WIDTH * width / sum(widths) for width in widths], repeatRows=repeat, hAlign="LEFT")
    lines = [("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    grid.setStyle(
        [*lines, ("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 2.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5)]
    )
    return grid


def _cell(text: str, style: ParagraphStyle = CELL) -> Flowable:
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _picture(picture: Picture, width: float) -> list[Flowable]:
    columns, rows = ImageReader(io.BytesIO(picture.png)).getSize()
    scale = min(width / columns, TALLEST / rows)
    image = Image(io.BytesIO(picture.png), columns * scale, rows * scale, hAlign="LEFT")
    return [image, Spacer(0, 2), Paragraph(escape(picture.caption), STYLES[Tone.NOTE])]
