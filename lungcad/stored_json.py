"""JSON that lungcad wrote and somebody may have changed: read so that it is shown and computed with as it is, or refused in one sentence."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic

from lungcad.errors import LungcadError, lookup
from lungcad.names import printable

DAMAGED_JSON = (OSError, ValueError)
"""What :func:`read_json` raises: a file that is missing or closed; bytes that are no text or no JSON."""
MAX_DIGITS = 18
"""Of a whole number; none that is stored has more."""
Share = Annotated[float, pydantic.Field(ge=0, le=1)]
PlainName = Annotated[str, pydantic.Field(pattern=r"^[\w .,'’()-]+$")]
"""Of a network or a concept, in a table of Markdown."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path) -> Any:
    """The values of a file. Raises one of :data:`DAMAGED_JSON`, also for endless nesting, numbers that are none (NaN, 1e999), half a character."""
    if not path.is_file():  # a device may have no end
        raise FileNotFoundError(path)
    text = path.read_text("utf-8")
    try:
        values = json.loads(text, parse_constant=_refused, parse_float=_finite, parse_int=_short)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _SURROGATE.search(text):
        json.dumps(values, ensure_ascii=False).encode()  # halves of characters raise a UnicodeEncodeError, which is a ValueError
    return values


class Stored(pydantic.BaseModel):
    """What readers of a file, or of a part of it, rely on. Nothing is converted, and further keys may stand there."""

    model_config = pydantic.ConfigDict(strict=True, allow_inf_nan=False, extra="allow", protected_namespaces=())

    @classmethod
    def read(cls, path: Path, what: str, remedy: str, error: type[LungcadError]) -> dict[str, Any]:
        """:meth:`checked`, of a file; one that is missing or no JSON is damaged."""
        try:
            values = read_json(path)
        except DAMAGED_JSON:
            values = None
        return cls.checked(values, what, remedy, error)

    @classmethod
    def checked(cls, values: object, what: str, remedy: str, error: type[LungcadError]) -> dict[str, Any]:
        """The values as they are. Raises ``error`` in one sentence that names the first key that is not what it should be.

        what: the file, in the sentence. remedy: what to do, its second half.
        """
        if not isinstance(values, dict):
            raise error(f"{what} is damaged; {remedy}.")
        try:
            cls.model_validate(values)
        except pydantic.ValidationError as fault:
            first = fault.errors()[0]
            key = printable(".".join(map(str, first["loc"])) or "as a whole")[:100]
            raise error(f"{what} is damaged ({key}: {printable(first['msg'])[:100]}); {remedy}.") from None
        return values


def named_in(table: Mapping[str, object], kind: str) -> pydantic.AfterValidator:
    """A text that is a name of the table. kind: of thing, in the sentence."""

    def known(name: str) -> str:
        lookup(table, name, kind)
        return name

    return pydantic.AfterValidator(known)


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if abs(value) < float("inf") else _refused(digits)


def _short(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else int(_refused(digits[:MAX_DIGITS]))
