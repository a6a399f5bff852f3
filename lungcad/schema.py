"""Validated, frozen records: what model cards and recipes are made of."""

from pathlib import Path
from typing import Self

import pydantic

from lungcad.errors import LungcadError
from lungcad.names import printable

MAX_BYTES = 1 << 20
"""Of a YAML file; a recipe has a kilobyte."""


class Schema(pydantic.BaseModel):
    """A frozen pydantic model that knows no extra keys and fails in one sentence."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    @classmethod
    def parse(cls, values: object, what: str, error: type[LungcadError]) -> Self:
        """Validate ``values``; the first fault is raised as ``error`` and names the key."""
        try:
            return cls.model_validate(values)
        except pydantic.ValidationError as fault:
            first = fault.errors()[0]
            key = ".".join(map(str, first["loc"])) or "the file"
            if first["type"] == "extra_forbidden":
                raise error(f"{what}: unknown key {key!r}; known keys: {', '.join(cls.model_fields)}.") from None
            raise error(f"{what}: {key}: {first['msg']} (got {str(first.get('input'))[:60]!r}).") from None

    @classmethod
    def read_yaml(cls, path: str | Path, what: str, error: type[LungcadError]) -> Self:
        """Of a YAML file. what: the kind of file in the sentence that ``error`` says."""
        path = Path(path)
        return cls.parse(yaml_values(path, what, error), f"{what.capitalize()} {path.name}", error)


def yaml_values(path: Path, what: str, error: type[LungcadError]) -> object:
    """What a YAML file holds. Raises ``error`` in one sentence for what is no YAML, no file, or too large for one."""
    import yaml

    try:
        if path.exists() and not path.is_file():
            raise error(f"The {what} {printable(path)!r} is a folder or a device, not a file; check the path.")
        if path.stat().st_size > MAX_BYTES:
            raise error(f"The {what} {printable(path.name)} has more than {MAX_BYTES >> 10} KiB, which none has; check the path.")
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError:
        raise error(f"The {what} {printable(path)[:200]!r} cannot be read; check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise error(f"The {what} {printable(path.name)} is not valid YAML.") from None
