"""A report as one HTML file: nothing is fetched, nothing runs, pictures are inside."""

import base64
from collections.abc import Callable, Sequence
from functools import singledispatch
from html import escape

from lungcad.report.document import Bars, Block, Code, Document, Facts, Picture, Pictures, Table, Text

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6875; --line: #d5dce2; --paper: #fff; --tint: #f3f6f8; --accent: #2a6f97;
  --warn: #8a5a00; --warn-tint: #fff6e0; --grave: #9b2c00; --grave-tint: #ffece3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebef; --soft: #a2adb8; --line: #3a444e; --paper: #14191e; --tint: #1d242b;
  --accent: #6db3d9; --warn: #f0c060; --warn-tint: #33290f; --grave: #ff9a6b; --grave-tint: #3a1d10; } }
@media print { :root { color-scheme: light; --ink: #1c2733; --soft: #5b6875; --line: #d5dce2; --paper: #fff; --tint: #f3f6f8; }
  section { break-inside: avoid-page; } }
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.25rem 0 .6rem; }
.subtitle, .note, figcaption, caption, footer { color: var(--soft); font-size: .875rem; }
.notice { border-left: 4px solid var(--accent); background: var(--tint); padding: .5rem .8rem; margin: 1rem 0; font-size: .9rem; }
.lead { font-size: 1.25rem; font-weight: 600; margin: .4rem 0; }
.warning, .grave { border-left: 4px solid var(--warn); background: var(--warn-tint); padding: .5rem .8rem; margin: .5rem 0; }
.grave { border-color: var(--grave); background: var(--grave-tint); font-weight: 600; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.25rem; margin: .8rem 0; }
figure { margin: 0; flex: 1 1 20rem; min-width: 0; } figure img { display: block; max-width: 100%; height: auto; }
figcaption { margin-top: .35rem; }
.scroll { overflow-x: auto; } .scroll table { min-width: 34rem; } td, th { min-width: 3rem; }
table { border-collapse: collapse; width: 100%; max-width: 100%; font-size: .9rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
th, td { white-space: pre-line; }
.dense { font-size: .8rem; } th[scope=row] { font-weight: 600; } .facts { table-layout: fixed; } .facts th { width: 13rem; font-weight: 500; color: var(--soft); }
.bars { table-layout: fixed; } .bars th { width: 14rem; font-weight: 400; } 
.bars td, .bars th { border: 0; } .bars tr:first-child th { font-weight: 600; }
.bars td:last-child { width: 5rem; text-align: right; font-variant-numeric: tabular-nums; }
.track { background: var(--tint); border-radius: 3px; border: 1px solid var(--line); } .bar { height: .85rem; background: var(--soft); border-radius: 2px; }
.bars tr:first-child .bar { background: var(--accent); }
pre { background: var(--tint); padding: .7rem .9rem; overflow-x: auto; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .6rem; }
@media (max-width: 40rem) { .facts th { width: 40%; } .bars th { width: 40%; } }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_html(document: Document) -> str:
    """The whole file; every text in it is escaped."""
    sections = "".join(f"<section><h2>{escape(each.title)}</h2>{_blocks(each.blocks)}</section>" for each in document.sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="{escape(document.made_by)}"><title>{escape(document.title)}</title><style>{STYLE}</style></head>\n'
        f'<body><main><header><h1>{escape(document.title)}</h1><div class="subtitle">{escape(document.subtitle)}</div>'
        f'<p class="notice">{escape(document.notice)}</p></header>{_blocks(document.opening)}{sections}'
        f"<footer>{escape(document.made_by)} · {escape(document.date)} · {escape(document.notice)}</footer></main></body></html>\n"
    )


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(map(_html, blocks))


@singledispatch
def _html(block: object) -> str:
    raise TypeError(f"There is no HTML for {type(block).__name__}.")


@_html.register
def _(block: Text) -> str:
    return f'<p class="{block.tone}">{escape(block.text)}</p>'


@_html.register
def _(block: Pictures) -> str:
    widths = block.widths or [0.0] * len(block.pictures)
    return f'<div class="pictures">{"".join(map(_figure, block.pictures, widths))}</div>'


@_html.register
def _(block: Table) -> str:
    head = f"<thead><tr>{_cells(block.columns, 'th')}</tr></thead>" if any(block.columns) else ""
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    dense = ' class="dense"' if block.dense else ""
    columns = "".join(f'<col style="width:{width / sum(block.widths):.1%}">' for width in block.widths)
    rows = "".join(f'<tr><th scope="row">{escape(row[0])}</th>{_cells(row[1:], "td")}</tr>' for row in block.rows)
    return f'<div class="scroll"><table{dense}>{caption}<colgroup>{columns}</colgroup>{head}<tbody>{rows}</tbody></table></div>'


@_html.register
def _(block: Facts) -> str:
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in block.rows)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


@_html.register
def _(block: Bars) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><div class="track"><div class="bar" style="width:{share:.1%}"></div></div></td>'
        f"<td>{share:.1%}</td></tr>"
        for name, share in block.rows
    )
    return f'<table class="bars"><caption>{escape(block.axis)}</caption><tbody>{rows}</tbody></table>'


@_html.register
def _(block: Code) -> str:
    return f"<pre><code>{escape(block.text)}</code></pre>"


def _figure(picture: Picture, width: float) -> str:
    """width: share of the page, 0 for an equal one; on a narrow screen a picture is as wide as that."""
    style = f' style="flex: 0 1 calc({width:.0%} - 1.25rem); min-width: min(100%, 12rem)"' if width else ""
    data = base64.b64encode(picture.png).decode()
    return (
        f'<figure{style}><img alt="{escape(picture.alt)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _cells(values: Sequence[str], tag: str) -> str:
    make: Callable[[str], str] = lambda value: f"<{tag}>{escape(value)}</{tag}>"  # noqa: E731
    return "".join(map(make, values))
