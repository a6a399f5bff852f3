"""A report as data: sections of blocks, written once and rendered by ``pdf`` and ``html``. All texts are plain, no markup."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lungcad import __version__

NOTICE = "Research software, not a medical device. Not for diagnosis or treatment."


class Tone(StrEnum):
    """How loudly a text speaks."""

    PLAIN = "plain"
    NOTE = "note"  # small print
    LEAD = "lead"  # what the section says, first
    WARNING = "warning"  # a reason to doubt
    GRAVE = "grave"  # the answer must not be believed


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Picture:
    """png: file content, shown with every pixel it has. alt: what a reader who cannot see it is told."""

    png: bytes
    caption: str
    alt: str


@dataclass(frozen=True)
class Pictures:
    """Pictures beside each other, each as wide as its share of the page. widths: of the whole, one each; all alike where empty."""

    pictures: Sequence[Picture]
    widths: Sequence[float] = ()


@dataclass(frozen=True)
class Table:
    """columns: headings, "" for none. rows: cells by column. widths: relative, all alike where empty. dense: many numbers, set small."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float] = ()
    caption: str = ""
    dense: bool = False


@dataclass(frozen=True)
class Facts:
    """Name and value, a line each."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Bars:
    """(name, share between 0 and 1), a bar each; the first is the answer. axis: what the shares are."""

    rows: Sequence[tuple[str, float]]
    axis: str


@dataclass(frozen=True)
class Code:
    """A command to type."""

    text: str


Block = Text | Pictures | Table | Facts | Bars | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """title, subtitle: of the report. date: ISO, of its making. opening: before the first section. The notice stands on every page. one_page: made smaller
    until it fits on one.
    """

    title: str
    subtitle: str
    date: str
    sections: Sequence[Section]
    opening: Sequence[Block] = ()
    notice: str = NOTICE
    one_page: bool = False
    made_by: str = field(default=f"lungcad {__version__}")
