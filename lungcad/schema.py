"""Validated, frozen records: what model cards and recipes are made of."""

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
