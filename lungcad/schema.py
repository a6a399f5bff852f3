"""Validated, frozen records: what model cards and recipes are made of."""

from pathlib import Path
from typing import Self

import pydantic

from lungcad.errors import LungcadError


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
        import yaml

        path = Path(path)
        try:
            values = yaml.safe_load(path.read_text("utf-8"))
        except OSError:
            raise error(f"The {what} {str(path)!r} cannot be read; check the path.") from None
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            raise error(f"The {what} {path.name} is not valid YAML.") from None
        return cls.parse(values, f"{what.capitalize()} {path.name}", error)
